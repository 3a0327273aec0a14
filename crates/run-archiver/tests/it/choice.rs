//! Which runs are taken: every one in its turn, whatever else lies about, and none that is not there.

use fs_err as fs;

use crate::support::World;

#[test]
fn runs_that_never_succeed_do_not_keep_a_retry_from_the_others() {
    let world = World::new("100-114");
    world.configure("batch_size: 50", "batch_size: 1, parallel_workers: 1");
    for run in 100..115 {
        world.spoil(run);
    }
    // Ten runs an execution.
    world.run("--import-only", 1);
    world.run("--import-only", 1);
    assert_eq!(world.state(), "0/114 100-114, 0/0 none");
    world.mend(114);
    // Whoever was tried longest ago comes first, so that two executions see to all fifteen.
    let answer = world.json("--retry-failed-import --dry-run", 0);
    assert_eq!(answer["stages"][0]["beyond_limit"], "110-114");
    world.run("--retry-failed-import", 1);
    world.run("--retry-failed-import", 1);
    assert_eq!(world.runs().0, "114");
    assert_eq!(world.state(), "114/114 100-113, 0/0 none");
    // The same without a mode.
    world.mend(113);
    world.run("--import-only", 1);
    world.run("--import-only", 1);
    assert_eq!(world.runs().0, "113-114");
    // Without the journal nobody knows who was tried when; nothing else depends on it.
    fs::remove_file(world.work("imported.jsonl")).unwrap();
    world.mend(100);
    world.run("--retry-failed-import", 1);
    assert_eq!(world.runs().0, "100, 113-114");
}

#[test]
fn a_stray_directory_moves_no_mark() {
    let world = World::new("100-102, 2026020110");
    world.run("", 0);
    assert_eq!(world.runs().1, "100-102, 2026020110");
    assert_eq!(world.state(), "102/102 none, 102/102 none");
    // Nothing is late for its sake.
    world.add("103");
    world.run("--incremental", 0);
    assert_eq!(world.runs().1, "100-103, 2026020110");
    assert_eq!(world.state(), "103/103 none, 103/103 none");
    // Nor is a low one the begin of the sequence, or the place where the mark waits.
    let world = World::new("5, 2000000-2000010");
    world.spoil(5);
    world.run("--incremental", 1);
    world.mend(5);
    world.run("--retry-failed-import", 0);
    world.run("--incremental", 0);
    world.add("2000011");
    world.run("--incremental", 0);
    assert_eq!(world.runs().1, "2000000-2000011");
    assert_eq!(world.state(), "2000011/2000011 none, 2000011/2000011 5");
}

#[test]
fn marks_that_a_stray_directory_has_moved_are_mended_by_a_recovery() {
    let world = World::new("100-102, 2026020110");
    world.run("", 0);
    for state in ["importer_state.json", "migrator_state.json"] {
        let text = "{\n  \"last_contiguous_run\": 102,\n  \"last_attempted_run\": 2026020110\n}";
        fs::write(world.work(state), text).unwrap();
    }
    world.run("--compare-state", 1);
    world.run("--recover-import-state", 0);
    world.run("--recover-migrate-state", 0);
    assert_eq!(world.state(), "102/102 none, 102/102 none");
    world.add("103");
    world.run("--incremental", 0);
    assert_eq!(world.state(), "103/103 none, 103/103 none");
}

#[test]
fn runs_that_are_named_and_nowhere_are_no_success() {
    let world = World::new("100-104");
    for arguments in ["--runs 998-999", "--runs 998-999 --import-only", "--runs 998-999 --dry-run"] {
        let answer = world.json(arguments, 1);
        assert_eq!(answer["stages"][0]["not_found"], "998-999", "{arguments}");
    }
    let (stdout, _) = world.run("--runs 998-999", 1);
    assert!(stdout.contains("  not found: 998-999\n"), "{stdout}");
    // Of a range that is a little too long, the others are done; what is not there is told.
    let answer = world.json("--runs 103-106", 0);
    assert_eq!(answer["stages"][0]["not_found"], "105-106");
    assert_eq!(world.runs().1, "103-104");
    // What is archived and gone from the disk is there.
    fs::remove_dir_all(world.env.join("records/104")).unwrap();
    world.configure("batch_size: 50", "batch_size: 50, max_shrink_percent: 50");
    assert_eq!(world.json("--runs 104", 0)["stages"][0]["not_found"], "none");
    // Whoever names nobody misses nobody.
    assert_eq!(world.json("", 0)["stages"][0]["not_found"], "none");
}
