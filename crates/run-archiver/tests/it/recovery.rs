//! Recovery of the state, and repair of artdaqDB.

use fs_err as fs;
use test_kit::files_of;

use crate::support::World;

#[test]
fn a_lost_state_is_rebuilt_from_the_archives() {
    let world = World::new("100-102, 105-108");
    world.spoil(106);
    world.run("", 1);
    let before = world.state();
    assert_eq!(before, "102/108 106, 102/108 none");
    fs::remove_dir_all(world.env.join("work")).unwrap();
    world.add("109");
    let answer = world.json("--recover-import-state", 0);
    assert_eq!(answer["source_runs"], "100-102, 105-109");
    assert_eq!(answer["destination_runs"], "100-102, 105, 107-108");
    let (stdout, _) = world.run("--recover-migrate-state", 0);
    for line in ["MIGRATION STATE RECOVERY COMPLETE", "Last contiguous: 102", "Last attempted: 108", "Missing runs: 0"]
    {
        assert!(stdout.contains(line), "{stdout}");
    }
    assert_eq!(world.state(), before);
    let answer = world.json("--incremental", 0);
    assert_eq!(answer["stages"][0]["runs"][0]["run"], 109);
}

#[test]
fn a_mark_may_move_backwards_by_recovery_alone() {
    let world = World::new("100-103");
    fs::create_dir_all(world.env.join("work")).unwrap();
    let text = "{\"last_contiguous_run\": 900, \"last_attempted_run\": 950}";
    fs::write(world.work("importer_state.json"), text).unwrap();
    world.run("--import-only", 0);
    assert!(world.state().starts_with("900/950 none"), "{}", world.state());
    world.run("--recover-import-state", 0);
    assert!(world.state().starts_with("103/103 none"), "{}", world.state());
}

#[test]
fn an_empty_answer_is_refused() {
    let world = World::new("100-103");
    world.spoil(101);
    world.run("", 1);
    fs::rename(world.env.join("stores"), world.env.join("unmounted")).unwrap();
    let before = files_of(&world.env.join("work"));
    let sides = [
        ("--recover-import-state", "the destination of the import"),
        ("--recover-migrate-state", "the source of the migration"),
    ];
    for (flag, side) in sides {
        let (_, stderr) = world.run(flag, 1);
        assert!(stderr.contains(&format!("{side} lists no complete run")), "{stderr}");
        assert!(stderr.contains("repeat the command with --accept-empty"), "{stderr}");
    }
    fs::rename(world.env.join("unmounted"), world.env.join("stores")).unwrap();
    fs::rename(world.env.join("records"), world.env.join("gone")).unwrap();
    world.run("--recover-import-state", 1);
    fs::create_dir(world.env.join("records")).unwrap();
    let (_, stderr) = world.run("--recover-import-state", 1);
    assert!(stderr.contains("the source of the import lists no complete run"), "{stderr}");
    let after = files_of(&world.env.join("work"));
    for (path, record) in &before {
        let is_state = path.extension().is_some_and(|extension| extension == "json")
            || path.to_string_lossy().contains("failures");
        assert!(!is_state || after.get(path) == Some(record), "{} changed", path.display());
    }
}

#[test]
fn an_empty_answer_is_taken_from_whoever_insists() {
    let world = World::new("100-103");
    world.run("", 0);
    let before = files_of(&world.env.join("work"));
    fs::rename(world.env.join("stores"), world.env.join("unmounted")).unwrap();
    let (stdout, _) = world.run("--recover-import-state --accept-empty --dry-run", 0);
    assert!(stdout.contains("  Marks: 103/103 -> 0/0\n"), "{stdout}");
    assert_eq!(files_of(&world.env.join("work")), before);
    let answer = world.json("--recover-import-state --accept-empty", 0);
    assert_eq!(answer["failure_log"], "none");
    assert_eq!(world.state(), "0/0 none, 103/103 none");
    // All of the old state is there still.
    fs::rename(world.env.join("unmounted"), world.env.join("stores")).unwrap();
    for path in answer["kept"].as_array().unwrap() {
        let kept = world.env.join(path.as_str().unwrap());
        let (old, _) = path.as_str().unwrap().split_once(".before-").unwrap();
        let old = old.strip_prefix("work/").unwrap();
        let content = before.iter().find(|(path, _)| path.ends_with(old)).unwrap().1;
        assert!(format!("{content:?}").contains(&format!("{:?}", fs::read(&kept).unwrap())), "{old}: {content:?}");
    }
}

#[test]
fn a_half_imported_run_is_missing() {
    let world = World::new("100-104");
    world.run("", 0);
    // Of run 102 the schema is gone, without which no run is complete.
    let mut removed = 0;
    for entry in fs::read_dir(world.env.join("stores/artdaqdb/SystemLayout")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("index.json") && fs::read_to_string(&path).unwrap().contains("102/demo") {
            fs::remove_file(path).unwrap();
            removed += 1;
        }
    }
    assert_eq!(removed, 2);
    world.run("--repair-artdaqdb", 0);
    let (stdout, _) = world.run("--recover-import-state", 0);
    assert!(
        stdout.contains("Found 4 runs in artdaqDB\nFound 1 more in part, which count as missing: 102\n"),
        "{stdout}"
    );
    assert_eq!(world.state(), "101/104 102, 104/104 none");
    world.run("--retry-failed-import", 0);
    assert_eq!(world.state(), "104/104 none, 104/104 none");
}

#[test]
fn a_torn_index_is_repaired() {
    let world = World::new("100-103");
    world.run("", 0);
    let archived = world.archived();
    let index = world.env.join("stores/artdaqdb/RunHistory/index.json");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, &text[..text.len() / 2]).unwrap();
    world.add("104");
    let (_, stderr) = world.run("", 1);
    assert!(stderr.contains("index.json` is not a valid index"), "{stderr}");
    assert!(stderr.contains("run-archiver 'config.yaml' --repair-artdaqdb"), "{stderr}");
    assert_eq!(world.state(), "103/103 none, 103/103 none");
    let (stdout, _) = world.run("--repair-artdaqdb", 0);
    assert!(stdout.contains("RunHistory: the index was damaged"), "{stdout}");
    assert_eq!(world.archived(), archived);
    world.run("", 0);
    assert_eq!(world.state(), "104/104 none, 104/104 none");
    let (stdout, _) = world.run("--repair-artdaqdb", 0);
    assert!(stdout.contains("nothing to repair"), "{stdout}");
}
