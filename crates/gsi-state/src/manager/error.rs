//! Why a job's state could not be opened, or not archived.

use std::{io, path::PathBuf};

use statefile::{ArchiveError, LockError};

use crate::Summary;

/// Why a job's state could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state directory does not exist and could not be made.
    #[error("could not create the state directory `{path}`")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process has the state, or the lock file is out of reach.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state file is damaged, newer, or out of reach; its bytes are kept.
    #[error(transparent)]
    State(#[from] statefile::OpenError),
}

/// Why a job was not archived.
#[derive(Debug, thiserror::Error)]
pub enum CleanupError {
    /// Something is left to do, which a later start must find.
    #[error("the state is kept: {} of {} indexes are not active ({} failed)",
        .0.total - .0.active, .0.total, .0.failed)]
    Unfinished(Summary),
    /// The file could not be moved.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}
