//! `--selftest DIR` of both programs: the mount is judged, and nothing is left on it.
//!
//! A program makes them its tests with [`selftest_suite!`](crate::selftest_suite).

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    reason = "a failure is the verdict of a test"
)]

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::{Running, TestEnv, files_of};

/// Tests of `--selftest` of the program at a path, which has another mode of that name.
#[macro_export]
macro_rules! selftest_suite {
    ($program:expr, $mode:expr) => {
        #[test]
        fn a_directory_is_judged_and_left_as_it_was() {
            $crate::selftest::a_directory_is_judged_and_left_as_it_was($program);
        }
        #[test]
        fn memory_does_not_last() {
            $crate::selftest::memory_does_not_last($program);
        }
        #[test]
        fn a_signal_ends_it_and_leaves_nothing() {
            $crate::selftest::a_signal_ends_it_and_leaves_nothing($program);
        }
        #[test]
        fn a_directory_that_cannot_be_used_is_said() {
            $crate::selftest::a_directory_that_cannot_be_used_is_said($program);
        }
        #[test]
        fn it_stands_alone() {
            $crate::selftest::it_stands_alone($program, $mode);
        }
    };
}

/// Starts the self-test of `dir` as JSON, and returns the answer; its verdict and the exit code must agree.
fn answer(program: &str, dir: &Path) -> Value {
    let env = TestEnv::new(program);
    let arguments = ["--selftest", &dir.display().to_string(), "--selftest-seconds", "2", "--json"];
    let output = env.command(arguments).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let expect = match answer["verdict"].as_str() {
        Some("kept") => 0,
        Some("broken") => 1,
        Some("unknown") => 3,
        _ => panic!("{answer:#}"),
    };
    assert_eq!((output.status.code(), &answer["exit_code"]), (Some(expect), &expect.into()), "{answer:#}");
    answer
}

fn verdict<'a>(answer: &'a Value, promise: &str) -> &'a str {
    let trials = answer["trials"].as_array().unwrap();
    let trial = trials.iter().find(|trial| trial["promise"] == promise).unwrap_or_else(|| panic!("{promise}"));
    trial["verdict"].as_str().unwrap()
}

/// A good directory keeps what can be tried without pulling the plug, and nothing in it changes.
pub fn a_directory_is_judged_and_left_as_it_was(program: &str) {
    let dir = tempfile::tempdir().unwrap();
    fs_err::write(dir.path().join("somebody's"), "own").unwrap();
    let before = fs_err::read(dir.path().join("somebody's")).unwrap();
    let answer = answer(program, dir.path());
    // What a flush is worth depends on the machine.
    for promise in ["replacement", "kill", "journal", "lock", "lock_across_hosts", "rename", "names", "room"] {
        assert_eq!(verdict(&answer, promise), "kept", "{promise}: {answer:#}");
    }
    assert!(["kept", "unknown", "broken"].contains(&verdict(&answer, "durability")));
    assert!(answer["mount"]["kind"].is_string() && answer["seconds"].as_f64().unwrap() < 60.0, "{answer:#}");
    let after: Vec<_> = files_of(dir.path()).into_keys().filter(|name| name != Path::new("")).collect();
    assert_eq!((after, before), (vec!["somebody's".into()], b"own".to_vec()));
}

/// A file system in memory is found out.
pub fn memory_does_not_last(program: &str) {
    if !Path::new("/dev/shm").is_dir() {
        eprintln!("SKIPPED memory_does_not_last: there is no /dev/shm");
        return;
    }
    let dir = TempDir::new_in("/dev/shm").unwrap();
    let env = TestEnv::new(program);
    let arguments = ["--selftest", &dir.path().display().to_string(), "--selftest-seconds", "1", "--quiet"];
    let output = env.command(arguments).output().unwrap();
    let screen = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(1), Vec::new()), "{screen}");
    for words in ["BROKEN   durability", "nothing outlives a reboot", "verdict: do not keep state on this mount"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    assert_eq!(files_of(dir.path()).len(), 1);
}

/// SIGINT and SIGTERM end it, and what it made is removed.
pub fn a_signal_ends_it_and_leaves_nothing(program: &str) {
    let signals: [fn(&Running); 2] = [Running::interrupt, Running::terminate];
    for signal in signals {
        let dir = tempfile::tempdir().unwrap();
        let env = TestEnv::new(program);
        let mut running = env.start(["--selftest", &dir.path().display().to_string(), "-v"]);
        running.wait_for_line("trying: atomic replacement");
        signal(&running);
        let ended = running.wait();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(130), ""), "{ended:?}");
        assert!(ended.stderr.contains("interrupted: removing what was made"), "{ended:?}");
        assert_eq!(files_of(dir.path()).len(), 1);
    }
}

/// A directory that is missing is an error with a remedy.
pub fn a_directory_that_cannot_be_used_is_said(program: &str) {
    let env = TestEnv::new(program);
    let output = env.command(["--selftest", "nowhere"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in ["no directory can be made in `nowhere`", "hint: name a directory that exists"] {
        assert!(said.contains(words), "{said}");
    }
}

/// Its arguments go with no other `mode`, and its processes stand in no help.
pub fn it_stands_alone(program: &str, mode: &str) {
    let env = TestEnv::new(program);
    for arguments in [&["--selftest"][..], &["--selftest", ".", "--selftest-seconds", "60"], &["--selftest", ".", mode]]
    {
        assert_eq!(env.command(arguments).output().unwrap().status.code(), Some(64), "{arguments:?}");
    }
    let help = String::from_utf8(env.command(["--help"]).output().unwrap().stdout).unwrap();
    assert!(help.contains("--selftest <DIR>") && !help.contains("selftest-child"), "{help}");
}
