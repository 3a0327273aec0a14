//! A rehearsal of failures fails as it says, and leaves nothing behind that the next execution does not mend.

use std::sync::Arc;

use artdaq_db::ConfigStore as _;
use run_state::RunSet;

use super::world::{World, options, runs};
use crate::{Fate, FuzzyBlobStore, FuzzyConfigStore, Mode, Outcome, Rehearsal, Stage, StageOptions, StageReport};

const RUNS: &str = "100-119";

/// What is reported as archived is there, and what is not there is reported; lost below the mark is nothing.
fn assert_honest(what: &str, report: &StageReport, source: &RunSet, there: &RunSet) {
    for (run, outcome) in &report.outcomes {
        match outcome {
            Outcome::Archived { .. } => assert!(there.contains(*run), "{what}: {run} is not archived"),
            Outcome::Failed { reason } => {
                assert!(reason.starts_with("rehearsal of failures: "), "{what}: {run}: {reason}");
                assert!(report.still_failed.contains(*run), "{what}: {run} is in no log");
            }
            Outcome::NotAttempted => assert!(report.stopped.is_some(), "{what}: {run}"),
        }
    }
    let attempted = source.up_to(report.marks_after.last_attempted_run);
    let lost = attempted.difference(there).difference(&report.still_failed);
    assert!(lost.is_empty(), "{what}: {lost} vanished below the mark");
}

async fn rehearse_and_mend(rehearsal: Rehearsal) -> (usize, bool) {
    let what = rehearsal.to_string();
    let world = World::with_runs(RUNS);
    let store = Arc::new(FuzzyConfigStore::new(Arc::clone(&world.config) as _, rehearsal.clone()));
    let import = world.import_to(store, options(Mode::Full)).await.unwrap();
    assert_honest(&what, &import, &runs(RUNS), &world.imported().await);
    let store = Arc::new(FuzzyBlobStore::new(Arc::clone(&world.blobs) as _, rehearsal));
    let migrate = world.migrate_to(store, options(Mode::Full)).await.unwrap();
    assert_honest(&what, &migrate, &world.imported().await, &world.migrated().await);

    // The normal execution after it.
    world.import(Mode::Full).await.unwrap();
    world.import(Mode::RetryFailed).await.unwrap();
    world.migrate(Mode::Full).await.unwrap();
    world.migrate(Mode::RetryFailed).await.unwrap();
    assert_eq!((world.imported().await, world.migrated().await), (runs(RUNS), runs(RUNS)), "{what}");
    let whole = "119/119 none";
    assert_eq!((world.text("importer").as_str(), world.text("migrator").as_str()), (whole, whole), "{what}");
    for run in runs(RUNS).iter() {
        assert!(world.config.export(run).await.unwrap().unwrap().configuration.complete, "{what}: {run}");
    }
    let is_stopped = import.stopped.is_some() || migrate.stopped.is_some();
    (import.failed_count() + migrate.failed_count(), is_stopped)
}

#[tokio::test(start_paused = true)]
async fn after_a_rehearsal_a_normal_execution_archives_everything() {
    let (mut failed, mut stopped) = (0, 0);
    for seed in 0..2 {
        for (skip_percent, error_percent) in [(20, 0), (0, 40), (15, 25), (100, 0), (0, 100)] {
            for is_final in [false, true] {
                let (is_skip_final, is_error_final) = (is_final, is_final ^ (seed % 2 == 1));
                let rehearsal = Rehearsal { seed, skip_percent, is_skip_final, error_percent, is_error_final };
                let (runs, is_stopped) = rehearse_and_mend(rehearsal).await;
                failed += runs;
                stopped += usize::from(is_stopped);
            }
        }
    }
    assert!(failed > 80 && stopped > 2, "the rehearsals showed little: {failed} failures, {stopped} stops");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_left_alone_is_a_failure_and_never_reached_the_store() {
    let world = World::with_runs("100-104");
    let rehearsal = Rehearsal { skip_percent: 100, is_skip_final: true, ..Rehearsal::default() };
    let store = Arc::new(FuzzyConfigStore::new(Arc::clone(&world.config) as _, rehearsal));
    let report = world.import_to(store, options(Mode::Full)).await.unwrap();
    assert!(world.imported().await.is_empty());
    assert_eq!((report.failed_count(), world.text("importer").as_str()), (5, "0/104 100-104"));
    assert_eq!(
        report.outcomes[&100.into()],
        Outcome::Failed { reason: "rehearsal of failures: the run was left alone".to_owned() }
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_final_may_succeed_at_the_next_attempt() {
    let world = World::with_runs(RUNS);
    let rehearsal = Rehearsal { seed: 3, error_percent: 50, ..Rehearsal::default() };
    let store = Arc::new(FuzzyConfigStore::new(Arc::clone(&world.config) as _, rehearsal.clone()));
    let retry = crate::RetryPolicy { retries: 20, ..crate::RetryPolicy::default() };
    let patient = StageOptions { retry, ..options(Mode::Full) };
    let report = world.import_to(store, patient).await.unwrap();
    assert_eq!((report.failed_count(), world.text("importer").as_str()), (0, "119/119 none"));
    let first = |fate| runs(RUNS).iter().filter(|run| rehearsal.fate(Stage::Import, *run, 1) == fate).count();
    assert!(first(Fate::AnswerLost) > 1 && first(Fate::FailsBefore) > 1, "both kinds were seen");
}

#[test]
fn the_choice_depends_on_seed_stage_run_and_attempt_and_hits_as_often_as_it_says() {
    let share = |percent: u8, other: u8, fate: fn(Fate) -> bool| {
        let rehearsal = Rehearsal { seed: 1, skip_percent: percent, error_percent: other, ..Rehearsal::default() };
        (0..10_000_u64).filter(|run| fate(rehearsal.fate(Stage::Import, (*run).into(), 1))).count()
    };
    for percent in [0, 1, 10, 50, 99, 100] {
        let expect = usize::from(percent) * 100;
        let skipped = share(percent, 0, |fate| fate == Fate::Skipped);
        let failed = share(0, percent, |fate| matches!(fate, Fate::FailsBefore | Fate::AnswerLost));
        assert!(skipped.abs_diff(expect) < 200 && failed.abs_diff(expect) < 200, "{percent}: {skipped} {failed}");
    }
    assert!(share(0, 100, |fate| fate == Fate::AnswerLost).abs_diff(5_000) < 200);
    let row = |seed, stage, attempt| {
        let rehearsal = Rehearsal { seed, skip_percent: 50, ..Rehearsal::default() };
        (0..64_u64).map(|run| rehearsal.fate(stage, run.into(), attempt) == Fate::Skipped).collect::<Vec<_>>()
    };
    let one = row(1, Stage::Import, 1);
    assert_eq!(one, row(1, Stage::Import, 1));
    for other in [row(2, Stage::Import, 1), row(1, Stage::Migrate, 1), row(1, Stage::Import, 2)] {
        assert_ne!(one, other);
    }
}
