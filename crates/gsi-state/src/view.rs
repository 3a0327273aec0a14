//! The status view: what a person wants to know, as a value that a program prints.

use std::path::{Path, PathBuf};

use statefile::{Document, Snapshot, Version};

use crate::{CreationState, GsiState, GsiStatus, OpenError, STATE_FILE_NAME, Summary};

/// A job at one moment, readable without the lock and without write permission.
///
/// ```
/// use gsi_state::StatusView;
/// let dir = tempfile::tempdir().unwrap();
/// assert!(StatusView::read(dir.path()).unwrap().is_none(), "no job was started here");
/// ```
#[derive(Debug, Clone)]
pub struct StatusView {
    /// Where the state file lies.
    pub path: PathBuf,
    /// The version of its format; the minor number may be newer than this library knows.
    pub version: Option<Version>,
    /// What it says.
    pub state: CreationState,
}

impl StatusView {
    /// Reads the state file in `dir`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// When the file is unreadable, damaged or of a newer major version.
    pub fn read(dir: &Path) -> Result<Option<Self>, OpenError> {
        let path = dir.join(STATE_FILE_NAME);
        let snapshot = Snapshot::<CreationState>::read(&path)?;
        Ok(snapshot.map(|snapshot| Self { path, version: snapshot.version, state: snapshot.document }))
    }

    pub(crate) fn new(path: PathBuf, state: CreationState) -> Self {
        Self { path, version: CreationState::VERSION, state }
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        self.state.summary()
    }

    /// The entries in the order in which people read them: active, failed, in progress, pending.
    pub fn sections(&self) -> [(GsiStatus, Vec<&GsiState>); 4] {
        [GsiStatus::Active, GsiStatus::Failed, GsiStatus::InProgress, GsiStatus::Pending]
            .map(|status| (status, self.state.with_status(status).collect()))
    }
}
