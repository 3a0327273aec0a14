//! A disk that takes no more: shown by a limit on the size of files, which needs no rights.

use test_kit::files_of;

use crate::support::*;

/// Runs with files limited to `limit` blocks of 512 bytes, as a full disk would.
fn run_limited(env: &test_kit::TestEnv, limit: u32, args: &[String]) -> std::process::Output {
    let mut shell = env.other_command("/bin/sh");
    // Without the trap the signal would end the process before it sees an error.
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &limit.to_string()]);
    shell.arg(env.program()).args(args);
    shell.output().unwrap()
}

#[test]
fn a_state_that_cannot_be_saved_is_told_and_nothing_is_asked_for() {
    let env = env();
    // A state of 3 MB (fields that we do not know are kept), and room for files of 2 MB: the database
    // fits, the next generation of the state does not.
    let state = crate::damage::python_state(&[("crew", "by-date", "pending", 0)]);
    let state = state.replacen('{', &format!("{{\n  \"notes\": \"{}\",", "x".repeat(3 << 20)), 1);
    env.write("gsis.json", definitions(&[("crew", "by-date")]));
    env.write(STATE, &state);
    let output = run_limited(&env, 4096, &usual(&[]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(output.stdout, b"");
    assert!(said.contains("error: the state could not be saved"), "{said}");
    assert!(said.contains("could not write `s/.gsi_creation_state.json`"), "{said}");
    assert!(said.contains("hint: nothing was asked for that is not in the state file"), "{said}");
    assert_eq!(fs_err::read_to_string(env.join(STATE)).unwrap(), state, "the old generation is whole");
    let left = files_of(&env.join("s"));
    assert!(!left.keys().any(|name| name.to_string_lossy().contains(".tmp-")), "{:?}", left.keys());
    assert_eq!(updates_of(&env, "crew"), Vec::<String>::new());

    // With room again, it goes on.
    run(&env, &[]).success();
    each_once(&env, 1);
}
