//! A service that refuses, fails, or falls silent.

use gsi_state::GsiStatus;

use crate::support::*;

#[test]
fn what_passes_is_waited_out() {
    let rows = [
        ("UpdateTable[crew]#1=ThrottlingException", 2),
        ("UpdateTable[crew]#1..2=InternalServerError", 3),
        ("UpdateTable[crew]#1=unreachable", 2),
        ("UpdateTable[crew]#1=lost", 1),
        ("DescribeTable[crew]#1..2=ServiceUnavailable", 1),
    ];
    for (faults, attempts) in rows {
        let env = env();
        let assert = run(&env, &["--json", "--backoff", "1ms,2ms", "--embedded-faults", faults]).success();
        let answer = json_of(&assert);
        let crew = answer["indexes"].as_array().unwrap().iter().find(|index| index["table"] == "crew").unwrap();
        assert_eq!(crew["attempts"], attempts, "{faults}");
        each_once(&env, 3);
    }
}

#[test]
fn what_concerns_a_table_costs_one_call_and_other_tables_go_on() {
    let env = env();
    let code = "ResourceNotFoundException";
    let assert = run(&env, &["--embedded-faults", &format!("UpdateTable[bookings]#*={code}")]).code(1);
    let answer = stdout(&assert);
    assert!(answer.starts_with("1 of 3 indexes active"), "{answer}");
    assert!(answer.contains(&format!("✗ bookings.by-flight: {code}: ")), "{answer}");
    assert!(answer.contains("next: remove the cause, then run the same command with `--retry-failed`"), "{answer}");
    assert_eq!(updates_of(&env, "bookings"), [code]);
    let statuses = statuses(&env);
    assert_eq!(statuses["bookings.by-status"], GsiStatus::Failed);
    assert_eq!(statuses["crew.by-date"], GsiStatus::Active);

    run(&env, &["--retry-failed"]).success();
    each_once(&env, 3);
    assert_eq!(archives(&env.join("s")).len(), 1, "nothing is left to do");
}

#[test]
fn what_concerns_every_call_stops_the_run_and_the_same_command_goes_on() {
    for code in ["AccessDeniedException", "ExpiredTokenException"] {
        let env = env();
        let assert = run(&env, &["--embedded-faults", &format!("UpdateTable#*={code}")]).code(1);
        let answer = stdout(&assert);
        assert!(answer.starts_with("0 of 3 indexes active"), "{answer}");
        assert!(answer.contains(&format!("stopped: every call would be refused: {code}: ")), "{answer}");
        assert!(answer.contains("next: remove the cause, then run the same command again (state: s)"), "{answer}");
        assert_eq!([updates_of(&env, "bookings"), updates_of(&env, "crew")].concat(), [code], "one call in all");
        assert_eq!(statuses(&env)["bookings.by-flight"], GsiStatus::Failed);
        assert_eq!(statuses(&env)["bookings.by-status"], GsiStatus::Pending);

        // Where the flag was said, it has to go: it would pass over what was not come to.
        let faults = format!("UpdateTable#*={code}");
        let answer = stdout(&run(&env, &["--retry-failed", "--embedded-faults", &faults]).code(1));
        assert!(
            answer.contains("next: remove the cause, then run the same command without `--retry-failed`"),
            "{answer}"
        );

        run(&env, &[]).success();
        each_once(&env, 3);
    }
}

#[test]
fn a_timeout_holds_while_the_service_refuses() {
    for faults in [
        "UpdateTable#*=ResourceInUseException",
        "UpdateTable#*=ThrottlingException",
        "DescribeTable#*=InternalServerError",
    ] {
        let env = env();
        let args = ["--table", "crew", "--timeout-per-index", "50ms", "--json", "--embedded-faults", faults];
        let answer = json_of(&run(&env, &args).code(4));
        assert_eq!(answer["indexes"][0]["outcome"], "not_started", "{faults}");
        run(&env, &[]).success();
        each_once(&env, 3);
    }
}

#[test]
fn attempts_and_pauses_are_settings() {
    let env = env();
    let faults = ["--embedded-faults", "UpdateTable[crew]#*=InternalServerError", "--backoff", "1ms"];
    run(&env, &[&faults[..], &["--max-attempts", "2", "--table", "crew"]].concat()).code(1);
    assert_eq!(updates_of(&env, "crew").len(), 2);
    run(&env, &[&faults[..], &["--max-attempts", "7", "--table", "crew"]].concat()).code(1);
    assert_eq!(updates_of(&env, "crew").len(), 9);
}

#[test]
fn what_could_not_be_learnt_is_told_as_that_and_learnt_by_the_next_start() {
    let env = env();
    let faults = ["--table", "crew", "--embedded-faults", "DescribeTable#2..=AccessDeniedException"];
    let assert = run(&env, &faults).code(1);
    let answer = stdout(&assert);
    assert!(answer.starts_with("0 of 1 indexes active"), "{answer}");
    assert!(answer.contains("? crew.by-date: outcome unknown: AccessDenied"), "{answer}");
    // Nothing has failed, so there would be nothing to retry.
    assert!(answer.contains("next: remove the cause, then run the same command again (state: s)"), "{answer}");
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::InProgress);
    run(&env, &["--table", "crew"]).success();
    each_once(&env, 1);
}

#[test]
fn a_job_that_could_not_be_looked_at_is_not_archived_as_complete() {
    let env = env_with(&definitions(&[("crew", "by-date")]));
    env.write(STATE, crate::damage::python_state(&[("crew", "by-date", "active", 1)]));
    let answer = json_of(&run(&env, &["--json", "--embedded-faults", "DescribeTable#*=AccessDeniedException"]).code(1));
    assert_eq!(answer["indexes"][0]["outcome"], "unsettled", "{answer:#}");
    assert_eq!((&answer["archive"], archives(&env.join("s")).len()), (&serde_json::Value::Null, 0), "{answer:#}");
    run(&env, &[]).success();
    assert_eq!(archives(&env.join("s")).len(), 1);
}
