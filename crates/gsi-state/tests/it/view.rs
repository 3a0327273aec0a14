//! What is shown of a job: counts, names, archives.

use std::sync::Arc;

use chrono::DateTime;
use gsi_state::{
    CreationState, GsiKey, GsiStateManager, GsiStatus, ManualClock, StatusChange, StatusView, Summary, Validation,
    Verdict, archives,
};

fn key(index: &str) -> GsiKey {
    GsiKey::new("bookings", index)
}

fn open(dir: &std::path::Path) -> GsiStateManager {
    GsiStateManager::open_with_clock("test", dir, Arc::new(ManualClock::at(DateTime::UNIX_EPOCH))).unwrap()
}

#[test]
fn every_name_is_the_one_in_the_file() {
    let statuses = GsiStatus::ALL.map(|status| (status.to_string(), serde_json::to_value(status).unwrap()));
    let expected = ["pending", "in_progress", "active", "failed", "deleting", "deleted"];
    assert_eq!(statuses, expected.map(|name| (name.to_owned(), name.into())));
    for verdict in [Verdict::Functional, Verdict::NonFunctional, Verdict::NotUsed, Verdict::ValidationError] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
    }
    assert_eq!(Verdict::Functional.as_str(), "functional");
}

#[test]
fn counts_that_the_python_program_does_not_know_are_written_when_there_are_any() {
    let names = |summary: Summary| {
        let json = serde_json::to_value(summary).unwrap();
        json.as_object().unwrap().keys().filter(|name| name.starts_with("delet")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(Summary::default()), [""; 0]);
    assert_eq!(names(Summary { deleting: 1, ..Summary::default() }), ["deleting"]);
    assert_eq!(names(Summary { deleted: 1, ..Summary::default() }), ["deleted"]);
}

#[test]
fn a_view_counts_what_it_shows() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = open(dir.path());
    assert!(!manager.is_on_disk(), "nothing was written yet");
    manager.initialize([key("a"), key("b")]).unwrap();
    assert!(manager.is_on_disk());
    manager.update_status(&key("a"), GsiStatus::Active, None, None).unwrap();
    let summary = Summary { total: 2, active: 1, pending: 1, ..Summary::default() };
    assert_eq!(StatusView::read(dir.path()).unwrap().unwrap().summary(), summary);
    assert!(format!("{manager:?}").contains("GsiStateManager"));
}

#[test]
fn only_a_status_that_is_set_to_something_else_takes_the_verdict_away() {
    let validation = Validation { verdict: Verdict::NotUsed, at: DateTime::UNIX_EPOCH, detail: "scanned".into() };
    for (status, is_kept) in [(GsiStatus::Active, true), (GsiStatus::Failed, false), (GsiStatus::Pending, false)] {
        let mut state = CreationState::new("test", DateTime::UNIX_EPOCH);
        state.add(key("a"));
        let found = StatusChange::new(key("a"), GsiStatus::Active).validation(validation.clone());
        state.apply(&found, DateTime::UNIX_EPOCH).unwrap();
        state.force(&key("a"), status, DateTime::UNIX_EPOCH).unwrap();
        let gsi = state.get(&key("a")).unwrap();
        assert_eq!((gsi.status, gsi.validation.is_some()), (status, is_kept));
    }
}

#[test]
fn archives_are_told_from_other_files() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("state");
    assert!(archives(&place).unwrap().is_empty(), "a directory that does not exist holds none");
    fs_err::write(&place, "a file").unwrap();
    assert!(archives(&place).is_err(), "a file is no directory");
    let names = [
        (".gsi_creation_state_20260201_103000.json", true),
        (".gsi_creation_state_20260201_103000_2.json", true),
        (".gsi_creation_state_20260201_103000_.json", false),
        (".gsi_creation_state_20260201_103000_x.json", false),
        (".gsi_creation_state_20260201_10300.json", false),
        (".gsi_creation_state_2026020_103000.json", false),
        (".gsi_creation_state_2026020a_103000.json", false),
        (".gsi_creation_state_20260201_10300a.json", false),
        (".gsi_creation_state_20260201.json", false),
        (".gsi_creation_state_20260201_103000.json.bak", false),
        (".gsi_creation_state.json", false),
        ("gsi_creation_state_20260201_103000.json", false),
    ];
    let mut expected: Vec<_> = names.iter().filter(|(_, is)| *is).map(|(name, _)| dir.path().join(name)).collect();
    for (name, _) in names {
        fs_err::write(dir.path().join(name), "").unwrap();
    }
    expected.sort();
    assert_eq!(archives(dir.path()).unwrap(), expected);
}
