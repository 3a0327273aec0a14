//! Our own tables in the engine's database: format version, change counter, index phases, ledger.
//!
//! Their names contain `::`, which no DynamoDB table name may, so they cannot meet a user's table.
//! Times are microseconds since the epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use crate::{
    calls::{Call, IndexAction, Outcome},
    lifecycle::IndexRow,
};

/// The format of the tables below. 1: the first.
pub(crate) const VERSION: i64 = 1;

const _: () = assert!(VERSION == 1, "SCHEMA writes the version");

const SCHEMA: &str = r#"
CREATE TABLE IF NOT EXISTS "::meta" (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
INSERT OR IGNORE INTO "::meta" VALUES (1, 1, 0);
CREATE TABLE IF NOT EXISTS "::tables" (
    table_name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "::indexes" (
    table_name TEXT NOT NULL,
    index_name TEXT NOT NULL,
    backfill_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    gone_at INTEGER,
    remnant TEXT,
    capacity TEXT NOT NULL,
    PRIMARY KEY (table_name, index_name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "::calls" (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    operation TEXT NOT NULL,
    table_name TEXT,
    index_name TEXT,
    action TEXT,
    outcome TEXT NOT NULL,
    code TEXT
);
"#;

/// The version in the file; `None` when our tables are not there yet.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let ours = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '::meta')";
    if connection.query_row(ours, [], |row| row.get::<_, bool>(0))? {
        connection.query_row(r#"SELECT version FROM "::meta""#, [], |row| row.get(0)).optional()
    } else {
        Ok(None)
    }
}

/// Creates what is missing, in one transaction.
pub(crate) fn initialize(connection: &Connection) -> rusqlite::Result<()> {
    if version(connection)?.is_some() {
        return Ok(());
    }
    let transaction = rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.commit()
}

/// How many times a table was created, changed or deleted in this database.
pub(crate) fn generation(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached(r#"SELECT generation FROM "::meta""#)?.query_row([], |row| row.get(0))
}

/// Counts a change of a table, so that other processes drop what they remember.
pub(crate) fn raise_generation(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(r#"UPDATE "::meta" SET generation = generation + 1 RETURNING generation"#)?
        .query_row([], |row| row.get(0))
}

pub(crate) fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn time(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Records when a table was created; the engine knows only the wall clock's second.
pub(crate) fn put_table(connection: &Connection, table: &str, created_at: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(r#"INSERT OR REPLACE INTO "::tables" VALUES (?1, ?2)"#)?
        .execute(params![table, created_at])?;
    Ok(())
}

pub(crate) fn created_at(connection: &Connection, table: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(r#"SELECT created_at FROM "::tables" WHERE table_name = ?1"#)?
        .query_row([table], |row| row.get(0))
        .optional()
}

/// Forgets a deleted table and its indexes.
pub(crate) fn drop_table(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    connection.execute(r#"DELETE FROM "::tables" WHERE table_name = ?1"#, [table])?;
    connection.execute(r#"DELETE FROM "::indexes" WHERE table_name = ?1"#, [table])?;
    Ok(())
}

/// The rows of a table's indexes. An index without a row was made with its table.
pub(crate) fn indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<IndexRow>> {
    connection
        .prepare_cached(
            r#"SELECT index_name, backfill_at, active_at, gone_at, remnant, capacity
               FROM "::indexes" WHERE table_name = ?1"#,
        )?
        .query_map([table], |row| {
            Ok(IndexRow {
                name: row.get(0)?,
                backfill_at: row.get(1)?,
                active_at: row.get(2)?,
                gone_at: row.get(3)?,
                remnant: row.get::<_, Option<String>>(4)?.as_deref().map(json),
                capacity: json(&row.get::<_, String>(5)?),
            })
        })?
        .collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

pub(crate) fn put_index(connection: &Connection, table: &str, row: &IndexRow) -> rusqlite::Result<()> {
    connection.prepare_cached(r#"INSERT OR REPLACE INTO "::indexes" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"#)?.execute(
        params![
            table,
            row.name,
            row.backfill_at,
            row.active_at,
            row.gone_at,
            row.remnant.as_ref().map(Value::to_string),
            row.capacity.to_string(),
        ],
    )?;
    Ok(())
}

/// Forgets the indexes of a table whose deletion is over.
pub(crate) fn purge_indexes(connection: &Connection, table: &str, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(r#"DELETE FROM "::indexes" WHERE table_name = ?1 AND gone_at <= ?2"#)?
        .execute(params![table, now])?;
    Ok(())
}

/// Appends to the ledger; `call.sequence` is ignored.
pub(crate) fn append_call(connection: &Connection, call: &Call) -> rusqlite::Result<()> {
    let (outcome, code) = match &call.outcome {
        Outcome::Ok => ("ok", None),
        Outcome::Refused { code } => ("refused", Some(code)),
        Outcome::Lost => ("lost", None),
        Outcome::Unreachable => ("unreachable", None),
    };
    connection
        .prepare_cached(
            r#"INSERT INTO "::calls" (at, operation, table_name, index_name, action, outcome, code)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"#,
        )?
        .execute(params![
            micros(call.at),
            call.operation,
            call.table,
            call.index,
            call.action.map(IndexAction::as_str),
            outcome,
            code,
        ])?;
    Ok(())
}

pub(crate) fn calls(connection: &Connection) -> rusqlite::Result<Vec<Call>> {
    connection
        .prepare_cached(
            r#"SELECT sequence, at, operation, table_name, index_name, action, outcome, code
               FROM "::calls" ORDER BY sequence"#,
        )?
        .query_map([], call)?
        .collect()
}

fn call(row: &Row<'_>) -> rusqlite::Result<Call> {
    let action: Option<String> = row.get(5)?;
    let outcome: String = row.get(6)?;
    Ok(Call {
        sequence: row.get(0)?,
        at: time(row.get(1)?),
        operation: row.get(2)?,
        table: row.get(3)?,
        index: row.get(4)?,
        action: action.and_then(|name| IndexAction::ALL.into_iter().find(|a| a.as_str() == name)),
        outcome: match outcome.as_str() {
            "ok" => Outcome::Ok,
            "lost" => Outcome::Lost,
            "unreachable" => Outcome::Unreachable,
            _ => Outcome::Refused { code: row.get::<_, Option<String>>(7)?.unwrap_or_default() },
        },
    })
}
