//! All goes well.

use crate::support::*;

#[test]
fn six_indexes_become_active_and_the_state_is_archived() {
    let env = env_with(PRIORITY1);
    let assert = run(&env, &["--json"]).success();
    let answer = json_of(&assert);
    assert_eq!(answer["exit_code"], 0);
    assert_eq!(answer["summary"]["total"], 6);
    assert_eq!(answer["summary"]["active"], 6);
    assert!(answer["indexes"].as_array().unwrap().iter().all(|index| index["outcome"] == "created"), "{answer:#}");
    assert!(answer["elapsed_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(answer["archive"].as_str().unwrap().contains(".gsi_creation_state_"));

    let archive = the_archive(&env);
    assert_eq!(archive["version"], "1.0");
    assert_eq!(archive["script_name"], "gsi-create");
    assert_eq!(archive["summary"]["total"], 6);
    assert_eq!(archive["summary"]["active"], 6);
    assert!(!env.join(STATE).exists());
    each_once(&env, 6);
    // Never a refusal of its own making.
    for table in ["bookings", "Baggage", "CrewRoster", "flights", "passengers"] {
        assert!(updates_of(&env, table).iter().all(|outcome| outcome == "ok"), "{table}");
    }
}

#[test]
fn a_second_job_finds_everything_in_place_and_archives_beside_the_first() {
    let env = env();
    run(&env, &[]).success();
    let answer = json_of(&run(&env, &["--json"]).success());
    assert!(answer["indexes"].as_array().unwrap().iter().all(|index| index["outcome"] == "adopted"), "{answer:#}");
    each_once(&env, 3);
    let entries = fs_err::read_dir(env.join("s")).unwrap().count();
    assert_eq!(entries, 5, "two archives, the lock file, the history and the reports");
}

#[test]
fn it_says_what_it_does() {
    let env = env();
    let assert = run(&env, &[]).success();
    let said = stderr(&assert);
    for text in [
        "embedded: made the table `bookings` with 5 sample items",
        "bookings.by-flight: asking for it",
        "✓ crew.by-date active after",
    ] {
        assert!(said.contains(text), "{said}");
    }
    let assert = run(&env, &["--quiet"]).success();
    assert_eq!(stderr(&assert), "");
    assert!(stdout(&assert).starts_with("3 of 3 indexes active"));
}

#[test]
fn only_the_chosen_tables() {
    let env = env();
    run(&env, &["--table", "crew"]).success();
    assert!(creations(&env).keys().eq(["crew.by-date"]));
    run(&env, &[]).success();
    each_once(&env, 3);
}

#[test]
fn a_database_in_memory_leaves_only_the_archive() {
    let env = env();
    let args = ["gsis.json", "--endpoint", "embedded", "--state-dir", "s", "--embedded-times", "0s,0s,0s"];
    env.command(args).assert().success();
    assert_eq!(archives(&env.join("s")).len(), 1);
    assert!(!env.join("db.sqlite").exists());
}

#[test]
fn without_waiting_it_asks_and_returns() {
    let env = env();
    let answer = json_of(&env.command(timed("50ms,1s,20ms", &["--no-wait", "--json"])).assert().code(4));
    let outcomes: Vec<_> = answer["indexes"].as_array().unwrap().iter().map(|index| &index["outcome"]).collect();
    assert_eq!(outcomes, ["still_building", "not_started", "still_building"]);
    run(&env, &["--timeout-per-index", "1ms"]).code(4);
    run(&env, &[]).success();
    each_once(&env, 3);
}

#[test]
fn a_number_key_and_a_contradicting_type() {
    let index = |kind: &str| {
        format!(
            r#"{{"crew": [{{"IndexName": "by-rank", "Projection": {{"ProjectionType": "ALL"}},
                "KeySchema": [{{"AttributeName": "rank", "KeyType": "HASH"}}],
                "AttributeDefinitions": [{{"AttributeName": "rank", "AttributeType": "{kind}"}}]}}]}}"#
        )
    };
    let env = env_with(&index("N"));
    run(&env, &[]).success();
    env.write("gsis.json", index("S").replace("by-rank", "by-name"));
    let assert = run(&env, &[]).code(1);
    assert!(stdout(&assert).contains("attribute `rank` is N in table `crew` and S in the definition"));
    each_once(&env, 1);
    assert_eq!(updates_of(&env, "crew"), ["ok"], "refused before any UpdateTable");
}
