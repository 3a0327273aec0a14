//! A second start.

use statefile::{Lock, Owner, SystemClock};
use test_kit::files_of;

use crate::support::World;

#[test]
fn a_second_start_is_refused_and_changes_nothing() {
    let world = World::new("100-101");
    world.run("", 0);
    world.add("102");
    let lock = Lock::acquire(world.work(".archiver.lock"), &Owner::current(&SystemClock)).unwrap();
    let before = files_of(world.env.path());
    for arguments in
        ["", "--incremental", "--retry-failed-import", "--recover-import-state", "--repair-artdaqdb", "--json"]
    {
        let (_, stderr) = world.run(arguments, 1);
        let holder = format!("is held by process {} of", std::process::id());
        assert!(stderr.contains(&holder), "{stderr}");
        assert!(stderr.contains("nothing was changed"), "{stderr}");
    }
    assert!(files_of(world.env.path()) == before, "a refused start changed something");
    // Looking needs no lock.
    let answer = world.json("--dry-run", 0);
    assert_eq!(answer["stages"][0]["work"], "102");
    drop(lock);
    world.run("", 0);
    assert_eq!(world.state(), "102/102 none, 102/102 none");
}
