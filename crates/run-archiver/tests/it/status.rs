//! Status, comparison, contents, acknowledged gaps, the story of a run.

use fs_err as fs;
use test_kit::{files_of, ucondb::FakeUconDb};

use crate::{server::with_server, support::World};

const COMPARE: &str = "--report-status --compare-state";

/// A report, which must change no byte of anything.
fn report(world: &World, arguments: &str, code: i32) -> String {
    let before = files_of(world.env.path());
    let (stdout, _) = world.run(arguments, code);
    let after = files_of(world.env.path());
    let changed = |path: &&std::path::PathBuf| {
        let is_side_file = path.to_string_lossy().contains("ucondb.sqlite-") || path.ends_with("stores");
        !is_side_file && after.get(*path).map(|file| &file.bytes) != before.get(*path).map(|file| &file.bytes)
    };
    assert_eq!(before.keys().chain(after.keys()).find(changed), None);
    let widest = stdout.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 100, "{widest}");
    stdout
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
}

#[test]
fn scenario_1_fresh_deployment() {
    let world = World::new("100-105");
    world.run("", 0);
    fs::remove_dir_all(world.env.join("work")).unwrap();
    let text = report(&world, COMPARE, 3);
    has(
        &text,
        &["Last contiguous run: 0 ✗ behind: the archives say 105", "run-archiver config.yaml --recover-import-state"],
    );
    world.run("--recover-import-state", 0);
    world.run("--recover-migrate-state", 0);
    has(&report(&world, COMPARE, 0), &["Last contiguous run: 105 ✓", "Verdict: consistent"]);
}

#[test]
fn scenario_2_a_damaged_state() {
    let world = World::new("100-105");
    world.run("", 0);
    fs::write(world.work("importer_state.json"), "{corrupted data...").unwrap();
    let text = report(&world, COMPARE, 1);
    has(&text, &["Could not be read: the state of the import", "--recover-import-state", "Verdict: discrepancy"]);
    // The migration is known all the same.
    has(&text, &["Migration state:", "Total runs: 6"]);
    world.run("--recover-import-state", 0);
    report(&world, COMPARE, 0);
}

#[test]
fn scenario_3_a_gap() {
    let world = World::new("12090-12150");
    for run in [12_101, 12_103, 12_107] {
        world.spoil(run);
    }
    world.run("", 1);
    assert!(world.state().starts_with("12100/12150 12101, 12103, 12107"), "{}", world.state());
    insta::assert_snapshot!(report(&world, COMPARE, 3), @"
    ======================================================================
    ARCHIVE STATUS
    ======================================================================
    Filesystem: records
      Total runs: 61
      Range: 12090 - 12150
      Contiguous ranges: 1: 12090-12150
      Gaps: none

    artdaqDB: filesystemdb://stores/artdaqdb
      Total runs: 58
      Range: 12090 - 12150
      Contiguous ranges: 4: 12090-12100, 12102, 12104-12106, 12108-12150
      Gaps: 3 runs: 12101, 12103, 12107

    UconDB: embedded://stores/ucondb.sqlite, folder test01, object configuration
      Total runs: 58
      Range: 12090 - 12150
      Contiguous ranges: 4: 12090-12100, 12102, 12104-12106, 12108-12150
      Gaps: 3 runs: 12101, 12103, 12107

    Missing              Runs  From        Why
    12101                   1  artdaqDB    failed once: a FHiCL file is malformed: `board1.fcl` line 2
                                           column 1: expected `}` before the end of the text
    12103                   1  artdaqDB    failed once: a FHiCL file is malformed: `board1.fcl` line 2
                                           column 1: expected `}` before the end of the text
    12107                   1  artdaqDB    failed once: a FHiCL file is malformed: `board1.fcl` line 2
                                           column 1: expected `}` before the end of the text

    ======================================================================
    STATE COMPARISON
    ======================================================================
    Import state: work/importer_state.json
      Last contiguous run: 12100 ✓
      Last attempted run: 12150 ✓
      Failure log: 3 runs ✓

    Migration state: work/migrator_state.json
      Last contiguous run: 12100 ✓
      Last attempted run: 12150 ✓
      Failure log: 0 runs ✓

    ======================================================================
    RECOMMENDATIONS
    ======================================================================
    1. Remove the cause, then retry the import of 3 runs: 12101, 12103, 12107
         run-archiver config.yaml --retry-failed-import

    Verdict: work to do
    ");
    for run in [12_101, 12_103, 12_107] {
        world.mend(run);
    }
    world.run("--retry-failed-import", 0);
    world.run("--migrate-only", 0);
    has(&report(&world, COMPARE, 0), &["Last contiguous run: 12150 ✓", "Nothing is missing"]);
}

#[test]
fn scenario_4_operations_by_hand() {
    let world = World::new("100-102");
    world.run("", 0);
    let state = fs::read(world.work("importer_state.json")).unwrap();
    world.add("103-105");
    world.run("", 0);
    fs::write(world.work("importer_state.json"), state).unwrap();
    has(&report(&world, COMPARE, 3), &["Last attempted run: 102 ✗ behind: the archives say 105"]);
    world.run("--recover-import-state", 0);
    report(&world, COMPARE, 0);
}

#[test]
fn scenario_5_interrupted() {
    let world = World::new("100-103");
    world.run("", 0);
    world.add("104");
    fs::write(world.work("importer_state.json.in_flight"), "104\n").unwrap();
    let answer = world.json(COMPARE, 3);
    assert_eq!(answer["gaps"][0]["cause"], "interrupted", "{answer:#}");
    world.run("--incremental", 0);
    report(&world, COMPARE, 0);
}

#[test]
fn every_cause_is_told() {
    let world = World::new("100-102, 105-112");
    world.spoil(106);
    world.run("", 1);
    world.add("103, 113, 2026020110");
    fs::remove_dir_all(world.env.join("records/110")).unwrap();
    let answer = world.json(COMPARE, 3);
    let causes: Vec<String> = answer["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| format!("{} {} {}", group["cause"], group["missing_in"], group["runs"]).replace('"', ""))
        .collect();
    assert_eq!(
        causes,
        [
            "failed artdaqDB 106",
            "late artdaqDB 103",
            "waiting artdaqDB 113",
            "only downstream filesystem 110",
            "never taken filesystem 104",
            "stray filesystem 2026020110",
        ]
    );
    assert_eq!(answer["verdict"], "work to do");
    assert_eq!(answer["stores"][0]["gaps"], "104, 110");
    let story = world.json("--explain 106", 3);
    assert_eq!(story["story"][0]["what"], "failed", "{story:#}");
    has(&report(&world, "--explain 106", 3), &["in the failure log", "failed from artdaqDB", "board1.fcl"]);
    has(&report(&world, "--explain 100", 0), &["nothing is missing of it", "migrate  archived: "]);
}

#[test]
fn what_is_lost_or_shrunk_is_a_discrepancy() {
    let world = World::new("100-119");
    world.run("", 0);
    // Half of the disk is not mounted.
    for run in 110..120 {
        fs::remove_dir_all(world.env.join(format!("records/{run}"))).unwrap();
    }
    let text = report(&world, COMPARE, 1);
    has(&text, &["not believed: it lists 10 runs where there were 20"]);
    assert!(!text.contains("only downstream"), "{text}");
}

#[test]
fn a_server_that_is_gone_is_no_empty_archive() {
    with_server("100-104", "secret", |world, server: &FakeUconDb| {
        world.run("", 0);
        has(&report(world, COMPARE, 0), &["UconDB: http://", "Total runs: 5"]);
        server.fail_always("GET", "/versions", test_kit::ucondb::Fault::Unavailable);
        server.fail_always("POST", "/lookup_versions", test_kit::ucondb::Fault::Unavailable);
        let text = report(world, COMPARE, 1);
        has(&text, &["could not be read; it is not taken for empty", "Import state"]);
        assert!(!text.contains("run the migrator"), "{text}");
        server.heal();
    });
}

#[test]
fn contents_are_compared_without_downloading() {
    with_server("100-109", "secret", |world, server| {
        world.run("", 0);
        server.clear_ledger();
        has(&report(world, "--verify-archive", 0), &["As archived: 10 runs", "Differences: none"]);
        assert_eq!(server.ledger().len(), 1, "one listing: {:?}", server.ledger());
        has(&report(world, "--verify-archive=full", 0), &["As archived: 10 runs"]);
        // Archived before there was a journal.
        fs::rename(world.work("migrated.jsonl"), world.work("aside")).unwrap();
        let text = report(world, "--verify-archive", 3);
        has(&text, &["Nothing to compare with: 10 runs: 100-109", "config.yaml --verify-archive=full"]);
        has(&report(world, "--verify-archive=full", 0), &["As archived: 10 runs", "Differences: none"]);
        fs::rename(world.work("aside"), world.work("migrated.jsonl")).unwrap();
    });
}

#[test]
fn another_content_is_a_difference() {
    let world = World::new("100-103");
    world.run("", 0);
    let journal = fs::read_to_string(world.work("migrated.jsonl")).unwrap();
    // What is stored is the same; what was written down is of another record.
    let other = World::new("100-103");
    other.write(102, "board1.fcl", "seed: 99999\n");
    other.run("", 0);
    let theirs = fs::read_to_string(other.work("migrated.jsonl")).unwrap();
    assert_ne!(journal, theirs);
    fs::write(world.work("migrated.jsonl"), theirs).unwrap();
    for depth in ["receipt", "full"] {
        let answer = world.json(&format!("--verify-archive={depth}"), 1);
        assert_eq!(answer["verification"]["differences"].as_array().unwrap().len(), 1, "{answer:#}");
        assert_eq!(answer["verification"]["differences"][0]["run"], 102);
        assert_eq!(answer["verification"]["good"], "100-101, 103");
    }
    let text = report(&world, &format!("{COMPARE} --verify-archive"), 1);
    has(&text, &["content differs", "run 102", "expected", "(recorded at", "--explain 102"]);
    // Without anything written down, artdaqDB tells what should be there.
    fs::remove_file(world.work("migrated.jsonl")).unwrap();
    fs::remove_dir_all(world.env.join("stores/artdaqdb")).unwrap();
    fs::rename(other.env.join("stores/artdaqdb"), world.env.join("stores/artdaqdb")).unwrap();
    let answer = world.json("--verify-archive=full", 1);
    assert_eq!(answer["verification"]["differences"][0]["run"], 102, "{answer:#}");
}

#[test]
fn a_gap_that_somebody_lives_with_is_passed() {
    let world = World::new("100-102, 105-107");
    world.run("", 0);
    assert_eq!(world.state(), "102/107 none, 102/107 none");
    has(&report(&world, COMPARE, 0), &["never taken", "--acknowledge 103-104 --reason 'no run was taken'"]);
    let until = ["--acknowledge", "103-104", "--reason", "detector off", "--until", "2999-01-01"];
    let output = world.env.command(until).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    has(&report(&world, "--acknowledgements", 0), &["103-104 (2 runs), until 2999-01-01", "detector off"]);
    let text = report(&world, COMPARE, 3);
    has(&text, &["acknowledged: detector off (", "Last contiguous run: 102 ✗ behind: the archives say 107"]);
    world.run("", 0);
    assert_eq!(world.state(), "107/107 none, 107/107 none");
    has(&report(&world, COMPARE, 0), &["acknowledged: detector off (", "Total runs: 6"]);
    world.run("--withdraw 104", 0);
    assert_eq!(world.json("--acknowledgements", 0)["acknowledgements"][0]["runs"], "103");
    let (_, stderr) = world.run("--withdraw 500", 1);
    has(&stderr, &["no acknowledgement names any of the runs 500"]);
    has(&report(&world, COMPARE, 0), &["Last contiguous run: 107 ✓ (the unbroken sequence ends at 102"]);
}

#[test]
fn readers_need_no_lock_and_words_do() {
    let world = World::new("100-102");
    world.run("", 0);
    let owner = statefile::Owner::current(&statefile::SystemClock);
    let _lock = statefile::Lock::acquire(world.work(".archiver.lock"), &owner).unwrap();
    for arguments in [COMPARE, "--explain 101", "--acknowledgements", "--verify-archive"] {
        report(&world, arguments, 0);
    }
    world.run("--acknowledge 103 --reason off", 1);
    world.run("--withdraw 103", 1);
    assert!(!world.work("acknowledged_gaps.json").exists());
}

#[test]
fn the_page_is_written_whole_and_an_unwritable_one_is_an_error() {
    let world = World::new("100-105");
    world.spoil(103);
    world.run("", 1);
    let (stdout, stderr) = world.run("--html status.html", 3);
    has(&stderr, &["written: status.html"]);
    has(&stdout, &["STATE COMPARISON"]);
    let page = fs::read_to_string(world.env.join("status.html")).unwrap();
    has(&page, &["Coverage of runs 100 to 105", "board1.fcl", "--retry-failed-import", "</html>"]);
    let (_, stderr) = world.run("--html nowhere/status.html", 1);
    has(&stderr, &["could not write `nowhere/status.html`"]);
}
