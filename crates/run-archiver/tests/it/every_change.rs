//! SIGKILL right after each change of a file and each request, and again in the starts that recover from it, three
//! deep: in the end every run is archived exactly once, as if nothing had happened.

use test_kit::{
    story::{after_every_change, three_deep},
    strace,
};

use crate::{
    kill::knob,
    kill_world::{Archive, Ucon, Work},
};

/// Every how manieth change is tried; `WAYMARK_EVERY=1` tries all.
const STRIDE: u32 = 61;
/// How many stories are three kills deep; `WAYMARK_DEPTH=1000` plays more.
const STORIES: u32 = 5;
/// One run of each kind that a recovery finds, and more.
const RUNS: &str = "100-104";

fn can_trace() -> bool {
    let can_trace = strace::can_trace();
    if !can_trace {
        eprintln!("SKIPPED: needs strace and the right to trace; `apt-get install strace`");
    }
    can_trace
}

fn after_each(what: &str, work: Work, ucon: Ucon, is_in_mongodb: bool) {
    if !can_trace() {
        return;
    }
    let stride = knob("WAYMARK_EVERY").unwrap_or(STRIDE);
    let tally = after_every_change(&Archive::new(work, RUNS, ucon, is_in_mongodb), stride.try_into().unwrap());
    let every = if stride == 1 { "each change".to_owned() } else { format!("one change in {stride}") };
    tally.conclude(&format!("run-archiver, {what}, after {every}"), 4);
}

fn in_depth(what: &str, work: Work, ucon: Ucon, is_in_mongodb: bool) {
    if !can_trace() {
        return;
    }
    let stories = knob("WAYMARK_DEPTH").unwrap_or(STORIES);
    let tally = three_deep(&Archive::new(work, RUNS, ucon, is_in_mongodb), stories);
    // Of the three moments of a story some lie beyond the end of a start, which depends on how fast things go.
    tally.conclude(&format!("run-archiver, {what}, three deep"), stories);
}

#[test]
fn archiving_killed_after_a_change() {
    after_each("import and migration", Work::Archiving, Ucon::Embedded, false);
}

#[test]
fn archiving_killed_after_a_change_or_a_request() {
    after_each("import and migration, UconDB over HTTP", Work::Archiving, Ucon::Http, false);
}

#[test]
fn archiving_killed_after_a_change_or_an_encrypted_request() {
    after_each("import and migration, UconDB over HTTPS", Work::Archiving, Ucon::Https, false);
}

#[test]
fn a_recovery_killed_after_a_change() {
    after_each("recovery", Work::Recovery, Ucon::Embedded, false);
}

#[test]
fn a_recovery_killed_after_a_change_or_a_request() {
    after_each("recovery, UconDB over HTTP", Work::Recovery, Ucon::Http, false);
}

#[test]
fn archiving_killed_again_while_it_recovers() {
    in_depth("import and migration", Work::Archiving, Ucon::Embedded, false);
}

#[test]
fn archiving_over_http_killed_again_while_it_recovers() {
    in_depth("import and migration, UconDB over HTTP", Work::Archiving, Ucon::Http, false);
}

#[test]
fn a_recovery_killed_again_while_it_recovers() {
    in_depth("recovery", Work::Recovery, Ucon::Embedded, false);
}

#[cfg(feature = "mongodb")]
#[test]
fn archiving_in_mongodb_killed_after_a_change_or_a_request() {
    if crate::mongodb::server().is_some() {
        after_each("import and migration, artdaqDB in mongod", Work::Archiving, Ucon::Embedded, true);
        in_depth("import and migration, artdaqDB in mongod", Work::Archiving, Ucon::Embedded, true);
    }
}

#[cfg(feature = "mongodb")]
#[test]
fn a_recovery_in_mongodb_killed_after_a_change_or_a_request() {
    if crate::mongodb::server().is_some() {
        after_each("recovery, artdaqDB in mongod", Work::Recovery, Ucon::Embedded, true);
    }
}
