//! The self-test tested: on a good directory nothing is broken, and a writer that does what a bad file system would do
//! is found out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    io::{self, Write},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use fs_err as fs;
use statefile::SystemClock;
use waymark_selftest::{Kind, Promise, Report, Setup, Trial, Verdict, child, run};

/// How a process of the trials is to behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    /// As this crate does.
    Good,
    /// It writes the document in place, piece by piece, as a rename that is not atomic would look.
    InPlace,
    /// It acknowledges what it has not written.
    TooEarly,
    /// It removes the lock file before it locks, as if locks did not exclude.
    Unlocked,
}

/// Starts the ignored test `a_process` of this binary.
fn command(behaviour: Behaviour, kind: Kind, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "a_process"]);
    command.env("KIND", kind.to_string()).env("BEHAVIOUR", format!("{behaviour:?}")).env("PLACE", dir);
    command
}

fn report(behaviour: Behaviour, dir: &Path, budget: Duration) -> Report {
    let start = Instant::now();
    run(&Setup {
        dir,
        budget,
        seed: 7,
        clock: &SystemClock,
        elapsed: &|| start.elapsed(),
        command: &|kind, dir| command(behaviour, kind, dir),
        is_cancelled: &|| false,
        progress: &|_, _| {},
    })
    .unwrap()
}

/// The names in a directory, in no order.
fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn of(report: &Report, promise: Promise) -> &Trial {
    report.trials.iter().find(|trial| trial.promise == promise).unwrap()
}

#[test]
fn a_good_directory_keeps_every_promise_but_perhaps_durability() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("somebody's"), "own").unwrap();
    let report = report(Behaviour::Good, dir.path(), Duration::from_secs(4));
    for trial in report.trials.iter().filter(|trial| trial.promise != Promise::Durability) {
        assert_eq!(trial.verdict, Verdict::Kept, "{trial:?}");
    }
    assert_eq!(report.trials.len(), 9);
    let at_least = |promise, name: &str, least: f64| {
        let trial = of(&report, promise);
        assert!(trial.measured[name] >= least, "{trial:?}");
    };
    at_least(Promise::Kill, "kills", 10.0);
    at_least(Promise::Replacement, "reads", 10.0);
    at_least(Promise::Durability, "flushes", 5.0);
    assert!(of(&report, Promise::Room).detail.contains("killed; a writer whose write failed"), "{report:?}");
    assert_eq!(names(dir.path()), ["somebody's"]);
}

#[test]
fn memory_does_not_last() {
    let memory = Path::new("/dev/shm");
    if !memory.is_dir() {
        writeln!(io::stdout(), "SKIPPED memory_does_not_last: there is no /dev/shm").unwrap();
        return;
    }
    let dir = tempfile::tempdir_in(memory).unwrap();
    let report = report(Behaviour::Good, dir.path(), Duration::from_secs(1));
    let durability = of(&report, Promise::Durability);
    assert_eq!((durability.verdict, report.verdict()), (Verdict::Broken, Verdict::Broken), "{durability:?}");
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_replacement_that_is_not_atomic_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let report = report(Behaviour::InPlace, dir.path(), Duration::from_secs(2));
    for promise in [Promise::Replacement, Promise::Kill] {
        let trial = of(&report, promise);
        assert_eq!(trial.verdict, Verdict::Broken, "{trial:?}");
        assert!(trial.advice.is_some());
    }
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_lost_acknowledgement_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let report = report(Behaviour::TooEarly, dir.path(), Duration::from_secs(2));
    let (document, journal) = (of(&report, Promise::Kill), of(&report, Promise::Journal));
    assert_eq!((document.verdict, journal.verdict), (Verdict::Broken, Verdict::Broken), "{document:?} {journal:?}");
    assert!(document.detail.contains("was acknowledged"), "{document:?}");
}

#[test]
fn a_lock_that_does_not_exclude_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let report = report(Behaviour::Unlocked, dir.path(), Duration::from_secs(1));
    let lock = of(&report, Promise::Lock);
    assert_eq!(lock.verdict, Verdict::Broken, "{lock:?}");
    assert!(lock.detail.contains("two processes held the lock"), "{lock:?}");
}

#[expect(clippy::disallowed_methods, reason = "how a test tells its process what to do")]
fn told(name: &str) -> String {
    std::env::var(name).unwrap()
}

#[test]
#[ignore = "a process that the tests of this file start"]
fn a_process() {
    let (kind, dir) = (told("KIND").parse().unwrap(), told("PLACE"));
    let dir = Path::new(&dir);
    let mut output = io::stdout();
    // The test's name may stand on the line.
    writeln!(output).unwrap();
    match (told("BEHAVIOUR").as_str(), kind) {
        ("InPlace", Kind::Update | Kind::Write) => write_in_place(dir),
        ("TooEarly", Kind::Write) => acknowledge_too_early(),
        ("Unlocked", Kind::Ask | Kind::Hold) => {
            drop(fs::remove_file(dir.join("held.lock")));
            child(kind, dir, &SystemClock, &mut io::stdin(), &mut output).unwrap();
        }
        _ => child(kind, dir, &SystemClock, &mut io::stdin(), &mut output).unwrap(),
    }
}

fn say(word: &str) {
    let mut output = io::stdout();
    let said = writeln!(output, "@selftest {word}").and_then(|()| output.flush());
    assert!(said.is_ok(), "nobody listens any more");
}

fn write_in_place(dir: &Path) {
    say("begun");
    let path = dir.join(".state.json");
    for count in 1.. {
        let piece = format!("{count} ");
        let text = format!(r#"{{"version":"1.0","count":{count},"filling":"{}"}}"#, piece.repeat(12_000 / piece.len()));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
        for piece in text.as_bytes().chunks(1_000) {
            file.write_all(piece).unwrap();
        }
        file.sync_all().unwrap();
        say(&format!("document {count}"));
    }
}

fn acknowledge_too_early() {
    say("begun");
    for count in 1.. {
        say(&format!("document {count}"));
        say(&format!("record {count}"));
        std::thread::yield_now();
    }
}
