//! The example that comes with the program.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::support::World;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/run-archiver")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The example in a directory of its own, with its place given by the environment as its head says.
pub(crate) fn world() -> World {
    let world = World::new("none");
    copy(&example(), &world.env.join("example"));
    world.env.write("example/archiver.env", "WAYMARK_DEMO_DIR=work\n");
    world
}

#[test]
fn two_incremental_starts_and_a_run_in_between() {
    let world = world();
    fs::rename(world.env.join("example/records/5110"), world.env.join("later")).unwrap();
    let (stdout, stderr) = world.run("example/config.yaml --incremental", 1);
    assert!(
        stderr.contains("run 5108 failed: a FHiCL file is malformed: `tpc_crate02.fcl` line 16 column 5"),
        "{stderr}"
    );
    assert!(stdout.contains("import: 7 runs archived, 1 failed"), "{stdout}");
    assert!(stdout.contains("migrate: 7 runs archived, 0 failed"), "{stdout}");
    let state = "5103/5109 5108, 5103/5109 none";
    assert_eq!(world.state(), state);

    // The second start does nothing.
    let stores = ["work/artdaqdb_archive", "work/ucondb.sqlite"].map(|name| world.env.join(name));
    let files = || (test_kit::files_of(&stores[0]), fs::read(&stores[1]).unwrap());
    let before = files();
    let answer = world.json("example/config.yaml --incremental", 0);
    for stage in answer["stages"].as_array().unwrap() {
        assert_eq!(stage["runs"], serde_json::json!([]), "{stage:#}");
    }
    assert_eq!(world.state(), state);
    assert!(files() == before, "the second start changed a store");

    // A run directory that is added: just that run.
    fs::rename(world.env.join("later"), world.env.join("example/records/5110")).unwrap();
    let answer = world.json("example/config.yaml --incremental", 0);
    for stage in answer["stages"].as_array().unwrap() {
        let runs = stage["runs"].as_array().unwrap();
        assert_eq!((runs.len(), &runs[0]["run"], &runs[0]["outcome"]), (1, &5110.into(), &"archived".into()));
    }
    assert_eq!(world.state(), "5103/5110 5108, 5103/5110 none");

    // The malformed run, once it is repaired.
    let file = world.env.join("example/records/5108/tpc_crate02.fcl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("request_window_off", "request_window_offset: 200 } }")).unwrap();
    world.run("example/config.yaml --retry-failed-import", 0);
    world.run("example/config.yaml", 0);
    assert_eq!(world.state(), "5103/5110 none, 5103/5110 none");
}

#[test]
fn the_records_are_what_they_are_said_to_be() {
    let records = example().join("records");
    let runs: Vec<_> =
        fs::read_dir(&records).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(runs.len() >= 8, "{runs:?}");
    assert!(!runs.contains(&"5104".to_owned()), "the gap");
    let metadata = |run: u32| fs::read_to_string(records.join(run.to_string()).join("metadata.txt")).unwrap();
    assert!(!metadata(5106).contains("stop time"));
    assert!(metadata(5105).contains("stop time"));
    assert!(!metadata(5107).is_ascii());
}
