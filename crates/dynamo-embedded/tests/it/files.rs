//! Databases in files: reopened, shared, refused.

use std::path::Path;

use dynamo_embedded::{EmbeddedDynamo, EmbeddedError, Times};

use crate::support::*;

fn file(path: &Path) -> dynamo_embedded::Builder {
    EmbeddedDynamo::builder().times(TIMES).file(path)
}

#[tokio::test]
async fn a_creating_index_goes_on_in_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite");
    let hands = Hands::new();
    let w = World::open(&hands, file(&path));
    w.table("tab").await;
    assert_eq!(w.put("tab", "1", Some(s("x"))).await, "ok");
    w.create("tab", "idx").send().await.unwrap();
    drop(w);
    hands.advance(29);
    // Other times in the next process: what has begun keeps those it began with.
    let w = World::open(&hands, file(&path).times(Times::INSTANT));
    let rows = [(0, "UPDATING idx:CREATING/false"), (1, "ACTIVE idx:CREATING/true"), (500, "ACTIVE idx:ACTIVE")];
    for (seconds, expect) in rows {
        hands.advance(seconds);
        assert_eq!(w.describe("tab").await, expect);
    }
    assert_eq!(w.scan("tab", "idx").await, "1");
    drop(w);
    let w = World::open(&hands, file(&path));
    w.delete("tab", "idx").send().await.unwrap();
    drop(w);
    let w = World::open(&hands, file(&path));
    assert_eq!(w.describe("tab").await, "UPDATING idx:DELETING");
    hands.advance(5);
    assert_eq!(w.describe("tab").await, "ACTIVE");
    let expect = [
        "CreateTable tab ok",
        "PutItem tab ok",
        "UpdateTable tab/idx Create ok",
        "Scan tab/idx ok",
        "UpdateTable tab/idx Delete ok",
    ];
    assert_eq!(w.ledger(), expect); // of every process that used the file
}

#[tokio::test]
async fn two_handles_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite");
    let hands = Hands::new();
    let a = World::open(&hands, file(&path));
    let b = World::open(&hands, file(&path));
    a.table("tab").await;
    assert_eq!(b.describe("tab").await, "ACTIVE");
    assert_eq!(b.put("tab", "1", Some(s("x"))).await, "ok");
    a.create("tab", "idx").send().await.unwrap();
    assert_eq!(b.describe("tab").await, "UPDATING idx:CREATING/false");
    let second = outcome(b.create("tab", "other").send().await);
    assert!(second.starts_with("LimitExceededException: "), "{second}");
    // B has described the table before; its writes must enter A's index all the same.
    assert_eq!(b.put("tab", "2", Some(s("x"))).await, "ok");
    hands.advance(530);
    assert_eq!(b.scan("tab", "idx").await, "1 2");
    assert_eq!(a.scan("tab", "idx").await, "1 2");
    b.delete("tab", "idx").send().await.unwrap();
    hands.advance(5);
    assert_eq!(a.describe("tab").await, "ACTIVE");
    assert_eq!(a.put("tab", "3", Some(s("x"))).await, "ok");
    b.client.delete_table().table_name("tab").send().await.unwrap();
    assert!(a.describe("tab").await.starts_with("ResourceNotFoundException"));
    assert_eq!(a.dynamo.calls().unwrap(), b.dynamo.calls().unwrap());
}

#[test]
fn handles_race_for_one_index() {
    // Threads with a handle each open the same new file and create the same index: one wins.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite");
    let runners: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let w = World::open(&Hands::new(), file(&path));
                    let create = w.client.create_table().table_name("tab");
                    let create = create.billing_mode(aws_sdk_dynamodb::types::BillingMode::PayPerRequest);
                    let create = create.attribute_definitions(attribute("id", "S")).key_schema(key("id", "HASH"));
                    (outcome(create.send().await), outcome(w.create("tab", "idx").send().await))
                })
            })
        })
        .collect();
    let outcomes: Vec<_> = runners.into_iter().map(|r| r.join().unwrap()).collect();
    let won = |pick: fn(&(String, String)) -> &String| outcomes.iter().filter(|o| pick(o) == "ok").count();
    assert_eq!((won(|o| &o.0), won(|o| &o.1)), (1, 1), "{outcomes:?}");
    let ledger = World::open(&Hands::new(), file(&path)).ledger();
    assert_eq!(ledger.iter().filter(|line| *line == "UpdateTable tab/idx Create ok").count(), 1);
    assert_eq!(ledger.len(), 12);
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite");
    let check = |bytes: &[u8], expect: fn(&EmbeddedError) -> bool, text: &str| {
        fs_err::write(&path, bytes).unwrap();
        let error = EmbeddedDynamo::builder().file(&path).open().unwrap_err();
        assert!(expect(&error), "{error:?}");
        assert_eq!(error.to_string(), text.replace("PATH", path.to_str().unwrap()));
        assert_eq!(fs_err::read(&path).unwrap(), bytes, "bytes kept");
    };
    let text = "`PATH` is not an SQLite database";
    check(b"not a database at all, but long enough", |e| matches!(e, EmbeddedError::NotADatabase { .. }), text);
    check(&[0; 8192], |e| matches!(e, EmbeddedError::NotADatabase { .. }), text);
    let foreign = sqlite(&directory.path().join("foreign"), "CREATE TABLE notes (body TEXT)");
    let text = "`PATH` is an SQLite database of another program";
    check(&foreign, |e| matches!(e, EmbeddedError::Foreign { .. }), text);
    let newer = written(&directory.path().join("newer"), Some(r#"UPDATE "::meta" SET version = 2"#));
    let text = "`PATH` has format version 2, newer than 1";
    check(&newer, |e| matches!(e, EmbeddedError::TooNew { found: 2, .. }), text);
    let whole = written(&directory.path().join("whole"), None);
    check(&whole[..whole.len() / 2], |e| matches!(e, EmbeddedError::Damaged { .. }), "`PATH` is damaged");
    let mut broken = whole.clone();
    broken[4096..8192].fill(0xa5);
    check(&broken, |e| matches!(e, EmbeddedError::Damaged { .. }), "`PATH` is damaged");
    // The undamaged one opens.
    fs_err::write(&path, whole).unwrap();
    EmbeddedDynamo::builder().file(&path).open().unwrap();
}

fn sqlite(path: &Path, sql: &str) -> Vec<u8> {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    fs_err::read(path).unwrap()
}

/// The bytes of a database of ours, closed, after `sql`.
fn written(path: &Path, sql: Option<&str>) -> Vec<u8> {
    drop(EmbeddedDynamo::builder().file(path).open().unwrap());
    sqlite(path, sql.unwrap_or("PRAGMA wal_checkpoint(TRUNCATE)"))
}

#[test]
fn paths_that_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let shown = directory.path().display().to_string();
    let check = |path: &Path, expect: &str| {
        let error = EmbeddedDynamo::builder().file(path).open().unwrap_err();
        assert_eq!(error.to_string(), expect.replace("DIR", &shown));
    };
    check(directory.path(), "`DIR` is a directory, not a database file");
    check(&directory.path().join("no/db"), "could not open `DIR/no/db`");
    assert!(!directory.path().join("no").exists());
    // Names that SQLite would read as a URI or as memory are files here.
    for name in ["file:db?mode=memory", ":memory:"] {
        EmbeddedDynamo::builder().file(directory.path().join(name)).open().unwrap();
        assert!(directory.path().join(name).exists(), "{name}");
    }
}
