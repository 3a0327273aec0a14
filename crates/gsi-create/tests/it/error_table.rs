//! The table of errors (facts on DynamoDB, section 4.1), driven over the whole program on virtual time: the
//! ledger of the embedded service has every call with its time.

use dynamo_embedded::{Call, EmbeddedDynamo};
use gsi_state::read_history;
use serde_json::Value;
use test_kit::TestEnv;

use crate::{
    error_rows::{Row, rows, short},
    support::*,
};

#[test]
fn every_row_leads_to_its_strategy() {
    for row in rows() {
        check(&row);
    }
}

/// The ledger, and the moment of the first look.
fn ledger(env: &TestEnv) -> (Vec<Call>, std::time::SystemTime) {
    let calls = EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap();
    let start = calls.iter().find(|call| call.operation == "DescribeTable").unwrap().at;
    (calls, start)
}

fn check(row: &Row) {
    let title = format!("{}: {}", row.title, row.faults);
    let env = env_with(&definitions(row.indexes));
    let args = ["--embedded-clock", "virtual", "--no-validate", "--json", "--embedded-faults", &row.faults];
    let assert = env.command(timed("30s,500s,5s", &args)).assert();
    let code = assert.get_output().status.code();
    let answer = json_of(&assert);

    let ends: Vec<&str> =
        answer["indexes"].as_array().unwrap().iter().map(|i| i["outcome"].as_str().unwrap()).collect();
    assert_eq!(ends, row.ends, "{title}: {answer:#}");
    assert_eq!(code, Some(i32::from(row.ends.iter().any(|end| *end != "created"))), "{title}");
    assert_eq!(answer["indexes"][0]["attempts"], row.attempts, "{title}");

    let (calls, start) = ledger(&env);
    let second = |call: &Call| call.at.duration_since(start).unwrap().as_secs();
    let updates = calls.iter().filter(|call| call.operation == "UpdateTable");
    let requests: Vec<_> =
        updates.map(|call| (second(call), call.index.clone().unwrap(), call.outcome.to_string())).collect();
    let requests: Vec<_> =
        requests.iter().map(|(second, index, outcome)| (*second, index.as_str(), outcome.as_str())).collect();
    assert_eq!(requests, row.requests, "{title}");
    let of_one = |call: &&Call| call.operation == "DescribeTable" && call.table.as_deref() == Some("one");
    let looks: Vec<u64> = calls.iter().filter(of_one).map(second).collect();
    assert_eq!(looks[..row.looks.len()], *row.looks, "{title}");

    let (table, index) = row.indexes[0];
    let history = read_history(&env.join("s")).unwrap();
    let history: Vec<_> = history.iter().filter(|line| line.table == table && line.index == index).map(short).collect();
    assert_eq!(history, row.history, "{title}");

    let is_stopped = row.ends.contains(&"not_started");
    assert_eq!(answer["stopped_by"] != Value::Null, is_stopped, "{title}");
    if is_stopped {
        assert!(answer["elapsed_seconds"].as_f64().unwrap() < 2.0, "{title}");
    }
}

#[test]
fn requests_are_paced_where_it_is_asked_for() {
    let env = env_with(&definitions(&[("aaa", "one"), ("bbb", "two"), ("bbb", "three"), ("ccc", "four")]));
    let args = ["--embedded-clock", "virtual", "--no-validate", "--request-interval", "7s", "--no-wait"];
    env.command(timed("30s,500s,5s", &args)).assert().code(4);
    let (calls, start) = ledger(&env);
    let updates = calls.iter().filter(|call| call.operation == "UpdateTable");
    let requests: Vec<_> =
        updates.map(|call| (call.at.duration_since(start).unwrap().as_secs(), call.index.clone().unwrap())).collect();
    // The table with the most work first.
    assert_eq!(requests, [(0, "two".to_owned()), (7, "one".to_owned()), (14, "four".to_owned())]);
}

#[test]
fn the_whole_wait_can_be_limited_and_taken_up_again() {
    let env = env();
    let virtual_time = ["--embedded-clock", "virtual", "--json"];
    let args = [&virtual_time[..], &["--timeout", "10m"]].concat();
    let answer = json_of(&env.command(timed("30s,500s,5s", &args)).assert().code(4));
    let outcomes: Vec<_> = answer["indexes"].as_array().unwrap().iter().map(|index| &index["outcome"]).collect();
    assert_eq!(outcomes, ["created", "still_building", "created"]);
    assert_eq!(answer["elapsed_seconds"], 600.0);
    let args = [&virtual_time[..], &["--wait"]].concat();
    env.command(timed("30s,500s,5s", &args)).assert().success();
    each_once(&env, 3);
    refused(env.command(timed("1s,1s,1s", &["--wait", "--no-wait"])).assert(), 64, &["--no-wait"]);
}
