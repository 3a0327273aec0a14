//! Reports, the list of them, and the story of an index.

use std::path::PathBuf;

use serde_json::Value;
use test_kit::{TestEnv, files_of};

use crate::support::*;

/// The reports of a kind and form, by name.
fn reports(env: &TestEnv, kind: &str, form: &str) -> Vec<PathBuf> {
    let dir = env.join("s/gsi_creation_reports");
    let mut found: Vec<PathBuf> = fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(kind) && name.ends_with(form)
    });
    found.sort();
    found
}

fn the_report(env: &TestEnv, kind: &str) -> (Value, String) {
    let [json] = &reports(env, kind, ".json")[..] else { panic!("one {kind} report") };
    let json: Value = serde_json::from_slice(&fs_err::read(json).unwrap()).unwrap();
    let [readable] = &reports(env, kind, ".md")[..] else { panic!("one readable {kind} report") };
    (json, fs_err::read_to_string(readable).unwrap())
}

#[test]
fn a_run_leaves_a_summary() {
    let env = env();
    let answer = json_of(&run(&env, &["--json"]).success());
    let (report, readable) = the_report(&env, "summary");
    assert_eq!(report["outcome"], "3 of 3 indexes active, 0 failed");
    assert_eq!((&report["total"], &report["success_rate_percent"]), (&3.into(), &100.0.into()));
    assert_eq!(report["created"].as_array().unwrap().len(), 3);
    assert_eq!(report["created"][0]["index"], "by-flight");
    assert!(report["created"][0]["elapsed_seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(report["created"][0]["forecast_seconds"], serde_json::json!([506, 1003]), "items that take no time");
    assert_eq!(report["created"][0]["against_forecast"], "sooner");
    assert_eq!(report["forecast_seconds"], serde_json::json!([1012, 2006]), "two of one table, beside another table");
    assert!(readable.contains("(forecast: 16m 52s to 33m 26s)"), "{readable}");
    assert!(readable.contains("| bookings | by-flight | 0."), "{readable}");
    assert!(readable.contains("| 8m 26s to 16m 43s |"), "{readable}");
    let kept = answer["reports"][0].as_str().unwrap();
    assert!(kept.starts_with("s/gsi_creation_reports/summary_"), "{answer}");
    assert!(reports(&env, "failures", "").is_empty());

    run(&env, &[]).success();
    assert_eq!(reports(&env, "summary", ".json").len(), 2, "what exists is adopted, and that is news");
}

#[test]
fn a_failure_is_reported_with_its_attempts_and_what_to_do() {
    let env = env();
    let faults = "UpdateTable[bookings/by-status]#1=ThrottlingException(Rate exceeded); \
                  UpdateTable[bookings/by-status]#2..9=ValidationException(Unknown KeyType)";
    run(&env, &["--embedded-faults", faults, "--backoff", "1ms"]).code(1);
    let (report, readable) = the_report(&env, "failures");
    assert_eq!(report["outcome"], "1 index failed");
    let failure = &report["failures"][0];
    assert_eq!((&failure["table"], &failure["index"]), (&"bookings".into(), &"by-status".into()));
    assert_eq!(failure["table_status"], "ACTIVE");
    assert_eq!(failure["existing_indexes"][0]["index"], "by-flight");
    let attempts: Vec<_> = failure["retry_history"].as_array().unwrap().iter().collect();
    assert_eq!(attempts.len(), 2, "{report:#}");
    assert_eq!((&attempts[0]["error_type"], &attempts[1]["error_type"]), (&"throttled".into(), &"invalid".into()));
    assert!(attempts[0]["next_delay_seconds"].is_number() && attempts[1]["next_delay_seconds"].is_null());
    assert_eq!(failure["reasons"].as_array().unwrap().len(), 2);
    assert!(failure["recommended_steps"][0].as_str().unwrap().contains("correct the definition of `by-status`"));
    assert!(readable.contains("## by-status of table bookings"), "{readable}");
    assert!(readable.contains("1. correct the definition of \\`by-status\\`"), "{readable}");
}

#[test]
fn report_names_are_taken_as_text() {
    let evil = "a|b](x)<script>";
    let env = env_with(&definitions(&[("crew", "by-date")]));
    let fault = format!("UpdateTable#*=ValidationException({evil})");
    run(&env, &["--embedded-faults", &fault, "--report-dir", "elsewhere"]).code(1);
    let is_wanted =
        |name: &PathBuf| name.to_string_lossy().contains("failures") && name.to_string_lossy().ends_with(".md");
    let name = files_of(&env.join("elsewhere")).into_keys().find(is_wanted).unwrap();
    let readable = fs_err::read_to_string(env.join("elsewhere").join(name)).unwrap();
    assert!(readable.contains(r"a\|b\](x)\<script\>"), "{readable}");
}

#[test]
fn a_report_that_cannot_be_written_is_a_warning() {
    let env = env();
    env.write("s/gsi_creation_reports", "a file in its place");
    let said = stderr(&run(&env, &[]).success());
    assert!(said.contains("warning: a report was not written: "), "{said}");
}

#[test]
fn the_history_lists_jobs_and_reports() {
    let env = env();
    run(&env, &[]).success();
    run(&env, &["--embedded-faults", "DescribeTable[crew]#*=ResourceNotFoundException(Table: crew not found)"]).code(1);
    let args = ["--history", "--state-dir", "s"];
    let before = files_of(env.path());
    let said = stdout(&env.command(args).assert().success());
    assert_eq!(files_of(env.path()), before, "it changes nothing");
    for text in ["completed", "3 of 3 active", "failures left", "2 of 3 active, 1 failed", "1 index failed"] {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
    let answer = json_of(&env.command(args).arg("--json").assert().success());
    assert_eq!(answer["jobs"][0]["outcome"], "completed");
    assert_eq!(answer["current"]["outcome"], "failures left");
    assert_eq!(answer["reports"].as_array().unwrap().len(), 3);

    let nothing = stdout(&env.command(["--history", "--state-dir", "nowhere"]).assert().success());
    assert!(nothing.contains("none"), "{nothing}");
}

#[test]
fn an_index_is_explained() {
    let env = env();
    let faults = "UpdateTable[bookings/by-status]#*=AccessDeniedException(User: x is not authorized)";
    run(&env, &["--embedded-faults", faults]).code(1);
    let args = ["--explain", "bookings.by-status", "--state-dir", "s"];
    let said = stdout(&env.command(args).assert().success());
    for text in [
        "bookings.by-status failed after 1 attempt",
        "it was asked for (attempt 1)",
        "UpdateTable failed (credentials): AccessDeniedException: User: x is not authorized",
        "1. log in again",
        "run the same command again",
    ] {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
    let answer = json_of(&env.command(args).arg("--json").assert().success());
    assert_eq!((&answer["status"], &answer["attempts"]), (&"failed".into(), &1.into()));
    assert_eq!(answer["history"][0]["event"], "requested");
    refused(
        env.command(["--explain", "bookings.by-statu", "--state-dir", "s"]).assert(),
        64,
        &["did you mean `bookings.by-status`?"],
    );

    let verbose = stdout(&env.command(["--status", "-v", "--state-dir", "s"]).assert().success());
    assert!(verbose.contains("it was asked for (attempt 1)"), "{verbose}");
    let answer = json_of(&env.command(["--status", "-v", "--json", "--state-dir", "s"]).assert().success());
    assert!(!answer["history"].as_array().unwrap().is_empty());
}

#[test]
fn an_index_of_a_completed_job_is_explained_from_its_archive() {
    let env = env();
    run(&env, &[]).success();
    let said = stdout(&env.command(["--explain", "crew.by-date", "--state-dir", "s"]).assert().success());
    assert!(said.contains("crew.by-date is active after 1 attempt"), "{said}");
}

#[test]
fn what_cannot_be_read_hides_nothing_from_the_history() {
    let env = env();
    run(&env, &[]).success();
    env.write(STATE, "{ not json");
    let said = stdout(&env.command(["--history", "--state-dir", "s"]).assert().success());
    assert!(said.contains("3 of 3 active") && said.contains(".gsi_creation_state.json cannot be read"), "{said}");
    assert!(said.contains("summary_"), "{said}");
    let answer = json_of(&env.command(["--history", "--state-dir", "s", "--json"]).assert().success());
    assert_eq!(answer["current"]["outcome"], "unreadable", "{answer:#}");

    fs_err::remove_dir_all(env.join("s/gsi_creation_reports")).unwrap();
    env.write("s/gsi_creation_reports", "a file");
    let assert = env.command(["--history", "--state-dir", "s"]).assert().success();
    assert!(stdout(&assert).contains("3 of 3 active"), "{}", stdout(&assert));
    assert!(stderr(&assert).contains("warning: the reports cannot be listed"), "{}", stderr(&assert));
}
