//! The other processes of the trials: writers that are killed, and holders of locks.

use std::{
    error::Error,
    fmt,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use statefile::{
    Clock, DecodeError, Document, Journal, Lock, LockError, OpenError, Owner, Record, Snapshot, StateFile, Version,
    read_journal,
};

use super::process::Word;

/// What a process of a trial does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Updates a document, for ever.
    Update,
    /// Updates a document and appends to a journal, in turns, for ever.
    Write,
    /// Lets a document grow until the system allows no more.
    Grow,
    /// Takes a lock, and holds it until its standard input ends.
    Hold,
    /// Asks for a lock, and ends.
    Ask,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Update, Self::Write, Self::Grow, Self::Hold, Self::Ask];

    const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Write => "write",
            Self::Grow => "grow",
            Self::Hold => "hold",
            Self::Ask => "ask",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("no process is called `{text}`"))
    }
}

/// Does what a process of `kind` has to do in `dir`, and says on `output` how far it is: for a program that finds
/// itself started by [`Setup::command`](super::Setup::command).
///
/// # Errors
///
/// When nobody listens any more. Whatever goes wrong with the files is said on `output`.
pub fn child(
    kind: Kind,
    dir: &Path,
    clock: &dyn Clock,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut voice = Voice(output);
    voice.say(&Word::Begun)?;
    let outcome = match kind {
        Kind::Update => update(dir, clock, &mut voice),
        Kind::Write => write(dir, clock, &mut voice),
        Kind::Grow => grow(dir, clock, &mut voice),
        Kind::Hold => hold(dir, clock, input, &mut voice),
        Kind::Ask => ask(dir, clock, &mut voice),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => voice.say(&Word::Error(chain(error.as_ref()))),
    }
}

/// An error with its causes, on one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

struct Voice<'a>(&'a mut dyn Write);

impl Voice<'_> {
    /// One write a line, so that a kill leaves no half of it.
    fn say(&mut self, word: &Word) -> io::Result<()> {
        self.0.write_all(format!("{word}\n").as_bytes())?;
        self.0.flush()
    }
}

type Outcome = Result<(), Box<dyn Error>>;

fn update(dir: &Path, clock: &dyn Clock, voice: &mut Voice<'_>) -> Outcome {
    let mut file = open(dir, clock)?;
    loop {
        file.update(|sample| *sample = sample.next(SIZE))?;
        voice.say(&Word::Document(file.document().count))?;
    }
}

fn write(dir: &Path, clock: &dyn Clock, voice: &mut Voice<'_>) -> Outcome {
    let mut file = open(dir, clock)?;
    let path = journal_in(dir);
    let mut count = read_journal::<Entry>(&path)?.last().map_or(0, |entry| entry.count);
    let mut journal = Journal::open(&path, std::sync::Arc::clone(file.lock()))?;
    loop {
        file.update(|sample| *sample = sample.next(SIZE))?;
        voice.say(&Word::Document(file.document().count))?;
        count += 1;
        if count.is_multiple_of(COMPACTED_EVERY) {
            journal.compact(&[Entry { count }])?;
        } else {
            journal.append(&[Entry { count }])?;
        }
        voice.say(&Word::Record(count))?;
    }
}

const COMPACTED_EVERY: u64 = 16;

/// More than a page, so that a write that is not atomic shows.
const SIZE: usize = 12_000;

fn grow(dir: &Path, clock: &dyn Clock, voice: &mut Voice<'_>) -> Outcome {
    // The signal of the limit would write a core file.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    setrlimit(Resource::Fsize, Rlimit { current: Some(LIMIT_BYTES), maximum: Some(LIMIT_BYTES) })?;
    let mut file = open(dir, clock)?;
    let mut size = 1_000;
    loop {
        file.update(|sample| *sample = sample.next(size))?;
        voice.say(&Word::Document(file.document().count))?;
        size *= 2;
    }
}

/// The largest file of a writer that is to get no more room.
pub(super) const LIMIT_BYTES: u64 = 64 * 1024;

fn hold(dir: &Path, clock: &dyn Clock, input: &mut dyn Read, voice: &mut Voice<'_>) -> Outcome {
    let _lock = Lock::acquire(lock_in(dir), &Owner::current(clock))?;
    voice.say(&Word::Held)?;
    // Ends with the process at the other end.
    io::copy(input, &mut io::sink())?;
    Ok(())
}

fn ask(dir: &Path, clock: &dyn Clock, voice: &mut Voice<'_>) -> Outcome {
    match Lock::acquire(lock_in(dir), &Owner::current(clock)) {
        Ok(_lock) => voice.say(&Word::Held)?,
        Err(LockError::InUse { holder, .. }) => voice.say(&Word::Refused(holder.map_or(0, |holder| holder.pid)))?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

pub(super) fn document_in(dir: &Path) -> PathBuf {
    dir.join(".state.json")
}

pub(super) fn journal_in(dir: &Path) -> PathBuf {
    dir.join(".history.jsonl")
}

pub(super) fn lock_in(dir: &Path) -> PathBuf {
    dir.join("held.lock")
}

pub(super) fn open(dir: &Path, clock: &dyn Clock) -> Result<StateFile<Sample>, Box<dyn Error>> {
    let path = document_in(dir);
    let (lock_path, me) = (StateFile::<Sample>::lock_path(&path), Owner::current(clock));
    let mut lock = Lock::acquire(&lock_path, &me);
    // The one before is dead, but some servers take a moment to notice. A refusal takes its time by itself.
    for _ in 0..LOCK_ATTEMPTS {
        if !matches!(lock, Err(LockError::InUse { .. })) {
            break;
        }
        lock = Lock::acquire(&lock_path, &me);
    }
    Ok(StateFile::open(path, lock?, Sample::fresh)?)
}

const LOCK_ATTEMPTS: u32 = 30;

/// The count of the document in `dir`, `None` where there is none.
pub(super) fn read_document(dir: &Path) -> Result<Option<u64>, OpenError> {
    Ok(Snapshot::<Sample>::read(&document_in(dir))?.map(|snapshot| snapshot.document.count))
}

/// A document whose every byte follows from its count, so that a mixture of two is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    version: Version,
    pub(super) count: u64,
    filling: String,
}

impl Sample {
    pub(super) fn fresh() -> Self {
        Self { version: Version::new(1, 0), count: 0, filling: String::new() }
    }

    /// The document after this one, with a filling of about `size` bytes.
    pub(super) fn next(&self, size: usize) -> Self {
        let count = self.count + 1;
        let piece = format!("{count} ");
        Self { version: self.version, count, filling: piece.repeat(size / piece.len()) }
    }
}

impl Document for Sample {
    const KIND: &'static str = "document of the self-test";
    const VERSION: Option<Version> = Some(Version::new(1, 0));

    fn decode(text: &str) -> Result<Self, DecodeError> {
        let sample: Self = serde_json::from_str(text)?;
        let piece = sample.count.to_string();
        if sample.filling.split_terminator(' ').any(|found| found != piece) {
            return Err(DecodeError::invalid(format!("it is a mixture of document {} and another", sample.count)));
        }
        Ok(sample)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// A record of the journal of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) count: u64,
}

impl Record for Entry {
    const KIND: &'static str = "journal of the self-test";
    const VERSION: Version = Version::new(1, 0);
}
