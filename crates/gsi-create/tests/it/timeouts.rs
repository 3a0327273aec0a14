//! `--timeout` bounds the whole run, whatever it is at.

use std::time::{Duration, Instant};

use crate::support::*;

#[test]
fn it_bounds_the_pre_flight_and_then_nothing_is_asked_for() {
    let env = env_with(&definitions(&[("crew", "by-date")]));
    // Five items at a tenth of a unit a second take longer than anybody waits.
    let slow = ["--preflight", "full", "--read-units-per-second", "0.1", "--timeout", "200ms", "--json"];
    let started = Instant::now();
    let answer = json_of(&run(&env, &slow).code(4));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(answer["indexes"][0]["outcome"], "not_started", "{answer:#}");
    assert_eq!(answer["is_interrupted"], false);
    assert_eq!(updates_of(&env, "crew").len(), 0);
    run(&env, &[]).success();
    each_once(&env, 1);
}

#[test]
fn it_bounds_the_validation_and_the_next_run_makes_up_for_it() {
    let env = env_with(&definitions(&[("crew", "by-date")]));
    let faults = "Query#*=InternalServerError";
    let started = Instant::now();
    let assert = run(&env, &["--timeout", "1500ms", "--embedded-faults", faults]).code(4);
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    let said = stdout(&assert);
    assert!(said.starts_with("1 of 1 indexes active"), "{said}");
    assert!(said.contains("next: run the same command again to validate the rest"), "{said}");
    assert!(archives(&env.join("s")).is_empty(), "something is left to do");
    let said = stdout(&run(&env, &[]).success());
    assert!(said.contains("validated: 1 functional"), "{said}");
}

#[test]
fn it_bounds_a_rollback_and_the_next_one_goes_on() {
    let env = env_with(&definitions(&[("crew", "by-date"), ("crew", "by-rank")]));
    run(&env, &[]).success();
    let undo = ["--rollback", "--yes", "--json", "--endpoint", "embedded:db.sqlite", "--state-dir", "s"];
    let slow = ["--embedded-times", "0s,0s,1h", "--timeout", "300ms"];
    let answer = json_of(&env.command(undo.iter().chain(&slow)).assert().code(4));
    assert_eq!(answer["is_interrupted"], false, "{answer:#}");
    let outcomes: Vec<_> = answer["indexes"].as_array().unwrap().iter().map(|index| &index["outcome"]).collect();
    assert_eq!(outcomes, ["still_deleting", "not_started"], "{answer:#}");
    assert_eq!(updates_of(&env, "crew").len(), 3, "two creations, one deletion");
}
