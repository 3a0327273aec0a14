//! No run directories at all. Single ones that cannot be archived are rows of [`crate::faults`].

use fs_err as fs;

use crate::support::World;

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
