//! The state file: disk first, then memory; refused where in doubt.

use std::os::unix::fs::{PermissionsExt, symlink};

use statefile::{ArchiveError, CommitError, OpenError, Snapshot, StateFile, UpdateError};

use super::{Note, lock, names, open};

#[derive(Debug, thiserror::Error)]
#[error("not wanted")]
struct NotWanted;

#[test]
fn a_fresh_document_is_written_by_its_first_update() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut file = open(&path);
    assert!(!file.is_on_disk() && !path.exists());
    assert_eq!(file.update(|note| std::mem::replace(&mut note.count, 7)).unwrap(), 0);
    assert_eq!(Snapshot::<Note>::read(&path).unwrap().unwrap().document, *file.document());
    assert!(file.is_on_disk());
    drop(file);
    assert!(open(&path).is_on_disk());
    assert_eq!(names(dir.path()), ["state", "state.lock"]);
}

#[test]
fn the_generation_before_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut file = open(&path);
    for count in 1..=5 {
        file.update(|note| note.count = count).unwrap();
        let backup = Snapshot::<Note>::read(&StateFile::<Note>::backup_path(&path)).unwrap();
        assert_eq!(backup.map(|backup| backup.document.count), (count > 1).then(|| count - 1));
    }
    assert_eq!(names(dir.path()), ["state", "state.bak", "state.lock"]);
}

#[test]
fn a_crash_between_backup_and_rename_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    open(&path).update(|note| note.count = 1).unwrap();
    // What is there when the process dies after it made the backup: two names of one file.
    fs_err::hard_link(&path, dir.path().join("state.bak")).unwrap();
    let mut file = open(&path);
    for count in 2..=3 {
        file.update(|note| note.count = count).unwrap();
    }
    assert_eq!(names(dir.path()), ["state", "state.bak", "state.lock"]);
    assert_eq!(Snapshot::<Note>::read(&dir.path().join("state.bak")).unwrap().unwrap().document.count, 2);
}

#[test]
fn a_refused_change_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut file = open(&path);
    let refused = file.try_update(|note| {
        note.count = 9;
        Err::<(), _>(NotWanted)
    });
    assert!(matches!(refused, Err(UpdateError::Rejected(NotWanted))));
    assert!(file.document().count == 0 && !path.exists());
    file.update(|note| note.count = 1).unwrap();
}

#[test]
fn memory_does_not_believe_what_the_disk_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("inner");
    fs_err::create_dir(&inner).unwrap();
    let path = inner.join("state");
    let mut file = open(&path);
    file.update(|note| note.count = 1).unwrap();
    fs_err::remove_dir_all(&inner).unwrap();
    let error = file.update(|note| note.count = 2).unwrap_err();
    assert!(matches!(&error, CommitError::Write { path: named, .. } if *named == path), "{error}");
    assert_eq!(file.document().count, 1);
    fs_err::create_dir(&inner).unwrap();
    let error = file.update(|note| note.count = 3).unwrap_err();
    assert!(matches!(error, CommitError::Poisoned { .. }), "{error}");
    assert!(Snapshot::<Note>::read(&path).unwrap().is_none(), "nothing was written after the failure");
}

#[test]
fn a_newer_minor_version_is_shown_but_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let text = r#"{"version": "1.7", "count": 3, "text": ""}"#;
    fs_err::write(&path, text).unwrap();
    let snapshot = Snapshot::<Note>::read(&path).unwrap().unwrap();
    assert_eq!((snapshot.document.count, snapshot.version.unwrap().minor), (3, 7));
    let error = StateFile::open(&path, lock(&path), Note::fresh).unwrap_err();
    assert!(matches!(error, OpenError::TooNew { .. }), "{error}");
    assert_eq!(fs_err::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_snapshot_needs_no_write_access_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(open(&path).update(|note| note.count = 1));
    fs_err::remove_file(StateFile::<Note>::lock_path(&path)).unwrap();
    fs_err::set_permissions(dir.path(), PermissionsExt::from_mode(0o555)).unwrap();
    let before = fs_err::metadata(dir.path()).unwrap().modified().unwrap();
    assert_eq!(Snapshot::<Note>::read(&path).unwrap().unwrap().document.count, 1);
    assert!(Snapshot::<Note>::read(&dir.path().join("other")).unwrap().is_none());
    // Root may write anywhere, so that the mode alone proves nothing.
    assert_eq!(fs_err::metadata(dir.path()).unwrap().modified().unwrap(), before);
    assert_eq!(names(dir.path()), ["state"]);
    fs_err::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn leftovers_of_a_dead_writer_go_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    open(&path).update(|note| note.count = 1).unwrap();
    for name in ["state.tmp-zzzzzz", "state.tmp-123456"] {
        fs_err::write(dir.path().join(name), "half a docu").unwrap();
    }
    assert_eq!(open(&path).document().count, 1);
    assert_eq!(names(dir.path()), ["state", "state.lock"]);
}

#[test]
fn an_archive_takes_the_file_and_never_an_existing_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    fs_err::write(dir.path().join("old.json"), "precious").unwrap();
    let mut file = open(&path);
    assert!(matches!(file.archive("old", ".json"), Err(ArchiveError::Missing { .. })));
    for count in 1..=2 {
        file.update(|note| note.count = count).unwrap();
    }
    let archive = file.archive("old", ".json").unwrap();
    assert_eq!(archive, dir.path().join("old_2.json"));
    assert_eq!(names(dir.path()), ["old.json", "old_2.json", "state.lock"]);
    assert_eq!(fs_err::read_to_string(dir.path().join("old.json")).unwrap(), "precious");
    assert!(matches!(file.update(|note| note.count = 3), Err(CommitError::Archived { .. })));
    assert!(matches!(file.archive("old", ".json"), Err(ArchiveError::Missing { .. })));
}

#[test]
fn two_names_of_one_file_share_lock_backup_and_archive() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs_err::create_dir(&elsewhere).unwrap();
    symlink("elsewhere/real", dir.path().join("state")).unwrap();
    let path = dir.path().join("state");
    let mut file = open(&path);
    for count in 1..=2 {
        file.update(|note| note.count = count).unwrap();
    }
    assert_eq!(names(&elsewhere), ["real", "real.bak", "real.lock"]);
    assert_eq!(StateFile::<Note>::lock_path(&elsewhere.join("real")), StateFile::<Note>::lock_path(&path));
    assert_eq!(file.archive("old", ".json").unwrap(), elsewhere.join("old.json"));
    assert_eq!(names(&elsewhere), ["old.json", "real.lock"]);
    assert!(!file.is_on_disk());
}

#[test]
fn a_damaged_document_is_refused_and_the_last_good_generation_named() {
    let check = |backup: Option<&[u8]>, is_named: bool| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut file = open(&path);
        file.update(|note| note.count = 1).unwrap();
        file.update(|note| note.count = 2).unwrap();
        drop(file);
        if let Some(bytes) = backup {
            fs_err::write(dir.path().join("state.json.bak"), bytes).unwrap();
        }
        fs_err::write(&path, "[1, 2]").unwrap();
        let error = Snapshot::<Note>::read(&path).unwrap_err();
        let OpenError::Damaged { last_good, source, .. } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), "it is not a JSON object");
        assert_eq!(last_good, is_named.then(|| dir.path().join("state.json.bak")), "{backup:?}");
    };
    check(None, true);
    check(Some(b"[1]"), false);
    check(Some(b""), false);
}
