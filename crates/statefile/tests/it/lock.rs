//! One holder at a time; the refused one learns who that is, and changes nothing.

use std::os::unix::fs::MetadataExt;

use statefile::{Lock, LockError, Owner};

use super::{clock, names};

#[test]
fn the_second_is_refused_and_changes_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.lock");
    let owner = Owner { command: "gsi-create x.json".to_owned(), ..Owner::current(&clock()) };
    let first = Lock::acquire(&path, &owner).unwrap();
    let folder = dir.path().to_owned();
    let stat =
        |path: &std::path::Path| fs_err::metadata(path).map(|m| (m.ino(), m.len(), m.mtime_nsec(), m.mode())).unwrap();
    let before = (fs_err::read(&path).unwrap(), stat(&path), stat(&folder));

    let other = Owner { pid: 1, ..Owner::current(&clock()) };
    let Err(LockError::InUse { holder: Some(holder), .. }) = Lock::acquire(&path, &other) else {
        panic!("the second one was not refused by name");
    };
    assert_eq!(*holder, owner);
    assert_eq!((fs_err::read(&path).unwrap(), stat(&path), stat(&folder)), before);

    drop(first);
    assert!(path.exists(), "a lock file is never deleted");
    let third = Lock::acquire(&path, &other).unwrap();
    assert_eq!(third.path(), path);
    assert_eq!(serde_json::from_slice::<Owner>(&fs_err::read(&path).unwrap()).unwrap(), other);
}

#[test]
fn the_record_is_json_with_five_fields() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.lock");
    let _lock = Lock::acquire(&path, &Owner::current(&clock())).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
    let names: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["pid", "host", "user", "command", "started_at"]);
    assert_eq!(record["pid"], std::process::id());
    assert_eq!(record["started_at"], "2026-02-01T10:30:00Z");
}

#[test]
fn a_shorter_record_leaves_no_tail_of_a_longer_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.lock");
    let long = Owner { command: "x".repeat(400), ..Owner::current(&clock()) };
    drop(Lock::acquire(&path, &long).unwrap());
    let short = Owner { command: "y".to_owned(), ..long };
    let _lock = Lock::acquire(&path, &short).unwrap();
    assert_eq!(serde_json::from_slice::<Owner>(&fs_err::read(&path).unwrap()).unwrap(), short);
}

#[test]
fn rubbish_in_the_lock_file_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.lock");
    fs_err::write(&path, [0xff; 2000]).unwrap();
    let _lock = Lock::acquire(&path, &Owner::current(&clock())).unwrap();
    fs_err::write(&path, "overwritten by someone").unwrap();
    let refused = Lock::acquire(&path, &Owner::current(&clock())).unwrap_err();
    assert!(refused.to_string().ends_with("is held by a process that has not said who it is"), "{refused}");
}

#[test]
fn a_lock_that_cannot_be_made_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let error = Lock::acquire(dir.path(), &Owner::current(&clock())).unwrap_err();
    assert!(matches!(error, LockError::Io { .. }), "{error}");
}

#[test]
fn a_lock_that_is_set_aside_is_kept_and_free() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json.lock");
    for expect in ["state.json.lock.broken", "state.json.lock.broken_2"] {
        let holder = Lock::acquire(&path, &Owner::current(&clock())).unwrap();
        assert!(!Owner::current(&clock()).is_dead());
        assert_eq!(Lock::set_aside(&path).unwrap(), dir.path().join(expect));
        Lock::acquire(&path, &Owner::current(&clock())).unwrap();
        drop(holder);
    }
    assert_eq!(names(dir.path()), ["state.json.lock", "state.json.lock.broken", "state.json.lock.broken_2"]);
}

/// Found by the tests of the tools mode: a process that was being started while a lock was dropped kept it.
#[test]
fn a_dropped_lock_is_free_though_processes_are_being_started() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.lock");
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    std::process::Command::new("/bin/true").status().unwrap();
                }
            });
        }
        let refused = (0..300).find_map(|_| Lock::acquire(&path, &Owner::current(&clock())).err());
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(refused.is_none(), "{refused:?}");
    });
}
