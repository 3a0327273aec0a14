//! Why an embedded database could not be opened or read.
//!
//! Errors of the emulated service are not here: they go to the SDK as the service's own answers.

use std::path::PathBuf;

/// Why an [`EmbeddedDynamo`](crate::EmbeddedDynamo) could not be opened, or its ledger not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The path names a directory.
    #[error("`{path}` is a directory, not a database file")]
    IsDirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// The path cannot be handed to SQLite, which wants UTF-8.
    #[error("`{path}` is not valid UTF-8")]
    NotUtf8 {
        /// The path as given.
        path: PathBuf,
    },
    /// The file exists and is not an SQLite database (or its header is destroyed).
    #[error("`{path}` is not an SQLite database")]
    NotADatabase {
        /// The path as given.
        path: PathBuf,
    },
    /// The file is an SQLite database with tables of another program; nothing in it was changed.
    #[error("`{path}` is an SQLite database of another program")]
    Foreign {
        /// The path as given.
        path: PathBuf,
    },
    /// The file was written by a newer version of this crate; nothing in it was changed.
    #[error("`{path}` has format version {found}, newer than {supported}")]
    TooNew {
        /// The path as given.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that this crate reads.
        supported: i64,
    },
    /// The file is an SQLite database whose pages contradict each other.
    #[error("`{path}` is damaged")]
    Damaged {
        /// The path as given.
        path: PathBuf,
        /// What SQLite found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file could not be opened: no permission, no such directory, no space, held too long.
    #[error("could not open `{path}`")]
    Open {
        /// The path as given; `:memory:` for a database in memory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The ledger of calls could not be read.
    #[error("could not read the ledger of `{path}`")]
    Ledger {
        /// The path as given; `:memory:` for a database in memory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
