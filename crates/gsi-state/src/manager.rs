//! The manager: the calls of the Python `GSIStateManager`, with its gaps closed.

mod error;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use statefile::{Clock, CommitError, Journal, Lock, Owner, StateFile, SystemClock, UpdateError, copy_aside};

pub use self::error::{CleanupError, OpenError};
use crate::{
    ChangeError, CreationState, GsiKey, GsiState, GsiStatus, HISTORY_FILE_NAME, HistoryEntry, HistoryEvent,
    StatusChange, StatusView, Summary,
};

/// The name of the state file in the state directory.
pub const STATE_FILE_NAME: &str = ".gsi_creation_state.json";

/// Keeps the state of one job in one directory; nobody else writes it while this value lives.
///
/// Every call that changes something returns after the change is on stable storage.
///
/// ```
/// use gsi_state::{GsiKey, GsiStateManager, GsiStatus};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let key = GsiKey::new("bookings", "flight-status-index");
/// let mut manager = GsiStateManager::open("my_script", dir.path())?;
/// manager.initialize([key.clone()])?;
/// manager.update_status(&key, GsiStatus::InProgress, Some(1), None)?;
/// manager.update_status(&key, GsiStatus::Active, None, None)?;
/// assert!(manager.should_skip(&key) && manager.is_complete());
/// let archive = manager.cleanup()?;
/// assert!(archive.exists());
/// # Ok(())
/// # }
/// ```
pub struct GsiStateManager {
    file: StateFile<CreationState>,
    history: Journal<HistoryEntry>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for GsiStateManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GsiStateManager").field("file", &self.file).finish_non_exhaustive()
    }
}

impl GsiStateManager {
    /// Opens the state in the directory `dir`, which is made where it is missing; a job without a state
    /// file starts fresh, under the name `script_name`.
    ///
    /// # Errors
    ///
    /// When another process has the state, or the file is unreadable, damaged or newer. Such a file is
    /// never overwritten.
    pub fn open(script_name: impl Into<String>, dir: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with_clock(script_name, dir, Arc::new(SystemClock))
    }

    /// Like [`open`](Self::open), with the time told by `clock`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with_clock(
        script_name: impl Into<String>,
        dir: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let dir = dir.as_ref();
        fs_err::create_dir_all(dir).map_err(|source| OpenError::Directory { path: dir.to_owned(), source })?;
        let path = dir.join(STATE_FILE_NAME);
        let lock = Lock::acquire(StateFile::<CreationState>::lock_path(&path), &Owner::current(clock.as_ref()))?;
        let file = StateFile::open(path, lock, || CreationState::new(script_name, clock.now()))?;
        let history = Journal::open(dir.join(HISTORY_FILE_NAME), Arc::clone(file.lock()))?;
        Ok(Self { file, history, clock })
    }

    /// Adds the indexes that are not known yet, as pending, and says how many those were.
    ///
    /// Known ones stay as they are: this is how a job is resumed.
    ///
    /// # Errors
    ///
    /// When the state could not be written.
    pub fn initialize(&mut self, keys: impl IntoIterator<Item = GsiKey>) -> Result<usize, UpdateError<ChangeError>> {
        let new: Vec<GsiKey> = keys.into_iter().filter(|key| self.state().get(key).is_none()).collect();
        if new.is_empty() && self.file.is_on_disk() {
            return Ok(0);
        }
        let now = self.clock.now();
        let added = self.file.update(|state| {
            state.updated_at = now;
            new.into_iter().filter(|key| state.add(key.clone())).count()
        })?;
        Ok(added)
    }

    /// Records the new status of an index.
    ///
    /// `retry_count` and `error` of `None` leave what is there; success clears the error.
    ///
    /// # Errors
    ///
    /// When the index is unknown, the status cannot follow the present one, or the state could not be
    /// written. In each case the state is unchanged.
    pub fn update_status(
        &mut self,
        key: &GsiKey,
        status: GsiStatus,
        retry_count: Option<u32>,
        error: Option<&str>,
    ) -> Result<(), UpdateError<ChangeError>> {
        let mut change = StatusChange::new(key.clone(), status);
        change.retry_count = retry_count;
        change.error = error.map(str::to_owned);
        self.apply(std::slice::from_ref(&change))
    }

    /// Records several changes in one write: all of them, or none.
    ///
    /// # Errors
    ///
    /// As [`update_status`](Self::update_status).
    pub fn apply(&mut self, changes: &[StatusChange]) -> Result<(), UpdateError<ChangeError>> {
        let now = self.clock.now();
        self.file.try_update(|state| changes.iter().try_for_each(|change| state.apply(change, now)))
    }

    /// Adds lines to the history of the directory; when this returns, they are on stable storage.
    ///
    /// # Errors
    ///
    /// When they could not be written. The history takes no more lines then.
    pub fn note(&mut self, events: impl IntoIterator<Item = (GsiKey, HistoryEvent)>) -> Result<(), CommitError> {
        let at = self.clock.now();
        let entry = |(key, event): (GsiKey, HistoryEvent)| HistoryEntry {
            at,
            table: key.table().to_owned(),
            index: key.index().to_owned(),
            event,
        };
        self.history.append(&events.into_iter().map(entry).collect::<Vec<_>>())
    }

    /// Adds what an archive knew of indexes that this state does not have, and says how many those were:
    /// so that a completed job can be rolled back.
    ///
    /// # Errors
    ///
    /// When the state could not be written.
    pub fn restore(&mut self, gsis: impl IntoIterator<Item = GsiState>) -> Result<usize, CommitError> {
        let new: Vec<_> = gsis.into_iter().filter(|gsi| self.state().get(&gsi.key).is_none()).collect();
        if new.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        self.file.update(|state| {
            state.updated_at = now;
            new.into_iter().filter(|gsi| state.restore(gsi.clone())).count()
        })
    }

    /// Takes an index out of the state; its history stays.
    ///
    /// # Errors
    ///
    /// When it is unknown, or the state could not be written.
    pub fn forget(&mut self, key: &GsiKey) -> Result<GsiState, UpdateError<ChangeError>> {
        let now = self.clock.now();
        self.file.try_update(|state| {
            let gsi = state.forget(key).ok_or_else(|| ChangeError::Unknown(key.clone()))?;
            state.updated_at = now;
            Ok(gsi)
        })
    }

    /// Sets the status of an index whatever the present one is: for a person who knows better.
    ///
    /// # Errors
    ///
    /// When it is unknown, or the state could not be written.
    pub fn force(&mut self, key: &GsiKey, status: GsiStatus) -> Result<(), UpdateError<ChangeError>> {
        let now = self.clock.now();
        self.file.try_update(|state| state.force(key, status, now))
    }

    /// Copies the state file to `.gsi_creation_state_backup_YYYYMMDD_HHMMSS.json` and says where that is:
    /// before a change by hand. `None` where there is no state file yet. Nothing is overwritten.
    ///
    /// # Errors
    ///
    /// When the copy is not on stable storage.
    pub fn back_up(&self) -> io::Result<Option<PathBuf>> {
        if !self.file.is_on_disk() {
            return Ok(None);
        }
        let stem = self.clock.now().format(".gsi_creation_state_backup_%Y%m%d_%H%M%S").to_string();
        let names = (1_u32..).map(|n| if n == 1 { format!("{stem}.json") } else { format!("{stem}_{n}.json") });
        for name in names {
            let path = self.path().with_file_name(name);
            if copy_aside(self.path(), &path)? {
                return Ok(Some(path));
            }
        }
        // There are more names than a directory has places.
        Ok(None)
    }

    /// The lock that guards the state directory, for other files in it.
    pub fn lock(&self) -> &Arc<Lock> {
        self.file.lock()
    }

    /// The state, as it is on disk.
    pub fn state(&self) -> &CreationState {
        self.file.document()
    }

    /// Where the state file lies.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether there is a state file: `false` before the first change of a fresh job.
    pub fn is_on_disk(&self) -> bool {
        self.file.is_on_disk()
    }

    /// What is known about an index.
    pub fn status_of(&self, key: &GsiKey) -> Option<&GsiState> {
        self.state().get(key)
    }

    /// Whether an index is done: only an active one is skipped.
    pub fn should_skip(&self, key: &GsiKey) -> bool {
        self.status_of(key).is_some_and(|gsi| gsi.status == GsiStatus::Active)
    }

    /// The indexes that were not yet attempted, in order.
    pub fn pending(&self) -> impl Iterator<Item = &GsiState> {
        self.state().with_status(GsiStatus::Pending)
    }

    /// The indexes that were given up, in order, each with its `last_error`.
    pub fn failed(&self) -> impl Iterator<Item = &GsiState> {
        self.state().with_status(GsiStatus::Failed)
    }

    /// The first index that is in progress (it was interrupted) or else pending: where to go on.
    pub fn resume_point(&self) -> Option<&GsiState> {
        self.state().with_status(GsiStatus::InProgress).next().or_else(|| self.pending().next())
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        self.state().summary()
    }

    /// Nothing is left to do: there are indexes, and each is active, or was rolled back.
    pub fn is_complete(&self) -> bool {
        self.summary().is_complete()
    }

    /// Nothing is pending, in progress or being rolled back; something may have failed.
    pub fn is_settled(&self) -> bool {
        self.summary().is_settled()
    }

    /// The state as a value for printing.
    pub fn status_view(&self) -> StatusView {
        StatusView::new(self.path().to_owned(), self.state().clone())
    }

    /// Moves the file of a completed job to `.gsi_creation_state_YYYYMMDD_HHMMSS.json` (UTC; with a
    /// suffix `_2`, `_3` … when the second is taken) and says where it went.
    ///
    /// The manager takes no more changes afterwards; the lock is held until it is dropped.
    ///
    /// # Errors
    ///
    /// [`CleanupError::Unfinished`] while any index is neither active nor rolled back, so that a later retry finds it; or
    /// when the file could not be moved.
    pub fn cleanup(&mut self) -> Result<PathBuf, CleanupError> {
        let summary = self.summary();
        if !summary.is_complete() {
            return Err(CleanupError::Unfinished(summary));
        }
        let stem = self.clock.now().format(".gsi_creation_state_%Y%m%d_%H%M%S").to_string();
        Ok(self.file.archive(&stem, ".json")?)
    }
}
