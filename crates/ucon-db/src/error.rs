//! What can go wrong with an archive, and what that means for another try.

use crate::{EmbeddedError, HttpError, Md5Digest, RunNumber};

/// What an error means for whoever decides about another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The same request can never succeed.
    Permanent,
    /// The same request may succeed in a while.
    Transient,
    /// The credentials were refused: no run can succeed until somebody corrects them.
    Authentication,
    /// The run is archived already; asking again will not change that.
    Conflict,
}

/// Why an archive did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The run has a current blob already.
    #[error("run {run} is archived already")]
    AlreadyExists {
        /// The run.
        run: RunNumber,
    },
    /// The run has a current blob already, and it is another record.
    #[error("run {run} is archived already with other content: MD5 {theirs} there, {ours} here")]
    Differs {
        /// The run.
        run: RunNumber,
        /// The digest of the blob that was to be archived.
        ours: Md5Digest,
        /// The digest of the blob in the archive.
        theirs: Md5Digest,
    },
    /// The blob that was read back is not the one that was put.
    #[error("run {run} reads back from the archive with other content: MD5 {theirs} there, {ours} here")]
    ReadBackDiffers {
        /// The run.
        run: RunNumber,
        /// The digest of the blob that was put.
        ours: Md5Digest,
        /// The digest of the blob that came back.
        theirs: Md5Digest,
    },
    /// The archive has confirmed the run, or refused it as a duplicate, but has no blob of it.
    #[error("run {run} cannot be read back: the archive says that it has no such run")]
    NotReadable {
        /// The run.
        run: RunNumber,
    },
    /// A rehearsal of failures left the run alone, or lost the answer about it.
    #[error("{reason}")]
    Rehearsed {
        /// What happened, and that it is a rehearsal.
        reason: String,
        /// What it pretends to be.
        class: ErrorClass,
    },
    /// A UconDB server, or the way to it.
    #[error(transparent)]
    Http(#[from] Box<HttpError>),
    /// The embedded archive file.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
}

impl BlobError {
    /// Whether the blob itself is damaged: what came does not have the checksum that the archive keeps of it.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Embedded(EmbeddedError::Damaged { .. }) => true,
            Self::Http(error) => error.is_damage(),
            _ => false,
        }
    }

    /// What the error means for another try.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::AlreadyExists { .. } | Self::Differs { .. } => ErrorClass::Conflict,
            Self::ReadBackDiffers { .. } => ErrorClass::Permanent,
            // A replica that lags behind, or a listing between two commits.
            Self::NotReadable { .. } => ErrorClass::Transient,
            Self::Rehearsed { class, .. } => *class,
            Self::Http(error) => error.class(),
            Self::Embedded(error) => error.class(),
        }
    }
}

impl From<HttpError> for BlobError {
    fn from(error: HttpError) -> Self {
        Self::Http(Box::new(error))
    }
}
