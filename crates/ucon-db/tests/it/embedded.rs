//! The archive file: killed writers, two processes, foreign files.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ucon_db::{BlobError, BlobStore, EmbeddedError, ErrorClass};

use crate::setup::{embedded, run, told};

const FILE: &str = "UCON_DB_TEST_FILE";
const FIRST: &str = "UCON_DB_TEST_FIRST";

fn record(number: u64) -> Vec<u8> {
    format!("record of run {number}\n").repeat(50 + usize::try_from(number % 7).unwrap() * 300).into_bytes()
}

/// Not a test of its own: the process that the tests below start, and kill.
#[tokio::test]
#[ignore = "started by other tests"]
#[expect(clippy::disallowed_methods, reason = "arguments cannot be passed through the test harness")]
async fn writer_process() {
    let (Ok(path), Ok(first)) = (std::env::var(FILE), std::env::var(FIRST)) else { return };
    let store = embedded(Path::new(&path));
    let first: u64 = first.parse().unwrap();
    for number in first..first + 300 {
        match store.put(run(number), &record(number)).await {
            Ok(_) => writeln!(std::io::stdout(), "\nstored {number}").unwrap(),
            Err(BlobError::AlreadyExists { .. }) => {}
            Err(error) => panic!("{}", told(&error)),
        }
    }
}

fn start_writer(path: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::writer_process", "--ignored", "--nocapture"])
        .env(FILE, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The runs that a writer says it has stored; kills it after `kill_after` of them.
fn stored_by(mut writer: Child, kill_after: Option<usize>) -> Vec<u64> {
    let mut stored = Vec::new();
    for line in BufReader::new(writer.stdout.take().unwrap()).lines() {
        if let Some(number) = line.unwrap().strip_prefix("stored ") {
            stored.push(number.parse().unwrap());
        }
        if kill_after == Some(stored.len()) {
            writer.kill().unwrap();
        }
    }
    let status = writer.wait().unwrap();
    assert_eq!(status.success(), kill_after.is_none(), "{status}");
    stored
}

async fn check_whole(path: &Path, claimed: &[u64]) -> usize {
    let store = embedded(path);
    let runs = store.runs().await.unwrap();
    for number in claimed {
        assert!(runs.contains_key(&run(*number)), "run {number} was confirmed and is gone");
    }
    for (run, info) in &runs {
        let blob = store.get(*run).await.unwrap().unwrap();
        assert!(blob == record(run.get()), "run {run} is not what was put");
        assert_eq!(info.size_bytes, blob.len() as u64);
        assert_eq!(store.versions(*run).await.unwrap().len(), 1, "version and tag are one");
    }
    runs.len()
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_runs_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ucondb.sqlite");
    let mut claimed = Vec::new();
    // Different moments of the first creation, and of the writing.
    for kill_after in [1, 2, 3, 5, 8, 13, 21, 4, 9, 17] {
        claimed.extend(stored_by(start_writer(&path, 0), Some(kill_after)));
        check_whole(&path, &claimed).await;
    }
    stored_by(start_writer(&path, 0), None);
    assert_eq!(check_whole(&path, &claimed).await, 300);
}

#[tokio::test]
async fn two_processes_share_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ucondb.sqlite");
    // Half of the runs are wanted by both, and both create the file.
    let writers = [start_writer(&path, 0), start_writer(&path, 150)];
    let stored: Vec<u64> = writers.into_iter().flat_map(|writer| stored_by(writer, None)).collect();
    assert_eq!(stored.len(), 450, "each run was stored by exactly one");
    assert_eq!(check_whole(&path, &stored).await, 450);
}

#[tokio::test]
async fn many_may_create_the_file_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ucondb.sqlite");
    let stores = || (0..16).map(|number| (number, embedded(&path)));
    let writers: Vec<_> =
        stores().map(|(number, store)| tokio::spawn(async move { store.put(run(number), b"x").await })).collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(embedded(&path).runs().await.unwrap().len(), 16);
    let names: Vec<_> = fs_err::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name.to_string_lossy().starts_with("ucondb.sqlite")), "left behind: {names:?}");
}

#[tokio::test]
async fn looking_creates_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/ucondb.sqlite");
    let store = embedded(&path);
    assert!(store.runs().await.unwrap().is_empty());
    assert_eq!(store.get(run(1)).await.unwrap(), None);
    assert!(!path.parent().unwrap().exists());
    store.put(run(1), b"x").await.unwrap();
    assert_eq!(embedded(&path).runs().await.unwrap().len(), 1, "another opening sees it");
}

/// Makes a file by SQL, and returns how opening it fails; the file must stay as it is.
async fn refusal(name: &str, sql: &str) -> BlobError {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join(name);
    rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let before = fs_err::read(&path).unwrap();
    let error = embedded(&path).put(run(1), b"x").await.unwrap_err();
    assert_eq!(fs_err::read(&path).unwrap(), before);
    error
}

#[tokio::test]
async fn foreign_and_newer_files_are_refused_unchanged() {
    let foreign = refusal("f.sqlite", "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)").await;
    assert!(matches!(foreign, BlobError::Embedded(EmbeddedError::NotAnArchive { .. })), "{foreign:?}");
    let other_program = refusal("o.sqlite", "PRAGMA application_id = 7; CREATE TABLE mine (x)").await;
    assert!(matches!(other_program, BlobError::Embedded(EmbeddedError::NotAnArchive { .. })), "{other_program:?}");
    let newer =
        refusal("n.sqlite", "PRAGMA application_id = 0x55434F4E; PRAGMA user_version = 2; CREATE TABLE v (x)").await;
    assert!(
        told(&newer).ends_with("has format version 2, newer than 1, the newest that this program knows"),
        "{newer:?}"
    );
    let empty = refusal("e.sqlite", "").await;
    assert!(matches!(empty, BlobError::Embedded(EmbeddedError::NotAnArchive { .. })), "{empty:?}");
    for error in [foreign, other_program, newer, empty] {
        assert_eq!(error.class(), ErrorClass::Permanent);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ucondb.sqlite");
    fs_err::write(&path, "run-archiver: this is a text file, and a long enough one to be looked at\n".repeat(20))
        .unwrap();
    let error = embedded(&path).runs().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Permanent);
    assert!(told(&error).contains("file is not a database"), "{}", told(&error));
    let error = embedded(directory.path()).runs().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Permanent, "a directory: {}", told(&error));
}

#[tokio::test]
async fn a_damaged_blob_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ucondb.sqlite");
    embedded(&path).put(run(100), b"record").await.unwrap();
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE blob SET data = x'00'", []).unwrap();
    let error = embedded(&path).get(run(100)).await.unwrap_err();
    assert!(matches!(error, BlobError::Embedded(EmbeddedError::Damaged { .. })), "{error:?}");
}

#[tokio::test]
async fn equal_contents_are_kept_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ucondb.sqlite");
    let store = embedded(&path);
    for number in 0..5 {
        store.put(run(number), b"same").await.unwrap();
    }
    let count = |sql: &str| rusqlite::Connection::open(&path).unwrap().query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(count("SELECT count(*) FROM blob"), Ok(1));
    assert_eq!(count("SELECT count(*) FROM version"), Ok(5));
}

#[test]
fn only_another_user_of_the_file_goes_away_by_itself() {
    use rusqlite::ffi;
    for (code, class) in [
        (ffi::SQLITE_BUSY, ErrorClass::Transient),
        (ffi::SQLITE_LOCKED, ErrorClass::Transient),
        (ffi::SQLITE_FULL, ErrorClass::Permanent),
        (ffi::SQLITE_CORRUPT, ErrorClass::Permanent),
        (ffi::SQLITE_READONLY, ErrorClass::Permanent),
    ] {
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let error = EmbeddedError::Query { operation: "store a run", path: "u.sqlite".into(), source };
        assert_eq!(error.class(), class, "{code}");
    }
}
