//! State that cannot be used.

use fs_err as fs;
use test_kit::files_of;

use crate::support::World;

#[test]
fn a_damaged_state_is_refused_with_the_remedy_and_the_remedy_works() {
    for (file, content, flag) in [
        ("importer_state.json", "{\"last_contig", "--recover-import-state"),
        ("importer_state.json", "", "--recover-import-state"),
        ("importer_state.json", "{\"last_contiguous_run\": \"x\"}", "--recover-import-state"),
        ("import_failures.log", "103\nabc\n", "--recover-import-state"),
        ("migrator_state.json", "[]", "--recover-migrate-state"),
        ("migrate_failures.log", "-1\n", "--recover-migrate-state"),
        ("migrator_state.json.in_flight", "?\n", "--recover-migrate-state"),
        ("importer_state.json.unfinished", "x", "--recover-import-state"),
        ("imported.jsonl", "no journal", "--recover-import-state"),
    ] {
        let world = World::new("100-105");
        world.spoil(103);
        world.run("", 1);
        let state = "102/105 103, 102/105 none";
        assert_eq!(world.state(), state);
        fs::write(world.work(file), content).unwrap();

        let log = world.work("archiver.log");
        fs::remove_file(&log).unwrap();
        let (_, stderr) = world.run("", 1);
        assert!(stderr.contains(&format!("run-archiver 'config.yaml' {flag}")), "{file}: {stderr}");
        assert_eq!(fs::read_to_string(world.work(file)).unwrap(), content, "the bytes are kept");

        let answer = world.json(flag, 0);
        assert_eq!(world.state(), state, "{file}");
        let kept = answer["kept"].as_array().unwrap().iter().map(|path| path.as_str().unwrap());
        let kept = kept.filter(|path| path.starts_with(&format!("work/{file}.before-"))).collect::<Vec<_>>();
        assert_eq!(kept.len(), 1, "{answer:#}");
        assert_eq!(fs::read_to_string(world.env.join(kept[0])).unwrap(), content);
        assert_eq!(answer["damaged"], serde_json::json!([format!("work/{file}")]));
        world.mend(103);
        world.run("", 0);
        assert_eq!(world.state(), "105/105 none, 105/105 none");
    }
}

#[test]
fn a_refusal_changes_no_state_and_no_store() {
    let world = World::new("100-101");
    world.run("", 0);
    world.add("102");
    fs::write(world.work("migrator_state.json"), "{").unwrap();
    let kept = ["stores", "records"].map(|name| files_of(&world.env.join(name)));
    world.run("", 1);
    assert!(["stores", "records"].map(|name| files_of(&world.env.join(name))) == kept);
    assert_eq!(world.snapshot("importer_state.json", "import_failures.log").marks.to_string(), "101/101");
}

#[test]
fn fields_of_other_programs_are_kept() {
    let world = World::new("100-101");
    fs::create_dir_all(world.env.join("work")).unwrap();
    let text = "{\"last_contiguous_run\": 100, \"comment\": \"ours\", \"last_attempted_run\": 100}";
    fs::write(world.work("importer_state.json"), text).unwrap();
    world.run("", 0);
    let text = fs::read_to_string(world.work("importer_state.json")).unwrap();
    let expect = "{\n  \"last_contiguous_run\": 101,\n  \"last_attempted_run\": 101,\n  \"comment\": \"ours\"\n}";
    assert_eq!(text, expect);
}

#[test]
fn a_listing_that_shrinks_changes_no_state() {
    let world = World::new("100-109");
    world.run("", 0);
    fs::rename(world.env.join("stores/artdaqdb"), world.env.join("unmounted")).unwrap();
    let before = files_of(&world.env.join("work"));
    let (_, stderr) = world.run("", 1);
    assert!(stderr.contains("the destination of the import lists 0 runs where there were 10"), "{stderr}");
    assert!(stderr.contains("the source of the migration lists 0 runs where there were 10"), "{stderr}");
    let state = |mut files: std::collections::BTreeMap<std::path::PathBuf, _>| {
        files.retain(|path, _| {
            path.to_string_lossy().contains("state.json") || path.to_string_lossy().contains("failures")
        });
        files
    };
    assert!(state(files_of(&world.env.join("work"))) == state(before));
    fs::rename(world.env.join("unmounted"), world.env.join("stores/artdaqdb")).unwrap();
    world.run("", 0);
}
