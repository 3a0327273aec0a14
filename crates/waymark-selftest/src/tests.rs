//! Whole self-tests without processes that work: what remains and what is said.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{cell::Cell, process::Command, time::Instant};

use statefile::ManualClock;

use super::*;

fn with_setup<T>(dir: &Path, is_cancelled: &dyn Fn() -> bool, use_it: impl FnOnce(&Setup<'_>) -> T) -> T {
    let (clock, start) = (ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap()), Instant::now());
    use_it(&Setup {
        dir,
        budget: Duration::from_secs(1),
        seed: 1,
        clock: &clock,
        elapsed: &|| start.elapsed(),
        command: &|_, _| Command::new("false"),
        is_cancelled,
        progress: &|_, _| {},
    })
}

fn is_empty(dir: &Path) -> bool {
    fs_err::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn processes_that_do_not_begin_are_no_word_against_the_mount() {
    let dir = tempfile::tempdir().unwrap();
    let report = with_setup(dir.path(), &|| false, run).unwrap();
    let verdict = |promise| report.trials.iter().find(|trial| trial.promise == promise).unwrap();
    assert_eq!(verdict(Promise::Replacement).verdict, Verdict::Unknown, "{report:#?}");
    assert_eq!(verdict(Promise::Kill).verdict, Verdict::Unknown, "{report:#?}");
    assert_eq!(verdict(Promise::Names).verdict, Verdict::Kept, "{report:#?}");
    assert_eq!(verdict(Promise::Rename).verdict, Verdict::Kept, "{report:#?}");
    // The clock that it was given stands still, years from the mount's.
    assert!(report.notes.iter().any(|note| note.contains("clock of the file system")), "{report:#?}");
    assert!(is_empty(dir.path()));
}

#[test]
fn a_cancelled_one_leaves_nothing() {
    for asked_before in [0, 1, 5, 20] {
        let (dir, asked) = (tempfile::tempdir().unwrap(), Cell::new(0));
        let is_cancelled = || asked.replace(asked.get() + 1) >= asked_before;
        let error = with_setup(dir.path(), &is_cancelled, run).unwrap_err();
        assert!(matches!(error, SelftestError::Cancelled { .. }));
        assert!(is_empty(dir.path()));
    }
}

#[test]
fn a_directory_that_is_none_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = with_setup(&dir.path().join("missing"), &|| false, run).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn the_gravest_verdict_counts() {
    let order = [Verdict::Kept, Verdict::Unknown, Verdict::Broken];
    assert!(order.is_sorted());
    assert_eq!(order.map(|verdict| verdict.to_string()), ["kept", "unknown", "BROKEN"]);
}
