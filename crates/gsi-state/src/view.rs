//! The status view: what a person wants to know, as a value that a program prints.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use statefile::{OpenError, Snapshot};

use crate::{CreationState, GsiState, GsiStatus, STATE_FILE_NAME, Summary};

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
    /// When the file was last written, by its modification time.
    pub modified_at: DateTime<Utc>,
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
        Ok(snapshot.map(|snapshot| Self { path, modified_at: snapshot.modified_at, state: snapshot.document }))
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
