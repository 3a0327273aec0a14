//! `kill -9` right after each change of a file, and again in the starts that recover from it, three deep: a creation
//! always ends with every index active, each created once; a rollback with exactly what was created gone.

use test_kit::{
    story::{Subject, after_every_change, three_deep},
    strace,
};

use crate::{
    kill::{Creation, knob},
    kill_rollback::Rollback,
    support::timed,
};

/// Every how manieth change is tried; `WAYMARK_EVERY=1` tries all.
const STRIDE: u32 = 41;
/// How many stories are three kills deep; `WAYMARK_DEPTH=1000` plays more.
const STORIES: u32 = 8;

fn creation() -> Creation {
    Creation { arguments: timed("0ms,1ms,0ms", &["--no-validate"]) }
}

fn rollback() -> Rollback {
    Rollback::new("0ms,1ms,0ms")
}

fn can_trace() -> bool {
    let can_trace = strace::can_trace();
    if !can_trace {
        eprintln!("SKIPPED: needs strace and the right to trace; `apt-get install strace`");
    }
    can_trace
}

fn after_each<S: Subject>(what: &str, subject: &S, kills_min: u32) {
    let stride = knob("WAYMARK_EVERY").unwrap_or(STRIDE);
    let tally = after_every_change(subject, stride.try_into().unwrap());
    let every = if stride == 1 { "each change".to_owned() } else { format!("one change in {stride}") };
    tally.conclude(&format!("gsi-create, {what}, after {every}"), kills_min);
}

fn in_depth<S: Subject>(what: &str, subject: &S) {
    let stories = knob("WAYMARK_DEPTH").unwrap_or(STORIES);
    // Of the three moments of a story some lie beyond the end of a start, which depends on how fast things go.
    three_deep(subject, stories).conclude(&format!("gsi-create, {what}, three deep"), stories);
}

#[test]
fn a_creation_killed_after_a_change() {
    if can_trace() {
        after_each("creation", &creation(), 8);
    }
}

#[test]
fn a_rollback_killed_after_a_change() {
    if can_trace() {
        after_each("rollback", &rollback(), 5);
    }
}

#[test]
fn a_creation_killed_again_while_it_recovers() {
    if can_trace() {
        in_depth("creation", &creation());
    }
}

#[test]
fn a_rollback_killed_again_while_it_recovers() {
    if can_trace() {
        in_depth("rollback", &rollback());
    }
}
