//! The state management guide's scenarios and troubleshooting cases, with its numbers, as far as no report is part of
//! them.

use fs_err as fs;

use crate::support::World;

/// A run of one small file: for tests of many.
fn add_small(world: &World, runs: &str) {
    for run in runs.parse::<run_state::RunSet>().unwrap().iter() {
        world.write(run.get(), "metadata.txt", "Config name: d\n");
    }
}

fn damage(world: &World, name: &str, text: &str) {
    world.env.write(format!("work/{name}"), text);
}

/// Scenario 1, and the guide's example of a recovery: 523 runs in the file system, 510 in artdaqDB, 13 missing. (The
/// guide's preview names runs that its own marks exclude; ours are 12020 to 12022 and 12499 to 12508.)
#[test]
fn scenario_1_fresh_deployment_on_existing_data() {
    let world = World::new("none");
    world.configure("batch_size: 50", "batch_size: 60");
    add_small(&world, "12031-12498, 12509-12550");
    world.run("-q", 0);
    fs::remove_dir_all(world.env.join("work")).unwrap();
    add_small(&world, "12020-12022, 12499-12508");

    let (stdout, _) = world.run("--recover-import-state", 0);
    let expect = "\
======================================================================
IMPORT STATE RECOVERY
======================================================================
Scanning filesystem for run records...
Found 523 runs in filesystem

Querying artdaqDB for available runs...
Found 510 runs in artdaqDB

Last attempted run: 12550
Last contiguous run: 12498

Found 13 missing runs to add to failure log
✓ Written importer_state.json
✓ Written import_failures.log with 13 runs

Difference to the state before:
  Marks: unknown -> 12498/12550
  Failure log: unknown -> 12020-12022, 12499-12508

======================================================================
IMPORT STATE RECOVERY COMPLETE
  Filesystem runs: 523
  ArtdaqDB runs: 510
  Last contiguous: 12498
  Last attempted: 12550
  Missing runs: 13
  Missing runs (preview): [12020, 12021, 12022, 12499, 12500, 12501, 12502, 12503, 12504, 12505, ...]
======================================================================
";
    assert_eq!(stdout, expect);
    let (stdout, _) = world.run("--recover-migrate-state", 0);
    for line in
        ["MIGRATION STATE RECOVERY\n", "Found 510 runs in UconDB\n", "  ArtdaqDB runs: 510\n  UconDB runs: 510\n"]
    {
        assert!(stdout.contains(line), "{stdout}");
    }
    assert_eq!(world.state(), "12498/12550 12020-12022, 12499-12508, 12498/12550 none");

    world.run("--retry-failed-import", 0);
    world.run("--incremental", 0);
    world.run("--retry-failed-migrate", 0);
    // The three lowest do not reach the others, so that now they are the unbroken sequence; the mark does not move back.
    assert_eq!(world.state(), "12498/12550 none, 12498/12550 none");
    assert_eq!(world.runs().1, "12020-12022, 12031-12550");
}

#[test]
fn scenario_2_state_file_corruption() {
    let world = World::new("100-105");
    world.spoil(103);
    world.run("", 1);
    let before = world.state();
    damage(&world, "importer_state.json", "{corrupted data...");
    let (_, stderr) = world.run("--incremental", 1);
    assert!(stderr.contains("importer_state.json` is not a valid archiver state"), "{stderr}");
    assert!(stderr.contains("run-archiver 'config.yaml' --recover-import-state"), "{stderr}");

    // The rehearsal changes nothing, and says what the other will do.
    let work = || test_kit::files_of(&world.env.join("work"));
    let files = work();
    let (stdout, _) = world.run("--recover-import-state --dry-run", 0);
    assert!(stdout.contains("Rehearsal: neither importer_state.json nor import_failures.log was written"), "{stdout}");
    assert!(stdout.contains("  Marks: unknown -> 102/105\n  Failure log: 103, as before\n"), "{stdout}");
    assert_eq!(work(), files);

    let answer = world.json("--recover-import-state", 0);
    assert_eq!(world.state(), before);
    assert_eq!((&answer["marks_before"], &answer["failure_log_before"]), (&serde_json::Value::Null, &"103".into()));
    let kept = answer["kept"].as_array().unwrap();
    let kept = kept.iter().find(|path| path.as_str().unwrap().contains("importer_state.json.before-")).unwrap();
    assert_eq!(fs::read_to_string(world.env.join(kept.as_str().unwrap())).unwrap(), "{corrupted data...");
    // Once more: a second copy, and the first stays.
    world.run("--recover-import-state", 0);
    assert_eq!(fs::read_to_string(world.env.join(kept.as_str().unwrap())).unwrap(), "{corrupted data...");
}

/// 12100/12150 with 12101, 12103 and 12107 in the log; 12150/12150 after the retry.
#[test]
fn scenario_3_gap_in_run_sequence() {
    let world = World::new("12100-12150");
    world.configure("batch_size: 50", "batch_size: 60");
    for run in [12101, 12103, 12107] {
        world.spoil(run);
    }
    world.run("--import-only", 1);
    let state = |name| fs::read_to_string(world.work(name)).unwrap();
    let gap = "{\n  \"last_contiguous_run\": 12100,\n  \"last_attempted_run\": 12150\n}";
    assert_eq!(
        (state("importer_state.json").as_str(), state("import_failures.log").as_str()),
        (gap, "12101\n12103\n12107\n")
    );

    // If runs still fail, investigate: reasons and counts are told.
    let (_, stderr) = world.run("--retry-failed-import -v", 1);
    let reason = "import: run 12103: failed once, last on ";
    assert!(
        stderr.contains(reason) && stderr.contains("UTC: a FHiCL file is malformed: `board1.fcl` line "),
        "{stderr}"
    );
    world.mend(12103);
    let (_, stderr) = world.run("--retry-failed-import", 1);
    assert!(stderr.contains("import: run 12107: failed 2 times, last on "), "{stderr}");
    assert_eq!((state("importer_state.json").as_str(), state("import_failures.log").as_str()), (gap, "12101\n12107\n"));

    // Nothing is asked of those that wait, and that is no failure of this execution; but it is said.
    let (stdout, _) = world.run("--import-only --incremental", 0);
    assert!(stdout.contains("2 runs in the failure log; remove the cause, then `--retry-failed-import`"), "{stdout}");
    let answer = world.json("--import-only --incremental", 0);
    assert_eq!(answer["stages"][0]["failure_log_runs"], 2);
    assert_eq!(answer["stages"][0]["retry"], "--retry-failed-import");

    world.mend(12101);
    world.mend(12107);
    world.run("--retry-failed-import", 0);
    let filled = "{\n  \"last_contiguous_run\": 12150,\n  \"last_attempted_run\": 12150\n}";
    assert_eq!((state("importer_state.json").as_str(), state("import_failures.log").as_str()), (filled, ""));
    let answer = world.json("--import-only --incremental", 0);
    assert_eq!(answer["stages"][0]["retry"], serde_json::Value::Null);
}

/// Runs imported by others: another work directory stands for the external tools.
#[test]
fn scenario_4_manual_database_operations() {
    let world = World::new("100-102");
    world.run("", 0);
    world.add("103-107");
    world.spoil(105);
    world.configure("work_dir: work", "work_dir: elsewhere");
    world.run("--import-only", 1);
    world.configure("work_dir: elsewhere", "work_dir: work");
    assert_eq!(world.state(), "102/102 none, 102/102 none");
    let (stdout, _) = world.run("--recover-import-state", 0);
    assert!(stdout.contains("  Marks: 102/102 -> 104/107\n  Failure log, new: 105\n"), "{stdout}");
    let answer = world.json("--incremental", 0);
    assert_eq!(answer["stages"][0]["runs"], serde_json::json!([]));
    assert_eq!(world.state(), "104/107 105, 104/107 none");
}

#[test]
fn scenario_5_processing_interrupted() {
    let world = World::new("100-149");
    let mut running = world.env.start(["--incremental", "-v"]);
    running.wait_for_line("run 100: archived");
    running.interrupt();
    assert_eq!(running.wait().status.code(), Some(130));
    // Nothing to clean up: no lock is stale.
    world.run("--incremental", 0);
    world.run("--incremental", 0);
    assert_eq!(world.state(), "149/149 none, 149/149 none");
    world.run("--retry-failed-import", 0);
}

#[test]
fn trouble_runs_processed_repeatedly_or_too_many_in_incremental_mode() {
    let world = World::new("100-120");
    world.run("", 0);
    // Marks that are too low: every run is looked at again, and verified, and nothing is stored twice.
    damage(&world, "importer_state.json", "{\"last_contiguous_run\": 5, \"last_attempted_run\": 9}");
    let archived = world.archived();
    let answer = world.json("--import-only --incremental", 0);
    assert_eq!(answer["stages"][0]["runs"], serde_json::json!([]), "what artdaqDB holds is not taken again");
    damage(&world, "importer_state.json", "{\"last_contiguous_run\": 5, \"last_attempted_run\": 9}");
    world.run("--recover-import-state", 0);
    assert_eq!(world.state(), "120/120 none, 120/120 none");
    world.run("--incremental", 0);
    assert_eq!(world.archived(), archived);
}

#[test]
fn trouble_gaps_do_not_fill() {
    let world = World::new("100-104");
    world.spoil(102);
    world.run("--import-only", 1);
    // Somebody imported it by hand meanwhile: it leaves the log only after its content was compared.
    world.mend(102);
    world.configure("work_dir: work", "work_dir: elsewhere");
    world.run("--import-only", 0);
    world.configure("work_dir: elsewhere", "work_dir: work");
    world.write(102, "board1.fcl", "seed: 103\n");
    let answer = world.json("--retry-failed-import", 1);
    let reason = answer["stages"][0]["runs"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "artdaqDB holds another record of run 102: `board1` differs");
    assert_eq!(world.state(), "101/104 102, 0/0 none");
    world.mend(102);
    let answer = world.json("--retry-failed-import", 0);
    assert_eq!(answer["stages"][0]["runs"][0]["outcome"], "was_archived");
    assert_eq!(world.state(), "104/104 none, 0/0 none");
}

#[test]
fn trouble_the_state_file_does_not_write() {
    let world = World::new("100-101");
    fs::create_dir_all(world.env.join("work")).unwrap();
    // A place in which nobody may make a file, whoever it is.
    fs::os::unix::fs::symlink("/proc/importer_state.json", world.work("importer_state.json")).unwrap();
    let (_, stderr) = world.run("--import-only", 2);
    assert!(stderr.contains("the state could not be saved"), "{stderr}");
    assert!(stderr.contains("importer_state.json`"), "{stderr}");
    fs::remove_file(world.work("importer_state.json")).unwrap();
    world.run("--import-only", 0);
    assert_eq!(world.state(), "101/101 none, 0/0 none");
}
