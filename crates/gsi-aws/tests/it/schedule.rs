//! Who is asked for when: one operation per table, tables side by side.

use std::time::Duration;

use gsi_aws::{IndexSpec, Outcome, spec::AttributeType};
use gsi_state::GsiStatus;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn six_indexes_of_five_tables_take_as_long_as_the_slowest_table() {
    let world = World::new().tables(&["bookings", "Baggage", "CrewRoster", "flights", "passengers"]).await;
    let specs = [
        spec("bookings", "passenger-flight-index"),
        spec("bookings", "flight-status-index"),
        spec("Baggage", "location-status-index"),
        spec("CrewRoster", "crew-duty-date-index"),
        spec("flights", "aircraft-rotation-index"),
        keyed_by("passengers", "passenger-elite-tier-index", "frequent_flyer_tier_id", AttributeType::Number),
    ];
    let report = world.run(&specs).await;

    assert!(report.outcomes.keys().eq(specs.each_ref().map(IndexSpec::key).iter()), "in the order of the file");
    assert!(report.outcomes.values().all(|outcome| matches!(outcome, Outcome::Created { .. })), "{report:#?}");
    assert!(!report.is_interrupted && !report.has_failures() && !report.has_unfinished());
    // No refusal of its own making, each index asked for once, and those of different tables at once.
    let asked: Vec<_> = world.requests("UpdateTable");
    assert!(asked.iter().all(|(_, outcome)| outcome == "ok"), "{asked:?}");
    assert_eq!(asked.iter().filter(|(second, _)| *second == 0).count(), 5, "{asked:?}");
    assert_eq!(asked.len(), 6);
    // Two builds, one after the other; a poll may come late by a fiftieth of the build.
    assert!(report.elapsed >= 2 * BUILD, "{report:#?}");
    assert!(report.elapsed <= 2 * BUILD.mul_f64(1.02), "{report:#?}");
    assert!(world.entry(&specs[5]).status == GsiStatus::Active);
    let tier = world.describe("passengers").await.attributes.get("frequent_flyer_tier_id");
    assert_eq!(tier, Some(AttributeType::Number));
}

#[tokio::test(start_paused = true)]
async fn one_description_per_table_and_poll() {
    let world = World::new().tables(&["one"]).await;
    world.settle(&spec("one", "aaa")).await;
    let looks = world.requests("DescribeTable");
    // 0.2 s apart at first, growing by a fiftieth.
    let gaps: Vec<u64> = looks.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(looks.len() < 260, "{}", looks.len());
    assert!(gaps.iter().all(|gap| *gap <= 11), "{gaps:?}");
    assert!(gaps.is_sorted_by(|a, b| *a <= b + 1), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_tables_at_once_than_allowed() {
    let mut world = World::new().tables(&["tab1", "tab2", "tab3"]).await;
    world.options.tables_parallel_max = 1;
    let specs = ["tab1", "tab2", "tab3"].map(|table| spec(table, "aaa"));
    let report = world.run(&specs).await;
    assert_eq!(report.count(Outcome::is_active), 3);
    let seconds: Vec<u64> = world.requests("UpdateTable").iter().map(|(second, _)| *second).collect();
    assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] >= BUILD.as_secs()), "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn another_ones_index_is_waited_for_without_spending_attempts() {
    let mut world = World::new().tables(&["one"]).await;
    world.options.retry = policy(1);
    world.foreign_create(&spec("one", "theirs")).await;
    let ours = spec("one", "ours");
    assert!(matches!(world.settle(&ours).await, Outcome::Created { .. }));
    assert_eq!(world.entry(&ours).retry_count, 1);
    let asked = world.requests("UpdateTable");
    assert_eq!(asked.len(), 2, "theirs and ours, and no refusal: {asked:?}");
    assert!(asked[1].0 >= BUILD.as_secs(), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn no_wait_asks_for_one_index_a_table_and_returns() {
    let mut world = World::new().tables(&["one", "two"]).await;
    world.options.is_waiting = false;
    let specs = [spec("one", "first"), spec("one", "second"), spec("two", "third")];
    let report = world.run(&specs).await;
    let outcomes: Vec<_> = report.outcomes.values().cloned().collect();
    assert_eq!(outcomes, [Outcome::StillBuilding, Outcome::NotStarted, Outcome::StillBuilding]);
    assert!(report.has_unfinished() && !report.has_failures());
    assert_eq!(world.seconds(), 0);
    let statuses = specs.each_ref().map(|spec| world.entry(spec).status);
    assert_eq!(statuses, [GsiStatus::InProgress, GsiStatus::Pending, GsiStatus::InProgress]);

    // The same command again, later: what is done is recorded, what is next is asked for.
    pass(600).await;
    let report = world.run(&specs).await;
    assert_eq!(report.count(Outcome::is_active), 2, "{report:#?}");
    pass(600).await;
    let report = world.run(&specs).await;
    assert_eq!(report.count(Outcome::is_active), 3, "{report:#?}");
    assert_eq!(world.requests("UpdateTable").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_waiting_a_lost_answer_is_looked_after_all_the_same() {
    // What came of a request; when that is known; how it is told.
    let check = async |fault: &str, seconds: u64, expect: Outcome, status: GsiStatus, creations: usize| {
        let mut world = World::with_faults(&format!("UpdateTable#1={fault}")).tables(&["one"]).await;
        world.options.is_waiting = false;
        let spec = spec("one", "aaa");
        assert_eq!(world.settle(&spec).await, expect, "{fault}");
        assert_eq!(world.seconds(), seconds, "{fault}");
        assert_eq!(world.entry(&spec).status, status, "{fault}");
        assert_eq!(world.creations(&spec), creations, "{fault}");
    };
    check("lost", 30, Outcome::StillBuilding, GsiStatus::InProgress, 1).await;
    check("unreachable", 30, Outcome::StillBuilding, GsiStatus::InProgress, 1).await;
    check("InternalServerError", 30, Outcome::StillBuilding, GsiStatus::InProgress, 1).await;
    // Twice in a row: no second pause.
    let mut world = World::with_faults("UpdateTable#*=unreachable").tables(&["one"]).await;
    world.options.is_waiting = false;
    let outcome = world.settle(&spec("one", "aaa")).await;
    assert!(matches!(outcome, Outcome::Unsettled { .. }), "{outcome:?}");
    assert_eq!(world.seconds(), 30);
    // These had no effect for certain.
    check("ThrottlingException", 0, Outcome::NotStarted, GsiStatus::InProgress, 0).await;
    check("ResourceInUseException", 0, Outcome::NotStarted, GsiStatus::InProgress, 0).await;
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_one_index_can_be_limited() {
    let mut world = World::new().tables(&["one"]).await;
    world.options.timeout_per_index = Some(Duration::from_secs(100));
    let specs = [spec("one", "first"), spec("one", "second")];
    let report = world.run(&specs).await;
    let outcomes: Vec<_> = report.outcomes.values().cloned().collect();
    assert_eq!(outcomes, [Outcome::StillBuilding, Outcome::NotStarted]);
    assert!((200..=250).contains(&world.seconds()), "{}", world.seconds());
    world.options.timeout_per_index = None;
    let report = world.run(&specs).await;
    assert_eq!(report.count(Outcome::is_active), 2);
    assert!(world.all_creations().values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn requests_keep_their_distance_and_the_tables_with_the_most_work_go_first() {
    let mut world = World::new().tables(&["tab1", "tab2", "tab3"]).await;
    world.options.request_interval = Some(Duration::from_secs(7));
    let specs = [
        spec("tab1", "aaa"),
        spec("tab2", "bbb"),
        spec("tab2", "ccc"),
        spec("tab3", "ddd"),
        spec("tab3", "eee"),
        spec("tab3", "fff"),
    ];
    let report = world.run(&specs).await;
    assert_eq!(report.count(Outcome::is_active), 6);
    let calls = world.dynamo.calls().unwrap();
    let updates: Vec<_> = calls.iter().filter(|call| call.operation == "UpdateTable").collect();
    let first: Vec<_> = updates[..3].iter().map(|call| (second_of(call), call.index.as_deref().unwrap())).collect();
    assert_eq!(first, [(0, "ddd"), (7, "bbb"), (14, "aaa")]);
    let times: Vec<_> = updates.iter().map(|call| call.at).collect();
    let apart = |pair: &[std::time::SystemTime]| pair[1].duration_since(pair[0]).unwrap() >= Duration::from_secs(7);
    assert!(times.windows(2).all(apart), "{times:?}");
    // Who waited for a turn has looked again.
    assert_eq!(world.looks_at("tab1")[..2], [0, 14]);
}

#[tokio::test(start_paused = true)]
async fn what_is_expected_decides_who_goes_first_and_who_gets_a_place() {
    let mut world = World::new().tables(&["tab1", "tab2", "tab3"]).await;
    world.options.tables_parallel_max = 1;
    let specs = [spec("tab1", "aaa"), spec("tab2", "bbb"), spec("tab3", "ccc")];
    world.options.expected.insert(specs[1].key(), Duration::from_hours(1));
    world.options.expected.insert(specs[2].key(), Duration::from_mins(10));
    world.run(&specs).await;
    let calls = world.dynamo.calls().unwrap();
    let order: Vec<_> = calls.iter().filter_map(|call| call.index.as_deref()).collect();
    assert_eq!(order, ["bbb", "ccc", "aaa"]);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_everything_can_be_limited() {
    let mut world = World::new().tables(&["one", "two"]).await;
    world.options.timeout = Some(Duration::from_mins(10));
    let specs = [spec("one", "first"), spec("one", "second"), spec("one", "third"), spec("two", "fourth")];
    let report = world.run(&specs).await;
    let names: Vec<_> = report.outcomes.values().collect();
    assert!(matches!(
        names[..],
        [Outcome::Created { .. }, Outcome::StillBuilding, Outcome::NotStarted, Outcome::Created { .. }]
    ));
    assert_eq!(report.elapsed, Duration::from_mins(10));
    assert!(report.has_unfinished() && !report.is_interrupted && !report.has_failures());
    // The next run goes on there.
    world.options.timeout = None;
    assert_eq!(world.run(&specs).await.count(Outcome::is_active), 4);
    assert!(world.all_creations().values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_away_for_an_hour_ends_no_wait() {
    // Every look from the tenth on fails, until an hour and more is over.
    let world = World::with_faults("DescribeTable#10..30=unreachable").tables(&["one"]).await;
    let outcome = world.settle(&spec("one", "aaa")).await;
    assert!(matches!(outcome, Outcome::Created { .. }), "{outcome:?}");
    assert!(world.seconds() > 3600, "{}", world.seconds());
    assert_eq!(world.requests("UpdateTable").len(), 1);
}
