//! Run directories that cannot be archived: the others go on, and a retry succeeds when the cause is gone.

use std::os::unix::fs::PermissionsExt as _;

use fs_err as fs;

use crate::support::World;

/// Spoils run 102 of 101 to 103, and says what its failure must mention; then mends it.
fn check(spoil: impl Fn(&World), reason: &str) {
    let world = World::new("101-103");
    spoil(&world);
    let answer = world.json("", 1);
    let run = &answer["stages"][0]["runs"][1];
    assert_eq!((&run["run"], &run["outcome"]), (&102.into(), &"failed".into()));
    let told = run["reason"].as_str().unwrap();
    assert!(told.contains(reason), "{told}");
    assert_eq!(world.state(), "101/103 102, 101/103 none");
    assert_eq!(world.runs(), ("101, 103".to_owned(), "101, 103".to_owned()));

    let path = world.env.join("records/102");
    if path.is_file() {
        fs::remove_file(&path).unwrap();
    } else {
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_dir_all(&path).unwrap();
    }
    world.mend(102);
    world.run("--retry-failed-import", 0);
    world.run("", 0);
    assert_eq!(world.state(), "103/103 none, 103/103 none");
}

#[test]
fn malformed_fhicl() {
    check(|world| world.spoil(102), "a FHiCL file is malformed: `board1.fcl` line ");
}

#[test]
fn an_empty_directory() {
    let empty = |world: &World| {
        fs::remove_dir_all(world.env.join("records/102")).unwrap();
        fs::create_dir(world.env.join("records/102")).unwrap();
    };
    check(empty, "records/102` holds no `.txt` or `.fcl` file");
}

#[test]
fn a_file_in_place_of_a_directory() {
    let file = |world: &World| {
        fs::remove_dir_all(world.env.join("records/102")).unwrap();
        world.env.write("records/102", "x");
    };
    check(file, "records/102` is not a directory");
}

#[test]
fn an_unreadable_directory() {
    let lock = |world: &World| {
        fs::set_permissions(world.env.join("records/102"), std::fs::Permissions::from_mode(0o000)).unwrap();
        // Root may read everything but a link that leads nowhere.
        let text = world.env.join("records/102/metadata.txt");
        if fs::read(&text).is_ok() {
            fs::remove_file(&text).unwrap();
            fs::os::unix::fs::symlink("metadata.txt", &text).unwrap();
        }
    };
    check(lock, "could not read");
}

#[test]
fn a_missing_records_directory_is_an_error_of_its_own() {
    let world = World::new("101");
    world.run("", 0);
    world.add("102");
    fs::rename(world.env.join("records"), world.env.join("gone")).unwrap();
    let (stdout, stderr) = world.run("", 1);
    assert!(stderr.contains("the source of the import could not be listed"), "{stderr}");
    assert!(stdout.contains("migrate: 0 runs archived"), "the other stage goes on: {stdout}");
    assert_eq!(world.state(), "101/101 none, 101/101 none");
}
