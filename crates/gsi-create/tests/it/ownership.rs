//! Whose an index is: what a rollback must not touch, whatever happened before.

use gsi_state::GsiStatus;
use serde_json::Value;
use test_kit::TestEnv;

use crate::support::*;

/// A job of `definitions` by somebody else, on the same database.
fn somebody_else_makes(env: &TestEnv, definitions: &str) {
    env.write("theirs.json", definitions);
    let args = ["theirs.json", "--endpoint", "embedded:db.sqlite", "--state-dir", "theirs"];
    env.command(args.iter().copied().chain(["--embedded-times", "0s,0s,0s"])).assert().success();
}

fn undo(env: &TestEnv, more: &[&str]) -> Value {
    let usual = ["--rollback", "--yes", "--json", "--endpoint", "embedded:db.sqlite", "--state-dir", "s"];
    json_of(&env.command(usual.iter().chain(&["--embedded-times", "0s,0s,0s"]).chain(more)).assert())
}

fn there(env: &TestEnv, table: &str) -> Vec<String> {
    let args = ["--export-definitions", "--table", table, "--endpoint", "embedded:db.sqlite"];
    let answer = json_of(&env.command(args).assert().success());
    let names = answer[table].as_array().unwrap().iter().map(|index| index["IndexName"].as_str().unwrap().to_owned());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn what_was_rolled_back_and_made_again_by_somebody_else_is_not_ours() {
    let definitions = definitions(&[("crew", "by-date"), ("crew", "by-rank")]);
    let env = env_with(&definitions);
    run(&env, &["--embedded-faults", "UpdateTable[crew/by-rank]#*=ValidationException(no)"]).code(1);
    assert_eq!(undo(&env, &["--index", "by-date"])["exit_code"], 0);
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::Deleted, "the state stays, since something failed");
    somebody_else_makes(&env, &definitions);

    let answer = json_of(&run(&env, &["--json"]).success());
    let outcomes: Vec<_> = answer["indexes"].as_array().unwrap().iter().map(|index| &index["outcome"]).collect();
    assert_eq!(outcomes, ["adopted", "adopted"], "{answer:#}");
    let answer = undo(&env, &[]);
    assert_eq!(answer["indexes"].as_array().unwrap().len(), 0, "{answer:#}");
    assert_eq!(there(&env, "crew"), ["by-date", "by-rank"]);
}

#[test]
fn another_index_under_the_name_is_not_ours() {
    let ours = definitions(&[("crew", "by-date")]);
    let env = env_with(&ours);
    // The intent is in the state, and nothing was sent.
    let faults = ["--embedded-faults", "UpdateTable#*=unreachable", "--no-wait", "--max-attempts", "9"];
    run(&env, &[&faults[..], &["--timeout-per-index", "1ms"]].concat()).code(1);
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::InProgress);
    somebody_else_makes(&env, &ours.replace(r#""AttributeName":"by-date""#, r#""AttributeName":"rank""#));

    let answer = json_of(&run(&env, &["--json"]).code(1));
    assert!(answer["indexes"][0]["error"].as_str().unwrap().contains("exists and differs"), "{answer:#}");
    let answer = undo(&env, &[]);
    assert_eq!(answer["indexes"].as_array().unwrap().len(), 0, "{answer:#}");
    assert_eq!(there(&env, "crew"), ["by-date"]);
}

#[test]
fn what_an_earlier_job_made_is_ours_when_a_later_one_finds_it_in_place() {
    let env = env_with(&definitions(&[("crew", "by-date")]));
    run(&env, &[]).success();
    assert_eq!(json_of(&run(&env, &["--json"]).success())["indexes"][0]["outcome"], "adopted");
    let answer = undo(&env, &[]);
    assert_eq!(answer["indexes"][0]["outcome"], "deleted", "{answer:#}");
    assert_eq!(there(&env, "crew"), Vec::<String>::new());

    // What was rolled back is not, nor what was found before anything was made.
    somebody_else_makes(&env, &definitions(&[("crew", "by-date")]));
    run(&env, &[]).success();
    assert_eq!(undo(&env, &[])["indexes"].as_array().unwrap().len(), 0);
    assert_eq!(there(&env, "crew"), ["by-date"]);
}

#[test]
fn what_is_being_rolled_back_is_not_planned() {
    let env = env_with(&definitions(&[("crew", "by-date"), ("crew", "by-rank")]));
    run(&env, &[]).success();
    undo(&env, &["--index", "by-date", "--embedded-faults", "UpdateTable#*=AccessDeniedException"]);
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::Deleting);
    let said = stdout(&env.command(["--status", "--state-dir", "s"]).assert().success());
    assert!(said.contains("\nDeleting:       1\n"), "the counts add up: {said}");
    let plan = json_of(&run(&env, &["--plan", "--json"]).code(1));
    let index = &plan["tables"][0]["indexes"][0];
    assert_eq!(index["verdict"], "refused", "{plan:#}");
    assert!(index["reason"].as_str().unwrap().contains("--rollback"), "{plan:#}");
    let said = stderr(&run(&env, &[]).code(1));
    assert!(said.contains("crew.by-date is being rolled back, and is left alone"), "{said}");
}

#[test]
fn a_table_that_cannot_be_looked_at_is_a_failed_cancellation() {
    let env = env_with(&definitions(&[("crew", "by-date")]));
    env.command(timed("1h,1h,0s", &["--no-wait"])).assert().code(4);
    let cancel = ["--cancel", "--endpoint", "embedded:db.sqlite", "--state-dir", "s", "--json"];
    let faults = ["--embedded-faults", "DescribeTable#*=AccessDeniedException"];
    let answer = json_of(&env.command(cancel.iter().chain(&faults)).assert().code(1));
    assert_eq!(answer["indexes"][0]["outcome"], "failed", "{answer:#}");
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::InProgress);
}

#[test]
fn a_name_that_must_not_be_touched_stops_a_rollback_before_it_begins() {
    let env = env_with(&definitions(&[("crew", "by-date"), ("crew", "by-rank")]));
    somebody_else_makes(&env, &definitions(&[("crew", "by-date")]));
    run(&env, &[]).success();
    let usual = ["--rollback", "--yes", "--endpoint", "embedded:db.sqlite", "--state-dir", "s"];
    let both = env.command(usual.iter().chain(&["--index", "by-date", "--index", "by-rank"])).assert();
    refused(both, 1, &["`crew.by-date` is not deleted: it was found in place", "--include-adopted"]);
    assert_eq!(there(&env, "crew"), ["by-date", "by-rank"]);
    assert_eq!(undo(&env, &["--index", "by-rank"])["exit_code"], 0);
    assert_eq!(there(&env, "crew"), ["by-date"]);
}

#[test]
fn what_was_active_and_is_being_built_again_is_not_ours() {
    let definitions = definitions(&[("crew", "by-date"), ("crew", "by-rank")]);
    let env = env_with(&definitions);
    run(&env, &["--embedded-faults", "UpdateTable[crew/by-rank]#*=ValidationException(no)"]).code(1);
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::Active);
    // Somebody deletes it, and makes it again.
    somebody_else_makes(&env, &definitions);
    let theirs = ["--endpoint", "embedded:db.sqlite", "--state-dir", "theirs", "--embedded-times"];
    let delete = ["0s,0s,0s", "--rollback", "--include-adopted", "--index", "by-date", "--yes"];
    env.command(theirs.iter().chain(&delete)).assert().success();
    let make = ["1h,1h,0s", "theirs.json", "--no-wait"];
    env.command(theirs.iter().chain(&make)).assert().code(4);

    run(&env, &["--no-wait"]).code(4);
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::InProgress);
    let cancel = ["--cancel", "--endpoint", "embedded:db.sqlite", "--state-dir", "s", "--json", "--no-wait"];
    let answer = json_of(&env.command(cancel).assert());
    assert_eq!(answer["indexes"].as_array().unwrap().len(), 0, "{answer:#}");
    assert_eq!(there(&env, "crew"), ["by-date", "by-rank"]);
}

/// The definitions, with another key of `by-date`.
fn with_another_key(definitions: &str) -> String {
    definitions.replace(r#""AttributeName":"by-date""#, r#""AttributeName":"rank""#)
}

/// A rollback that must not decide whose the index is, and says so; `--include-adopted` decides it.
fn is_disputed(env: &TestEnv) {
    let usual = ["--rollback", "--yes", "--endpoint", "embedded:db.sqlite", "--state-dir", "s", "-q"];
    let said = stderr(&env.command(usual).assert().code(1));
    assert!(said.contains("crew.by-date is left alone: one of that name was created here"), "{said}");
    assert!(said.contains("--include-adopted"), "{said}");
    assert_eq!(undo(env, &[])["exit_code"], 1);
    assert_eq!(there(env, "crew"), ["by-date"]);
    assert_eq!(undo(env, &["--include-adopted"])["indexes"][0]["outcome"], "deleted");
    assert_eq!(there(env, "crew"), Vec::<String>::new());
}

#[test]
fn what_an_archived_job_made_and_a_later_one_wants_otherwise_is_disputed() {
    let definitions = definitions(&[("crew", "by-date")]);
    let env = env_with(&definitions);
    run(&env, &[]).success();
    env.write("gsis.json", with_another_key(&definitions));
    run(&env, &[]).code(1);
    run(&env, &[]).code(1);
    is_disputed(&env);
}

#[test]
fn what_was_made_and_replaced_by_somebody_else_is_not_deleted() {
    let definitions = definitions(&[("crew", "by-date"), ("crew", "by-rank")]);
    let env = env_with(&definitions);
    run(&env, &["--embedded-faults", "UpdateTable[crew/by-rank]#*=ValidationException(no)"]).code(1);
    // Somebody deletes ours, and makes another one, while our state still calls it active.
    let theirs = ["--endpoint", "embedded:db.sqlite", "--state-dir", "theirs", "--embedded-times", "0s,0s,0s"];
    env.command(theirs.iter().chain(&["gsis.json", "--no-validate"])).assert().success();
    let delete = ["--rollback", "--include-adopted", "--index", "by-date", "--index", "by-rank", "--yes"];
    env.command(theirs.iter().chain(&delete)).assert().success();
    let one = only_by_date();
    somebody_else_makes(&env, &with_another_key(&one));
    env.write("gsis.json", one);
    run(&env, &[]).code(1);
    // Looked at again, it is no clearer.
    run(&env, &[]).code(1);
    is_disputed(&env);
}

fn only_by_date() -> String {
    definitions(&[("crew", "by-date")])
}
