//! The tables against the definitions, and whether the indexes answer.

use gsi_state::{HistoryEvent, StatusView, Verdict, read_history};
use test_kit::{TestEnv, files_of};

use crate::support::*;

/// `bookings`: one index as defined, one that differs, one that is not defined; `crew`: nothing yet.
fn drifted() -> TestEnv {
    let env = env_with(&definitions(&[("bookings", "by-flight"), ("bookings", "by-status"), ("bookings", "by-seat")]));
    run(&env, &[]).success();
    let wanted = definitions(&[("bookings", "by-flight"), ("bookings", "by-status"), ("crew", "by-date")]);
    // by-status is wanted with another projection.
    let at = wanted.rfind("\"by-status\"").unwrap();
    let (before, after) = wanted.split_at(at);
    env.write("gsis.json", format!("{before}{}", after.replacen("\"ALL\"", "\"KEYS_ONLY\"", 1)));
    env
}

#[test]
fn it_shows_what_is_wanted_missing_different_and_extra() {
    let env = drifted();
    let before = files_of(&env.join("s"));
    let assert = run(&env, &["--check-status"]).code(1);
    assert_eq!(files_of(&env.join("s")), before, "it changes nothing");
    let screen = stdout(&assert);
    assert!(screen.lines().all(|line| line.chars().count() <= 100), "{screen}");
    insta::assert_snapshot!(screen, @r#"
    bookings  ACTIVE, on-demand, 5 items, 295 B
        INDEX                            STATE    STATUS                    ITEMS      SIZE  READ/WRITE
      ✓ by-flight                        wanted   ACTIVE                        5     295 B   on-demand
      ✗ by-status                        differs  ACTIVE                        5     295 B   on-demand
          projection: is ALL, wanted KEYS_ONLY
      + by-seat                          extra    ACTIVE                        5     295 B   on-demand

    crew  ACTIVE, on-demand, 5 items, 125 B
        INDEX                            STATE    STATUS                    ITEMS      SIZE  READ/WRITE
      - by-date                          missing  –                             –         –           –

    1 wanted, 0 building, 1 missing, 1 differ, 1 extra
    "#);
}

#[test]
fn its_answer_for_machines_and_its_exit_codes() {
    let env = drifted();
    let answer = json_of(&run(&env, &["--check-status", "--json"]).code(1));
    assert_eq!(answer["exit_code"], 1);
    let bookings = &answer["tables"][0];
    let standings: Vec<_> =
        bookings["indexes"].as_array().unwrap().iter().map(|index| index["standing"].clone()).collect();
    assert_eq!(standings, ["wanted", "differs", "extra"], "{answer:#}");
    assert_eq!(bookings["indexes"][1]["differences"][0], "projection: is ALL, wanted KEYS_ONLY");
    assert_eq!(answer["tables"][1]["indexes"][0]["standing"], "missing");

    let code = |table: &str, more: &[&str]| {
        let args = [&["--check-status", "--table", table], more].concat();
        run(&env, &args).get_output().status.code()
    };
    assert_eq!(code("crew", &[]), Some(3), "missing");
    env.command(timed("10ms,1h,10ms", &["--table", "crew", "--no-wait"])).assert().code(4);
    assert_eq!(code("crew", &[]), Some(3), "being built");
    env.write("gsis.json", definitions(&[("bookings", "by-flight")]));
    assert_eq!(code("bookings", &[]), Some(0), "what other files define is no fault");
    let denied = ["--embedded-faults", "DescribeTable#*=AccessDeniedException"];
    assert_eq!(code("bookings", &denied), Some(1));
    let assert = run(&env, &["--check-status", "--embedded-faults", "DescribeTable#*=AccessDeniedException"]).code(1);
    assert!(stdout(&assert).contains("bookings  cannot be described: AccessDenied"), "{}", stdout(&assert));
}

#[test]
fn a_new_index_is_queried_and_the_verdict_is_kept() {
    let env = env();
    // One index fails, so that the state stays.
    let fails = "UpdateTable[crew]#*=ValidationException(no)";
    let faults = format!("{fails}; Query[bookings/by-status]#*=AccessDeniedException");
    let answer = json_of(&run(&env, &["--json", "--embedded-faults", &faults]).code(1));
    assert_eq!(answer["indexes"][0]["validation"]["verdict"], "functional", "{answer:#}");
    let verdicts = || -> Vec<Option<Verdict>> {
        let view = StatusView::read(&env.join("s")).unwrap().unwrap();
        view.state.gsis().map(|gsi| gsi.validation.as_ref().map(|known| known.verdict)).collect()
    };
    assert_eq!(verdicts(), [Some(Verdict::Functional), Some(Verdict::ValidationError), None]);
    // What could not be found out is asked again, what is known is not.
    let assert = run(&env, &["--embedded-faults", fails]).code(1);
    assert!(stdout(&assert).contains("validated: 1 functional"), "{}", stdout(&assert));
    assert_eq!(verdicts(), [Some(Verdict::Functional), Some(Verdict::Functional), None]);
    let history = read_history(&env.join("s")).unwrap();
    let told = history.iter().filter(|entry| matches!(entry.event, HistoryEvent::Validated { .. })).count();
    assert_eq!(told, 3);
}

#[test]
fn an_index_that_does_not_work_is_a_failure_and_a_doubt_is_none() {
    let check = |faults: &str, code: i32, text: &str| {
        let env = env();
        let assert = run(&env, &["--table", "crew", "--embedded-faults", faults]).code(code);
        assert!(stdout(&assert).contains(text), "{}", stdout(&assert));
        env
    };
    check("Query#*=ValidationException(no)", 1, "✗ crew.by-date is non-functional: the query failed: Validation");
    check("Query#*=AccessDeniedException", 0, "! crew.by-date is validation-error: the query failed: AccessDenied");
    // Asked for alone, a doubt is no yes.
    let env = check("Scan#*=AccessDeniedException", 0, "validated: 1 functional");
    let alone = ["--table", "crew", "--validate", "--embedded-faults", "Query#*=AccessDeniedException"];
    let assert = run(&env, &alone).code(1);
    assert!(stdout(&assert).contains("validated: 1 validation-error"), "{}", stdout(&assert));
    let assert = run(&env, &["--validate"]).code(1);
    assert!(
        stdout(&assert).contains("✗ bookings.by-flight is non-functional: the table has no index"),
        "{}",
        stdout(&assert)
    );
    let assert = run(&env, &["--validate", "--table", "crew"]).success();
    assert!(stdout(&assert).contains("✓ crew.by-date is functional: it answers, and has 3 of 3 sampled items"));
}

#[test]
fn what_was_killed_before_its_verdict_gets_it_from_the_next_run() {
    let env = env();
    // Without a verdict, as after a kill between ACTIVE and the query; one index fails, so that the state stays.
    run(&env, &["--no-validate", "--embedded-faults", "UpdateTable[crew]#*=ValidationException(no)"]).code(1);
    let verdicts = || -> Vec<bool> {
        let view = StatusView::read(&env.join("s")).unwrap().unwrap();
        view.state.gsis().map(|gsi| gsi.validation.is_some()).collect()
    };
    assert_eq!(verdicts(), [false, false, false]);
    let assert = run(&env, &["--embedded-faults", "UpdateTable[crew]#*=ValidationException(no)"]).code(1);
    assert!(stdout(&assert).contains("validated: 2 functional"), "{}", stdout(&assert));
    assert_eq!(verdicts(), [true, true, false]);
    // And once only.
    let assert = run(&env, &["--embedded-faults", "UpdateTable[crew]#*=ValidationException(no)"]).code(1);
    assert!(!stdout(&assert).contains("validated"), "{}", stdout(&assert));
}

#[test]
fn what_is_being_built_is_not_validated() {
    let env = env();
    env.command(timed("10ms,1h,10ms", &["--table", "crew", "--no-wait"])).assert().code(4);
    let answer =
        json_of(&env.command(timed("10ms,1h,10ms", &["--table", "crew", "--validate", "--json"])).assert().code(3));
    assert_eq!(answer["indexes"][0]["verdict"], serde_json::Value::Null, "{answer:#}");
}

#[test]
fn a_validation_makes_nothing_not_even_a_table() {
    let env = env();
    let before = test_kit::files_of(env.path());
    let answer = json_of(&run(&env, &["--validate", "--json"]).code(1));
    assert_eq!(answer["indexes"][0]["verdict"], "non-functional", "{answer:#}");
    assert!(test_kit::files_of(env.path()).into_keys().eq(before.into_keys()), "no file was made");
}
