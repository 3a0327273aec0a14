//! `--selftest DIR`: the mount is judged, and nothing is left on it.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use test_kit::{Running, TestEnv, files_of};

/// Starts the self-test of `dir` as JSON, and returns the answer; its verdict and the exit code must agree.
fn answer(dir: &Path) -> Value {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_gsi-create"));
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

#[test]
fn a_directory_is_judged_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    fs_err::write(dir.path().join("somebody's"), "own").unwrap();
    let before = fs_err::read(dir.path().join("somebody's")).unwrap();
    let answer = answer(dir.path());
    // What a flush is worth depends on the machine.
    for promise in ["replacement", "kill", "journal", "lock", "lock_across_hosts", "rename", "names", "room"] {
        assert_eq!(verdict(&answer, promise), "kept", "{promise}: {answer:#}");
    }
    assert!(["kept", "unknown", "broken"].contains(&verdict(&answer, "durability")));
    assert!(answer["mount"]["kind"].is_string() && answer["seconds"].as_f64().unwrap() < 60.0, "{answer:#}");
    let after: Vec<_> = files_of(dir.path()).into_keys().filter(|name| name != Path::new("")).collect();
    assert_eq!((after, before), (vec!["somebody's".into()], b"own".to_vec()));
}

#[test]
fn memory_does_not_last() {
    if !Path::new("/dev/shm").is_dir() {
        eprintln!("SKIPPED memory_does_not_last: there is no /dev/shm");
        return;
    }
    let dir = TempDir::new_in("/dev/shm").unwrap();
    let env = TestEnv::new(env!("CARGO_BIN_EXE_gsi-create"));
    let arguments = ["--selftest", &dir.path().display().to_string(), "--selftest-seconds", "1", "--quiet"];
    let output = env.command(arguments).output().unwrap();
    let screen = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(1), Vec::new()), "{screen}");
    for words in ["BROKEN   durability", "nothing outlives a reboot", "verdict: do not keep state on this mount"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    assert_eq!(files_of(dir.path()).len(), 1);
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    let signals: [fn(&Running); 2] = [Running::interrupt, Running::terminate];
    for signal in signals {
        let dir = tempfile::tempdir().unwrap();
        let env = TestEnv::new(env!("CARGO_BIN_EXE_gsi-create"));
        let mut running = env.start(["--selftest", &dir.path().display().to_string(), "-v"]);
        running.wait_for_line("trying: atomic replacement");
        signal(&running);
        let ended = running.wait();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(130), ""), "{ended:?}");
        assert!(ended.stderr.contains("interrupted: removing what was made"), "{ended:?}");
        assert_eq!(files_of(dir.path()).len(), 1);
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_said() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_gsi-create"));
    let output = env.command(["--selftest", "nowhere"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in ["no directory can be made in `nowhere`", "hint: name a directory that exists"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn it_stands_alone() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_gsi-create"));
    for arguments in
        [&["--selftest"][..], &["--selftest", ".", "--selftest-seconds", "60"], &["--selftest", ".", "--plan"]]
    {
        assert_eq!(env.command(arguments).output().unwrap().status.code(), Some(64), "{arguments:?}");
    }
    let help = String::from_utf8(env.command(["--help"]).output().unwrap().stdout).unwrap();
    assert!(help.contains("--selftest <DIR>") && !help.contains("selftest-child"), "{help}");
}
