//! The calls of the seed, and the rules that the original lacks.

use std::sync::Arc;

use gsi_state::{
    ChangeError, CleanupError, GsiKey, GsiStateManager, GsiStatus, ManualClock, STATE_FILE_NAME, StatusView,
};
use statefile::UpdateError;
use tempfile::TempDir;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap()))
}

fn keys() -> [GsiKey; 3] {
    [GsiKey::new("bookings", "one"), GsiKey::new("bookings", "two"), GsiKey::new("flights", "three")]
}

fn open(dir: &TempDir) -> GsiStateManager {
    GsiStateManager::open_with_clock("test", dir.path(), clock()).unwrap()
}

fn started(dir: &TempDir) -> GsiStateManager {
    let mut manager = open(dir);
    manager.initialize(keys()).unwrap();
    manager
}

#[test]
fn transitions_are_checked() {
    use GsiStatus::{Active, Deleted, Deleting, Failed, InProgress, Pending};
    let check = |from: GsiStatus, allowed: &[GsiStatus]| {
        for to in GsiStatus::ALL {
            assert_eq!(from.next(to).is_ok(), allowed.contains(&to), "{from} -> {to}");
        }
    };
    check(Pending, &[Pending, InProgress, Active, Failed]);
    check(InProgress, &[InProgress, Active, Failed, Deleting]);
    check(Active, &[InProgress, Active, Failed, Deleting]);
    check(Failed, &[Pending, InProgress, Active, Failed, Deleting]);
    check(Deleting, &[Active, Deleting, Deleted]);
    check(Deleted, &[Pending, InProgress, Active, Failed, Deleting, Deleted]);
}

#[test]
fn a_life_with_a_retry() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let mut manager = GsiStateManager::open_with_clock("test", dir.path(), clock.clone()).unwrap();
    let [one, two, three] = keys();
    assert_eq!(manager.initialize(keys()).unwrap(), 3);
    assert_eq!(manager.resume_point().unwrap().key, one);

    manager.update_status(&two, GsiStatus::InProgress, Some(1), None).unwrap();
    assert_eq!(manager.resume_point().unwrap().key, two, "what is in progress comes before what is pending");
    let began = manager.status_of(&two).unwrap().creation_time;
    clock.advance(chrono::TimeDelta::hours(1));
    manager.update_status(&two, GsiStatus::InProgress, Some(2), Some("throttled")).unwrap();
    assert_eq!(manager.status_of(&two).unwrap().creation_time, began, "the first attempt's time is kept");
    manager.update_status(&two, GsiStatus::Failed, Some(2), Some("gave up")).unwrap();
    let failed: Vec<_> =
        manager.failed().map(|gsi| (gsi.key.clone(), gsi.retry_count, gsi.last_error.clone())).collect();
    assert_eq!(failed, [(two.clone(), 2, Some("gave up".to_owned()))]);
    assert!(!manager.should_skip(&two), "what failed is not skipped");

    manager.update_status(&two, GsiStatus::Active, None, None).unwrap();
    assert_eq!(manager.status_of(&two).unwrap().last_error, None, "success clears the error");
    assert!(manager.should_skip(&two) && !manager.is_settled() && !manager.is_complete());
    for key in [&one, &three] {
        manager.update_status(key, GsiStatus::Active, Some(1), None).unwrap();
    }
    assert!(manager.is_settled() && manager.is_complete());
}

#[test]
fn a_refused_change_leaves_file_and_memory_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = started(&dir);
    let [one, ..] = keys();
    manager.update_status(&one, GsiStatus::InProgress, Some(1), None).unwrap();
    let bytes = fs_err::read(manager.path()).unwrap();
    let refused = manager.update_status(&one, GsiStatus::Pending, None, None).unwrap_err();
    assert!(matches!(refused, UpdateError::Rejected(ChangeError::Illegal { .. })), "{refused}");
    let unknown = manager.update_status(&GsiKey::new("x", "y"), GsiStatus::Active, None, None).unwrap_err();
    assert!(matches!(unknown, UpdateError::Rejected(ChangeError::Unknown(_))), "{unknown}");
    assert_eq!(fs_err::read(manager.path()).unwrap(), bytes);
    manager.update_status(&one, GsiStatus::Active, None, None).unwrap();
}

#[test]
fn what_one_process_knew_the_next_one_knows() {
    let dir = tempfile::tempdir().unwrap();
    let [one, ..] = keys();
    started(&dir).update_status(&one, GsiStatus::Failed, Some(5), Some("why")).unwrap();
    let mut manager = open(&dir);
    let bytes = fs_err::read(manager.path()).unwrap();
    assert_eq!(manager.initialize(keys()).unwrap(), 0);
    assert_eq!(fs_err::read(manager.path()).unwrap(), bytes, "nothing new, nothing written");
    assert_eq!(manager.status_of(&one).unwrap().last_error.as_deref(), Some("why"));
    assert_eq!(manager.initialize([GsiKey::new("new", "index")]).unwrap(), 1);
    assert_eq!(manager.summary().total, 4);
}

#[test]
fn nothing_is_archived_while_work_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = started(&dir);
    for (n, key) in keys().iter().enumerate() {
        // Whatever the last ones are: pending, in progress, failed.
        for status in [None, Some(GsiStatus::InProgress), Some(GsiStatus::Failed)] {
            for key in keys().iter().skip(n).filter(|_| status.is_some()) {
                manager.force(key, status.unwrap()).unwrap();
            }
            let refused = manager.cleanup().unwrap_err();
            assert!(matches!(&refused, CleanupError::Unfinished(summary) if summary.active == n), "{refused}");
            assert!(!manager.is_complete());
        }
        manager.update_status(key, GsiStatus::Active, None, None).unwrap();
    }
    let archive = manager.cleanup().unwrap();
    assert_eq!(archive.file_name().unwrap(), ".gsi_creation_state_20260201_103000.json");
    assert!(!dir.path().join(STATE_FILE_NAME).exists());
    assert!(manager.update_status(&keys()[0], GsiStatus::Active, None, None).is_err(), "it is archived");
}

#[test]
fn archives_of_one_second_do_not_overwrite_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..3)
        .map(|n| {
            let mut manager = open(&dir);
            let key = GsiKey::new("t", format!("i{n}"));
            manager.initialize([key.clone()]).unwrap();
            manager.update_status(&key, GsiStatus::Active, None, None).unwrap();
            manager.cleanup().unwrap().file_name().unwrap().to_string_lossy().into_owned()
        })
        .collect();
    assert_eq!(
        names,
        [
            ".gsi_creation_state_20260201_103000.json",
            ".gsi_creation_state_20260201_103000_2.json",
            ".gsi_creation_state_20260201_103000_3.json"
        ]
    );
    for (n, name) in names.iter().enumerate() {
        let text = fs_err::read_to_string(dir.path().join(name)).unwrap();
        assert!(text.contains(&format!("\"t.i{n}\"")), "{name}: {text}");
    }
}

#[test]
fn an_empty_job_is_not_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = open(&dir);
    assert!(!manager.is_complete());
    assert!(manager.cleanup().is_err());
}

#[test]
fn the_view_needs_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    assert!(StatusView::read(dir.path()).unwrap().is_none());
    let mut manager = started(&dir);
    manager.update_status(&keys()[2], GsiStatus::Failed, Some(1), Some("no")).unwrap();
    let view = StatusView::read(dir.path()).unwrap().unwrap();
    let sections = view.sections();
    let sections: Vec<_> = sections.iter().map(|(status, gsis)| (*status, gsis.len())).take(4).collect();
    assert_eq!(
        sections,
        [(GsiStatus::Active, 0), (GsiStatus::Failed, 1), (GsiStatus::InProgress, 0), (GsiStatus::Pending, 2)]
    );
    assert_eq!(view.state, manager.status_view().state);
}
