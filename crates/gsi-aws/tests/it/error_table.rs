//! The table of errors, driven over the library: requests with their seconds, outcomes, and the history.

use std::sync::Arc;

use gsi_aws::{EventKind, IndexSpec, Outcome};
use gsi_state::{GsiStatus, Origin, read_history};

use crate::{
    error_rows::{Row, rows, short},
    support::*,
};

/// The name of an outcome in `--json`.
fn named(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created { .. } => "created",
        Outcome::Adopted => "adopted",
        Outcome::StillActive => "still_active",
        Outcome::Failed { .. } => "failed",
        Outcome::StillBuilding => "still_building",
        Outcome::Unsettled { .. } => "unsettled",
        Outcome::NotStarted => "not_started",
    }
}

#[tokio::test(start_paused = true)]
async fn every_row_leads_to_its_strategy() {
    for row in rows() {
        check(&row).await;
    }
}

async fn check(row: &Row) {
    let title = format!("{}: {}", row.title, row.faults);
    let world = World::with_faults(&row.faults).tables(&["one", "two"]).await;
    let specs: Vec<IndexSpec> = row.indexes.iter().map(|(table, index)| spec(table, index)).collect();
    let report = world.run(&specs).await;

    let ends: Vec<_> = report.outcomes.values().map(named).collect();
    assert_eq!(ends, row.ends, "{title}: {report:#?}");
    let calls = world.dynamo.calls().unwrap();
    let updates = calls.iter().filter(|call| call.operation == "UpdateTable");
    let requests: Vec<_> =
        updates.map(|call| (second_of(call), call.index.clone().unwrap(), call.outcome.to_string())).collect();
    let requests: Vec<_> =
        requests.iter().map(|(second, index, outcome)| (*second, index.as_str(), outcome.as_str())).collect();
    assert_eq!(requests, row.requests, "{title}");
    let looks = world.looks_at("one");
    assert_eq!(looks[..row.looks.len()], *row.looks, "{title}");
    looked_before_each_request(&world, &title);

    let entry = world.entry(&specs[0]);
    assert_eq!(entry.retry_count, row.attempts, "{title}");
    let history = read_history(world.dir.path()).unwrap();
    let history: Vec<_> = history.iter().filter(|line| line.is_about(&specs[0].key())).map(short).collect();
    assert_eq!(history, row.history, "{title}");

    if ends[0] == "failed" && row.attempts > 0 {
        assert_eq!(entry.status, GsiStatus::Failed, "{title}");
    }
    let is_stopped = row.ends.contains(&"not_started");
    assert_eq!(report.stopped_by.is_some(), is_stopped, "{title}");
    assert!(!report.is_interrupted, "{title}: nobody asked it to stop");
    if is_stopped {
        assert!(report.elapsed.as_secs() < 2, "{title}: {:?}", report.elapsed);
    }
}

/// The table is described before every request, since the one before may have taken effect.
pub(crate) fn looked_before_each_request(world: &World, title: &str) {
    for table in ["one", "two"] {
        let calls = world.dynamo.calls().unwrap();
        let of_table = calls.iter().filter(|call| call.table.as_deref() == Some(table));
        let operations: Vec<_> = of_table.map(|call| call.operation.clone()).collect();
        for (position, operation) in operations.iter().enumerate() {
            if operation == "UpdateTable" {
                assert_eq!(operations[position - 1], "DescribeTable", "{title}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_spread_by_chance() {
    for (jitter, second) in [(0.0, 30), (0.5, 37), (1.0, 45)] {
        let mut world = World::with_faults("UpdateTable#1=ThrottlingException").tables(&["one"]).await;
        world.options.jitter = Arc::new(move || jitter);
        world.settle(&spec("one", "aaa")).await;
        let seconds: Vec<u64> = world.requests("UpdateTable").iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, second]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_that_the_service_names_is_waited_for() {
    // The clock of every world starts at 1 800 000 000 s since 1970.
    let check = async |when: &str, with_clock: bool, expect: u64| {
        let faults = format!("UpdateTable#1=ThrottlingException(Please try again after {when})");
        let mut world = World::with_faults(&faults).tables(&["one"]).await;
        if !with_clock {
            world.options.clock = None;
        }
        world.settle(&spec("one", "aaa")).await;
        let seconds: Vec<u64> = world.requests("UpdateTable").iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, expect], "{when}");
    };
    check("1800000100", true, 100).await;
    check("1800000100500", true, 100).await;
    check("2027-01-15T08:01:40Z", true, 100).await;
    check("1800090000", true, 900).await; // a day: clamped
    check("1800000000", true, 1).await; // now: at least a second
    check("soon", true, 30).await;
    check("1800000100", false, 30).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_table_that_does_not_show_it_is_asked_less_and_less_often() {
    let world = World::with_faults("UpdateTable#1..200=ResourceInUseException").tables(&["one"]).await;
    let spec = spec("one", "aaa");
    assert!(world.settle(&spec).await.is_active());
    let requests = world.requests("UpdateTable");
    let gaps: Vec<u64> = requests.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!((gaps.first(), gaps.last()), (Some(&5), Some(&30)), "{gaps:?}");
    assert!(gaps.iter().all(|gap| (5..=31).contains(gap)), "{gaps:?}");
    assert_eq!(world.entry(&spec).retry_count, 1, "no attempt is spent");
}

#[tokio::test(start_paused = true)]
async fn an_index_that_appears_after_a_refusal_is_somebody_elses() {
    let appears = async |fault: &str, expect: Origin| {
        // The first request is ours; theirs comes while we wait.
        let world = World::with_faults(&format!("UpdateTable#1={fault}")).tables(&["one"]).await;
        let spec = spec("one", "aaa");
        let theirs = async {
            pass(10).await;
            if fault != "lost" {
                world.foreign_create(&spec).await;
            }
        };
        let (outcome, ()) = tokio::join!(world.settle(&spec), theirs);
        assert!(outcome.is_active(), "{fault}: {outcome:?}");
        assert_eq!(world.entry(&spec).origin, Some(expect), "{fault}");
        assert_eq!(matches!(outcome, Outcome::Adopted), expect == Origin::Adopted, "{fault}: {outcome:?}");
        assert_eq!(world.creations(&spec), 1, "{fault}");
    };
    appears("ThrottlingException", Origin::Adopted).await;
    appears("LimitExceededException(Too many operations for a given subscriber)", Origin::Adopted).await;
    // These may have had an effect.
    appears("lost", Origin::Created).await;
    appears("InternalServerError", Origin::Created).await;
    appears("unreachable", Origin::Created).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_is_no_news_unless_something_changed() {
    let world = World::new().tables(&["one"]).await;
    world.foreign_create(&spec("one", "theirs")).await;
    let ours = spec("one", "ours");
    world.settle(&ours).await;
    let looks = world.events.count(|kind| matches!(kind, EventKind::Waiting(_) | EventKind::Building { .. }));
    assert!(looks > 100, "{looks}");
    let history = read_history(world.dir.path()).unwrap();
    let lines: Vec<_> = history.iter().filter(|line| line.is_about(&ours.key())).map(short).collect();
    assert_eq!(
        lines,
        [
            "waiting: the index theirs of the table is under way",
            "requested 1",
            "allocating",
            "backfilling",
            "active, created",
        ]
    );
    let times: Vec<_> = history.iter().map(|line| line.at).collect();
    assert!(times.is_sorted());
}
