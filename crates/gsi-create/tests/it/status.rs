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
fn its_machine_readable_form_says_what_the_file_says() {
    let env = env();
    let state = python_state(&ENTRIES).replacen(
        "\"version\": \"1.0\",",
        "\"version\": \"1.7\", \"note\": [1e400, 123456789012345678901],",
        1,
    );
    env.write(STATE, state);
    let assert = env.command(["--status", "--state-dir", "s", "--json"]).assert().success();
    let text = stdout(&assert);
    assert!(text.contains("[1e400, 123456789012345678901]") && text.contains("\"format_version\": \"1.7\""), "{text}");
}

#[test]
fn a_path_that_is_no_text_is_no_reason_to_fail() {
    use std::os::unix::ffi::OsStrExt;
    let env = env();
    let dir = env.join(std::ffi::OsStr::from_bytes(b"\xff-dir"));
    fs_err::create_dir(&dir).unwrap();
    fs_err::write(dir.join(".gsi_creation_state.json"), python_state(&ENTRIES)).unwrap();
    let mut command = env.command(["--status", "--json", "--state-dir"]);
    json_of(&command.arg(&dir).assert().success());
}

#[test]
fn an_answer_that_does_not_get_out_is_no_success() {
    let env = env();
    env.write(STATE, python_state(&ENTRIES));
    let mut command = env.plain_command(["--status", "--state-dir", "s", "--json"]);
    let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = command.stdout(full.into_file()).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
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
