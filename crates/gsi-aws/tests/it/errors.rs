//! What each class of error leads to (§4.1), in requests and seconds.

use gsi_aws::{Decision, EventKind, Outcome};
use gsi_state::GsiStatus;

use crate::support::*;

const TABLE: &str = "one";

/// One index under a script of faults: the requests for it, how it ended, the attempts in the state.
async fn check(faults: &str, asked: &[(u64, &str)], end: &str, attempts: u32) {
    let world = World::with_faults(faults).tables(&[TABLE]).await;
    let spec = spec(TABLE, "aaa");
    let outcome = world.settle(&spec).await;
    let ended = match &outcome {
        Outcome::Created { .. } => "created",
        Outcome::Failed { error } | Outcome::Unsettled { error } => error,
        other => panic!("{faults}: {other:?}"),
    };
    assert!(ended.starts_with(end) && !end.is_empty(), "{faults}: {ended}");
    let requests = world.requests("UpdateTable");
    let requests: Vec<_> = requests.iter().map(|(second, outcome)| (*second, outcome.as_str())).collect();
    assert_eq!(requests, asked, "{faults}");

    let entry = world.entry(&spec);
    assert_eq!(entry.retry_count, attempts, "{faults}");
    let is_active = matches!(outcome, Outcome::Created { .. });
    assert_eq!(entry.status, if is_active { GsiStatus::Active } else { GsiStatus::Failed }, "{faults}");
    assert_eq!(entry.last_error.as_deref(), (!is_active).then_some(ended), "{faults}");
    assert_eq!(world.creations(&spec), usize::from(is_active), "{faults}: in the ledger");
    looked_before_each_request(&world, faults);
}

/// The table is described before every request, since the one before may have taken effect.
fn looked_before_each_request(world: &World, faults: &str) {
    let calls = world.dynamo.calls().unwrap();
    let of_table = calls.iter().filter(|call| call.operation != "CreateTable").map(|call| call.operation.as_str());
    let operations: Vec<_> = of_table.collect();
    for (position, operation) in operations.iter().enumerate() {
        if *operation == "UpdateTable" {
            assert_eq!(operations[position - 1], "DescribeTable", "{faults}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_in_growing_steps() {
    const T: &str = "ThrottlingException";
    check("UpdateTable#1=ThrottlingException", &[(0, T), (30, "ok")], "created", 2).await;
    check("UpdateTable#1..4=ThrottlingException", &[(0, T), (30, T), (90, T), (210, T), (450, "ok")], "created", 5)
        .await;
    check(
        "UpdateTable#1..5=ThrottlingException",
        &[(0, T), (30, T), (90, T), (210, T), (450, T)],
        "ThrottlingException: The rate of control plane requests",
        5,
    )
    .await;
    for code in ["ProvisionedThroughputExceededException", "RequestLimitExceeded"] {
        check(&format!("UpdateTable#1={code}"), &[(0, code), (30, "ok")], "created", 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_what_goes_on_at_once_is_waited_out() {
    const L: &str = "LimitExceededException";
    let faults = "UpdateTable#1..2=LimitExceededException(Too many operations for a given subscriber)";
    check(faults, &[(0, L), (300, L), (600, "ok")], "created", 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_table_costs_no_attempt_however_often() {
    // Both texts: the index limit, and a change of the table itself.
    for code in ["LimitExceededException", "ResourceInUseException"] {
        let mut asked: Vec<_> = (0..7).map(|n| (5 * n, code)).collect();
        asked.push((35, "ok"));
        check(&format!("UpdateTable#1..7={code}"), &asked, "created", 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_taken_effect_is_looked_at_first() {
    check("UpdateTable#1=lost", &[(0, "lost")], "created", 1).await;
    check("UpdateTable#1=unreachable", &[(0, "unreachable"), (30, "ok")], "created", 2).await;
    for code in ["InternalServerError", "ServiceUnavailable"] {
        check(&format!("UpdateTable#1..2={code}"), &[(0, code), (30, code), (90, "ok")], "created", 3).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_wrong_is_asked_for_once() {
    const L: &str = "LimitExceededException";
    let rows = [
        (L, "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20"),
        (L, "Provisioned throughput decreases are limited within a given UTC day"),
        (L, "The update would cause the limit to be exceeded for the account"),
        ("ValidationException", "One or more parameter values were invalid: Unknown KeyType"),
        ("AccessDeniedException", "User: x is not authorized to perform: dynamodb:UpdateTable"),
        ("UnrecognizedClientException", "The security token included in the request is invalid."),
        ("ExpiredTokenException", "The security token included in the request is expired"),
        ("RequestExpired", "Request has expired."),
        ("InvalidSignatureException", "The request signature we calculated does not match"),
        ("MissingAuthenticationTokenException", "Request is missing Authentication Token"),
        ("ResourceNotFoundException", "Requested resource not found: Table: one not found"),
    ];
    for (code, text) in rows {
        let error = format!("{code}: {text}");
        check(&format!("UpdateTable#*={code}({text})"), &[(0, code)], &error, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_said_to_exist_is_looked_at_again() {
    const V: &str = "ValidationException";
    let faults = "UpdateTable#1=ValidationException(Attempting to create an index which already exists)";
    check(faults, &[(0, V), (5, "ok")], "created", 2).await;
}

#[tokio::test(start_paused = true)]
async fn missing_attribute_definitions_are_merged_in_at_once_and_once() {
    const V: &str = "ValidationException";
    let text = "ValidationException(One or more parameter values were invalid: AttributeDefinitions is not \
                specified for index: aaa)";
    check(&format!("UpdateTable#1={text}"), &[(0, V), (0, "ok")], "created", 2).await;
    check(&format!("UpdateTable#1..2={text}"), &[(0, V), (0, V)], "ValidationException: One or more", 2).await;

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
    for code in ["AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException"] {
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
