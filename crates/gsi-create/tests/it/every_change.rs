//! `kill -9` right after the n-th change of a file, for n over the whole of a run, and again while the next start
//! recovers from it, three deep: it always ends with every index active, each created once.

use std::{collections::BTreeSet, process::Command};

use test_kit::{TestEnv, strace};

use crate::{
    kill::{INDEXES, check, knob},
    support::*,
};

/// Every how manieth change is tried; `WAYMARK_EVERY=1` tries all.
const STRIDE: u32 = 29;

#[test]
fn killed_after_a_change_of_a_file_and_again_while_it_recovers() {
    if !strace::can_trace() {
        eprintln!("SKIPPED: needs strace and the right to trace; `apt-get install strace`");
        return;
    }
    let (mut n, mut kills) = (1, 0);
    loop {
        let killed = story(n);
        kills += killed;
        if killed == 0 {
            break;
        }
        n += knob("WAYMARK_EVERY").unwrap_or(STRIDE);
    }
    eprintln!("{kills} kills; a thread of an undisturbed run makes less than {n} changes");
    assert!(kills >= 6, "{kills} kills");
}

fn start(env: &TestEnv) -> Command {
    env.plain_command(timed("0ms,1ms,0ms", &["--no-validate"]))
}

/// One job, killed after its `n`-th change, and its next starts after fewer; how often it was killed.
fn story(n: u32) -> u32 {
    let env = env_with(PRIORITY1);
    let mut seen_active = BTreeSet::new();
    let mut kills = 0;
    for at in [n, n.div_ceil(2), n.div_ceil(3)] {
        if strace::kill_after_change(&start(&env), at).is_err() {
            break;
        }
        kills += 1;
        check(&env, &mut seen_active, &format!("killed after change {at} of start {kills}, the first after {n}"));
    }
    let status = start(&env).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0), "after {n} changes and {kills} kills");
    each_once(&env, INDEXES);
    kills
}
