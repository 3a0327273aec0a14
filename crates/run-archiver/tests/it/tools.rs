//! The genuine tools, or programs in their place: what a user is told when they are missing or fail.

use std::os::unix::fs::PermissionsExt as _;

use fs_err as fs;

use crate::support::World;

/// A world with runs of plain ASCII that is to be archived by the tools.
fn world() -> World {
    let world = World::new("100");
    world.write(100, "board1.fcl", "seed: 100\n");
    let archive = world.env.join("stores/artdaqdb").display().to_string();
    world.configure("'filesystemdb://stores/artdaqdb'", &format!("'filesystemdb://{archive}', use_tools: true"));
    world
}

fn tool(world: &World, name: &str, script: &str) {
    world.env.write(format!("tools/{name}"), format!("#!/bin/sh\n{script}\n"));
    let path = world.env.join(format!("tools/{name}"));
    fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_missing_tool_is_named_with_the_places_searched_and_the_remedy() {
    let (_, stderr) = world().run("--import-only", 1);
    for part in ["error: `bulkloader` is in no directory of PATH (`", "`artdaq_db.bulkloader`", "`use_tools: false`"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn a_tool_that_crashes_fails_the_run_and_says_how() {
    let world = world();
    let tools = world.env.join("tools").display().to_string();
    let paths = format!("use_tools: true, bulkloader: {tools}/bulkloader, bulkdownloader: {tools}/bulkdownloader");
    world.configure("use_tools: true", &paths);
    tool(&world, "bulkdownloader", "exit 1");
    tool(&world, "bulkloader", "echo \"$ARTDAQ_DATABASE_URI $* $HIDDEN\"; kill -FPE $$");
    let answer = world.json("--import-only", 1);
    let reason = answer["stages"][0]["runs"][0]["reason"].as_str().unwrap();
    let text =
        "`bulkloader` ended with exit code 136 (a division by zero: no file to load, or no thread): filesystemdb:///";
    assert!(reason.starts_with(text) && reason.ends_with(" -r 100 -c demo -t 1"), "{reason}");
    assert_eq!(world.state(), "0/100 100, 0/0 none");
}

#[test]
fn a_host_that_would_be_an_option_of_ssh_is_refused() {
    let world = world();
    world.configure("use_tools: true", "use_tools: true, remote_host: '-oProxyCommand=id'");
    let (_, stderr) = world.run("--import-only", 1);
    assert!(stderr.contains("the remote host `-oProxyCommand=id` cannot be used"), "{stderr}");
}
