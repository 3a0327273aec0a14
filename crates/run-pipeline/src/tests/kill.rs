//! The program is killed at every step: each write of the state, each call of a store, and each answer.

use std::sync::Arc;

use run_state::RunSet;

use super::{
    Fuse,
    stores::{Call, Fault, Faulty},
    world::{MALFORMED, RECORD, World, options, runs},
};
use crate::{Mode, StageSnapshot};

/// Promise 6, literally: every run on disk at or below the mark is archived or in the failure log.
fn assert_nothing_is_lost(state: &StageSnapshot, available: &RunSet, archived: &RunSet, step: i64) {
    let below = available.up_to(state.marks.last_attempted_run);
    let lost = below.difference(archived).difference(&state.failed);
    assert!(lost.is_empty(), "step {step}: {lost} is lost with marks {} and log {}", state.marks, state.failed);
}

pub(super) async fn import_with_power_for(world: &World, steps: i64, mode: Mode) -> bool {
    let fuse = Fuse::of(steps);
    let store = Faulty::fused(&world.config, &fuse);
    tokio::select! {
        biased;
        () = fuse.blown() => {}
        // A refused write ends the stage by itself.
        _ = world.import_with(store, options(mode), Some(&fuse)) => {}
    }
    // What the state's owner was doing on its thread.
    tokio::task::yield_now().await;
    fuse.is_blown()
}

pub(super) async fn migrate_with_power_for(world: &World, steps: i64, mode: Mode) -> bool {
    let fuse = Fuse::of(steps);
    let source = Faulty::fused(&world.config, &fuse);
    let store = Faulty::fused(&world.blobs, &fuse);
    tokio::select! {
        biased;
        () = fuse.blown() => {}
        _ = world.migrate_with(source, store, options(mode), Some(&fuse)) => {}
    }
    tokio::task::yield_now().await;
    fuse.is_blown()
}

/// Waits until the task that owns the state has let go of the lock.
pub(super) async fn settle(world: &World, stage: &str) {
    let lock = world.dir.path().join(format!("{stage}.lock"));
    let owner = statefile::Owner::current(&statefile::SystemClock);
    while statefile::Lock::acquire(&lock, &owner).is_err() {
        // A pause, not a yield: whoever holds it may wait for the clock, which moves when nobody works.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_killed_anywhere_goes_on() {
    for step in 0.. {
        let world = World::with_runs("100-107");
        world.write(100, MALFORMED);
        world.write(103, MALFORMED);
        let was_killed = import_with_power_for(&world, step, Mode::Full).await;
        settle(&world, "importer").await;
        assert_nothing_is_lost(&world.state("importer"), &runs("100-107"), &world.imported().await, step);

        // The same command again.
        world.import(Mode::Full).await.unwrap();
        assert_eq!(world.text("importer"), "102/107 100, 103", "step {step}");
        assert_eq!(world.imported().await, runs("101-102, 104-107"), "step {step}");
        world.write(100, RECORD);
        world.write(103, RECORD);
        world.import(Mode::RetryFailed).await.unwrap();
        assert_eq!(world.text("importer"), "107/107 none", "step {step}");
        if !was_killed {
            assert!(step > 20, "only {step} steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_incremental_import_killed_anywhere_goes_on() {
    for step in 0.. {
        let world = World::with_runs("100-104");
        let was_killed = import_with_power_for(&world, step, Mode::Incremental).await;
        settle(&world, "importer").await;
        world.add("105-109");
        world.import(Mode::Incremental).await.unwrap();
        world.import(Mode::Incremental).await.unwrap();
        world.import(Mode::Incremental).await.unwrap();
        assert_eq!(
            (world.text("importer"), world.imported().await),
            ("109/109 none".into(), runs("100-109")),
            "step {step}"
        );
        if !was_killed {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_killed_anywhere_goes_on() {
    for step in 0.. {
        let world = World::with_runs("100-106");
        world.import(Mode::Full).await.unwrap();
        let was_killed = migrate_with_power_for(&world, step, Mode::Full).await;
        settle(&world, "migrator").await;
        assert_nothing_is_lost(&world.state("migrator"), &runs("100-106"), &world.migrated().await, step);
        world.migrate(Mode::Full).await.unwrap();
        assert_eq!((world.text("migrator"), world.migrated().await), ("106/106 none".into(), runs("100-106")));
        if !was_killed {
            assert!(step > 40, "only {step} steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn runs_that_were_interrupted_again_and_again_are_finished_by_the_same_command() {
    let world = World::with_runs("100-101");
    for _ in 0..3 {
        let hangs = Faulty::new(&world.config, |call, _| matches!(call, Call::Insert(_)).then_some(Fault::Hangs));
        tokio::select! {
            _ = world.import_to(hangs, options(Mode::Incremental)) => unreachable!("it hangs"),
            () = tokio::time::sleep(std::time::Duration::from_mins(1)) => {} // killed
        }
        settle(&world, "importer").await;
        let state = world.state("importer");
        assert_eq!((state.in_flight, state.failed.union(&runs("100-101"))), (runs("100-101"), runs("100-101")));
    }
    world.add("102");
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!(report.archived_count(), 3);
    assert_eq!(world.text("importer"), "102/102 none");
}

#[test]
fn stores_are_shared() {
    // The fused wrapper counts on the very store, not on a copy of it.
    let world = World::new();
    let faulty = Faulty::fused(&world.config, &Fuse::of(0));
    assert!(Arc::ptr_eq(&faulty.store, &world.config));
}

#[tokio::test(start_paused = true)]
async fn each_outcome_is_on_disk_before_the_end() {
    let world = World::with_runs("100-105");
    let hangs = Faulty::new(&world.config, |call, _| (*call == Call::Export(104.into())).then_some(Fault::Hangs));
    tokio::select! {
        _ = world.import_to(hangs, options(Mode::Full)) => unreachable!("it hangs"),
        () = tokio::time::sleep(std::time::Duration::from_mins(1)) => {} // killed
    }
    settle(&world, "importer").await;
    let now = world.state("importer");
    // 105 is archived, but the mark does not pass 104.
    assert_eq!((now.marks.to_string(), now.in_flight), ("103/103".into(), runs("104")));
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!((world.text("importer"), report.archived_count()), ("105/105 none".into(), 1));

    let hangs = Faulty::new(&world.blobs, |call, _| (*call == Call::Put(103.into())).then_some(Fault::Hangs));
    tokio::select! {
        _ = world.migrate_to(hangs, options(Mode::Full)) => unreachable!("it hangs"),
        () = tokio::time::sleep(std::time::Duration::from_mins(1)) => {} // killed
    }
    settle(&world, "migrator").await;
    let now = world.state("migrator");
    assert_eq!((now.marks.to_string(), now.in_flight), ("102/102".into(), runs("103")));
    assert_eq!(world.migrated().await, runs("100-102, 104-105"));
    let report = world.migrate(Mode::Incremental).await.unwrap();
    assert_eq!((world.text("migrator"), report.archived_count()), ("105/105 none".into(), 1));
}
