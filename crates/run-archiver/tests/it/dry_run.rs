//! A dry run says what would be done, and changes nothing.

use test_kit::files_of;

use crate::support::World;

#[test]
fn nothing_is_made_where_nothing_is() {
    let world = World::new("100-102, 104");
    let before = files_of(world.env.path());
    let (stdout, _) = world.run("--dry-run", 0);
    assert!(stdout.contains("import: 4 runs would be archived: 100-102, 104\n"), "{stdout}");
    assert!(stdout.contains("migrate: nothing to do"), "{stdout}");
    let answer = world.json("--dry-run --import-only", 0);
    assert_eq!(answer["stages"].as_array().unwrap().len(), 1);
    assert_eq!(answer["stages"][0]["work"], "100-102, 104");
    assert!(files_of(world.env.path()) == before, "a dry run changed something");
}

#[test]
fn nothing_is_changed_where_something_is() {
    let world = World::new("100-105");
    world.spoil(103);
    world.run("--import-only", 1);
    world.add("106");
    let before = files_of(world.env.path());
    for (arguments, import, migrate) in
        [("", "103, 106", "100-102, 104-105"), ("--incremental", "106", "100-102, 104-105")]
    {
        let answer = world.json(&format!("--dry-run {arguments}"), 0);
        assert_eq!((&answer["stages"][0]["work"], &answer["stages"][1]["work"]), (&import.into(), &migrate.into()));
    }
    let answer = world.json("--dry-run --retry-failed-import", 0);
    assert_eq!(answer["stages"][0]["work"], "103");
    assert!(files_of(world.env.path()) == before, "a dry run changed something");
}

#[test]
fn new_versions_are_foretold() {
    const START: &str = "Config name: demo\nDAQInterface start time: Mon Mar  2 08:14:09 UTC 2026\n";
    const STOP: &str = "DAQInterface stop time: Mon Mar  2 09:15:10 UTC 2026\n";
    let world = World::new("none");
    for run in 100..103 {
        world.write(run, "metadata.txt", START);
    }
    world.run("", 0);
    let due = |arguments: &str| {
        let answer = world.json(&format!("{arguments} --dry-run"), 0);
        answer["stages"].as_array().unwrap().iter().map(|stage| stage["renew"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(due(""), ["none", "none"]);
    world.write(101, "metadata.txt", &format!("{START}{STOP}"));
    assert_eq!(due(""), ["101", "none"]);
    assert_eq!(due("--runs 102"), ["none", "none"]);
    let (stdout, _) = world.run("--import-only --dry-run", 0);
    assert!(stdout.contains("  their stop time would be added: 101\n"), "{stdout}");
    world.run("--import-only", 0);
    assert_eq!(due("--migrate-only --incremental"), ["101"]);
    let (stdout, _) = world.run("--dry-run", 0);
    assert!(
        stdout.contains("migrate: nothing to archive\n  a new version would be stored, if it has changed: 101\n"),
        "{stdout}"
    );
    assert_eq!(due("--refresh 100,102,107"), ["100, 102", "100, 102"]);
    world.run("", 0);
    assert_eq!(due(""), ["none", "none"]);
}
