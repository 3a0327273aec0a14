//! The state management guide's own numbers, through the stages.

use fs_err as fs;

use super::world::{MALFORMED, RECORD, World, runs};
use crate::{Mode, Outcome};

#[tokio::test(start_paused = true)]
async fn no_gaps() {
    let world = World::with_runs("100-105");
    let report = world.import(Mode::Full).await.unwrap();
    assert_eq!(world.text("importer"), "105/105 none");
    assert_eq!((report.archived_count(), report.has_failures()), (6, false));
    world.migrate(Mode::Full).await.unwrap();
    assert_eq!(world.text("migrator"), "105/105 none");
    assert_eq!(world.migrated().await, runs("100-105"));
}

#[tokio::test(start_paused = true)]
async fn a_gap_holds_the_contiguous_mark() {
    let world = World::with_runs("100-102, 105-107");
    world.import(Mode::Full).await.unwrap();
    assert_eq!(world.text("importer"), "102/107 none");
    world.migrate(Mode::Full).await.unwrap();
    assert_eq!(world.text("migrator"), "102/107 none");
}

#[tokio::test(start_paused = true)]
async fn a_failure_holds_the_mark_until_its_cause_is_gone() {
    let world = World::with_runs("100");
    world.import(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("importer"), "100/100 none");
    world.add("101-105");
    world.write(103, MALFORMED);

    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("importer"), "102/105 103");
    let Outcome::Failed { reason } = &report.outcomes[&103.into()] else { panic!("{report:?}") };
    assert!(reason.contains("`boot.fcl` line 2 column 1"), "{reason}");
    let state = fs::read_to_string(world.paths("importer").state).unwrap();
    assert_eq!(state, "{\n  \"last_contiguous_run\": 102,\n  \"last_attempted_run\": 105\n}");
    assert_eq!(fs::read_to_string(world.paths("importer").failure_log).unwrap(), "103\n");

    // Incremental mode leaves it alone, and a retry that fails again keeps it.
    assert!(world.import(Mode::Incremental).await.unwrap().outcomes.is_empty());
    assert!(world.import(Mode::RetryFailed).await.unwrap().has_failures());
    assert_eq!(world.text("importer"), "102/105 103");

    world.write(103, RECORD);
    let report = world.import(Mode::RetryFailed).await.unwrap();
    assert_eq!(report.marks_before.to_string(), "102/105");
    assert_eq!(world.text("importer"), "105/105 none");
    assert_eq!(fs::read_to_string(world.paths("importer").failure_log).unwrap(), "");
    assert_eq!(world.imported().await, runs("100-105"));
}

#[tokio::test(start_paused = true)]
async fn incremental_twice_does_nothing_the_second_time() {
    let world = World::with_runs("1000-1003");
    world.import(Mode::Incremental).await.unwrap();
    world.migrate(Mode::Incremental).await.unwrap();
    let before = super::world::files_in(world.dir.path());
    let lock_files = |files: Vec<(std::path::PathBuf, Vec<u8>)>| {
        files.into_iter().filter(|(path, _)| path.extension().is_none_or(|end| end != "lock")).collect::<Vec<_>>()
    };
    assert!(world.import(Mode::Incremental).await.unwrap().outcomes.is_empty());
    assert!(world.migrate(Mode::Incremental).await.unwrap().outcomes.is_empty());
    assert_eq!(lock_files(before), lock_files(super::world::files_in(world.dir.path())));

    world.add("1004");
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [1004.into()]);
    assert_eq!(world.text("importer"), "1004/1004 none");
}

#[tokio::test(start_paused = true)]
async fn an_execution_has_a_limit() {
    let world = World::with_runs("1-60");
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!((world.imported().await, report.beyond_limit), (runs("1-5"), runs("6-60")));
    assert_eq!(world.text("importer"), "5/5 none");
    world.import(Mode::Full).await.unwrap();
    assert_eq!(world.text("importer"), "55/55 none");
    world.import(Mode::Full).await.unwrap();
    assert_eq!(world.text("importer"), "60/60 none");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_appears_late_does_not_vanish() {
    let world = World::with_runs("100-102, 104");
    world.import(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("importer"), "102/104 none");
    world.add("103");
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!((report.late, world.text("importer")), (runs("103"), "102/104 103".into()));
    world.import(Mode::RetryFailed).await.unwrap();
    assert_eq!(world.text("importer"), "104/104 none");
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_others_began_is_taken_over() {
    // No state of ours, and everything but 103 archived.
    let world = World::with_runs("100-102, 104-105");
    world.import(Mode::Full).await.unwrap();
    for path in [world.paths("importer").state, world.paths("importer").counts()] {
        fs::remove_file(path).unwrap();
    }
    world.add("103");
    let report = world.import(Mode::Incremental).await.unwrap();
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [103.into()]);
    assert_eq!(world.text("importer"), "105/105 none");
    assert_eq!(world.imported().await, runs("100-105"));
}

#[tokio::test(start_paused = true)]
async fn a_run_number_far_away_is_harmless() {
    let world = World::with_runs("100-101, 2026020110");
    world.import(Mode::Full).await.unwrap();
    assert_eq!(world.imported().await, runs("100-101, 2026020110"));
    // It moves no mark: else 102 would be late.
    assert_eq!(world.text("importer"), "101/101 none");
    world.add("102");
    world.import(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("importer"), "102/102 none");
    // The state is rebuilt like that, too; one that fails is in the log, and moves none either.
    world.write(2_026_020_111, MALFORMED);
    world.import(Mode::Incremental).await.unwrap();
    assert_eq!(world.text("importer"), "102/102 2026020111");
}
