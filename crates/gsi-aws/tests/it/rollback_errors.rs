//! A rollback against a service that refuses.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use dynamo_embedded::IndexAction;
use gsi_aws::{
    ApiError, CreateIndex, IndexApi, Operation,
    describe::TableDescription,
    rollback::{RollbackOptions, RollbackOutcome, roll_back},
};
use gsi_state::GsiStatus;
use tokio_util::sync::CancellationToken;

use crate::{rollback::*, support::*};

#[tokio::test(start_paused = true)]
async fn each_error_has_its_way() {
    // Faults of the deletions; tries; requests; what comes of the first index; how long it takes at least.
    let check = async |fault: &str, tries: u32, requests: usize, is_gone: bool, seconds: f64| {
        let (world, ours, _) = prepared(&format!("UpdateTable[two/ccc]#2..{fault}")).await;
        let report = undo(&world).await;
        let story = report.indexes.iter().find(|story| story.index == "ccc").unwrap();
        assert_eq!((story.tries, story.outcome.is_gone()), (tries, is_gone), "{fault}: {story:#?}");
        let asked = world
            .dynamo
            .calls()
            .unwrap()
            .into_iter()
            .filter(|call| call.action == Some(IndexAction::Delete) && call.index.as_deref() == Some("ccc"));
        assert_eq!(asked.count(), requests, "{fault}");
        assert!(story.elapsed_seconds >= seconds, "{fault}: {story:#?}");
        assert_eq!(
            story.errors.len(),
            requests - usize::from(is_gone && !fault.contains("lost")),
            "{fault}: {story:#?}"
        );
        let expect = if is_gone { GsiStatus::Deleted } else { GsiStatus::Deleting };
        assert_eq!(status(&world, &ours[2]), expect, "{fault}");
        assert_eq!(deletions(&world).get(&ours[2].key()).copied(), is_gone.then_some(1), "{fault}");
        // The other table goes on, except where nothing can.
        assert_eq!(report.count(RollbackOutcome::is_gone), 2 + usize::from(is_gone), "{fault}: {report:#?}");

        // The cause removed, the next rollback finishes it.
        if !is_gone {
            assert_eq!(ours_left(&world), ["ccc"], "{fault}");
        }
    };
    check("2=ThrottlingException", 2, 2, true, 30.0).await;
    check("3=InternalServerError", 3, 3, true, 60.0).await;
    check("4=InternalServerError", 3, 3, false, 90.0).await; // one look more, since the last may have taken effect
    check("4=ThrottlingException", 3, 3, false, 60.0).await;
    check("2=lost", 1, 1, true, 30.0).await;
    check("2=unreachable", 2, 2, true, 30.0).await;
    check(
        "6=ResourceInUseException(Attempt to change a resource which is still in use: Table is being updated)",
        1,
        6,
        true,
        25.0,
    )
    .await;
    check(
        "3=LimitExceededException(Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table)",
        1,
        3,
        true,
        10.0,
    )
    .await;
    check("2=ValidationException(no)", 1, 1, false, 0.0).await;
}

#[tokio::test(start_paused = true)]
async fn without_permission_it_ends_at_once_and_changes_nothing() {
    let (world, ours, _) = prepared("UpdateTable#6..=AccessDeniedException").await;
    let before = world.dynamo.calls().unwrap().len();
    let report = undo(&world).await;
    assert!(report.has_failures() && report.elapsed_seconds < 2.0, "{report:#?}");
    assert_eq!(report.count(|outcome| matches!(outcome, RollbackOutcome::Failed { .. })), 3);
    assert!(world.dynamo.calls().unwrap().len() - before <= 6, "a look and a request a table, and a leave to send");
    assert_eq!(deletions(&world), BTreeMap::new());
    assert_eq!(status(&world, &ours[1]), GsiStatus::Active);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_not_there_is_no_success() {
    let (world, ours, _) = prepared("DescribeTable[two]#100..=ResourceNotFoundException").await;
    pass(1).await;
    for _ in 0..100 {
        drop(gsi_aws::IndexApi::describe_table(world.spy.as_ref(), "two").await);
    }
    let report = undo(&world).await;
    let story = report.indexes.iter().find(|story| story.index == "ccc").unwrap();
    assert!(
        matches!(&story.outcome, RollbackOutcome::Failed { error } if error.contains("ResourceNotFound")),
        "{story:?}"
    );
    assert_eq!(status(&world, &ours[2]), GsiStatus::Active, "it may be another account, or another region");
}

/// A service whose name leads nowhere.
struct Nowhere;

fn unknown_host(operation: Operation) -> ApiError {
    ApiError::NoAnswer { operation, detail: "dispatch failure: dns error: failed to lookup address".to_owned() }
}

#[async_trait]
impl IndexApi for Nowhere {
    async fn describe_table(&self, _: &str) -> Result<TableDescription, ApiError> {
        Err(unknown_host(Operation::DescribeTable))
    }

    async fn create_index(&self, _: &CreateIndex<'_>) -> Result<(), ApiError> {
        Err(unknown_host(Operation::UpdateTable))
    }

    async fn delete_index(&self, _: &str, _: &str) -> Result<(), ApiError> {
        Err(unknown_host(Operation::UpdateTable))
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_host_is_called_that_and_not_a_want_of_credentials() {
    let (world, specs, _) = prepared("").await;
    let targets = ours(&world);
    let options = RollbackOptions { tables_parallel_max: 1, ..RollbackOptions::default() };
    let (manager, cancel) = (opened(&world).await, CancellationToken::new());
    let (_, result) = roll_back(manager, Arc::new(Nowhere), targets, options, world.events.clone(), cancel).await;
    let report = result.unwrap();
    let said: BTreeMap<_, _> = report.indexes.iter().map(|story| (story.index.as_str(), &story.outcome)).collect();
    let failed = |text: &str| RollbackOutcome::Failed { error: text.to_owned() };
    let host = failed(&unknown_host(Operation::DescribeTable).to_string());
    let other = failed("not attempted: this call would be refused, as one about another table was");
    let [first, second, third] = specs.each_ref().map(|spec| said[spec.name.as_str()]);
    assert_eq!((first, second, third), (&host, &host, &other));
    assert!(report.elapsed_seconds < 1.0, "{report:?}");
}
