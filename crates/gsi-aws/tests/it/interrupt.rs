//! Stopped by request at chosen moments, then started again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use gsi_aws::{ApiError, CreateIndex, IndexApi, Outcome, RunOptions, create_all, describe::TableDescription};
use gsi_state::GsiStatus;
use tokio_util::sync::CancellationToken;

use crate::{spy::Strike, support::*};

fn cancelled_after(time: Duration) -> CancellationToken {
    let cancel = CancellationToken::new();
    let hand = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        hand.cancel();
    });
    cancel
}

#[tokio::test(start_paused = true)]
async fn stopped_at_any_second_the_next_run_completes_it() {
    // Before the first request, in allocation, in backfill, between two indexes, at the very end.
    for milliseconds in [0, 1, 200, 29_999, 30_000, 250_000, 530_000, 560_000, 600_000, 1_059_000] {
        let world = World::new().tables(&["one", "two"]).await;
        let specs = [spec("one", "aaa"), spec("one", "bbb"), spec("two", "ccc")];
        let stop = Duration::from_millis(milliseconds);
        let report = world.try_run(&specs, cancelled_after(stop)).await.unwrap();
        assert!(report.is_interrupted, "{milliseconds}");
        assert!(report.elapsed <= stop + Duration::from_millis(2), "{milliseconds}: it stops at once: {report:?}");
        let asked = world.requests("UpdateTable").len();
        for (key, outcome) in &report.outcomes {
            let spec = specs.iter().find(|spec| spec.key() == *key).unwrap();
            let expect = match outcome {
                Outcome::NotStarted => GsiStatus::Pending,
                Outcome::StillBuilding => GsiStatus::InProgress,
                Outcome::Created { .. } => GsiStatus::Active,
                other => panic!("{milliseconds}: {key}: {other:?}"),
            };
            assert_eq!(world.entry(spec).status, expect, "{milliseconds}: {key}");
        }
        pass(10).await;
        assert_eq!(world.requests("UpdateTable").len(), asked, "{milliseconds}: nobody goes on behind our back");

        let report = world.run(&specs).await;
        assert_eq!(report.count(Outcome::is_active), 3, "{milliseconds}: {report:?}");
        assert!(world.all_creations().values().all(|count| *count == 1), "{milliseconds}");
        assert!(world.requests("UpdateTable").iter().all(|(_, outcome)| outcome == "ok"), "{milliseconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn stopped_before_it_starts_it_asks_nothing() {
    let world = World::new().tables(&["one"]).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let report = world.try_run(&[spec("one", "aaa")], cancel).await.unwrap();
    assert!(report.is_interrupted);
    assert_eq!(report.outcomes.values().collect::<Vec<_>>(), [&Outcome::NotStarted]);
    assert_eq!(world.requests("DescribeTable"), []);
}

#[tokio::test(start_paused = true)]
async fn stopped_in_a_back_off_it_does_not_wait_for_its_end() {
    let world = World::with_faults("UpdateTable#1=ThrottlingException").tables(&["one"]).await;
    let spec = spec("one", "aaa");
    let report = world.try_run(std::slice::from_ref(&spec), cancelled_after(Duration::from_secs(3))).await.unwrap();
    assert!(report.is_interrupted);
    assert_eq!(world.seconds(), 3);
    let entry = world.entry(&spec);
    assert_eq!((entry.status, entry.retry_count), (GsiStatus::InProgress, 1));
    assert!(entry.last_error.unwrap().starts_with("ThrottlingException"));
    assert!(world.settle(&spec).await.is_active());
    assert_eq!(world.creations(&spec), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_is_answered_and_recorded() {
    let world = World::new().tables(&["one"]).await;
    let specs = [spec("one", "aaa"), spec("one", "bbb")];
    let cancel = CancellationToken::new();
    *world.spy.cancel.lock().unwrap() = cancel.clone();
    world.spy.strike(2, Strike::Cancel); // 1 is the look, 2 the request
    let report = world.try_run(&specs, cancel).await.unwrap();
    assert!(report.is_interrupted);
    let outcomes: Vec<_> = report.outcomes.values().collect();
    assert_eq!(outcomes, [&Outcome::StillBuilding, &Outcome::NotStarted]);
    assert_eq!(world.creations(&specs[0]), 1);
    assert_eq!(world.entry(&specs[0]).status, GsiStatus::InProgress);
}

/// Requests for indexes of the table `slow` take ten seconds to be answered.
struct Slow(Arc<crate::spy::Spy>);

#[async_trait]
impl IndexApi for Slow {
    async fn describe_table(&self, table: &str) -> Result<TableDescription, ApiError> {
        self.0.describe_table(table).await
    }

    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError> {
        if request.spec.table == "slow" {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        self.0.create_index(request).await
    }

    async fn delete_index(&self, table: &str, index: &str) -> Result<(), ApiError> {
        self.0.delete_index(table, index).await
    }
}

/// The user's wish comes after one second, and ends the one table; the time is up after five; the other table's request is
/// answered after ten. Whoever ends last must not make people forget the wish.
#[tokio::test(start_paused = true)]
async fn a_wish_stays_a_wish_when_the_time_is_up_before_the_last_table_ends() {
    let world = World::new().tables(&["quick", "slow"]).await;
    let specs = vec![spec("quick", "aaa"), spec("slow", "bbb")];
    let mut manager = world.manager();
    manager.initialize(specs.iter().map(gsi_aws::IndexSpec::key)).unwrap();
    let options = RunOptions { timeout: Some(Duration::from_secs(5)), ..world.options.clone() };
    let cancel = cancelled_after(Duration::from_secs(1));
    let api = Arc::new(Slow(Arc::clone(&world.spy)));
    let (_, result) = create_all(manager, api, specs, options, world.events.clone(), cancel).await;
    let report = result.unwrap();
    assert_eq!(report.elapsed.as_secs(), 10, "{report:?}");
    assert!(report.is_interrupted, "{report:?}");
}
