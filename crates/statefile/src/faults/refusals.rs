//! What is done when one operation of a kind is refused, and with which permissions files are made.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;

use super::{
    Done, Failure, begin, end,
    subject::{DOCUMENT, lock, open},
};
use crate::{LockError, Snapshot, copy_aside, replace, replace::keep_generation};

const EPERM: i32 = 1;
const EIO: i32 = 5;
const EACCES: i32 = 13;

/// Runs `act` as often as it has operations; each time the next one is refused. Says which, and what came of it.
fn refusing<T>(errno: i32, mut act: impl FnMut() -> T) -> Vec<(String, T)> {
    let mut outcomes = Vec::new();
    for at in 0.. {
        begin(Some((at, Failure::Before(errno))));
        let outcome = act();
        match end().failed.pop() {
            Some(call) => outcomes.push((call, outcome)),
            None => break,
        }
    }
    outcomes
}

#[test]
fn a_replacement_passes_over_no_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    replace(&path, b"old").unwrap();
    let outcomes = refusing(EIO, || replace(&path, b"new").map_err(|error| error.raw_os_error()));
    assert!(outcomes.len() >= 7, "{outcomes:?}");
    for (call, outcome) in outcomes {
        assert_eq!(outcome, Err(Some(EIO)), "{call}");
    }
}

#[test]
fn without_links_the_generation_before_is_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let (target, backup) = (dir.path().join("state"), dir.path().join("state.bak"));
    replace(&target, b"now").unwrap();
    let outcomes = refusing(EPERM, || {
        fs_err::remove_file(&backup).ok();
        fs_err::write(&backup, "before").unwrap();
        let outcome = keep_generation(&target, &backup);
        (outcome.is_ok(), fs_err::read(&backup).unwrap())
    });
    for (call, (is_ok, kept)) in outcomes {
        // Only what stands in for a link is another way; whatever else is refused is told.
        let expect: (bool, &[u8]) = if call.starts_with("Link") { (true, b"now") } else { (false, b"before") };
        assert_eq!((is_ok, &kept[..]), expect, "{call}");
    }
}

#[test]
fn a_document_that_somebody_removed_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = open(dir.path()).unwrap();
    file.update(|note| note.count = 1).unwrap();
    fs_err::remove_file(dir.path().join(DOCUMENT)).unwrap();
    file.update(|note| note.count = 2).unwrap();
    let there = Snapshot::<super::subject::Note>::read(&dir.path().join(DOCUMENT)).unwrap().unwrap();
    assert_eq!(there.document.count, 2);
}

#[test]
fn a_lock_that_may_not_be_written_is_held_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |errno| {
        begin(Some((0, Failure::Before(errno))));
        let outcome = lock(dir.path());
        assert!(end().failed[0].starts_with("Open"));
        outcome
    };
    let is_refused =
        |errno| matches!(ask(errno), Err(LockError::Io { source, .. }) if source.raw_os_error() == Some(errno));
    assert!(is_refused(EACCES), "there is none, and none can be made");
    let held = lock(dir.path()).unwrap();
    assert!(matches!(ask(EACCES), Err(LockError::InUse { holder: Some(_), .. })), "somebody else's, and held");
    assert!(is_refused(EIO), "of a broken disk nothing is known");
    drop(held);
    assert!(is_refused(EACCES), "somebody else's, and free: yet not ours");
}

#[test]
fn a_temporary_file_is_never_more_open_than_what_it_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    for (mode, at_first) in [(0o600, 0o600), (0o640, 0o640), (0o400, 0o600), (0o444, 0o644), (0o750, 0o640)] {
        fs_err::write(&path, "old").unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        begin(None);
        replace(&path, b"new").unwrap();
        let modes = end().modes;
        assert_eq!(modes, [at_first], "{mode:o}");
        assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        fs_err::remove_file(&path).unwrap();
    }
}

#[test]
fn a_copy_in_the_making_is_named_such_that_the_next_start_finds_it() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let from = dir.path().join("state");
    replace(&from, b"content").unwrap();
    for (to, expect) in [
        (dir.path().join("copy"), dir.path().join("state.tmp-")),
        (elsewhere.path().join("copy"), elsewhere.path().join("copy.tmp-")),
    ] {
        begin(None);
        assert!(copy_aside(&from, &to).unwrap());
        let done = end().done;
        let [Done::Create(temporary), ..] = &done[..] else { panic!("{done:?}") };
        assert!(temporary.to_str().unwrap().starts_with(expect.to_str().unwrap()), "{temporary:?}");
    }
}
