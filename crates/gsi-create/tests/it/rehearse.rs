//! Rehearsals: whole jobs in virtual time, with the schedule as their answer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_kit::TestEnv;

use crate::support::*;

/// A `describe-table` answer of an on-demand table keyed by `id`.
fn described(table: &str, items: u64, bytes: u64) -> Value {
    json!({ "Table": {
        "TableName": table, "TableStatus": "ACTIVE", "ItemCount": items, "TableSizeBytes": bytes,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    }})
}

fn rehearse(env: &TestEnv, more: &[&str]) -> assert_cmd::assert::Assert {
    let args = ["gsis.json", "--rehearse"].iter().chain(more);
    env.command(args).assert()
}

/// Sixty tables with one to four indexes each; `t07` has by far the most items.
fn sixty() -> TestEnv {
    let names: Vec<_> =
        (0..60).flat_map(|t| (0..=t % 4).map(move |i| (format!("t{t:02}"), format!("by-{i}")))).collect();
    let names: Vec<_> = names.iter().map(|(table, index)| (table.as_str(), index.as_str())).collect();
    let env = env_with(&definitions(&names));
    let items = |t: u64| if t == 7 { 30_000_000 } else { t * 1000 };
    let tables: Vec<_> = (0..60).map(|t| described(&format!("t{t:02}"), items(t), items(t) * 300)).collect();
    env.write("tables.json", json!(tables).to_string());
    env
}

#[test]
fn sixty_tables_with_two_faults_name_the_critical_table_in_seconds() {
    let env = sixty();
    let faults = "UpdateTable[t07]#2=ThrottlingException; DescribeTable[t05]#9=lost";
    let start = Instant::now();
    let answer = json_of(&rehearse(&env, &["--from", "tables.json", "--fault", faults, "--json"]).success());
    // About 4 s of work on each of two cores in a debug build; the machine may have other things to do.
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
    assert_eq!(answer["critical_table"], "t07");
    // 30 million items, 30 to 38.8 million write units at 4,000 to 40,000 a second, for each of four indexes.
    let total = answer["total_seconds"].as_f64().unwrap();
    assert!((4.0 * (506.0 + 750.0)..4.0 * 1.02 * (1003.0 + 9_800.0)).contains(&total), "{total}");
    let undisturbed = answer["total_seconds_without_faults"].as_f64().unwrap();
    assert!(total > undisturbed, "a fault on the critical table costs time: {total} {undisturbed}");
    for fault in answer["faults"].as_array().unwrap() {
        assert_eq!(fault["strikes"], 1, "{fault}");
    }
    assert_eq!(answer["refusals"].as_array().unwrap().len(), 2, "only those: {:#}", answer["refusals"]);
    assert_eq!(answer["tables"].as_array().unwrap().len(), 60);
    for table in answer["tables"].as_array().unwrap() {
        // One after the other, never two at once.
        let mut before = 0.0;
        for index in table["indexes"].as_array().unwrap() {
            assert_eq!(index["outcome"], "created");
            let (start, end) = (index["start_seconds"].as_f64().unwrap(), index["end_seconds"].as_f64().unwrap());
            assert!(before <= start && start + 500.0 < end, "{table:#}");
            before = end;
        }
    }
    let left: Vec<_> = fs_err::read_dir(env.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left behind: {left:?}");
}

#[test]
fn the_same_seed_gives_the_same_schedule_and_another_another() {
    let env = env();
    let answer = |seed: &str| json_of(&rehearse(&env, &["--endpoint", "embedded", "--seed", seed, "--json"]).success());
    let (first, again, other) = (answer("1"), answer("1"), answer("2"));
    assert_eq!(first["tables"], again["tables"]);
    assert_ne!(first["tables"], other["tables"]);
}

#[test]
fn the_screen() {
    let env = env();
    env.write("bookings.json", described("bookings", 1_234_567, 400_000_000).to_string());
    let faults = "UpdateTable[bookings]#1=InternalServerError; UpdateTable[crew]#9=lost";
    let assert = rehearse(&env, &["--from", "bookings.json", "--fault", faults]).success();
    insta::assert_snapshot!(stderr(&assert), @"warning: nothing is known of the table crew: assumed empty and on demand");
    insta::assert_snapshot!(stdout(&assert), @r#"
    Rehearsal of 3 indexes of 2 tables (seed 1)

      table                        idx  items  0                                25m 35s  ends
    * bookings                       2   1.2M  ·██████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  25m 35s
      crew                           1      0  ██████████████████████████                16m 52s

    critical table: bookings (2 indexes, one after the other)
      the next, crew, ends 8m 43s before it
    faults: the end comes 30.0 s later than without them (25m 5s)
      UpdateTable[bookings]#1=InternalServerError: struck once
      ! UpdateTable[crew]#9=lost: fitted no call
      bookings ends 30.0 s later
      ! at 0.0 s: bookings.by-flight: InternalServerError: Internal server error

    total 25m 35s (4 UpdateTable, 823 DescribeTable)
    "#);
    assert!(stdout(&assert).lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn what_is_wrong_with_the_real_tables_is_known_beforehand() {
    let env = env();
    let mut bookings = described("bookings", 5, 5);
    // One of the wanted indexes is there, with another key; the other one is being made.
    bookings["Table"]["AttributeDefinitions"] = json!([
        {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "by-flight", "AttributeType": "S"}]);
    let index = |name: &str, key: &str, status: &str| {
        json!({
            "IndexName": name, "IndexStatus": status, "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]})
    };
    bookings["Table"]["GlobalSecondaryIndexes"] =
        json!([index("by-status", "id", "ACTIVE"), index("by-flight", "by-flight", "CREATING")]);
    env.write("d/bookings.json", bookings.to_string());
    env.write("d/crew.json", described("crew", 0, 0).to_string());
    env.write("d/README", "no JSON, and no matter");
    let answer = json_of(&rehearse(&env, &["--from", "d", "--json"]).code(1));
    let bookings = answer["tables"].as_array().unwrap().iter().find(|table| table["table"] == "bookings").unwrap();
    let outcome = |name: &str| {
        let indexes = bookings["indexes"].as_array().unwrap();
        indexes.iter().find(|index| index["index"] == name).unwrap().clone()
    };
    assert_eq!(outcome("by-status")["outcome"], "failed");
    assert!(outcome("by-status")["error"].as_str().unwrap().contains("differs"), "{bookings:#}");
    assert_eq!(outcome("by-flight")["outcome"], "adopted", "nobody asked for it here");
    assert_eq!(outcome("by-flight")["start_seconds"], Value::Null, "it was under way already");
}

#[test]
fn it_can_be_watched_and_stopped() {
    let env = env();
    let args = ["gsis.json", "--rehearse", "--endpoint", "embedded", "--speed", "1000"];
    let start = Instant::now();
    env.command(args).assert().success();
    assert!(start.elapsed() >= Duration::from_millis(500), "some 1,000 s and more at a thousand times real time");

    let mut running = env.start(["gsis.json", "--rehearse", "--endpoint", "embedded", "--speed", "2"]);
    running.wait_for_line("being built");
    running.interrupt();
    assert_eq!(running.wait().status.code(), Some(130));
}

#[test]
fn what_it_is_told_about_the_tables_is_checked() {
    let env = env();
    env.write("bad.json", r#"{"Tables": []}"#);
    env.write("worse.json", "{");
    let check = |args: &[&str], code: i32, text: &str| refused(rehearse(&env, args), code, &[text]);
    check(&["--from", "bad.json"], 65, "`bad.json` holds no table description");
    check(&["--from", "worse.json"], 65, "`worse.json` does not describe tables");
    check(&["--from", "none.json"], 65, "none.json");
    check(&["--endpoint", "embedded:db.sqlite"], 64, "a rehearsal does not touch a database file");
    check(&["--endpoint", "embedded", "--speed", "0"], 64, "how many times");
    check(&[], 78, "--from FILE");
    refused(env.command(["gsis.json", "--from", "bad.json"]).assert(), 64, &["--rehearse"]);
    assert!(!env.join("db.sqlite").exists());
}

#[test]
fn a_rehearsal_that_runs_out_of_time_is_no_success() {
    let env = env();
    for bound in [["--timeout", "5m"], ["--timeout-per-index", "5m"]] {
        let args = [&["--endpoint", "embedded", "--json"], &bound[..]].concat();
        let answer = json_of(&rehearse(&env, &args).code(4));
        assert_eq!(answer["exit_code"], 4, "{bound:?}");
    }
}

#[test]
fn the_table_with_the_longest_forecast_goes_first_not_the_one_with_the_most_indexes() {
    let few = [("few", "by-0"), ("few", "by-1"), ("few", "by-2"), ("fewer", "by-0"), ("fewer", "by-1")];
    let env = env_with(&definitions(&[&few[..], &[("vast", "by-0")]].concat()));
    env.write(
        "tables.json",
        json!([described("few", 0, 0), described("fewer", 0, 0), described("vast", 90_000_000, 90_000_000 * 300)])
            .to_string(),
    );
    for bound in [&["--max-parallel", "1"][..], &["--request-interval", "5s"]] {
        let args = [&["--from", "tables.json", "--json"][..], bound].concat();
        let answer = json_of(&rehearse(&env, &args).success());
        let start = |table: &str| {
            let table = answer["tables"].as_array().unwrap().iter().find(|one| one["table"] == table).unwrap();
            table["indexes"][0]["start_seconds"].as_f64().unwrap()
        };
        // Somebody has to be the first to look, and to ask.
        assert!(start("vast") < start("fewer"), "{bound:?}: {answer:#}");
    }
}
