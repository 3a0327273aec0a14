//! The numbers of the state management guide, through the program.

use crate::support::World;

#[test]
fn the_contiguous_mark_stops_at_the_first_gap() {
    for (runs, expect) in [
        ("100-105", "105/105 none, 105/105 none"),
        ("100-102, 105-107", "102/107 none, 102/107 none"),
        ("100-101, 103-104, 106-107", "101/107 none, 101/107 none"),
    ] {
        let world = World::new(runs);
        world.run("", 0);
        assert_eq!(world.state(), expect, "{runs}");
        assert_eq!(world.runs(), (runs.to_owned(), runs.to_owned()));
    }
}

#[test]
fn a_failed_run_holds_the_mark_and_a_retry_releases_it() {
    let world = World::new("100");
    world.run("", 0);
    world.add("101-105");
    world.spoil(103);
    let (_, stderr) = world.run("--incremental", 1);
    assert!(stderr.contains("run 103 failed: a FHiCL file is malformed: `board1.fcl` line "), "{stderr}");
    assert_eq!(world.state(), "102/105 103, 102/105 none");
    assert_eq!(fs_err::read(world.work("import_failures.log")).unwrap(), b"103\n");
    assert_eq!(world.runs().0, "100-102, 104-105", "nothing of 103 is stored");

    world.run("--retry-failed-import", 1);
    assert_eq!(world.state(), "102/105 103, 102/105 none");
    world.mend(103);
    let (stdout, _) = world.run("--retry-failed-import", 0);
    assert!(stdout.contains("import: 1 run archived, 0 failed"), "{stdout}");
    assert_eq!(world.state(), "105/105 none, 102/105 none");
    // For the migration it is a run that appeared below the mark.
    world.run("--migrate-only --incremental", 0);
    assert_eq!(world.state(), "105/105 none, 102/105 103");
    world.run("--retry-failed-migrate", 0);
    assert_eq!(world.state(), "105/105 none, 105/105 none");
    assert_eq!(fs_err::read(world.work("import_failures.log")).unwrap(), b"");
}

#[test]
fn a_late_run_is_put_into_the_failure_log() {
    let world = World::new("100-101, 103-105");
    world.run("--incremental", 0);
    world.add("102");
    let (_, stderr) = world.run("--incremental", 0);
    assert!(stderr.contains("runs that appeared below the mark are put into the failure log: 102"), "{stderr}");
    assert_eq!(world.state(), "101/105 102, 101/105 none");
    world.run("", 0);
    assert_eq!(world.state(), "105/105 none, 105/105 none");
}

#[test]
fn numbers_that_lie_far_apart_cost_nothing() {
    let world = World::new("100-101, 2026020110");
    world.run("", 0);
    assert_eq!(world.state(), "101/101 none, 101/101 none");
    let answer = world.json("--dry-run --incremental", 0);
    assert_eq!(answer["stages"][0]["source_runs"], "100-101, 2026020110");
}

#[test]
fn the_batch_limits_one_start() {
    let world = World::new("1-7");
    world.configure("batch_size: 50", "batch_size: 3");
    for (marks, rest) in [("3/3 none, 3/3 none", "4-7"), ("6/6 none, 6/6 none", "7"), ("7/7 none, 7/7 none", "none")] {
        let answer = world.json("--incremental", 0);
        assert_eq!(world.state(), marks);
        assert_eq!(answer["stages"][0]["beyond_limit"], rest);
    }
}

#[test]
fn each_stage_can_be_run_alone() {
    let world = World::new("100-102");
    world.run("--import-only", 0);
    assert_eq!(world.runs(), ("100-102".to_owned(), "none".to_owned()));
    world.run("--migrate-only --validate", 0);
    assert_eq!(world.runs(), ("100-102".to_owned(), "100-102".to_owned()));
    assert_eq!(world.state(), "102/102 none, 102/102 none");
}

#[test]
fn validation_reports_what_a_record_lacks() {
    let world = World::new("100-101");
    world.write(101, "metadata.txt", "DAQInterface start time: now\n");
    let answer = world.json("--validate", 1);
    let runs = &answer["stages"][1]["runs"];
    assert_eq!(runs[0]["invalid"], serde_json::Value::Null, "{runs:#}");
    assert!(!runs[1]["invalid"].as_array().unwrap().is_empty(), "{runs:#}");
    assert_eq!(runs[1]["outcome"], "archived");
}
