//! Stores and disks in trouble: the runs concerned are in the failure log with one clear reason, the
//! others go on or stay unattempted, and a later retry succeeds.

use std::{sync::Arc, time::Duration};

use fs_err as fs;
use tokio::time::Instant;
use ucon_db::ErrorClass;

use super::{
    stores::{Call, Fault, Faulty},
    world::{RECORD, World, files_in, options, runs},
};
use crate::{
    EventKind, MigrateOptions, Mode, Outcome, Side, StageError, StageOptions, migrate, plan_import, plan_migrate,
};

fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_fails_by_itself_and_at_once() {
    let world = World::with_runs("100-105");
    world.write(101, "a: 1\nb: /tmp/x\n");
    fs::remove_file(world.record_dir(102.into()).join("boot.fcl")).unwrap();
    fs::remove_dir_all(world.record_dir(103.into())).unwrap();
    fs::write(world.record_dir(103.into()), "a file").unwrap();
    let started = Instant::now();
    let report = world.import(Mode::Full).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO, "permanent errors are not tried again");
    for (run, part) in [(101, "line 2 column 4"), (102, "holds no"), (103, "is not a directory")] {
        assert!(reason(&report.outcomes[&run.into()]).contains(part), "{report:?}");
    }
    assert_eq!(world.text("importer"), "100/105 101-103");

    fs::remove_file(world.record_dir(103.into())).unwrap();
    (101..=103).for_each(|run| world.write(run, RECORD));
    world.import(Mode::RetryFailed).await.unwrap();
    assert_eq!(world.text("importer"), "105/105 none");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_directory_is_gone_stays_in_the_log() {
    let world = World::with_runs("100-115");
    world.write(107, super::world::MALFORMED);
    world.import(Mode::Full).await.unwrap();
    fs::remove_dir_all(world.record_dir(107.into())).unwrap();
    let report = world.import(Mode::RetryFailed).await.unwrap();
    assert!(reason(&report.outcomes[&107.into()]).contains("has no directory for run 107"));
    assert_eq!(world.text("importer"), "106/115 107");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_comes_back_in_time_costs_only_the_pauses() {
    let world = World::with_runs("100-103");
    let store = Faulty::new(&world.config, |call, number| {
        (matches!(call, Call::Insert(_)) && number < 3).then_some(Fault::Refused(ErrorClass::Transient))
    });
    let started = Instant::now();
    let report = world.import_to(store, options(Mode::Full)).await.unwrap();
    assert_eq!((report.archived_count(), started.elapsed()), (4, Duration::from_secs(6)));
    let retries = world.events().into_iter().filter(|event| matches!(event, EventKind::Retrying { .. })).count();
    assert_eq!(retries, 2);
    assert_eq!(world.text("importer"), "103/103 none");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_the_import_after_its_retries() {
    let world = World::with_runs("1-120");
    let store = Faulty::new(&world.config, |call, _| match call {
        Call::Insert(runs) if runs.contains(&51.into()) => Some(Fault::Refused(ErrorClass::Transient)),
        _ => None,
    });
    let wide = StageOptions { batch_size: 100, ..options(Mode::Full) };
    let report = world.import_to(store, wide.clone()).await.unwrap();
    assert!(report.stopped.as_deref().unwrap().starts_with("could not write `archive`: "), "{:?}", report.stopped);
    assert_eq!(report.count(|outcome| *outcome == Outcome::NotAttempted), 20);
    assert_eq!(world.text("importer"), "50/100 51-100");
    // With the disk cleared: the rest, and what failed.
    world.import_to(Arc::clone(&world.config) as _, wide).await.unwrap();
    assert_eq!(world.text("importer"), "120/120 none");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_is_not_a_second_insertion() {
    let world = World::with_runs("100-103");
    let store = Faulty::new(&world.config, |call, number| {
        (matches!(call, Call::Insert(_)) && number == 1).then_some(Fault::AnswerLost)
    });
    let report = world.import_to(store, options(Mode::Full)).await.unwrap();
    assert_eq!(report.count(|outcome| *outcome == Outcome::Archived { was_there: true }), 4);
    assert_eq!(world.text("importer"), "103/103 none");

    let store = Faulty::new(&world.blobs, |call, _| matches!(call, Call::Put(_)).then_some(Fault::AnswerLost));
    let report = world.migrate_to(store, options(Mode::Full)).await.unwrap();
    assert_eq!(report.count(|outcome| *outcome == Outcome::Archived { was_there: true }), 4);
    assert_eq!(world.text("migrator"), "103/103 none");
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_differs_is_never_taken_for_archived() {
    use ucon_db::BlobStore as _;
    let world = World::with_runs("100-102");
    world.import(Mode::Full).await.unwrap();
    let never_reads_back = Faulty::new(&world.blobs, |call, _| {
        (*call == Call::Get(101.into())).then_some(Fault::Refused(ErrorClass::Permanent))
    });
    let report = world.migrate_to(never_reads_back, options(Mode::Full)).await.unwrap();
    assert!(reason(&report.outcomes[&101.into()]).contains("reads back"));
    // It is in the archive, and yet the mark waits for its verification.
    assert!(world.blobs.get(101.into()).await.unwrap().is_some());
    assert_eq!(world.text("migrator"), "100/102 101");
    assert!(world.migrate(Mode::Incremental).await.unwrap().outcomes.is_empty());
    assert_eq!(world.text("migrator"), "100/102 101");
    world.migrate(Mode::RetryFailed).await.unwrap();
    assert_eq!(world.text("migrator"), "102/102 none");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_stops_the_migration_at_the_first_run() {
    let world = World::with_runs("100-105");
    world.import(Mode::Full).await.unwrap();
    let store = Faulty::new(&world.blobs, |call, _| {
        matches!(call, Call::Put(_)).then_some(Fault::Refused(ErrorClass::Authentication))
    });
    let narrow = StageOptions { parallel_workers: 1, ..options(Mode::Full) };
    let report = world.migrate_to(store, narrow).await.unwrap();
    assert!(report.stopped.as_deref().unwrap().contains("user or password"), "{:?}", report.stopped);
    assert_eq!((report.failed_count(), world.text("migrator")), (1, "0/100 100".into()));
    world.migrate(Mode::Full).await.unwrap();
    assert_eq!(world.text("migrator"), "105/105 none");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_stops_the_migration_after_three_runs() {
    let world = World::with_runs("100-110");
    world.import(Mode::Full).await.unwrap();
    let away = |call: &Call, _| match call {
        Call::Put(run) if run.get() >= 104 => Some(Fault::Refused(ErrorClass::Transient)),
        _ => None,
    };
    let narrow = StageOptions { parallel_workers: 1, ..options(Mode::Full) };
    let started = Instant::now();
    let report = world.migrate_to(Faulty::new(&world.blobs, away), narrow).await.unwrap();
    assert_eq!((report.failed_count(), report.archived_count()), (3, 4));
    assert_eq!(started.elapsed(), Duration::from_secs(3 * 6));
    assert_eq!(world.text("migrator"), "103/106 104-106");
    world.migrate(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("migrator"), "103/110 104-106");
    world.migrate(Mode::RetryFailed).await.unwrap();
    assert_eq!(world.text("migrator"), "110/110 none");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_failed_or_shrank_changes_nothing() {
    let world = World::with_runs("1-40");
    world.import(Mode::Full).await.unwrap();
    world.migrate(Mode::Full).await.unwrap();
    world.add("41-45");
    let before = (world.state("importer"), world.state("migrator"));

    let fails = |call: &Call, _| (*call == Call::List).then_some(Fault::Refused(ErrorClass::Transient));
    let refused = world.import_to(Faulty::new(&world.config, fails), options(Mode::Full)).await.unwrap_err();
    assert!(matches!(refused, StageError::Listing { side: Side::Destination, .. }), "{refused:?}");
    let refused = world.migrate_to(Faulty::new(&world.blobs, fails), options(Mode::Full)).await.unwrap_err();
    assert!(matches!(refused, StageError::Listing { side: Side::Destination, .. }), "{refused:?}");

    let is_short = |call: &Call, _| (*call == Call::List).then_some(Fault::Short(5));
    let refused = world.import_to(Faulty::new(&world.config, is_short), options(Mode::Full)).await.unwrap_err();
    assert!(
        matches!(refused, StageError::Shrunk { side: Side::Destination, known_runs: 40, found_runs: 35, .. }),
        "{refused:?}"
    );
    let refused = world.migrate_to(Faulty::new(&world.blobs, is_short), options(Mode::Full)).await.unwrap_err();
    assert!(matches!(refused, StageError::Shrunk { side: Side::Destination, .. }), "{refused:?}");

    let records = world.dir.path().join("records");
    fs::rename(&records, world.dir.path().join("unmounted")).unwrap();
    let refused = world.import(Mode::Full).await.unwrap_err();
    assert!(matches!(refused, StageError::Listing { side: Side::Source, .. }), "{refused:?}");
    fs::create_dir(&records).unwrap();
    let refused = world.import(Mode::Full).await.unwrap_err();
    assert!(refused.to_string().contains("lists 0 runs where there were 40"), "{refused}");
    assert_eq!((world.state("importer"), world.state("migrator")), before);

    // Whoever knows that it is right says so.
    fs::remove_file(world.paths("importer").counts()).unwrap();
    world.import(Mode::Full).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_half_imported_run_is_not_migrated() {
    let world = World::with_runs("100-102");
    world.import(Mode::Full).await.unwrap();
    let half = |call: &Call, _| (*call == Call::List).then_some(Fault::Half(101));
    let source = Faulty::new(&world.config, half);
    let blobs = || Arc::clone(&world.blobs) as _;
    let report = world.migrate_with(source, blobs(), options(Mode::Incremental), None).await.unwrap();
    assert_eq!(report.archived_count(), 2);
    assert_eq!(world.text("migrator"), "100/102 none");
    // Completed meanwhile, it is below the mark.
    world.migrate(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("migrator"), "100/102 101");
    world.migrate(Mode::RetryFailed).await.unwrap();
    assert_eq!(world.text("migrator"), "102/102 none");
}

#[tokio::test(start_paused = true)]
async fn a_half_imported_run_is_imported_again() {
    let world = World::with_runs("100-102");
    world.import(Mode::Full).await.unwrap();
    for path in [world.paths("importer").state, world.paths("importer").counts()] {
        fs::remove_file(path).unwrap();
    }
    let half = |call: &Call, _| (*call == Call::List).then_some(Fault::Half(101));
    let report = world.import_to(Faulty::new(&world.config, half), options(Mode::Full)).await.unwrap();
    assert_eq!(report.outcomes.keys().copied().collect::<Vec<_>>(), [101.into()]);
    assert_eq!(world.text("importer"), "102/102 none");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_stage_finishes_what_it_began() {
    let world = World::with_runs("1-120");
    let cancel = world.cancel.clone();
    let store = Faulty::new(&world.config, move |call, _| {
        if matches!(call, Call::Insert(_)) {
            cancel.cancel();
        }
        None
    });
    let wide = StageOptions { batch_size: 100, ..options(Mode::Full) };
    let report = world.import_to(store, wide).await.unwrap();
    assert!(report.is_interrupted && !report.has_failures());
    assert_eq!((world.text("importer"), world.imported().await), ("50/50 none".into(), runs("1-50")));
    assert_eq!(report.count(|outcome| *outcome == Outcome::NotAttempted), 70);
}

#[tokio::test(start_paused = true)]
async fn whoever_interrupts_a_pause_does_not_wait_for_its_end() {
    let world = World::with_runs("100-105");
    world.import(Mode::Full).await.unwrap();
    let away = |call: &Call, _| matches!(call, Call::Put(_)).then_some(Fault::Refused(ErrorClass::Transient));
    let started = Instant::now();
    let cancel = world.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    });
    let report = world.migrate_to(Faulty::new(&world.blobs, away), options(Mode::Full)).await.unwrap();
    assert!(report.is_interrupted);
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert_eq!(world.text("migrator"), "0/101 100-101");
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_would_be_done_and_touches_nothing() {
    let world = World::with_runs("100-102, 104");
    world.import(Mode::Full).await.unwrap();
    world.add("103, 105");
    let before = files_in(world.dir.path());
    let (importer, migrator) = (world.paths("importer"), world.paths("migrator"));
    let (incremental, full) = (options(Mode::Incremental), options(Mode::Full));
    let plan = plan_import(&importer, world.source(), &*world.config, &incremental, &*world.clock).await.unwrap();
    assert_eq!((plan.selection.work, plan.selection.late), (runs("105"), runs("103")));
    let plan = plan_migrate(&migrator, None, &*world.config, &*world.blobs, &full).await.unwrap();
    assert_eq!(plan.selection.work, runs("100-102, 104"));
    assert_eq!(files_in(world.dir.path()), before);
}

#[tokio::test(start_paused = true)]
async fn unreadable_state_is_refused() {
    let world = World::with_runs("100");
    fs::write(world.paths("importer").failure_log, "100\n10x\n").unwrap();
    let lock = statefile::Owner::current(&statefile::SystemClock);
    let lock = Arc::new(statefile::Lock::acquire(world.dir.path().join("importer.lock"), &lock).unwrap());
    let refused = crate::StageFiles::open(&world.paths("importer"), lock, Arc::clone(&world.clock) as _).unwrap_err();
    assert!(refused.to_string().contains("is not a valid failure log"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_does_not_say_what_it_is_is_reported() {
    let world = World::with_runs("100");
    world.import(Mode::Full).await.unwrap();
    let validating = MigrateOptions { is_validating: true, ..MigrateOptions::default() };
    let (files, source) = (world.open("migrator"), Arc::clone(&world.config) as _);
    let (store, seen) = (Arc::clone(&world.blobs) as _, Arc::clone(&world.seen) as _);
    let report = migrate(files, source, store, validating, options(Mode::Full), seen, world.cancel.clone()).await.1;
    let report = report.unwrap();
    assert_eq!((report.invalid[&100.into()].len(), report.has_failures()), (3, false));
}

#[tokio::test(start_paused = true)]
async fn the_stop_time_of_a_run_that_was_being_taken_is_added() {
    use artdaq_db::ConfigStore as _;
    let world = World::with_runs("100-101");
    world.import(Mode::Full).await.unwrap();
    let metadata = world.record_dir(101.into()).join("metadata.txt");
    fs::write(metadata, "Config name: standard\nDAQInterface stop time: Sat Nov 21 00:37:50 UTC 2026\n").unwrap();
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!((report.amended, report.outcomes.len()), (runs("101"), 0));
    assert!(world.config.runs().await.unwrap()[&101.into()].is_amended());
    assert!(world.events().contains(&EventKind::Amended { run: 101.into(), version: "101/standardv1".into() }));
    assert_eq!(world.import(Mode::Incremental).await.unwrap().amended, runs("none"));

    // The same for a run that somebody asks for.
    let metadata = world.record_dir(100.into()).join("metadata.txt");
    fs::write(metadata, "DAQInterface start time: Sat Nov 21 00:37:50 UTC 2026\n").unwrap();
    fs::write(world.paths("importer").failure_log, "100\n").unwrap();
    let report = world.import(Mode::RetryFailed).await.unwrap();
    assert_eq!(report.outcomes[&100.into()], Outcome::Archived { was_there: true });
    assert!(world.config.runs().await.unwrap()[&100.into()].is_amended());
}
