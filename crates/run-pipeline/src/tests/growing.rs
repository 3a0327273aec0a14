//! Runs that get their stop time after they were archived, and executions that die over that.

use ucon_db::BlobStore as _;

use super::{
    Fuse,
    kill::{import_with_power_for, migrate_with_power_for, settle},
    world::{World, options, runs},
};
use crate::{EventKind, Mode, RunEvent, StageOptions, read_notes};

const START: &str = "DAQInterface start time: Sat Nov 21 00:37:50 UTC 2026\n";
const BOTH: &str =
    "DAQInterface start time: Sat Nov 21 00:37:50 UTC 2026\nDAQInterface stop time: Sat Nov 21 00:47:50 UTC 2026\n";

/// Three archived runs with a start time only, the second of which has just ended.
async fn world() -> World {
    let world = World::with_runs("100-102");
    for run in 100..103 {
        world.write_file(run, "metadata.txt", START);
    }
    world.import(Mode::Full).await.unwrap();
    world.migrate(Mode::Full).await.unwrap();
    assert_eq!(world.state("importer").unfinished, runs("100-102"));
    world.write_file(101, "metadata.txt", BOTH);
    world
}

/// What both archives must hold in the end, whatever happened on the way.
async fn check(world: &World, step: i64) {
    let blob =
        |run: u64| async move { String::from_utf8(world.blobs.get(run.into()).await.unwrap().unwrap()).unwrap() };
    assert!(blob(101).await.contains("DAQInterface_stop_time"), "step {step}");
    for run in [100, 102] {
        assert!(!blob(run).await.contains("DAQInterface_stop_time"), "step {step}");
        assert_eq!(world.blobs.versions(run.into()).await.unwrap().len(), 1, "step {step}");
    }
    let versions = world.blobs.versions(101.into()).await.unwrap();
    assert_eq!((versions.len(), versions[1].key.clone()), (2, None), "step {step}: the one before is kept");
    let state = world.state("importer");
    assert_eq!((state.unfinished, state.amended), (runs("100, 102"), runs("none")), "step {step}");
    assert_eq!((world.text("importer"), world.text("migrator")), ("102/102 none".into(), "102/102 none".into()));
    let notes = read_notes(&world.paths("migrator").journal()).unwrap();
    let last = notes.iter().rfind(|note| note.run == 101.into()).unwrap();
    let size = Some(blob(101).await.len() as u64);
    assert!(
        matches!(&last.event, RunEvent::Refreshed { content } if content.size_bytes == size),
        "step {step}: {last:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_import_that_dies_over_a_stop_time_goes_on() {
    for step in 0.. {
        let world = world().await;
        let was_killed = import_with_power_for(&world, step, Mode::Incremental).await;
        settle(&world, "importer").await;
        // Whatever the migration sees now, it does not forget the run.
        world.migrate(Mode::Incremental).await.unwrap();
        world.import(Mode::Incremental).await.unwrap();
        world.migrate(Mode::Incremental).await.unwrap();
        check(&world, step).await;
        if !was_killed {
            assert!(step > 7, "only {step} steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_dies_over_a_new_version_goes_on() {
    for step in 0.. {
        let world = world().await;
        world.import(Mode::Incremental).await.unwrap();
        let was_killed = migrate_with_power_for(&world, step, Mode::Incremental).await;
        settle(&world, "migrator").await;
        let report = world.migrate(Mode::Incremental).await.unwrap();
        assert!(!report.has_failures());
        check(&world, step).await;
        if !was_killed {
            assert!(step > 7, "only {step} steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refreshed_by_hand_is_named_or_refused() {
    let world = world().await;
    let refresh = |only: &str| StageOptions { only: Some(runs(only)), ..options(Mode::Refresh) };
    let store = || std::sync::Arc::clone(&world.config) as _;
    let report = world.import_to(store(), refresh("101, 103")).await.unwrap();
    assert_eq!((report.amended, report.outcomes.len()), (runs("101"), 0));
    assert_eq!(report.not_amended[&103.into()], "it is not archived in artdaqDB yet");
    let blobs = || std::sync::Arc::clone(&world.blobs) as _;
    let report = world.migrate_to(blobs(), refresh("101-103")).await.unwrap();
    assert_eq!(report.amended, runs("101"));
    assert_eq!(report.not_amended.into_keys().collect::<run_state::RunSet>(), runs("103"));
    assert!(world.events().iter().any(|event| matches!(event, EventKind::Renewed { run, .. } if run.get() == 101)));
    check(&world, 0).await;
}

/// Every write is a flush or more; runs that are verified at about the same time share them.
#[tokio::test(start_paused = true)]
async fn runs_of_a_block_are_saved_together() {
    let world = World::with_runs("100-149");
    let fuse = Fuse::of(i64::MAX);
    let store = std::sync::Arc::clone(&world.config) as _;
    world.import_with(store, options(Mode::Full), Some(&fuse)).await.unwrap();
    assert_eq!(world.text("importer"), "149/149 none");
    let writes = fuse.spent();
    assert!(writes <= 30, "{writes} writes for 50 runs");
}
