//! The key-violation pre-flight, through the whole program.

use serde_json::Value;
use test_kit::TestEnv;

use crate::support::*;

/// A database whose table `crew` has five items with `rank` as a number, no index, and definitions that
/// want an index by `rank` as a text (and another one by `name`).
fn env_with_violations() -> TestEnv {
    let index = |name: &str, key: &str, kind: &str| {
        format!(
            r#"{{"IndexName": "{name}", "Projection": {{"ProjectionType": "ALL"}},
                "KeySchema": [{{"AttributeName": "{key}", "KeyType": "HASH"}}],
                "AttributeDefinitions": [{{"AttributeName": "{key}", "AttributeType": "{kind}"}}]}}"#
        )
    };
    let file =
        |rank: &str| format!(r#"{{"crew": [{}, {}]}}"#, index("by-rank", "rank", rank), index("by-name", "name", "S"));
    let env = env_with(&file("N"));
    // The table and its items are made; the indexes are not.
    let never = ["--embedded-faults", "UpdateTable#*=ValidationException(no)", "--state-dir", "elsewhere", "-q"];
    let args = ["gsis.json", "--endpoint", "embedded:db.sqlite"].iter().chain(&never);
    env.command(args).assert().code(1);
    env.write("gsis.json", file("S"));
    env
}

fn index<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["indexes"].as_array().unwrap().iter().find(|index| index["index"] == name).unwrap()
}

#[test]
fn a_violation_stops_its_index_and_no_other() {
    for extent in ["sample", "full"] {
        let env = env_with_violations();
        let assert = run(&env, &["--preflight", extent, "--json"]).code(1);
        let answer = json_of(&assert);
        assert_eq!(index(&answer, "by-rank")["outcome"], "failed");
        assert_eq!(index(&answer, "by-rank")["attempts"], 0);
        assert_eq!(index(&answer, "by-name")["outcome"], "created");
        let found = &answer["preflight"][0];
        assert_eq!((&found["table"], &found["scanned"], &found["is_whole"]), (&"crew".into(), &5.into(), &true.into()));
        let by_rank = found["indexes"].as_array().unwrap().iter().find(|index| index["index"] == "by-rank").unwrap();
        assert_eq!(
            (&by_rank["violations"], &by_rank["wrong_type"], &by_rank["fits"]),
            (&5.into(), &5.into(), &0.into())
        );
        assert_eq!(by_rank["samples"].as_array().unwrap().len(), 5);
        assert!(creations(&env).keys().eq(["crew.by-name"]));
        assert!(!env.join("s/.gsi_preflight.json").exists() || extent == "full");
    }
}

#[test]
fn what_it_says() {
    let env = env_with_violations();
    let assert = run(&env, &["--preflight", "full"]).code(1);
    let said = stderr(&assert);
    let of_it: Vec<_> = said.lines().skip_while(|line| !line.starts_with("pre-flight")).take(8).collect();
    insta::assert_snapshot!(of_it.join("\n"), @r#"
    pre-flight of crew: all 5 items, 2.0 read units
      ✓ by-name: 5 fit
      ✗ by-rank: 0 fit; 5 cannot be in it (5 of another type)
          pk "sample-5": rank is of type N, not S
          pk "sample-4": rank is of type N, not S
          pk "sample-2": rank is of type N, not S
          pk "sample-1": rank is of type N, not S
          pk "sample-3": rank is of type N, not S
    "#);
    insta::with_settings!({filters => vec![(r"\d+\.\d s", "[seconds]"), (r"_\d{8}_\d{6}", "_[time]")]}, {
        insta::assert_snapshot!(stdout(&assert), @r#"
        1 of 2 indexes active after [seconds] (1 failed)
          ✗ crew.by-rank: the pre-flight found 5 items of 5 whose key cannot be in the index: they would be left out, and could not be written any more; repair them, or say `--allow-violations`
        validated: 1 functional
        report: s/gsi_creation_reports/summary_[time].md
        report: s/gsi_creation_reports/failures_[time].md
        next: remove the cause, then run the same command with `--retry-failed` (state: s)
        "#);
    });
}

#[test]
fn allowed_or_repaired_it_is_created() {
    let env = env_with_violations();
    run(&env, &["--preflight", "full"]).code(1);
    // Still there: a retry looks again.
    run(&env, &["--preflight", "full", "--retry-failed"]).code(1);
    assert!(creations(&env).keys().eq(["crew.by-name"]));
    let assert = run(&env, &["--preflight", "full", "--retry-failed", "--allow-violations"]).success();
    assert!(stderr(&assert).contains("! by-rank: 0 fit; 5 cannot be in it (5 of another type)"), "{}", stderr(&assert));
    assert_eq!(creations(&env).len(), 2);
    assert!(!env.join("s/.gsi_preflight.json").exists(), "the job is done, and so is its pre-flight");
}

#[test]
fn off_or_nothing_to_make_it_reads_nothing() {
    let env = env();
    run(&env, &["--no-validate"]).success();
    run(&env, &["--no-validate", "--preflight", "full"]).success();
    let scans = calls_of(&env, "Scan");
    assert_eq!(scans, 0);
}

#[test]
fn a_full_scan_within_the_budget_counts_for_the_next_run() {
    let env = env();
    let budget = ["--preflight", "full", "--read-units-per-second", "50", "--no-validate"];
    let fails = ["--embedded-faults", "UpdateTable#*=ValidationException(no)"];
    run(&env, &[&budget[..], &fails[..]].concat()).code(1);
    let scans = calls_of(&env, "Scan");
    assert_eq!(scans, 8, "four segments of two tables");
    let assert = run(&env, &[&budget[..], &["--retry-failed"][..]].concat()).success();
    assert_eq!(calls_of(&env, "Scan"), scans, "nothing was read again");
    assert!(stderr(&assert).contains("all 5 items, 5 of them by an earlier run"), "{}", stderr(&assert));
}

#[test]
fn a_refused_scan_asks_for_nothing() {
    let env = env();
    let faults = "Scan[crew]#1=AccessDeniedException";
    let assert = run(&env, &["--preflight", "sample", "--embedded-faults", faults]);
    refused(assert, 1, &["could not scan the table `crew`", "AccessDeniedException", "`--preflight off`"]);
    assert!(creations(&env).is_empty());
}

#[test]
fn the_failure_report_knows_the_table_although_nothing_was_asked_of_it() {
    let env = env_with_violations();
    let mut file: Value = serde_json::from_slice(&fs_err::read(env.join("gsis.json")).unwrap()).unwrap();
    file["crew"].as_array_mut().unwrap().truncate(1);
    env.write("gsis.json", file.to_string());
    let answer = json_of(&run(&env, &["--preflight", "full", "--json"]).code(1));
    let report = answer["reports"].as_array().unwrap().last().unwrap().as_str().unwrap().replace(".md", ".json");
    let report: Value = serde_json::from_slice(&fs_err::read(env.join(report)).unwrap()).unwrap();
    assert_eq!(report["failures"][0]["table_status"], "ACTIVE", "{report:#}");
}
