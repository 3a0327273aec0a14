//! What can go wrong, one enum per operation.
//!
//! Every `io::Error` in here was made by `fs_err` and says which call failed on which path.

use std::{io, path::PathBuf};

use crate::{DecodeError, Owner, Version};

/// Why a lock was not acquired.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("`{path}` is held by {}", holder_text(holder.as_deref()))]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as the file tells.
        holder: Option<Box<Owner>>,
    },
    /// The lock file could not be opened, locked or written.
    #[error("could not lock `{path}`")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

fn holder_text(holder: Option<&Owner>) -> String {
    holder.map_or_else(|| "a process that has not said who it is".to_owned(), ToString::to_string)
}

/// Why a state file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer program wrote it.
    #[error("`{path}` has format version {found}, newer than {supported}, the newest that this program knows")]
    TooNew {
        /// The file; its bytes are kept.
        path: PathBuf,
        /// The version in the file.
        found: Version,
        /// The newest version that this program knows.
        supported: Version,
    },
    /// Its bytes are not a document of the kind.
    #[error("`{path}` is not a valid {kind}")]
    Damaged {
        /// The file; its bytes are kept.
        path: PathBuf,
        /// What it should be.
        kind: &'static str,
        /// Why it is not.
        #[source]
        source: DecodeError,
        /// The generation before the last update, where it is readable.
        last_good: Option<PathBuf>,
    },
    /// There is something else in its place, say a directory.
    #[error("`{path}` is not a regular file")]
    NotAFile {
        /// The place.
        path: PathBuf,
    },
    /// It could not be read.
    #[error("could not open `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why a change did not reach the disk.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An earlier write failed, so that memory and disk may differ.
    #[error("`{path}` takes no more changes since an earlier write failed; open it again")]
    Poisoned {
        /// The file.
        path: PathBuf,
    },
    /// The document was archived; there is nothing left to change.
    #[error("`{path}` was archived and takes no more changes")]
    Archived {
        /// The file.
        path: PathBuf,
    },
    /// The document has no JSON form.
    #[error("could not encode `{path}`")]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The system refused a step of the write.
    #[error("could not write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why an update did not happen: the change itself was refused, or the disk was.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E: std::error::Error + 'static> {
    /// The change breaks a rule of the document; nothing was written.
    #[error(transparent)]
    Rejected(E),
    /// The change did not reach the disk.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Why a document was not archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no file to archive: nothing was ever written, or it was archived already.
    #[error("`{path}` does not exist, so there is nothing to archive")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system refused a step; the state file is still in place unless the archive is.
    #[error("could not archive `{path}` as `{archive}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// The name that was tried.
        archive: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
