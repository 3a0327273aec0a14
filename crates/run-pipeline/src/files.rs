//! What a stage keeps on disk: journal, marks, failure log, and small lists of runs.
//!
//! | file | content |
//! |---|---|
//! | `<state file>` | [`Marks`], exactly as the Python archiver writes them |
//! | `<failure log>` | [`FailureLog`], likewise |
//! | `imported.jsonl`, `migrated.jsonl` | what happened to each run ([`RunNote`]) |
//! | `<state file>.in_flight` | the runs being worked on; empty when there are none |
//! | `<state file>.held` | the runs that were held back, since they are still being taken |
//! | `<state file>.unfinished` | import: the newest runs that were imported without a stop time |
//! | `<state file>.amended` | import: runs that were amended since; the migration takes them out |
//! | `<state file>.counts` | how many runs the last listings found, for the check that a listing did not shrink |
//!
//! The first two are all that the Python archiver knows, and all that it needs to take over. A file is made when
//! there is something to say.
//!
//! # The order of writes
//!
//! Journal, lists of what must not be forgotten, failure log, marks, runs in flight. So after a kill between any
//! two of them every run at or below `last_attempted_run` is archived or in the failure log; what is still listed
//! as in flight is looked at again by the next start; and no run counts as archived whose digest is not in the
//! journal. What a list says too much does no harm: whoever uses it looks at the archives.

use std::{path::Path, sync::Arc};

use run_state::{FailureLog, Marks, RunNumber, RunSet};
use statefile::{Clock, CommitError, Document, Journal, Lock, OpenError, Snapshot, StateFile};

pub(crate) use crate::paths::{Counts, StagePaths};
use crate::{
    journal::{RunEvent, RunNote},
    paths::RunList,
};

/// The state of a stage as it was on disk at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageSnapshot {
    /// How far the stage has come.
    pub marks: Marks,
    /// The failure log.
    pub failed: RunSet,
    /// Runs that were being worked on.
    pub in_flight: RunSet,
    /// Runs that the last execution held back, since they are still being taken.
    pub held: RunSet,
    /// Import: the newest runs that were imported without a stop time.
    pub unfinished: RunSet,
    /// Runs that were amended after their import, and that the migration has not seen to.
    pub amended: RunSet,
    /// What the last listings found; `None` before the first.
    pub counts: Option<Counts>,
}

impl StageSnapshot {
    /// Reads the state without a lock, and without changing anything; missing files are 0/0 and empty.
    ///
    /// While a stage runs, the files may be of neighbouring moments.
    ///
    /// # Errors
    ///
    /// When a file is unreadable or damaged.
    pub fn read(paths: &StagePaths) -> Result<Self, OpenError> {
        let list = |path: &Path| Ok(document::<RunList>(path)?.unwrap_or_default().0);
        Ok(Self {
            marks: document(&paths.state)?.unwrap_or_default(),
            failed: document::<FailureLog>(&paths.failure_log)?.unwrap_or_default().runs,
            in_flight: list(&paths.in_flight())?,
            held: list(&paths.held())?,
            unfinished: list(&paths.unfinished())?,
            amended: list(&paths.amended())?,
            counts: document(&paths.counts())?,
        })
    }
}

impl StageSnapshot {
    /// As a migration sees it, which takes out what the import at `import` has amended.
    pub(crate) fn following(self, import: &StagePaths) -> Result<Self, OpenError> {
        Ok(Self { amended: document::<RunList>(&import.amended())?.unwrap_or_default().0, ..self })
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
/// use run_pipeline::{Stage, StageFiles, StagePaths};
/// use statefile::{Lock, Owner, SystemClock};
///
/// let lock = Arc::new(Lock::acquire(dir.path().join(".archiver.lock"), &Owner::current(&SystemClock))?);
/// let paths = StagePaths {
///     stage: Stage::Import,
///     state: dir.path().join("importer_state.json"),
///     failure_log: dir.path().join("import_failures.log"),
/// };
/// let files = StageFiles::open(&paths, lock, Arc::new(SystemClock))?;
/// assert_eq!(files.snapshot().marks.to_string(), "0/0");
/// # Ok(())
/// # }
/// ```
pub struct StageFiles {
    paths: StagePaths,
    clock: Arc<dyn Clock>,
    journal: Journal<RunNote>,
    marks: StateFile<Marks>,
    log: StateFile<FailureLog>,
    in_flight: StateFile<RunList>,
    held: StateFile<RunList>,
    unfinished: StateFile<RunList>,
    amended: StateFile<RunList>,
    counts: StateFile<Counts>,
    #[cfg(test)]
    pub(crate) fuse: Option<Arc<crate::tests::Fuse>>,
}

impl std::fmt::Debug for StageFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StageFiles")
            .field("paths", &self.paths)
            .field("snapshot", &self.snapshot())
            .finish_non_exhaustive()
    }
}

/// What the files are to say next.
#[derive(Debug)]
pub(crate) struct NextState {
    /// New notes for the journal.
    pub(crate) notes: Vec<(RunNumber, RunEvent)>,
    pub(crate) marks: Marks,
    pub(crate) failed: RunSet,
    pub(crate) in_flight: RunSet,
    pub(crate) held: RunSet,
    pub(crate) unfinished: RunSet,
    pub(crate) amended: RunSet,
}

impl StageFiles {
    /// Opens the state at `paths`; `lock` must guard it. Missing files are 0/0 and empty, and are
    /// written when there is something to say. `clock` dates the notes of the journal, and tells how long ago
    /// a run directory was changed.
    ///
    /// # Errors
    ///
    /// When a file is unreadable or damaged. Its bytes are kept; recovery of the state rebuilds it
    /// from the archives.
    pub fn open(paths: &StagePaths, lock: Arc<Lock>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let list = |path| StateFile::open(path, Arc::clone(&lock), RunList::default);
        Ok(Self {
            journal: Journal::open(paths.journal(), Arc::clone(&lock))?,
            marks: StateFile::open(&paths.state, Arc::clone(&lock), Marks::default)?,
            log: StateFile::open(&paths.failure_log, Arc::clone(&lock), FailureLog::default)?,
            in_flight: list(paths.in_flight())?,
            held: list(paths.held())?,
            unfinished: list(paths.unfinished())?,
            amended: list(paths.amended())?,
            counts: StateFile::open(paths.counts(), lock, || Counts::new(0, 0))?,
            paths: paths.clone(),
            clock,
            #[cfg(test)]
            fuse: None,
        })
    }

    /// Lets a migration see, and take out, the runs that the import at `import` has amended.
    pub(crate) fn follow(&mut self, import: &StagePaths) -> Result<(), OpenError> {
        let lock = Arc::clone(self.amended.lock());
        self.amended = StateFile::open(import.amended(), lock, RunList::default)?;
        Ok(())
    }

    /// Where the files lie.
    pub fn paths(&self) -> &StagePaths {
        &self.paths
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What the files say.
    pub fn snapshot(&self) -> StageSnapshot {
        StageSnapshot {
            marks: self.marks.document().clone(),
            failed: self.log.document().runs.clone(),
            in_flight: self.in_flight.document().0.clone(),
            held: self.held.document().0.clone(),
            unfinished: self.unfinished.document().0.clone(),
            amended: self.amended.document().0.clone(),
            counts: self.counts.is_on_disk().then(|| *self.counts.document()),
        }
    }

    /// Makes the files say `next`, in the order that the head of this module promises; a file that
    /// says so already is not touched.
    pub(crate) fn save(&mut self, next: NextState) -> Result<(), CommitError> {
        let at = self.clock.now();
        let notes: Vec<_> = next.notes.into_iter().map(|(run, event)| RunNote { at, run, event }).collect();
        if !notes.is_empty() {
            self.before_write(self.journal.path())?;
            self.journal.append(&notes)?;
        }
        // Runs are taken out of a list last, and put into it first.
        let grown = |list: &StateFile<RunList>, next: &RunSet| list.document().0.union(next);
        let (unfinished, amended) = (grown(&self.unfinished, &next.unfinished), grown(&self.amended, &next.amended));
        self.write(|files| &mut files.unfinished, RunList(unfinished))?;
        self.write(|files| &mut files.amended, RunList(amended))?;
        self.write(|files| &mut files.log, FailureLog { runs: next.failed })?;
        self.write(|files| &mut files.marks, next.marks)?;
        self.write(|files| &mut files.in_flight, RunList(next.in_flight))?;
        self.write(|files| &mut files.held, RunList(next.held))?;
        self.write(|files| &mut files.unfinished, RunList(next.unfinished))?;
        self.write(|files| &mut files.amended, RunList(next.amended))
    }

    /// Makes a file say `next`, unless it does.
    fn write<D: Document + Clone + PartialEq>(
        &mut self,
        file: impl Fn(&mut Self) -> &mut StateFile<D>,
        next: D,
    ) -> Result<(), CommitError> {
        if *file(self).document() == next {
            return Ok(());
        }
        let path = file(self).path().to_owned();
        self.before_write(&path)?;
        file(self).update(|document| *document = next)
    }

    /// Remembers what the listings found.
    pub(crate) fn save_counts(&mut self, counts: Counts) -> Result<(), CommitError> {
        if self.snapshot().counts != Some(counts) {
            self.before_write(self.counts.path())?;
            self.counts.update(|document| *document = counts)?;
        }
        Ok(())
    }

    /// In tests the power may fail here.
    #[cfg(test)]
    fn before_write(&self, path: &Path) -> Result<(), CommitError> {
        match &self.fuse {
            Some(fuse) if !fuse.spend() => Err(CommitError::Poisoned { path: path.to_owned() }),
            _ => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the signature of the one for tests")]
    fn before_write(&self, _: &Path) -> Result<(), CommitError> {
        Ok(())
    }
}
