//! Makes file operations fail, and writes down what they do: the instruments of this crate's own tests.
//!
//! A script belongs to the thread that sets it, so tests run side by side.

mod io;
mod power;
mod refusals;
mod workloads;

use std::{
    cell::RefCell,
    io::Result,
    path::{Path, PathBuf},
};

/// An operation that is about to take place.
#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the paths are shown in messages")]
pub(crate) enum Call<'a> {
    Read(&'a Path),
    Look(&'a Path),
    Create(&'a Path),
    Open(&'a Path),
    Write(&'a Path, &'a [u8]),
    Cut(&'a Path, u64),
    Sync(&'a Path),
    Rename(&'a Path, &'a Path),
    Link(&'a Path, &'a Path),
    Remove(&'a Path),
    SyncDirectory(&'a Path),
}

/// What happened, as a disk sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Done {
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    Cut(PathBuf, u64),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDirectory,
    /// The operation after this one was made to fail.
    Failing,
    /// Not an operation: the caller was told that its `n`-th change is durable.
    Acknowledged(usize),
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// With this error, and nothing happened.
    Before(i32),
    /// With this error, though it happened.
    After(i32),
    /// A write writes half, and the next one fails with this error.
    Short(i32),
}

#[derive(Debug, Default)]
struct Script {
    /// Operations so far.
    calls: usize,
    /// Which operation fails, counted from 0, and how.
    fails: Option<(usize, Failure)>,
    /// The operations that failed on purpose.
    failed: Vec<String>,
    /// What happened.
    done: Vec<Done>,
    /// The permissions with which temporary files were made.
    modes: Vec<u32>,
}

const EINTR: i32 = 4;

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

/// Starts a script on this thread.
fn begin(fails: Option<(usize, Failure)>) {
    SCRIPT.with_borrow_mut(|script| *script = Script { fails, ..Script::default() });
}

/// Ends the script, after which nothing fails, and gives it back.
fn end() -> Script {
    SCRIPT.take()
}

fn note(done: Done) {
    SCRIPT.with_borrow_mut(|script| script.done.push(done));
}

/// Counts a call; says how it is to fail.
fn scripted(call: &Call<'_>) -> Option<Failure> {
    SCRIPT.with_borrow_mut(|script| {
        let failure = script.fails.filter(|(at, _)| *at == script.calls).map(|(_, failure)| failure);
        script.calls += 1;
        if failure.is_some() {
            script.failed.push(format!("{call:?}"));
            script.done.push(Done::Failing);
        }
        failure
    })
}

/// Stands around every operation of [`crate::sys`].
pub(crate) fn call<T>(call: Call<'_>, operation: impl FnOnce() -> Result<T>) -> Result<T> {
    let failure = scripted(&call);
    if let Some(Failure::Before(errno) | Failure::Short(errno)) = failure {
        return Err(std::io::Error::from_raw_os_error(errno));
    }
    let result = operation()?;
    if let Some(done) = done(&call) {
        note(done);
    }
    match failure {
        Some(Failure::After(errno)) => Err(std::io::Error::from_raw_os_error(errno)),
        _ => Ok(result),
    }
}

/// Stands around the writes of [`crate::sys::File`], which may be short.
pub(crate) fn write(path: &Path, bytes: &[u8], operation: impl FnOnce(&[u8]) -> Result<usize>) -> Result<usize> {
    let failure = scripted(&Call::Write(path, bytes));
    let (bytes, error) = match failure {
        None => (bytes, None),
        // A write that was interrupted wrote nothing; otherwise it says how much it wrote.
        Some(Failure::After(errno)) if errno != EINTR => (bytes, Some(errno)),
        Some(Failure::Short(errno)) if bytes.len() > 1 => {
            SCRIPT.with_borrow_mut(|script| script.fails = Some((script.calls, Failure::Before(errno))));
            (&bytes[..bytes.len() / 2], None)
        }
        Some(Failure::Before(errno) | Failure::After(errno) | Failure::Short(errno)) => {
            return Err(std::io::Error::from_raw_os_error(errno));
        }
    };
    let written = operation(bytes)?;
    note(Done::Write(path.to_owned(), bytes[..written].to_vec()));
    error.map_or(Ok(written), |errno| Err(std::io::Error::from_raw_os_error(errno)))
}

/// Notes the name of a new temporary file, and its permissions, which whoever wants to open it at once goes by.
pub(crate) fn created(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    note(Done::Create(path.to_owned()));
    if let Ok(metadata) = fs_err::metadata(path) {
        SCRIPT.with_borrow_mut(|script| script.modes.push(metadata.permissions().mode() & 0o7777));
    }
}

fn done(call: &Call<'_>) -> Option<Done> {
    Some(match *call {
        Call::Read(_) | Call::Look(_) | Call::Create(_) | Call::Open(_) => return None,
        Call::Write(path, bytes) => Done::Write(path.to_owned(), bytes.to_vec()),
        Call::Cut(path, len) => Done::Cut(path.to_owned(), len),
        Call::Sync(path) => Done::Sync(path.to_owned()),
        Call::Rename(from, to) => Done::Rename(from.to_owned(), to.to_owned()),
        Call::Link(from, to) => Done::Link(from.to_owned(), to.to_owned()),
        Call::Remove(path) => Done::Remove(path.to_owned()),
        Call::SyncDirectory(_) => Done::SyncDirectory,
    })
}

/// What both instruments are tried on: a document with a counter, and a journal of numbers.
mod subject {
    use std::{path::Path, sync::Arc};

    use crate::{DecodeError, Document, Journal, Lock, ManualClock, Owner, Record, StateFile, Version};

    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct Note {
        version: Version,
        pub(super) count: usize,
        /// So that a document is longer than a sector.
        filler: String,
    }

    impl Note {
        pub(super) fn fresh() -> Self {
            Self { version: Version::new(1, 0), count: 0, filler: "x".repeat(900) }
        }
    }

    impl Document for Note {
        const KIND: &'static str = "note";
        const VERSION: Option<Version> = Some(Version::new(1, 0));

        fn decode(text: &str) -> Result<Self, DecodeError> {
            Ok(serde_json::from_str(text)?)
        }

        fn encode(&self) -> Result<String, serde_json::Error> {
            serde_json::to_string(self)
        }
    }

    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct Step {
        pub(super) count: usize,
        filler: String,
    }

    impl Step {
        pub(super) fn new(count: usize) -> Self {
            Self { count, filler: "y".repeat(700) }
        }
    }

    impl Record for Step {
        const KIND: &'static str = "list of steps";
        const VERSION: Version = Version::new(1, 0);
    }

    pub(super) const DOCUMENT: &str = "state.json";
    pub(super) const JOURNAL: &str = "steps.jsonl";

    pub(super) fn lock(dir: &Path) -> Result<Arc<Lock>, crate::LockError> {
        let clock = ManualClock::at(chrono::DateTime::UNIX_EPOCH);
        Lock::acquire(dir.join("lock"), &Owner::current(&clock)).map(Arc::new)
    }

    pub(super) fn open(dir: &Path) -> Result<StateFile<Note>, Box<dyn std::error::Error>> {
        Ok(StateFile::open(dir.join(DOCUMENT), lock(dir)?, Note::fresh)?)
    }

    pub(super) fn open_journal(dir: &Path) -> Result<Journal<Step>, Box<dyn std::error::Error>> {
        Ok(Journal::open(dir.join(JOURNAL), lock(dir)?)?)
    }
}

#[test]
fn to_open_what_is_sound_changes_nothing_but_the_lock() -> std::result::Result<(), Box<dyn std::error::Error>> {
    use self::subject::{Step, open, open_journal};
    let dir = tempfile::tempdir()?;
    open(dir.path())?.update(|note| note.count = 1)?;
    open_journal(dir.path())?.append(&[Step::new(1)])?;
    begin(None);
    drop(open(dir.path())?);
    drop(open_journal(dir.path())?);
    let changes: Vec<_> = end().done;
    let is_lock = |done: &Done| matches!(done, Done::Write(path, _) | Done::Cut(path, _) if path.ends_with("lock"));
    assert_eq!(changes.iter().filter(|done| !is_lock(done)).collect::<Vec<_>>(), Vec::<&Done>::new());
    Ok(())
}
