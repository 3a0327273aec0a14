//! A rollback against a service that refuses.

use std::collections::BTreeMap;

use dynamo_embedded::IndexAction;
use gsi_aws::rollback::RollbackOutcome;
use gsi_state::GsiStatus;

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
