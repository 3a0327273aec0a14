//! Decisions as rows; files as pictures.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use fs_err as fs;
use statefile::{Lock, ManualClock, Owner, SystemClock};

use super::*;
use crate::{
    files::StageFiles,
    journal::{RunEvent, RunNote},
    tests::files_in,
};

fn runs(text: &str) -> RunSet {
    text.parse().unwrap()
}

fn sides(source: &str, complete: &str) -> Sides {
    let source = runs(source);
    Sides { source_runs: source.len(), source, complete: runs(complete), partial: RunSet::new() }
}

#[test]
fn the_state_follows_from_the_two_sides() {
    //            source     complete            acknowledged  marks      missing
    let rows = [
        ("100-105", "100-105", "none", "105/105", "none"),
        ("100-107", "100-102, 105-107", "none", "102/107", "103-104"),
        ("100-110", "100-102, 105-107", "none", "102/107", "103-104"), // later runs are not missing yet
        ("104-107", "100-102, 105-107", "none", "102/107", "104"),
        ("104-107", "100-102, 105-107", "103-104", "107/107", "104"),
        ("90, 100", "100", "none", "100/100", "90"),
        ("5", "100", "none", "100/100", "5"),
        ("5", "none", "none", "0/0", "none"),
        ("100-104, 2026020110", "100-102, 2026020110", "none", "102/102", "none"), // a stray moves no mark
        ("5, 2000000-2000020", "5, 2000000-2000009", "none", "2000009/2000009", "none"),
    ];
    for (source, complete, acknowledged, marks, missing) in rows {
        let old = Marks::new(999.into(), 999.into());
        let (found, left) = rebuild(&old, &sides(source, complete), &runs(acknowledged));
        assert_eq!((found.to_string().as_str(), left), (marks, runs(missing)), "{source} / {complete}");
    }
}

/// The guide's numbers: 523 runs in the file system, 510 in artdaqDB, 12498/12550, 13 missing.
#[test]
fn the_guides_example() {
    let complete = runs("12031-12498, 12509-12550");
    let source = complete.union(&runs("12020-12022, 12499-12508"));
    let (marks, missing) = rebuild(
        &Marks::default(),
        &Sides { source_runs: 523, source: source.clone(), complete: complete.clone(), partial: RunSet::new() },
        &RunSet::new(),
    );
    assert_eq!((source.len(), complete.len(), missing.len()), (523, 510, 13));
    assert_eq!(marks.to_string(), "12498/12550");
}

struct Lab {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Lab {
    fn new() -> Self {
        let clock = ManualClock::at("2026-11-21T06:40:00Z".parse().unwrap());
        Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(clock) }
    }

    fn paths(&self) -> StagePaths {
        let at = |name| self.dir.path().join(name);
        StagePaths { stage: Stage::Import, state: at("importer_state.json"), failure_log: at("import_failures.log") }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    fn plan(&self, source: &str, complete: &str, is_empty_accepted: bool) -> Result<Recovery, RecoverError> {
        let options = RecoveryOptions { is_empty_accepted, max_shrink_percent: 10, acknowledged: RunSet::new() };
        plan_recovery(&self.paths(), sides(source, complete), &options)
    }

    fn recover(&self, source: &str, complete: &str) -> Vec<String> {
        let plan = self.plan(source, complete, false).unwrap();
        let lock = Lock::acquire(self.dir.path().join("lock"), &Owner::current(&SystemClock)).unwrap();
        let kept = recover(&self.paths(), Arc::new(lock), Arc::clone(&self.clock) as _, &plan).unwrap();
        kept.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn names(&self) -> Vec<String> {
        let names = files_in(self.dir.path()).into_iter().map(|(path, _)| path);
        names.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn answers_that_cannot_be_believed_are_refused_and_change_nothing() {
    let lab = Lab::new();
    lab.write("importer_state.json", r#"{"last_contiguous_run": 120, "last_attempted_run": 130, "note": 7}"#);
    lab.write("import_failures.log", "121\n");
    let before = files_in(lab.dir.path());
    let refused = |source, complete| {
        let error = lab.plan(source, complete, false).unwrap_err();
        assert!(error.is_about_amount(), "{error:?}");
        lab.plan(source, complete, true).unwrap();
        error.to_string()
    };
    let nothing = "lists no complete run, so there is nothing to rebuild the state from";
    assert_eq!(refused("none", "101-130"), format!("the source of the import {nothing}"));
    assert_eq!(refused("101-130", "none"), format!("the destination of the import {nothing}"));
    let short = "of 20 runs that the old state calls archived, the destination of the import lists 17";
    assert_eq!(refused("101-130", "101-117, 125-130"), short);
    lab.plan("101-130", "101-118, 122-130", false).unwrap();
    // What appeared below everything is late, not lost.
    lab.plan("1-130", "101-120", false).unwrap();
    assert_eq!(files_in(lab.dir.path()), before);

    lab.write("importer_state.json.counts", r#"{"version": "1.0", "source_runs": 40, "destination_runs": 30}"#);
    assert!(refused("101-130", "101-130").starts_with("the source of the import lists 30 runs where there were 40"));
}

#[test]
fn old_files_are_kept_under_the_time_and_fields_of_others_survive() {
    let lab = Lab::new();
    lab.write("importer_state.json", r#"{"last_contiguous_run": 90, "last_attempted_run": 95, "note": 7}"#);
    lab.write("import_failures.log", "12\n");
    lab.write("importer_state.json.in_flight", "105\n");
    // An earlier recovery died over the second of these.
    lab.write("importer_state.json.before-20261120_010203", "{}");
    let torn = "importer_state.json.before-20261120_010204.tmp-AbCdEf";
    lab.write(torn, "{");
    let kept = lab.recover("100-106", "100-102, 104-106");
    let names = ["import_failures.log", "importer_state.json", "importer_state.json.in_flight"];
    assert_eq!(kept, names.map(|name| format!("{name}.before-20261121_064000")));
    assert_eq!(lab.read("import_failures.log.before-20261121_064000"), "12\n");
    assert_eq!(lab.read("importer_state.json.before-20261120_010203"), "{}");
    assert!(!lab.dir.path().join(torn).exists());
    assert_eq!(lab.read("import_failures.log"), "103\n");
    assert_eq!(
        lab.read("importer_state.json"),
        "{\n  \"last_contiguous_run\": 102,\n  \"last_attempted_run\": 106,\n  \"note\": 7\n}"
    );
    assert_eq!(lab.read("importer_state.json.in_flight"), "105\n", "the next start looks at it");
    let notes: Vec<RunNote> = crate::read_notes(&lab.paths().journal()).unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].event, RunEvent::Recovered { marks: "102/106".into(), missing: "103".into() });

    // In the same second once more: nothing is overwritten.
    let kept = lab.recover("100-106", "100-106");
    assert!(
        kept.iter()
            .all(|name| name.ends_with(".before-20261121_064000_2") || name.ends_with("counts.before-20261121_064000")),
        "{kept:?}"
    );
    assert_eq!(lab.read("import_failures.log.before-20261121_064000_2"), "103\n");
}

/// The program dies at every write: in the end every run at or below the mark is archived or in the log.
#[test]
fn a_recovery_that_dies_leaves_the_old_state_or_a_safe_one() {
    let complete = "100-102, 105-106";
    for step in 0.. {
        let lab = Lab::new();
        lab.write("importer_state.json", r#"{"last_contiguous_run": 102, "last_attempted_run": 104}"#);
        lab.write("import_failures.log", "103\n104\n");
        let plan = lab.plan("99-107", complete, false).unwrap();
        let fuse = crate::tests::Fuse::of(step);
        let lock = Lock::acquire(lab.dir.path().join("lock"), &Owner::current(&SystemClock)).unwrap();
        let mut files = StageFiles::open(&lab.paths(), Arc::new(lock), Arc::clone(&lab.clock) as _).unwrap();
        files.fuse = Some(Arc::clone(&fuse));
        let outcome = commit::write(files, &plan);
        assert_eq!(outcome.is_err(), fuse.is_blown());
        let now = crate::StageSnapshot::read(&lab.paths()).unwrap();
        let below = runs("100-107").up_to(now.marks.last_attempted_run);
        let lost = below.difference(&runs(complete)).difference(&now.failed);
        assert!(lost.is_empty(), "step {step}: {lost} lost at {}", now.marks);
        lab.recover("99-107", complete);
        let now = crate::StageSnapshot::read(&lab.paths()).unwrap();
        assert_eq!((now.marks.to_string().as_str(), now.failed), ("102/106", runs("99, 103-104")), "step {step}");
        if !fuse.is_blown() {
            assert!(step > 3, "only {step} steps");
            return;
        }
    }
}

#[test]
fn files_that_cannot_be_read_are_kept_and_no_obstacle() {
    let lab = Lab::new();
    lab.write("importer_state.json", "{corrupted data...");
    lab.write("import_failures.log", "12\nx\n");
    lab.write("importer_state.json.counts", "");
    lab.write("importer_state.json.in_flight", "?");
    lab.write("imported.jsonl", "no journal");
    let plan = lab.plan("100-103", "100-103", false).unwrap();
    assert_eq!((plan.marks_before, plan.failed_before, plan.damaged.len()), (None, None, 5));
    let kept = lab.recover("100-103", "100-103");
    assert_eq!(kept.len(), 5);
    assert_eq!(lab.read("importer_state.json.before-20261121_064000"), "{corrupted data...");
    assert_eq!(lab.read("imported.jsonl.before-20261121_064000"), "no journal");
    assert_eq!(lab.read("importer_state.json"), "{\n  \"last_contiguous_run\": 103,\n  \"last_attempted_run\": 103\n}");
    assert!(lab.names().iter().all(|name| !name.contains("tmp")), "{:?}", lab.names());
}
