//! Decisions as a function of class, attempts, randomness, and what the service asks for.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{ErrorClass as C, *};

const ALL: [ErrorClass; 16] = [
    C::TableBusy,
    C::TooMuchAtOnce,
    C::Quota,
    C::Throttled,
    C::ServerFault,
    C::LastingFault,
    C::NoAnswer,
    C::AttributeDefinitions,
    C::IndexExists,
    C::IndexNotReady,
    C::IndexMissing,
    C::TableMissing,
    C::Credentials,
    C::HostNotFound,
    C::Invalid,
    C::Unknown,
];

const fn merged(class: ErrorClass, attempts: u32) -> FailedCall {
    FailedCall { is_merged: true, ..FailedCall::new(class, attempts) }
}

#[test]
fn what_does_not_pass_is_never_tried_again() {
    let policy = RetryPolicy::default();
    for class in ALL {
        let decision = policy.decide(&merged(class, 1));
        let goes_on = matches!(decision, Decision::Again { .. } | Decision::MergeAttributes);
        assert_eq!(goes_on, class.passes(), "{class:?}");
        let ends_run = decision == Decision::GiveUpRun;
        assert_eq!(ends_run, matches!(class, C::Credentials | C::HostNotFound), "{class:?}");
        assert_eq!(ends_run, class.concerns_whole_run(), "{class:?}");
    }
}

#[test]
fn the_last_attempt_is_the_last_except_for_a_busy_table() {
    for attempts_max in [1, 2, 5] {
        let policy = RetryPolicy { attempts_max, ..RetryPolicy::default() };
        for class in ALL {
            let decision = policy.decide(&FailedCall::new(class, attempts_max));
            let goes_on = matches!(decision, Decision::Again { .. } | Decision::MergeAttributes);
            assert_eq!(goes_on, matches!(class, C::TableBusy | C::IndexNotReady), "{class:?}");
        }
    }
}

#[test]
fn a_fault_that_lasts_is_tried_twice() {
    let policy = RetryPolicy::default();
    let after = Duration::from_secs(30);
    assert_eq!(policy.decide(&merged(C::LastingFault, 1)), Decision::Again { after, spends_attempt: true });
    assert_eq!(policy.decide(&merged(C::LastingFault, 2)), Decision::GiveUpIndex);
}

fn pause(policy: &RetryPolicy, call: FailedCall) -> Duration {
    match policy.decide(&call) {
        Decision::Again { after, .. } => after,
        other => panic!("{call:?}: {other:?}"),
    }
}

#[test]
fn the_delays_are_the_requirements() {
    let check = |attempts: u32, seconds: u64| {
        let policy = RetryPolicy { attempts_max: 99, ..RetryPolicy::default() };
        for class in [C::Unknown, C::Throttled, C::ServerFault, C::NoAnswer] {
            assert_eq!(pause(&policy, FailedCall::new(class, attempts)), Duration::from_secs(seconds), "{class:?}");
        }
    };
    check(1, 30);
    check(2, 60);
    check(3, 120);
    check(4, 240);
    check(5, 480);
    check(6, 480);
    let policy = RetryPolicy { backoff: vec![], ..RetryPolicy::default() };
    assert_eq!(pause(&policy, FailedCall::new(C::Unknown, 1)), Duration::ZERO);
}

#[test]
fn throttling_is_spread_and_never_shorter_than_a_second() {
    let policy = RetryPolicy::default();
    let hasty = RetryPolicy { backoff: vec![Duration::from_millis(1)], ..RetryPolicy::default() };
    let check = |policy: &RetryPolicy, jitter: f64, asked: Option<u64>, expect: f64| {
        let asked_to_wait = asked.map(Duration::from_secs);
        let call = FailedCall { asked_to_wait, jitter, ..FailedCall::new(C::Throttled, 1) };
        assert_eq!(pause(policy, call), Duration::from_secs_f64(expect), "{call:?}");
    };
    check(&policy, 0.0, None, 30.0);
    check(&policy, 0.5, None, 37.5);
    check(&policy, 1.0, None, 45.0);
    check(&policy, 7.0, None, 45.0); // no randomness that anybody can inject makes it absurd
    check(&policy, f64::NAN, None, 30.0);
    check(&policy, -3.0, None, 30.0);
    check(&policy, 0.0, Some(7), 7.0);
    check(&policy, 1.0, Some(0), 1.5);
    check(&policy, 0.0, Some(900), 900.0);
    check(&hasty, 0.0, None, 1.0);
    check(&hasty, 0.0, Some(0), 1.0);
    // Other errors have a crowd only by chance, and no lower bound.
    let fault = FailedCall::new(C::ServerFault, 1);
    assert_eq!(pause(&hasty, fault), Duration::from_millis(1));
}
