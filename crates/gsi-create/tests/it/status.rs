//! The status view: no lock, no network, no write.

use std::os::unix::fs::PermissionsExt;

use test_kit::files_of;

use crate::{damage::python_state, support::*};

const ENTRIES: [(&str, &str, &str, u32); 4] = [
    ("bookings", "by-flight", "active", 1),
    ("bookings", "by-status", "failed", 5),
    ("crew", "by-date", "in_progress", 2),
    ("crew", "by-name", "pending", 0),
];

#[test]
fn it_works_in_a_directory_that_cannot_be_written() {
    let env = env();
    env.write(STATE, python_state(&ENTRIES));
    fs_err::set_permissions(env.join("s"), PermissionsExt::from_mode(0o555)).unwrap();
    let before = files_of(env.path());
    let assert = env.command(["--status", "--state-dir", "s"]).assert().success();
    assert!(stdout(&assert).contains("✗ bookings.by-status (5 attempts)"));
    assert_eq!(files_of(env.path()), before);
    fs_err::set_permissions(env.join("s"), PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn it_has_a_machine_readable_form() {
    let env = env();
    env.write(STATE, python_state(&ENTRIES));
    let answer = json_of(&env.command(["--status", "--state-dir", "s", "--json"]).assert().success().stderr(""));
    assert_eq!((&answer["is_complete"], &answer["is_settled"]), (&false.into(), &false.into()));
    assert_eq!(answer["state"]["summary"]["failed"], 1);
    assert_eq!(answer["state"]["gsis"]["bookings.by-status"]["retry_count"], 5);
}

#[test]
fn where_nothing_was_begun_it_says_so() {
    let env = env();
    let before = files_of(env.path());
    for args in [&["--status"][..], &["--status", "--state-dir", "nowhere"], &["--status", "--json"]] {
        refused(env.command(args).assert(), 66, &["there is no index-creation state in `", "hint: "]);
        assert_eq!(files_of(env.path()), before);
    }
    // After the end of a job, too: the archive is no state.
    run(&env, &[]).success();
    refused(
        env.command(["--status", "--state-dir", "s"]).assert(),
        66,
        &["the last job there was completed; its state is archived as `s/.gsi_creation_state_"],
    );
}

#[test]
fn what_must_go_on_needs_a_state() {
    for flag in ["--resume", "--retry-failed"] {
        let env = env();
        refused(run(&env, &[flag]), 66, &["there is no index-creation state in `s`"]);
        assert!(!env.join("s").exists(), "{flag}: nothing is begun");
    }
}
