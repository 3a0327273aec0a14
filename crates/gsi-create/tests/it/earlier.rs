//! Jobs that the original Python program began, gone on with by ours.

use std::path::Path;

use gsi_state::GsiStatus;
use serde_json::Value;
use test_kit::TestEnv;

use crate::{damage::python_state, support::*};

/// Files of the original program, which are not part of this project.
fn golden(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/gsi").join(name);
    let text = fs_err::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {name} of the original program is not here (shared/golden beside the project enables it)");
    }
    text
}

const INTERRUPTED: [(&str, &str, &str, u32); 6] = [
    ("bookings", "passenger-flight-index", "active", 1),
    ("bookings", "flight-status-index", "in_progress", 2),
    ("Baggage", "location-status-index", "pending", 0),
    ("CrewRoster", "crew-duty-date-index", "pending", 0),
    ("flights", "aircraft-rotation-index", "pending", 0),
    ("passengers", "passenger-elite-tier-index", "pending", 0),
];

const MIXED: [(&str, &str, &str, u32); 6] = [
    ("bookings", "passenger-flight-index", "active", 1),
    ("bookings", "flight-status-index", "failed", 5),
    ("Baggage", "location-status-index", "active", 1),
    ("CrewRoster", "crew-duty-date-index", "active", 1),
    ("flights", "aircraft-rotation-index", "pending", 0),
    ("passengers", "passenger-elite-tier-index", "pending", 0),
];

/// The state of an earlier job, and a service that has what the state says is active.
fn left(state: &str) -> TestEnv {
    let env = env_with(PRIORITY1);
    let parsed: Value = serde_json::from_str(state).unwrap();
    let is_active = |table: &str, index: &Value| {
        parsed["gsis"][format!("{table}.{}", index["IndexName"].as_str().unwrap())]["status"] == "active"
    };
    let mut there: Value = serde_json::from_str(PRIORITY1).unwrap();
    for (table, indexes) in there.as_object_mut().unwrap() {
        indexes.as_array_mut().unwrap().retain(|index| is_active(table, index));
    }
    env.write("there.json", there.to_string());
    let args = ["there.json", "--endpoint", "embedded:db.sqlite", "--state-dir", "other"];
    env.command(args.iter().chain(&["--embedded-times", "0s,0s,0s"])).assert().success();
    env.write(STATE, state);
    env
}

#[test]
fn an_interrupted_job_is_completed() {
    for state in [Some(python_state(&INTERRUPTED)), golden("interrupted.json")].into_iter().flatten() {
        for more in [&[][..], &["--resume"]] {
            let env = left(&state);
            assert_eq!(creations(&env).len(), 1);
            let original: Value = serde_json::from_str(&state).unwrap();
            run(&env, more).success();
            each_once(&env, 6);
            let archive = the_archive(&env);
            assert_eq!((&archive["summary"]["total"], &archive["summary"]["active"]), (&6.into(), &6.into()));
            assert_eq!(archive["script_name"], original["script_name"]);
            let retried = &archive["gsis"]["bookings.flight-status-index"];
            assert_eq!((&retried["retry_count"], &retried["last_error"]), (&3.into(), &Value::Null));
        }
    }
}

#[test]
fn only_what_failed_is_retried_and_what_is_pending_stays_pending() {
    for state in [Some(python_state(&MIXED)), golden("mixed.json")].into_iter().flatten() {
        let env = left(&state);
        assert_eq!(creations(&env).len(), 3);
        let answer = json_of(&run(&env, &["--retry-failed", "--json"]).success());
        assert_eq!(answer["indexes"].as_array().unwrap().len(), 1, "{answer:#}");
        assert_eq!(answer["indexes"][0]["index"], "flight-status-index");
        assert_eq!(answer["indexes"][0]["attempts"], 6);
        let others = ["flights.aircraft-rotation-index", "passengers.passenger-elite-tier-index"];
        assert_eq!(answer["others_not_active"], serde_json::json!(others));

        assert_eq!(creations(&env).len(), 4);
        assert_eq!(creations(&env)["bookings.flight-status-index"], 1);
        let statuses = statuses(&env);
        assert_eq!(statuses["bookings.flight-status-index"], GsiStatus::Active);
        assert!(others.iter().all(|other| statuses[*other] == GsiStatus::Pending), "{statuses:?}");

        run(&env, &[]).success();
        each_once(&env, 6);
    }
}

#[test]
fn retrying_where_nothing_failed_does_nothing() {
    let env = left(&python_state(&INTERRUPTED));
    let created = creations(&env);
    let assert = run(&env, &["--retry-failed"]).success();
    assert!(stderr(&assert).contains("there is nothing to retry"));
    assert!(stdout(&assert).starts_with("the state holds 5 more that are not active: "), "{}", stdout(&assert));
    assert_eq!(creations(&env), created);
    let answer = json_of(&run(&env, &["--retry-failed", "--json"]).success());
    assert_eq!(answer["indexes"], serde_json::json!([]));
    assert_eq!(answer["summary"]["pending"], 4);
}

#[test]
fn a_state_that_is_complete_is_archived_by_any_start() {
    // What a kill between the last commit and the archiving leaves.
    let state = r#"{"version": "1.0", "created_at": "2026-02-01T10:30:00Z", "updated_at": "2026-02-01T10:30:00Z", "script_name": "s", "gsis": {"ttt.iii": {"table_name": "ttt", "index_name": "iii", "status": "active", "creation_time": null, "retry_count": 1, "last_error": null}}}"#;
    let env = left(state);
    let assert = run(&env, &["--retry-failed"]).success();
    assert!(stdout(&assert).contains("archived as s/.gsi_creation_state_"), "{}", stdout(&assert));
    assert!(!env.join(STATE).exists());
}

#[test]
fn what_failed_and_is_not_in_the_definitions_is_not_passed_over() {
    let env = left(&python_state(&MIXED));
    let assert = run(&env, &["--retry-failed", "--table", "flights"]).success();
    let said = stderr(&assert);
    assert!(said.contains("warning: bookings.flight-status-index failed, but is not among"), "{said}");
    assert_eq!(creations(&env).len(), 3);
}
