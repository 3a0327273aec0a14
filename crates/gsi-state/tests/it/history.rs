//! The history, and the changes that a person makes by hand.

use std::sync::Arc;

use gsi_state::{
    ChangeError, GsiKey, GsiState, GsiStateManager, GsiStatus, HISTORY_FILE_NAME, HistoryEvent, ManualClock, Origin,
    STATE_FILE_NAME, StatusChange, StatusView, UpdateError, archives, read_history,
};

fn open(dir: &std::path::Path) -> GsiStateManager {
    let clock = ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap());
    GsiStateManager::open_with_clock("test", dir, Arc::new(clock)).unwrap()
}

fn key() -> GsiKey {
    GsiKey::new("bookings", "flight-status-index")
}

#[test]
fn lines_are_kept_over_all_jobs_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read_history(dir.path()).unwrap(), []);
    for attempt in 1..=2 {
        let mut manager = open(dir.path());
        manager.initialize([key()]).unwrap();
        manager.note([(key(), HistoryEvent::Requested { attempt })]).unwrap();
        manager.update_status(&key(), GsiStatus::Active, None, None).unwrap();
        manager.cleanup().unwrap();
    }
    let history = read_history(dir.path()).unwrap();
    assert!(history.iter().all(|entry| entry.is_about(&key())));
    let others = [GsiKey::new("bookings", "other"), GsiKey::new("other", "flight-status-index")];
    assert!(history.iter().all(|entry| !others.iter().any(|other| entry.is_about(other))));
    let events: Vec<_> = history.into_iter().map(|entry| entry.event).collect();
    assert_eq!(events, [1, 2].map(|attempt| HistoryEvent::Requested { attempt }));
    let text = fs_err::read_to_string(dir.path().join(HISTORY_FILE_NAME)).unwrap();
    let entry = r#"{"at":"2026-02-01T10:30:00Z","table":"bookings","index":"flight-status-index","event":"requested","attempt":1}"#;
    assert!(text.contains(entry), "{text}");
}

#[test]
fn a_later_event_is_read_as_unknown() {
    let entry = r#"{"at":"2026-02-01T10:30:00Z","table":"t","index":"i","event":"teleported","to":"mars"}"#;
    let entry: gsi_state::HistoryEntry = serde_json::from_str(entry).unwrap();
    assert_eq!(entry.event, HistoryEvent::Unknown);
}

#[test]
fn a_completed_job_is_restored_from_its_archive_to_be_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = open(dir.path());
    manager.initialize([key()]).unwrap();
    let asked = StatusChange::new(key(), GsiStatus::InProgress).attempt(1).origin(Origin::Created);
    manager.apply(&[asked, StatusChange::new(key(), GsiStatus::Active)]).unwrap();
    manager.cleanup().unwrap();
    drop(manager);

    let [archive] = &archives(dir.path()).unwrap()[..] else { panic!("one archive") };
    let archived: Vec<GsiState> = StatusView::read_file(archive).unwrap().unwrap().state.gsis().cloned().collect();
    assert!(archived[0].was_created_here());
    let mut manager = open(dir.path());
    assert_eq!(manager.restore(archived.clone()).unwrap(), 1);
    assert_eq!(manager.restore(archived).unwrap(), 0, "what is known stays as it is");
    manager.update_status(&key(), GsiStatus::Deleting, None, None).unwrap();
    let text = fs_err::read_to_string(dir.path().join(STATE_FILE_NAME)).unwrap();
    assert!(text.contains("\"version\": \"1.1\"") && text.contains("\"deleting\": 1\n"), "{text}");
    manager.update_status(&key(), GsiStatus::Deleted, None, None).unwrap();
    assert!(manager.is_complete() && manager.is_settled());
    manager.cleanup().unwrap();
    assert_eq!(archives(dir.path()).unwrap().len(), 2);
}

#[test]
fn whose_work_an_index_is() {
    let check = |origin: Option<Origin>, expect: bool| {
        let dir = tempfile::tempdir().unwrap();
        let mut manager = open(dir.path());
        manager.initialize([key()]).unwrap();
        let mut asked = StatusChange::new(key(), GsiStatus::InProgress).attempt(1);
        asked.origin = origin;
        manager.apply(&[asked]).unwrap();
        assert_eq!(manager.status_of(&key()).unwrap().was_created_here(), expect, "{origin:?}");
    };
    check(Some(Origin::Created), true);
    check(Some(Origin::Adopted), false);
    check(None, true); // asked for, as far as an older file tells
}

#[test]
fn whose_work_it_is_in_files_that_do_not_say() {
    let check = |creation_time: &str, retry_count: u32, expect: bool| {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            r#"{{"version": "1.0", "created_at": "2026-02-01T10:30:00Z", "updated_at": "2026-02-01T10:30:00Z",
                "script_name": "s", "gsis": {{"t.i": {{"table_name": "t", "index_name": "i", "status": "active",
                "creation_time": {creation_time}, "retry_count": {retry_count}, "last_error": null}}}}}}"#
        );
        fs_err::write(dir.path().join(STATE_FILE_NAME), text).unwrap();
        let view = StatusView::read(dir.path()).unwrap().unwrap();
        assert_eq!(view.state.get(&GsiKey::new("t", "i")).unwrap().was_created_here(), expect);
    };
    check("\"2026-02-01T10:30:00Z\"", 1, true);
    check("\"2026-02-01T10:30:00Z\"", 0, false); // found while it was being built
    check("null", 0, false); // found
}

#[test]
fn changes_by_hand_are_backed_up_and_pass_over_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = open(dir.path());
    assert_eq!(manager.back_up().unwrap(), None, "there is nothing yet");
    manager.initialize([key()]).unwrap();
    manager.update_status(&key(), GsiStatus::InProgress, Some(1), None).unwrap();
    let before = fs_err::read(manager.path()).unwrap();
    let first = manager.back_up().unwrap().unwrap();
    let second = manager.back_up().unwrap().unwrap();
    assert_eq!(first.file_name().unwrap(), ".gsi_creation_state_backup_20260201_103000.json");
    assert_ne!(first, second, "nothing is overwritten");
    assert!(archives(dir.path()).unwrap().is_empty(), "a backup is no archive");

    manager.force(&key(), GsiStatus::Pending).unwrap();
    assert_eq!(manager.status_of(&key()).unwrap().status, GsiStatus::Pending);
    assert_eq!(manager.forget(&key()).unwrap().key, key());
    assert!(matches!(manager.forget(&key()), Err(UpdateError::Rejected(ChangeError::Unknown(_)))));
    assert_eq!(fs_err::read(first).unwrap(), before);
}
