//! Whole screens, with times and paths left out.

use crate::{damage::python_state, support::*};

macro_rules! screen {
    ($text:expr, @$expect:literal) => {
        insta::with_settings!({filters => vec![
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[time]"),
            (r"\d+\.\d s", "[seconds]"),
            (r"_\d{8}_\d{6}\.", "_[time]."),
            (r"process \d+ of tester on \S+ since \S+", "[process]"),
        ]}, { insta::assert_snapshot!($text, @$expect) })
    };
}

#[test]
fn the_status_view() {
    let env = env();
    env.write(
        STATE,
        python_state(&[
            ("bookings", "by-flight", "active", 1),
            ("bookings", "by-status", "failed", 5),
            ("crew", "by-date", "in_progress", 2),
            ("crew", "by-name", "pending", 0),
        ]),
    );
    let assert = env.command(["--status", "--state-dir", "s"]).assert().success().stderr("");
    screen!(stdout(&assert), @r#"
    Index creation by create_gsis.py
    s/.gsi_creation_state.json
    started [time], last change [time]

    Total:          4
    Active:         1
    Failed:         1
    In progress:    1
    Pending:        1

    Active
      ✓ bookings.by-flight

    Failed
      ✗ bookings.by-status (5 attempts)
          LimitExceededException: Too many — "quoted"

    In progress
      … crew.by-date (2 attempts)

    Pending
      - crew.by-name
    "#);
}

#[test]
fn the_end_of_a_good_run() {
    screen!(stdout(&run(&env(), &[]).success()), @r#"
    3 of 3 indexes active after [seconds] (0 failed)
    validated: 3 functional
    archived as s/.gsi_creation_state_[time].json (total 3, active 3)
    report: s/gsi_creation_reports/summary_[time].md
    "#);
}

#[test]
fn the_end_of_a_run_with_a_failure() {
    let faults = "UpdateTable[bookings/by-status]#*=ValidationException(Unknown KeyType)";
    screen!(stdout(&run(&env(), &["--embedded-faults", faults]).code(1)), @r#"
    2 of 3 indexes active after [seconds] (1 failed)
      ✗ bookings.by-status: ValidationException: Unknown KeyType
    validated: 2 functional
    report: s/gsi_creation_reports/summary_[time].md
    report: s/gsi_creation_reports/failures_[time].md
    next: remove the cause, then run the same command with `--retry-failed` (state: s)
    "#);
}

#[test]
fn the_story_of_an_index() {
    let env = env();
    let faults = "UpdateTable[bookings/by-status]#1=ThrottlingException(Rate exceeded); \
                  UpdateTable[bookings/by-status]#2..9=ValidationException(Unknown KeyType)";
    run(&env, &["--embedded-clock", "virtual", "--embedded-faults", faults]).code(1);
    let assert = env.command(["--explain", "bookings.by-status", "--state-dir", "s"]).assert().success().stderr("");
    screen!(stdout(&assert), @r#"
    bookings.by-status failed after 2 attempts

    What happened
      [time]  it was asked for (attempt 1)
      [time]  UpdateTable failed (throttled): ThrottlingException: Rate exceeded; back off, then look and ask again in [seconds]
      [time]  it was asked for (attempt 2)
      [time]  UpdateTable failed (invalid): ValidationException: Unknown KeyType; give this index up: it would be refused again
      [time]  it failed after [seconds]: ValidationException: Unknown KeyType

    What to do next
      1. correct the definition of `by-status`; `gsi-create DEFINITIONS --plan` checks it without changing anything
      2. then run the same command with `--retry-failed`
    "#);
}

#[test]
fn a_damaged_state() {
    let env = env();
    env.write(STATE, "{\n  \"version\": \"1.0\",\n");
    screen!(stderr(&run(&env, &[]).code(66)), @r#"
    error: `s/.gsi_creation_state.json` is not a valid index-creation state
      caused by: EOF while parsing a value at line 3 column 0

    hint: it is kept as it is. To start over:
            mv -n 's/.gsi_creation_state.json' 's/.gsi_creation_state.json.damaged'
          (indexes that exist are found and adopted, not made again)
    "#);
}

#[test]
fn no_credentials() {
    screen!(stderr(&env().command(["gsis.json"]).assert().code(78)), @r#"
    error: no AWS region is configured

    hint: say `--region REGION` or set AWS_REGION; to try gsi-create without an account, add `--endpoint embedded`
    "#);
}
