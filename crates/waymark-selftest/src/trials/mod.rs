//! The trials themselves: each does something on the mount and has it judged.

mod files;
mod kill;
mod lock;
mod replacement;
mod room;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Kind, Mount, Promise, Setup, Trial,
    judge::{self, Judgement},
    process::{Heard, Running, Word},
};

/// What a trial has to work with.
struct Bench<'a> {
    setup: &'a Setup<'a>,
    place: &'a Path,
    mount: &'a Mount,
}

/// Why a trial came to nothing.
#[derive(Debug)]
enum Obstacle {
    /// The user has had enough.
    Cancelled,
    /// It could not be made; no word against the file system.
    Untried(String),
}

/// Figures, by name.
type Measured = BTreeMap<&'static str, f64>;

/// What came of one or more trials.
type Tried = Result<Vec<(Promise, Judgement, Measured)>, Obstacle>;

/// A trial, for these promises.
type Entry<'a> = (&'a [Promise], &'a dyn Fn(&Bench<'_>) -> Tried);

/// Tries everything; `None` if the user has had enough.
pub(super) fn all(setup: &Setup<'_>, place: &Path, mount: &Mount) -> Option<Vec<Trial>> {
    let bench = Bench { setup, place, mount };
    let trials: [Entry<'_>; 8] = [
        (&[Promise::Lock], &lock::lock),
        (&[Promise::LockAcrossHosts], &|bench| {
            Ok(vec![(Promise::LockAcrossHosts, judge::lock_across_hosts(bench.mount), Measured::new())])
        }),
        (&[Promise::Durability], &files::durability),
        (&[Promise::Rename], &files::rename),
        (&[Promise::Names], &files::names),
        (&[Promise::Room], &room::room),
        (&[Promise::Replacement], &replacement::replacement),
        (&[Promise::Kill, Promise::Journal], &kill::kill),
    ];
    let mut all = Vec::new();
    for (promises, trial) in trials {
        if (setup.is_cancelled)() {
            return None;
        }
        bench.progress(promises[0], "");
        let untried = |reason: &str| {
            let judgement = Judgement::unknown(format!("could not be tried: {reason}"));
            promises.iter().map(|&promise| (promise, judgement.clone(), Measured::new())).collect()
        };
        let tried = match trial(&bench) {
            Ok(tried) => tried,
            Err(Obstacle::Cancelled) => return None,
            Err(Obstacle::Untried(reason)) => untried(&reason),
        };
        all.extend(tried.into_iter().map(|(promise, judgement, measured)| {
            let Judgement { verdict, detail, advice } = judgement;
            Trial { promise, verdict, detail, advice, measured }
        }));
    }
    all.sort_by_key(|trial| trial.promise as u8);
    Some(all)
}

impl Bench<'_> {
    /// A directory for one trial.
    fn directory(&self, name: &str) -> Result<PathBuf, Obstacle> {
        let dir = self.place.join(name);
        fs_err::create_dir(&dir).map_err(untried)?;
        Ok(dir)
    }

    fn start(&self, kind: Kind, dir: &Path) -> Result<Running, Obstacle> {
        Running::start((self.setup.command)(kind, dir)).map_err(untried)
    }

    fn now(&self) -> Duration {
        (self.setup.elapsed)()
    }

    /// The time since `moment`.
    fn since(&self, moment: Duration) -> Duration {
        self.now().saturating_sub(moment)
    }

    /// When a trial that may take this share of the budget has to end.
    fn deadline(&self, percent: u32) -> Duration {
        self.now() + self.setup.budget * percent / 100
    }

    /// How often to do something that is wanted so often in each second of the budget; the file system may be so slow
    /// that it comes to less.
    fn wanted(&self, each_second: u64) -> u64 {
        (each_second * self.setup.budget.as_secs()).max(WANTED_MIN)
    }

    fn progress(&self, promise: Promise, how_far: &str) {
        (self.setup.progress)(promise, how_far);
    }

    /// Gives up where the user has had enough.
    fn go_on(&self) -> Result<(), Obstacle> {
        if (self.setup.is_cancelled)() { Err(Obstacle::Cancelled) } else { Ok(()) }
    }

    /// The next word of a process; `None` when it has ended.
    fn hear(&self, process: &Running) -> Result<Option<Word>, Obstacle> {
        let deadline = self.now() + PATIENCE;
        loop {
            self.go_on()?;
            match process.hear(TURN) {
                Heard::Said(word) => return Ok(Some(word)),
                Heard::End => return Ok(None),
                Heard::Silence if self.now() > deadline => {
                    let text = format!("a process said nothing for {} s", PATIENCE.as_secs());
                    return Err(Obstacle::Untried(text));
                }
                Heard::Silence => {}
            }
        }
    }

    /// The first thing that a process does after it has begun.
    fn first(&self, process: &Running) -> Result<Option<Word>, Obstacle> {
        match self.hear(process)? {
            Some(Word::Begun) => self.hear(process),
            word => Ok(word),
        }
    }

    /// Starts a process and waits until it has begun.
    fn begin(&self, kind: Kind, dir: &Path) -> Result<Running, Obstacle> {
        let process = self.start(kind, dir)?;
        match self.hear(&process)? {
            Some(Word::Begun) => Ok(process),
            word => Err(Obstacle::Untried(format!("a process did not begin, but said {}", spoken(word.as_ref())))),
        }
    }
}

/// Enough for a verdict.
const WANTED_MIN: u64 = 40;
/// How long a process may take for one step.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often a trial that waits looks whether it is to go on.
const TURN: Duration = Duration::from_millis(50);

fn untried(error: impl fmt::Display) -> Obstacle {
    Obstacle::Untried(error.to_string())
}

fn spoken(word: Option<&Word>) -> String {
    match word {
        Some(Word::Error(text)) => text.clone(),
        Some(word) => format!("{word:?}"),
        None => "nothing".to_owned(),
    }
}

/// One promise, judged.
fn one(
    promise: Promise,
    judgement: Judgement,
    measured: impl IntoIterator<Item = (&'static str, f64)>,
) -> Vec<(Promise, Judgement, Measured)> {
    vec![(promise, judgement, measured.into_iter().collect())]
}

/// A count as a figure: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "nothing is done that often in a minute")]
fn figure(count: u64) -> f64 {
    count as f64
}

/// A failed step as a flaw.
fn step(flaws: &mut judge::Flaws, what: &str, outcome: io::Result<bool>) -> bool {
    match outcome {
        Ok(true) => true,
        Ok(false) => {
            flaws.add(what);
            false
        }
        Err(error) => {
            flaws.add(format!("{what}: {error}"));
            false
        }
    }
}
