//! What errors lead to besides requests and seconds, which `error_table.rs` has.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use gsi_aws::{
    ApiError, CreateIndex, Decision, EventKind, IndexApi, IndexSpec, Operation, Outcome, Unobserved, create_all,
    describe::TableDescription, sdk::SdkIndexApi,
};
use gsi_state::GsiStatus;
use tokio_util::sync::CancellationToken;

use crate::support::*;

const TABLE: &str = "one";

#[tokio::test(start_paused = true)]
async fn missing_attribute_definitions_are_merged_in_once() {
    let text = "ValidationException(One or more parameter values were invalid: AttributeDefinitions is not \
                specified for index: aaa)";
    let world = World::with_faults(&format!("UpdateTable#1..2={text}")).tables(&[TABLE]).await;
    assert!(matches!(world.settle(&spec(TABLE, "aaa")).await, Outcome::Failed { .. }));
    assert_eq!(world.requests("UpdateTable").len(), 2, "and not again");

    let world = World::with_faults(&format!("UpdateTable#1={text}")).tables(&[TABLE]).await;
    world.settle(&spec(TABLE, "aaa")).await;
    assert_eq!(*world.spy.attributes.lock().unwrap(), ["by S", "id S, by S"]);
    let merges = world
        .events
        .count(|kind| matches!(kind, EventKind::Refused { decision, .. } if *decision == Decision::MergeAttributes));
    assert_eq!(merges, 1);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_attempts_is_a_setting() {
    for attempts in [1, 2, 3] {
        let mut world = World::with_faults("UpdateTable#*=InternalServerError").tables(&[TABLE]).await;
        world.options.retry = policy(attempts);
        let outcome = world.settle(&spec(TABLE, "aaa")).await;
        assert_eq!(error_of(&outcome), "InternalServerError: Internal server error");
        assert_eq!(world.requests("UpdateTable").len(), usize::try_from(attempts).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_looked_at_is_tried_again_or_given_up() {
    // Faults of DescribeTable; when the index is asked for, if at all; how it ends.
    let check = async |faults: &str, looks: &[u64], asked: Option<u64>, end: &str| {
        let world = World::with_faults(faults).tables(&[TABLE]).await;
        let outcome = world.settle(&spec(TABLE, "aaa")).await;
        let seconds: Vec<u64> = world.requests("DescribeTable").iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds[..looks.len()], *looks, "{faults}");
        assert_eq!(world.requests("UpdateTable").first().map(|(second, _)| *second), asked, "{faults}");
        if asked.is_some() {
            assert!(matches!(outcome, Outcome::Created { .. }), "{faults}: {outcome:?}");
        } else {
            assert_eq!(seconds.len(), looks.len(), "{faults}");
            assert!(error_of(&outcome).starts_with(end), "{faults}: {outcome:?}");
        }
    };
    check("DescribeTable#1=ThrottlingException", &[0, 30], Some(30), "").await;
    check("DescribeTable#1..2=InternalServerError", &[0, 30, 90], Some(90), "").await;
    check("DescribeTable#1=lost", &[0, 30], Some(30), "").await;
    check("DescribeTable#*=unreachable", &[0, 30, 90, 210, 450], None, "no answer to DescribeTable").await;
    check("DescribeTable#*=AccessDeniedException", &[0], None, "AccessDeniedException: User").await;
    check("DescribeTable#*=ExpiredTokenException", &[0], None, "ExpiredTokenException: The").await;
}

#[tokio::test(start_paused = true)]
async fn an_index_that_was_asked_for_is_not_called_failed_because_nobody_could_look() {
    let world = World::with_faults("DescribeTable#4..=AccessDeniedException").tables(&[TABLE]).await;
    let spec = spec(TABLE, "aaa");
    let outcome = world.settle(&spec).await;
    assert!(matches!(outcome, Outcome::Unsettled { .. }), "{outcome:?}");
    assert!(error_of(&outcome).starts_with("AccessDeniedException"));
    let entry = world.entry(&spec);
    assert_eq!(entry.status, GsiStatus::InProgress);
    assert!(entry.last_error.unwrap().starts_with("AccessDeniedException"));
}

#[tokio::test(start_paused = true)]
async fn an_index_that_was_seen_active_is_not_called_failed_because_nobody_could_look() {
    let world = World::with_faults("DescribeTable#*=AccessDeniedException").tables(&[TABLE]).await;
    let (first, second) = (spec(TABLE, "aaa"), spec(TABLE, "bbb"));
    world.left_by_earlier_run(&first, GsiStatus::Active, 1);
    world.left_by_earlier_run(&second, GsiStatus::Active, 1);
    let report = world.run(&[first.clone(), second.clone()]).await;
    for spec in [first, second] {
        let outcome = &report.outcomes[&spec.key()];
        assert!(matches!(outcome, Outcome::Unsettled { .. }), "{outcome:?}");
        assert_eq!(world.entry(&spec).status, GsiStatus::Active, "{}", spec.name);
    }
}

#[tokio::test(start_paused = true)]
async fn what_concerns_a_whole_table_costs_one_call_and_leaves_other_tables_alone() {
    for code in ["ResourceNotFoundException"] {
        let world = World::with_faults(&format!("UpdateTable[one]#*={code}")).tables(&[TABLE, "two"]).await;
        let specs = [spec(TABLE, "aaa"), spec(TABLE, "bbb"), spec("two", "ccc")];
        let report = world.run(&specs).await;
        assert!(error_of(&report.outcomes[&specs[0].key()]).starts_with(code));
        assert!(error_of(&report.outcomes[&specs[1].key()]).starts_with(code));
        assert!(report.outcomes[&specs[2].key()].is_active(), "{report:#?}");
        let calls = world.dynamo.calls().unwrap();
        let of_table = calls.iter().filter(|call| call.table.as_deref() == Some(TABLE));
        let operations: Vec<_> = of_table.map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["CreateTable", "DescribeTable", "UpdateTable"], "{code}");
        assert_eq!(world.entry(&specs[1]).status, GsiStatus::Failed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_exist_costs_one_call() {
    let world = World::new().tables(&["two"]).await;
    let specs = [spec("nope", "aaa"), spec("nope", "bbb"), spec("two", "ccc")];
    let report = world.run(&specs).await;
    for spec in &specs[..2] {
        let error = error_of(&report.outcomes[&spec.key()]);
        assert_eq!(error, "ResourceNotFoundException: Requested resource not found: Table: nope not found");
    }
    assert!(report.outcomes[&specs[2].key()].is_active());
    let calls = world.dynamo.calls().unwrap();
    assert_eq!(calls.iter().filter(|call| call.table.as_deref() == Some("nope")).count(), 1);
}

/// A service whose name is not found at some of the looks, counted from 1.
struct Nameless {
    inner: SdkIndexApi,
    looks: AtomicUsize,
    not_found: std::ops::Range<usize>,
}

#[async_trait]
impl IndexApi for Nameless {
    async fn describe_table(&self, table: &str) -> Result<TableDescription, ApiError> {
        if self.not_found.contains(&(self.looks.fetch_add(1, Ordering::Relaxed) + 1)) {
            let detail = "dispatch failure: dns error: failed to lookup address information".to_owned();
            return Err(ApiError::NoAnswer { operation: Operation::DescribeTable, detail });
        }
        self.inner.describe_table(table).await
    }

    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError> {
        self.inner.create_index(request).await
    }

    async fn delete_index(&self, table: &str, index: &str) -> Result<(), ApiError> {
        self.inner.delete_index(table, index).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_never_found_stops_the_run_and_one_that_is_lost_does_not() {
    let check = async |not_found: std::ops::Range<usize>, looks: Option<usize>| {
        let world = World::new().tables(&[TABLE, "two"]).await;
        let inner = SdkIndexApi::new(world.dynamo.config());
        let api = Arc::new(Nameless { inner, looks: AtomicUsize::new(0), not_found });
        let specs = [spec(TABLE, "aaa"), spec("two", "bbb")];
        let mut manager = world.manager();
        manager.initialize(specs.each_ref().map(IndexSpec::key)).unwrap();
        let (options, cancel) = (world.options.clone(), CancellationToken::new());
        let (_, report) = create_all(manager, api.clone(), specs.to_vec(), options, Arc::new(Unobserved), cancel).await;
        let report = report.unwrap();
        assert_eq!(report.stopped_by.is_some(), looks.is_some(), "{report:?}");
        match looks {
            Some(looks) => assert_eq!(api.looks.load(Ordering::Relaxed), looks, "and nothing more is asked"),
            None => assert_eq!(report.count(Outcome::is_active), 2, "{report:?}"),
        }
    };
    check(1..usize::MAX, Some(1)).await; // a region that does not exist
    check(5..9, None).await; // the network was away
}
