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
    for line in [
        "state of the migration rebuilt",
        "last contiguous: 102",
        "last attempted:  108",
        "missing:         0 runs: none",
    ] {
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
    for (flag, name) in [("--recover-import-state", "artdaqDB"), ("--recover-migrate-state", "artdaqDB")] {
        let (_, stderr) = world.run(flag, 1);
        assert!(stderr.contains(&format!("{name} lists no complete run")), "{stderr}");
    }
    fs::rename(world.env.join("unmounted"), world.env.join("stores")).unwrap();
    fs::rename(world.env.join("records"), world.env.join("gone")).unwrap();
    world.run("--recover-import-state", 1);
    fs::create_dir(world.env.join("records")).unwrap();
    let (_, stderr) = world.run("--recover-import-state", 1);
    assert!(stderr.contains("the directory of run records lists no complete run"), "{stderr}");
    let after = files_of(&world.env.join("work"));
    for (path, record) in &before {
        let is_state = path.extension().is_some_and(|extension| extension == "json")
            || path.to_string_lossy().contains("failures");
        assert!(!is_state || after.get(path) == Some(record), "{} changed", path.display());
    }
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
