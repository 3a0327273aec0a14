//! Files that are refused, with the reason, and kept.

use std::{error::Error, fmt::Write};

use gsi_state::{GsiKey, GsiStateManager, GsiStatus, STATE_FILE_NAME};

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text
}

const GOOD: &str = r#"{"version": "1.0", "created_at": "2026-02-01T10:30:00Z", "updated_at": "2026-02-01T10:30:00Z", "script_name": "s", "gsis": {"t.i": {"table_name": "t", "index_name": "i", "status": "failed", "creation_time": null, "retry_count": 1, "last_error": "x"}}}"#;

#[test]
fn an_unreadable_file_is_refused_and_kept() {
    let check = |bytes: &[u8], expect: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(STATE_FILE_NAME);
        fs_err::write(&path, bytes).unwrap();
        let error = chain(&GsiStateManager::open("s", dir.path()).unwrap_err());
        assert!(error.contains(STATE_FILE_NAME), "{error} does not name the file");
        assert!(error.contains(expect), "{error} does not say `{expect}`");
        assert_eq!(fs_err::read(&path).unwrap(), bytes, "the file changed");
    };
    check(b"", "the file is empty");
    check(b" \n", "the file is empty");
    check(&[0; 4096], "NUL bytes from byte 0");
    check(b"{\"version\": \"1.0\", \"script_name\": \"\xff\"}", "not UTF-8 text from byte 35");
    check(&GOOD.as_bytes()[..150], "EOF while parsing");
    check(&[GOOD.as_bytes(), b"}"].concat(), "trailing characters");
    check(b"[]", "not a JSON object");
    check(b"corrupted data", "not a JSON object");
    check(b"{}", "missing field `version`");
    check(GOOD.replace("1.0", "2.0").as_bytes(), "format version 2.0, newer than 1.1");
    check(GOOD.replace("1.0", "1.2").as_bytes(), "format version 1.2, newer than 1.1");
    check(GOOD.replace("1.0", "0.9").as_bytes(), "version 0.9 is older");
    check(GOOD.replace("\"1.0\"", "1.0").as_bytes(), "expected a string");
    check(GOOD.replace("1.0", "one").as_bytes(), "`one` is not a version");
    check(GOOD.replace("\"x\"", "7").as_bytes(), "expected a text");
    check(GOOD.replace("failed", "lost").as_bytes(), "unknown variant `lost`");
    check(GOOD.replace("\"t.i\"", "\"t.other\"").as_bytes(), "its entry `t.other` is about index `i` of table `t`");
    let twice = GOOD.replace("}}}", r#"}, "t.i": {"table_name": "t", "index_name": "i", "status": "pending"}}}"#);
    check(twice.as_bytes(), "it has two entries for `t.i`");
    let array = GOOD.replace(r#""t.i": {"table"#, r#""u.j": ["u", "j", "pending", null, 0, null], "t.i": {"table"#);
    check(array.as_bytes(), "its entry `u.j` is not an object");
    check(GOOD.replace("2026-02-01T10:30:00Z", "9999-12-31T23:59:59-01:00").as_bytes(), "is not a time of the form");
    check(GOOD.replace("2026-02-01T10:30:00Z", "soon").as_bytes(), "`soon` is not a time");
    check(GOOD.replace("\"retry_count\": 1", "\"retry_count\": -1").as_bytes(), "invalid value");
}

#[test]
fn a_directory_in_its_place_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs_err::create_dir(dir.path().join(STATE_FILE_NAME)).unwrap();
    let error = chain(&GsiStateManager::open("s", dir.path()).unwrap_err());
    assert!(error.contains("is not a regular file"), "{error}");
}

#[test]
fn the_last_good_generation_is_offered() {
    let dir = tempfile::tempdir().unwrap();
    let key = GsiKey::new("t", "i");
    {
        let mut manager = GsiStateManager::open("s", dir.path()).unwrap();
        manager.initialize([key.clone()]).unwrap();
        manager.update_status(&key, GsiStatus::InProgress, Some(1), None).unwrap();
    }
    fs_err::write(dir.path().join(STATE_FILE_NAME), "{").unwrap();
    let Err(gsi_state::OpenError::State(statefile::OpenError::Damaged { last_good: Some(backup), .. })) =
        GsiStateManager::open("s", dir.path())
    else {
        panic!("not refused as damaged with a backup");
    };
    fs_err::copy(backup, dir.path().join(STATE_FILE_NAME)).unwrap();
    let manager = GsiStateManager::open("s", dir.path()).unwrap();
    assert_eq!(manager.status_of(&key).unwrap().status, GsiStatus::Pending, "one update back");
}

#[test]
fn the_second_of_two_is_told_who_is_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = GsiStateManager::open("s", dir.path()).unwrap();
    first.initialize([GsiKey::new("t", "i")]).unwrap();
    let error = chain(&GsiStateManager::open("s", dir.path()).unwrap_err());
    assert!(error.contains(&format!("is held by process {}", std::process::id())), "{error}");
    drop(first);
    GsiStateManager::open("s", dir.path()).unwrap();
}
