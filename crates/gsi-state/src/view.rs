//! The status view: what a person wants to know, as a value that a program prints.

use std::{
    io,
    path::{Path, PathBuf},
};

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
        Self::read_file(&dir.join(STATE_FILE_NAME))
    }

    /// Reads an archive, or any other state file by its path; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_file(path: &Path) -> Result<Option<Self>, OpenError> {
        let snapshot = Snapshot::<CreationState>::read(path)?;
        Ok(snapshot.map(|snapshot| Self { path: path.to_owned(), version: snapshot.version, state: snapshot.document }))
    }

    pub(crate) fn new(path: PathBuf, state: CreationState) -> Self {
        Self { path, version: CreationState::VERSION, state }
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        self.state.summary()
    }

    /// The entries in the order in which people read them: active, failed, in progress, pending,
    /// and what a rollback is about.
    pub fn sections(&self) -> [(GsiStatus, Vec<&GsiState>); 6] {
        use GsiStatus::{Active, Deleted, Deleting, Failed, InProgress, Pending};
        [Active, Failed, InProgress, Pending, Deleting, Deleted]
            .map(|status| (status, self.state.with_status(status).collect()))
    }
}

/// The archives of completed jobs in the state directory `dir`, oldest first.
///
/// # Errors
///
/// The system's, when the directory cannot be listed; one that does not exist holds none.
pub fn archives(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut archives = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let is_archive = name.to_str().is_some_and(is_archive_name);
        if is_archive {
            archives.push(dir.join(name));
        }
    }
    archives.sort();
    Ok(archives)
}

/// `.gsi_creation_state_YYYYMMDD_HHMMSS.json`, with or without a counter before the dot.
fn is_archive_name(name: &str) -> bool {
    let stamp = name.strip_prefix(".gsi_creation_state_").and_then(|rest| rest.strip_suffix(".json"));
    stamp.is_some_and(|stamp| {
        let mut parts = stamp.split('_');
        let is_number = |part: Option<&str>, digits: usize| {
            part.is_some_and(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        is_number(parts.next(), 8)
            && is_number(parts.next(), 6)
            && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
