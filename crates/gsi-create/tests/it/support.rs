//! A place with definitions in it, the usual arguments, and what can be read afterwards.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use assert_cmd::assert::Assert;
use dynamo_embedded::{EmbeddedDynamo, IndexAction};
use gsi_state::{GsiStatus, StatusView};
use serde_json::{Value, json};
use test_kit::TestEnv;

pub(crate) const STATE: &str = "s/.gsi_creation_state.json";

/// Six indexes of five tables.
pub(crate) const PRIORITY1: &str = include_str!("../../../../examples/gsis/priority1.json");

/// A directory with `gsis.json`: two indexes of one table, and one of another.
pub(crate) fn env() -> TestEnv {
    env_with(&definitions(&[("bookings", "by-flight"), ("bookings", "by-status"), ("crew", "by-date")]))
}

pub(crate) fn env_with(definitions: &str) -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_gsi-create"));
    env.write("gsis.json", definitions);
    env
}

/// Definitions of indexes keyed by a text attribute of the index's name.
pub(crate) fn definitions(indexes: &[(&str, &str)]) -> String {
    let mut tables = json!({});
    for (table, index) in indexes {
        let definition = json!({
            "IndexName": index,
            "KeySchema": [{"AttributeName": index, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": index, "AttributeType": "S"}],
            "Projection": {"ProjectionType": "ALL"},
        });
        match tables[table].as_array_mut() {
            Some(list) => list.push(definition),
            None => tables[table] = json!([definition]),
        }
    }
    tables.to_string()
}

/// The usual arguments: quick indexes in a database file.
pub(crate) fn usual(more: &[&str]) -> Vec<String> {
    timed("20ms,40ms,20ms", more)
}

/// The usual arguments with times of one's own.
pub(crate) fn timed(times: &str, more: &[&str]) -> Vec<String> {
    let usual = ["gsis.json", "--endpoint", "embedded:db.sqlite", "--state-dir", "s", "--embedded-times", times];
    usual.iter().chain(more).map(|&arg| arg.to_owned()).collect()
}

/// Runs with the usual arguments and more.
pub(crate) fn run(env: &TestEnv, more: &[&str]) -> Assert {
    env.command(usual(more)).assert()
}

pub(crate) fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// The whole of stdout as one JSON document.
pub(crate) fn json_of(assert: &Assert) -> Value {
    let text = stdout(assert);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Asserts an exit code, an empty stdout, and texts in stderr.
pub(crate) fn refused(assert: Assert, code: i32, texts: &[&str]) {
    let assert = assert.code(code).stdout("");
    let said = stderr(&assert);
    for text in texts {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
}

/// How often the creation of each index took effect, by `table.index`.
pub(crate) fn creations(env: &TestEnv) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap() {
        if call.action == Some(IndexAction::Create) && call.outcome.took_effect() {
            *counts.entry(format!("{}.{}", call.table.unwrap(), call.index.unwrap())).or_default() += 1;
        }
    }
    counts
}

/// Every `UpdateTable` on a table and what came of it.
pub(crate) fn updates_of(env: &TestEnv, table: &str) -> Vec<String> {
    let calls = EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap();
    let of_table = calls.iter().filter(|call| call.operation == "UpdateTable" && call.table.as_deref() == Some(table));
    of_table.map(|call| call.outcome.to_string()).collect()
}

/// How many calls of an operation there were.
pub(crate) fn calls_of(env: &TestEnv, operation: &str) -> usize {
    let calls = EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap();
    calls.iter().filter(|call| call.operation == operation).count()
}

/// Asserts that each of `count` indexes was created exactly once.
pub(crate) fn each_once(env: &TestEnv, count: usize) {
    let creations = creations(env);
    assert!(creations.len() == count && creations.values().all(|times| *times == 1), "{creations:?}");
}

/// The statuses in the state file, by `table.index`.
pub(crate) fn statuses(env: &TestEnv) -> BTreeMap<String, GsiStatus> {
    let view = StatusView::read(&env.join("s")).unwrap().expect("there is a state file");
    view.state.gsis().map(|gsi| (gsi.key.to_string(), gsi.status)).collect()
}

/// The archived states.
pub(crate) fn archives(dir: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let is_archive = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(".gsi_creation_state_") && name.len() == ".gsi_creation_state_20260201_103000.json".len()
    };
    entries.filter(is_archive).collect()
}

/// The one archived state, read as JSON.
pub(crate) fn the_archive(env: &TestEnv) -> Value {
    let archives = archives(&env.join("s"));
    assert_eq!(archives.len(), 1, "{archives:?}");
    serde_json::from_slice(&fs_err::read(&archives[0]).unwrap()).unwrap()
}
