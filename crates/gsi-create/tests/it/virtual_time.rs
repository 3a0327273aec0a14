//! Hours in milliseconds: `--embedded-clock virtual`.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use dynamo_embedded::{EmbeddedDynamo, IndexAction};

use crate::support::*;

/// The times of the real service, and time that jumps over them.
fn real_times(more: &[&str]) -> Vec<String> {
    let more: Vec<_> = ["--embedded-clock", "virtual"].iter().chain(more).copied().collect();
    timed("40s,16m,4s", &more)
}

fn time_in(document: &serde_json::Value, field: &str) -> DateTime<Utc> {
    document[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn an_hour_takes_seconds_and_everybody_agrees_on_it() {
    let env = env();
    let start = Instant::now();
    let answer = json_of(&env.command(real_times(&["--json"])).assert().success());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    // Two indexes of one table, one after the other, 1000 s each.
    let elapsed = answer["elapsed_seconds"].as_f64().unwrap();
    assert!((2000.0..2070.0).contains(&elapsed), "{elapsed}");
    each_once(&env, 3);

    let archive = the_archive(&env);
    let (started, updated) = (time_in(&archive, "created_at"), time_in(&archive, "updated_at"));
    assert!((2000..2070).contains(&(updated - started).num_seconds()), "{started} {updated}");
    // The ledger was told the time by the same clock: the state's last change follows the last look.
    let calls = EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap();
    let last = DateTime::<Utc>::from(calls.last().unwrap().at);
    assert!((updated - last).abs() < TimeDelta::seconds(1), "{updated} {last}");
    let creates: Vec<_> = calls.iter().filter(|call| call.action == Some(IndexAction::Create)).collect();
    assert_eq!(creates.len(), 3, "no refusals: {creates:?}");
}

#[test]
fn a_later_run_goes_on_where_the_time_of_the_file_stands() {
    let env = env();
    env.command(real_times(&["--no-wait"])).assert().code(4);
    env.command(real_times(&["--timeout-per-index", "10m"])).assert().code(4);
    env.command(real_times(&[])).assert().success();
    each_once(&env, 3);
    let calls = EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap();
    assert!(calls.is_sorted_by_key(|call| call.at), "time never goes back");
    let adopted = json_of(&env.command(real_times(&["--json"])).assert().success());
    assert!(adopted["indexes"].as_array().unwrap().iter().all(|index| index["outcome"] == "adopted"), "{adopted:#}");
}

#[test]
fn only_an_embedded_dynamodb_has_such_a_clock() {
    let args = ["gsis.json", "--endpoint", "http://127.0.0.1:1", "--region", "r", "--embedded-clock", "virtual"];
    refused(
        env().command(args).assert(),
        64,
        &["`--embedded-clock virtual` needs an embedded endpoint", "--endpoint embedded"],
    );
}

/// Without an end of its own, only the signal ends it.
#[test]
fn a_signal_is_heard_while_time_flies() {
    let env = env();
    let faults = "UpdateTable#*=ThrottlingException";
    let mut running = env.start(real_times(&["--max-attempts", "4000000000", "--embedded-faults", faults]));
    running.wait_for_line("attempt 5");
    running.interrupt();
    let ended = running.wait();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
}
