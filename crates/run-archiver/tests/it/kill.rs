//! SIGKILL at random moments: in the end every run is archived exactly once, as if nothing had happened.

use std::time::{Duration, Instant};

use run_state::{RunNumber, RunSet};
use test_kit::{Killer, files_of};

use crate::support::{Archived, World};

const RUNS: &str = "1001-1060";
/// The state when all of them are archived.
const DONE: &str = "1060/1060 none, 1060/1060 none";

/// Sets how many moments; a long night takes more than the suite does.
const COUNT: &str = "WAYMARK_KILLS";

#[expect(clippy::disallowed_methods, reason = "a knob of the test suite")]
fn count() -> u32 {
    std::env::var(COUNT).ok().map_or(15, |text| text.parse().unwrap_or_else(|_| panic!("{COUNT} is a number")))
}

/// Whatever moment it was: what is listed is whole and there once, and no run is lost below the marks.
fn check(world: &World, kill: &str) {
    eprintln!("{kill}: {}", world.state());
    let archived = world.archived();
    for (run, imported) in &archived.artdaq {
        assert!(imported.is_complete, "{kill}: run {run} is half visible: {imported:?}");
    }
    for (run, (versions, _)) in &archived.ucon {
        assert_eq!(*versions, 1, "{kill}: run {run}");
    }
    // Promise 6. Of the migration it can be said only at its own listing, which the import may have outrun.
    let snapshot = world.snapshot("importer_state.json", "import_failures.log");
    let there: RunSet = archived.artdaq.into_keys().map(RunNumber::new).collect();
    let all: RunSet = RUNS.parse().unwrap();
    let lost = all.up_to(snapshot.marks.incremental_start()).difference(&there).difference(&snapshot.failed);
    assert!(lost.is_empty(), "{kill}: the import lost {lost} below {}", snapshot.marks);
}

/// Ten runs a start, so that a story has many starts, and a kill finds any of their phases.
fn world() -> World {
    let world = World::new(RUNS);
    world.configure("batch_size: 50", "batch_size: 1");
    world
}

#[test]
fn every_run_is_archived_exactly_once() {
    let undisturbed = world();
    let began = Instant::now();
    let mut starts = 0;
    while undisturbed.state() != DONE {
        undisturbed.run("--quiet", 0);
        starts += 1;
    }
    let one_start = began.elapsed() / starts;
    let expect = undisturbed.archived();
    assert_eq!((starts, expect.artdaq.len(), expect.ucon.len()), (6, 60, 60));

    stories(one_start, &expect, &world);
}

#[cfg(feature = "mongodb")]
#[test]
fn every_run_is_archived_exactly_once_in_mongodb() {
    if crate::mongodb::server().is_none() {
        return;
    }
    let in_mongodb = || {
        let mut world = world();
        world.move_to_mongodb();
        world
    };
    let undisturbed = in_mongodb();
    let began = Instant::now();
    let mut starts = 0;
    while undisturbed.state() != DONE {
        undisturbed.run("--quiet", 0);
        starts += 1;
    }
    let one_start = began.elapsed() / starts;
    // What is archived does not depend on where.
    let directory = world();
    while directory.state() != DONE {
        directory.run("--quiet", 0);
    }
    let expect = directory.archived();
    assert!(undisturbed.archived() == expect, "artdaqDB in MongoDB and in a directory differ");
    stories(one_start, &expect, &in_mongodb);
}

fn stories(one_start: Duration, expect: &Archived, world: &dyn Fn() -> World) {
    let (wanted, mut kills, mut seed) = (count(), 0, 0);
    while kills < wanted {
        seed += 1;
        assert!(seed < 10 + u64::from(wanted), "the program ends before it can be killed");
        kills += story(seed, one_start, expect, &world());
    }
    eprintln!("{kills} kills in {seed} stories; an undisturbed start takes {one_start:?}");
}

/// One archive, from nothing to its end through kills; how many there were.
fn story(seed: u64, one_start: Duration, expect: &Archived, world: &World) -> u32 {
    let mut kills = 0;
    for round in 0.. {
        assert!(round < 60, "seed {seed}: no progress: {}", world.state());
        if world.state() == DONE && world.archived().ucon.len() == 60 {
            break;
        }
        let killer = Killer::new(seed * 1000 + round).delays(Duration::ZERO..=one_start.mul_f64(0.7)).kills_max(3);
        let start = || world.env.plain_command(["--quiet"]);
        let report = killer.run(start, |kill| check(world, &format!("seed {seed}, round {round}, kill {kill}")));
        assert_eq!(report.status.code(), Some(0), "seed {seed}, round {round}");
        kills += report.kills;
    }
    assert!(world.archived() == *expect, "seed {seed}: the stores differ from those of an undisturbed run");
    let leftovers: Vec<_> = files_of(world.env.path())
        .into_keys()
        .filter(|path| path.to_string_lossy().contains("tmp") || path.to_string_lossy().contains("intent"))
        .collect();
    assert!(leftovers.is_empty(), "seed {seed}: {leftovers:?}");
    kills
}
