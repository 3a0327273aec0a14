//! What a stage keeps on disk: marks, failure log, runs in flight, last known counts.
//!
//! | file | content |
//! |---|---|
//! | `<state file>` | [`Marks`], exactly as the Python archiver writes them |
//! | `<failure log>` | [`FailureLog`], likewise |
//! | `<state file>.in_flight` | the runs being worked on, one number a line; empty when there are none |
//! | `<state file>.counts` | how many runs the last listings found, for the check that a listing did not shrink |
//!
//! The first two are all that the Python archiver knows, and all that it needs to take over.
//!
//! # The order of writes
//!
//! Failure log, then marks, then runs in flight. So after a kill between any two of them every run at or
//! below `last_attempted_run` is archived or in the failure log; what is still listed as in flight is
//! looked at again by the next start.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use run_state::{FailureLog, Marks, RunNumber, RunSet};
use serde::{Deserialize, Serialize};
use statefile::{CommitError, DecodeError, Document, Lock, OpenError, Snapshot, StateFile, Version};

/// Where the state of one stage lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagePaths {
    /// The marks: `importer_state.json` or `migrator_state.json`.
    pub state: PathBuf,
    /// The failure log: `import_failures.log` or `migrate_failures.log`.
    pub failure_log: PathBuf,
}

impl StagePaths {
    /// The runs in flight: `<state>.in_flight`.
    pub fn in_flight(&self) -> PathBuf {
        with_suffix(&self.state, ".in_flight")
    }

    /// The last known counts: `<state>.counts`. May be removed: the next start then knows none and
    /// accepts any listing.
    pub fn counts(&self) -> PathBuf {
        with_suffix(&self.state, ".counts")
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The runs being worked on: on disk before the first effect of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct InFlight(RunSet);

impl Document for InFlight {
    const KIND: &'static str = "list of runs in flight";
    /// As the failure log, whose form it shares.
    const VERSION: Option<Version> = None;

    fn decode(text: &str) -> Result<Self, DecodeError> {
        FailureLog::decode(text).map(|log| Self(log.runs))
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        FailureLog { runs: self.0.clone() }.encode()
    }
}

/// How many runs the last good listings found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    version: Version,
    /// In the source of the stage.
    pub source_runs: u64,
    /// In its destination, half-archived ones included.
    pub destination_runs: u64,
}

impl Counts {
    /// Counts as found now.
    pub fn new(source_runs: u64, destination_runs: u64) -> Self {
        Self { version: COUNTS_VERSION, source_runs, destination_runs }
    }
}

/// 1.0: first.
const COUNTS_VERSION: Version = Version::new(1, 0);

impl Document for Counts {
    const KIND: &'static str = "record of run counts";
    const VERSION: Option<Version> = Some(COUNTS_VERSION);

    fn decode(text: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(text)?)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// The state of a stage as it was on disk at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageSnapshot {
    /// How far the stage has come.
    pub marks: Marks,
    /// The failure log.
    pub failed: RunSet,
    /// Runs that were being worked on.
    pub in_flight: RunSet,
    /// What the last listings found; `None` before the first.
    pub counts: Option<Counts>,
}

impl StageSnapshot {
    /// Reads the state without a lock, and without changing anything; missing files are 0/0 and empty.
    ///
    /// While a stage runs, the four files may be of two neighbouring moments.
    ///
    /// # Errors
    ///
    /// When a file is unreadable or damaged.
    pub fn read(paths: &StagePaths) -> Result<Self, OpenError> {
        Ok(Self {
            marks: document(&paths.state)?.unwrap_or_default(),
            failed: document::<FailureLog>(&paths.failure_log)?.unwrap_or_default().runs,
            in_flight: document::<InFlight>(&paths.in_flight())?.unwrap_or_default().0,
            counts: document(&paths.counts())?,
        })
    }
}

fn document<D: Document>(path: &Path) -> Result<Option<D>, OpenError> {
    Ok(Snapshot::read(path)?.map(|snapshot| snapshot.document))
}

/// The state of a stage on disk, which this process alone may change.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// use std::sync::Arc;
/// use run_pipeline::{StageFiles, StagePaths};
/// use statefile::{Lock, Owner, SystemClock};
///
/// let lock = Arc::new(Lock::acquire(dir.path().join(".archiver.lock"), &Owner::current(&SystemClock))?);
/// let paths = StagePaths {
///     state: dir.path().join("importer_state.json"),
///     failure_log: dir.path().join("import_failures.log"),
/// };
/// let files = StageFiles::open(&paths, lock)?;
/// assert_eq!(files.snapshot().marks.to_string(), "0/0");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StageFiles {
    paths: StagePaths,
    marks: StateFile<Marks>,
    log: StateFile<FailureLog>,
    in_flight: StateFile<InFlight>,
    counts: StateFile<Counts>,
    #[cfg(test)]
    pub(crate) fuse: Option<Arc<crate::tests::Fuse>>,
}

/// What the files are to say next.
#[derive(Debug)]
pub(crate) struct NextState<'a> {
    pub(crate) failed: RunSet,
    /// What is archived, as far as the contiguous mark may move by it.
    pub(crate) archived: &'a RunSet,
    pub(crate) attempted: RunNumber,
    pub(crate) in_flight: RunSet,
}

impl StageFiles {
    /// Opens the state at `paths`; `lock` must guard it. Missing files are 0/0 and empty, and are
    /// written when there is something to say.
    ///
    /// # Errors
    ///
    /// When a file is unreadable or damaged. Its bytes are kept; recovery of the state rebuilds it
    /// from the archives.
    pub fn open(paths: &StagePaths, lock: Arc<Lock>) -> Result<Self, OpenError> {
        Ok(Self {
            marks: StateFile::open(&paths.state, Arc::clone(&lock), Marks::default)?,
            log: StateFile::open(&paths.failure_log, Arc::clone(&lock), FailureLog::default)?,
            in_flight: StateFile::open(paths.in_flight(), Arc::clone(&lock), InFlight::default)?,
            counts: StateFile::open(paths.counts(), lock, || Counts::new(0, 0))?,
            paths: paths.clone(),
            #[cfg(test)]
            fuse: None,
        })
    }

    /// Where the files lie.
    pub fn paths(&self) -> &StagePaths {
        &self.paths
    }

    /// What the files say.
    pub fn snapshot(&self) -> StageSnapshot {
        StageSnapshot {
            marks: self.marks.document().clone(),
            failed: self.log.document().runs.clone(),
            in_flight: self.in_flight.document().0.clone(),
            counts: self.counts.is_on_disk().then(|| *self.counts.document()),
        }
    }

    /// Makes the files say `next`, in the order that the head of this module promises; a file that
    /// says so already is not touched.
    pub(crate) fn save(&mut self, next: NextState<'_>) -> Result<(), CommitError> {
        if self.log.document().runs != next.failed {
            self.before_write(|files| files.log.path())?;
            self.log.update(|log| log.runs = next.failed)?;
        }
        let mut marks = self.marks.document().clone();
        marks.advance(next.archived, next.attempted);
        if *self.marks.document() != marks {
            self.before_write(|files| files.marks.path())?;
            self.marks.update(|document| *document = marks)?;
        }
        if self.in_flight.document().0 != next.in_flight {
            self.before_write(|files| files.in_flight.path())?;
            self.in_flight.update(|document| document.0 = next.in_flight)?;
        }
        Ok(())
    }

    /// Remembers what the listings found.
    pub(crate) fn save_counts(&mut self, counts: Counts) -> Result<(), CommitError> {
        if self.snapshot().counts != Some(counts) {
            self.before_write(|files| files.counts.path())?;
            self.counts.update(|document| *document = counts)?;
        }
        Ok(())
    }

    /// In tests the power may fail here.
    #[cfg(test)]
    fn before_write(&self, path: impl Fn(&Self) -> &Path) -> Result<(), CommitError> {
        match &self.fuse {
            Some(fuse) if !fuse.spend() => Err(CommitError::Poisoned { path: path(self).to_owned() }),
            _ => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the signature of the one for tests")]
    fn before_write(&self, _: impl Fn(&Self) -> &Path) -> Result<(), CommitError> {
        Ok(())
    }
}
