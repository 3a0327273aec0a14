//! SIGKILL at random moments: in the end every run is archived exactly once, as if nothing had happened.

use std::time::Duration;

use test_kit::story::at_random;

use crate::{
    kill_world::{Archive, Ucon, Work},
    support::World,
};

/// Kills that the suite is content with; `WAYMARK_KILLS` wants so many of all these tests together.
const KILLS: u32 = 12;
/// Kills of one story.
const KILLS_OF_STORY: u32 = 20;
/// Ten runs a start, so that a story has many starts, and a kill finds any of their phases.
const RUNS: &str = "1001-1040";

/// A number that makes a test longer than the suite wants it.
#[expect(clippy::disallowed_methods, reason = "a knob of the test suite")]
pub(crate) fn knob(name: &str) -> Option<u32> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The number of tests among which the kills are shared out.
#[expect(clippy::disallowed_methods, reason = "how tests are told of a server")]
fn tests() -> u32 {
    let has_mongodb = cfg!(feature = "mongodb") && std::env::var_os("WAYMARK_TEST_MONGODB_URI").is_some();
    if has_mongodb { 7 } else { 4 }
}

fn killed(what: &str, subject: &Archive) {
    let wanted = knob("WAYMARK_KILLS").map_or(KILLS, |all| all.div_ceil(tests()));
    let delays = Duration::ZERO..=subject.one_start.mul_f64(0.7);
    at_random(subject, wanted, KILLS_OF_STORY.min(wanted.div_ceil(2)), delays)
        .conclude(&format!("run-archiver, {what}, random moments"), wanted);
}

#[test]
fn every_run_is_archived_exactly_once() {
    killed("import and migration", &Archive::new(Work::Archiving, RUNS, Ucon::Embedded, false));
}

#[test]
fn every_run_is_archived_exactly_once_over_https() {
    killed("import and migration, UconDB over HTTPS", &Archive::new(Work::Archiving, RUNS, Ucon::Https, false));
}

#[test]
fn a_recovery_is_what_it_is_without_kills() {
    killed("recovery", &Archive::new(Work::Recovery, RUNS, Ucon::Embedded, false));
}

#[test]
fn a_recovery_is_what_it_is_without_kills_over_https() {
    killed("recovery, UconDB over HTTPS", &Archive::new(Work::Recovery, RUNS, Ucon::Https, false));
}

/// What a start leaves that is killed while it makes the embedded UconDB; what another is making is left alone.
#[test]
fn what_is_left_of_an_archive_in_the_making_is_removed() {
    let world = World::new("100");
    let name = |end: &str| format!("stores/.ucondb-new-{end}");
    for end in ["AbCdE1", "AbCdE1-journal", "AbCdE2-journal", "AbCdE3", "AbCdE3-journal"] {
        world.env.write(name(end), "half");
    }
    let in_the_making = fs_err::File::open(world.env.join(name("AbCdE3"))).unwrap();
    in_the_making.file().try_lock().unwrap();
    world.run("--quiet", 0);
    let is_left = |end: &&str| world.env.join(name(end)).exists();
    assert_eq!(["AbCdE1", "AbCdE1-journal", "AbCdE2-journal"].iter().filter(|end| is_left(end)).count(), 0);
    assert_eq!(["AbCdE3", "AbCdE3-journal"].iter().filter(|end| is_left(end)).count(), 2);
    assert_eq!(world.runs(), ("100".to_owned(), "100".to_owned()));
}

#[cfg(feature = "mongodb")]
#[test]
fn every_run_is_archived_exactly_once_in_mongodb() {
    if crate::mongodb::server().is_none() {
        return;
    }
    let mongodb = Archive::new(Work::Archiving, RUNS, Ucon::Embedded, true);
    // What is archived does not depend on where.
    let directory = Archive::new(Work::Archiving, RUNS, Ucon::Embedded, false);
    assert!(mongodb.archived() == directory.archived(), "artdaqDB in MongoDB and in a directory differ");
    killed("import and migration, artdaqDB in mongod", &mongodb);
}

#[cfg(feature = "mongodb")]
#[test]
fn a_recovery_is_what_it_is_without_kills_in_mongodb() {
    if crate::mongodb::server().is_some() {
        killed("recovery, artdaqDB in mongod", &Archive::new(Work::Recovery, RUNS, Ucon::Embedded, true));
    }
}
