//! What can go wrong with an archive, and what that means for another try.

use std::{io, path::PathBuf};

use run_record::{RunNumber, fhicl::StoredError};
use statefile::LockError;

use crate::{ToolError, filesystem::SyntaxError};

/// What an error means for whoever decides about another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The same request can never succeed, unless somebody repairs something first.
    Permanent,
    /// The same request may succeed in a while.
    Transient,
}

/// Why an archive did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Another process is writing the archive, or the lock file cannot be used.
    #[error("could not lock the archive `{root}`")]
    Lock {
        /// The archive.
        root: PathBuf,
        /// Who holds it, or what the system said.
        #[source]
        source: LockError,
    },
    /// Something else stands in the place of the archive.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// The place.
        path: PathBuf,
    },
    /// A collection has documents, but not their index.
    #[error("`{path}` is missing, though documents lie beside it; a repair of the archive rebuilds it from them")]
    IndexMissing {
        /// The index that should be there.
        path: PathBuf,
    },
    /// An index is empty, cut off or otherwise no index.
    #[error("`{path}` is not a valid index; a repair of the archive rebuilds it from the documents")]
    IndexDamaged {
        /// The index; its bytes are kept.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: SyntaxError,
    },
    /// An index names a document that is not there.
    #[error("document `{path}` is missing, though its index names it; a repair of the archive strikes it off")]
    DocumentMissing {
        /// The document that should be there.
        path: PathBuf,
    },
    /// A document is no JSON, or no stored document.
    #[error("`{path}` is not a valid document; restore it, or move it away and repair the archive")]
    DocumentDamaged {
        /// The document; its bytes are kept.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: DocumentProblem,
    },
    /// The record of an interrupted insertion is unreadable.
    #[error(
        "`{path}`, which tells what an interrupted insertion has written, is damaged; restore it, or move it away \
             and repair the archive"
    )]
    IntentDamaged {
        /// The record; its bytes are kept.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The system refused something.
    #[error("could not {operation} `{path}`")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With this file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A server refused something, or could not be asked.
    #[error("could not {operation} `{place}`")]
    Server {
        /// What was tried.
        operation: &'static str,
        /// With this database or collection.
        place: String,
        /// What the server or its client said.
        #[source]
        source: ServerError,
    },
    /// A document of a database is no stored document.
    #[error("`{place}` is not a valid document")]
    StoredDamaged {
        /// The document: database, collection, id. It is left as it is.
        place: String,
        /// Why.
        #[source]
        source: DocumentProblem,
    },
    /// Other processes wrote the same runs with other content, again and again.
    #[error("other processes keep storing the same runs in `{place}`")]
    Contended {
        /// The database.
        place: String,
    },
    /// The genuine tools failed, or could not be run.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The system gave no random number for an object id.
    #[error("could not make an object id")]
    Oid(#[source] io::Error),
}

/// What a server or its client said, cleared of passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ServerError {
    text: String,
    class: ErrorClass,
}

impl ServerError {
    #[cfg(feature = "mongodb")]
    pub(crate) fn new(text: String, class: ErrorClass) -> Self {
        Self { text, class }
    }
}

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentProblem {
    /// It is no JSON.
    #[error("no JSON")]
    Syntax(#[from] SyntaxError),
    /// A member is missing or has another type.
    #[error("no valid member `{0}`")]
    Member(&'static str),
    /// A member has a type that no document of artdaqDB has.
    #[error("member `{0}` has a type that is not used in artdaqDB")]
    Type(String),
    /// Its bytes are no BSON.
    #[error("no BSON: {0}")]
    Bson(String),
    /// The values or their types have another shape than they must.
    #[error("no FHiCL document")]
    Stored(#[from] StoredError),
}

impl ConfigError {
    /// What the error means for another try.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Lock { source: LockError::InUse { .. }, .. } | Self::Contended { .. } => ErrorClass::Transient,
            Self::Lock { source: LockError::Io { source, .. }, .. } | Self::Io { source, .. } | Self::Oid(source) => {
                class_of(source)
            }
            Self::Server { source, .. } => source.class,
            Self::Tool(error) => error.class(),
            Self::NotADirectory { .. }
            | Self::StoredDamaged { .. }
            | Self::IndexMissing { .. }
            | Self::IndexDamaged { .. }
            | Self::DocumentMissing { .. }
            | Self::DocumentDamaged { .. }
            | Self::IntentDamaged { .. } => ErrorClass::Permanent,
        }
    }

    /// Whether [`FilesystemStore::repair`](crate::FilesystemStore::repair) removes the cause.
    pub fn is_repairable(&self) -> bool {
        matches!(self, Self::IndexMissing { .. } | Self::IndexDamaged { .. } | Self::DocumentMissing { .. })
    }
}

/// A disk that is full or sick may recover while the job goes on; rights and names do not.
fn class_of(error: &io::Error) -> ErrorClass {
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::InvalidInput => ErrorClass::Permanent,
        _ => ErrorClass::Transient,
    }
}

/// Why one run of a batch was not stored; the others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A document wants a collection that cannot be a directory of the archive.
    #[error("collection `{collection}` of entity `{entity}` cannot be a collection of the archive")]
    Collection {
        /// The collection, from the rules of the schema.
        collection: String,
        /// The document's entity.
        entity: String,
    },
    /// The configuration that is to be amended is not in the archive, or not complete.
    #[error("configuration `{configuration}` of run {run} is not archived, so it cannot be amended")]
    NotArchived {
        /// The run.
        run: RunNumber,
        /// The configuration's full name.
        configuration: String,
    },
    /// A document cannot be a document of the archive.
    #[error("document `{entity}` of run {run} cannot be stored: {problem}")]
    Unstorable {
        /// The run.
        run: RunNumber,
        /// The document's entity.
        entity: String,
        /// Why.
        problem: String,
    },
    /// The name of the configuration cannot be given to the genuine tools.
    #[error(
        "configuration `{configuration}` cannot be given to the genuine tools: {problem}; `use_tools: false` stores it"
    )]
    Configuration {
        /// Its full name.
        configuration: String,
        /// Why.
        problem: &'static str,
    },
    /// A rehearsal of failures left the run alone, or lost the answer about it.
    #[error("{reason}")]
    Rehearsed {
        /// What happened, and that it is a rehearsal.
        reason: String,
        /// Whether another try is part of the rehearsal.
        class: ErrorClass,
    },
    /// A part of the run is there, and of that a document cannot be read.
    #[error("run {run} cannot be completed: {problem}")]
    Unreadable {
        /// The run.
        run: RunNumber,
        /// Which document, and what is to be done about it.
        problem: String,
    },
}

impl Refused {
    /// What the refusal means for another try. All but those of a rehearsal are permanent.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Rehearsed { class, .. } => *class,
            _ => ErrorClass::Permanent,
        }
    }
}
