//! The port: what the pipeline asks of an archive, whatever it is made of.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{BlobError, RunNumber};

/// An archive of run records: one blob a run, kept for ever.
///
/// A store stands for one object in one folder of a UconDB; every implementation passes the same
/// conformance suite.
///
/// # Promises
///
/// 1. When [`put`](Self::put) returns `Ok`, the blob is stored durably under its run, whole, and the store has
///    confirmed its size and checksum.
/// 2. Nothing stored is ever changed or removed. A run has at most one current blob; a second put of the same
///    run is [`BlobError::AlreadyExists`], even with the same bytes. Use [`archive`](crate::archive) for a put
///    that may be repeated. Only [`put_version`](Self::put_version) makes another blob the current one.
/// 3. [`get`](Self::get) returns the very bytes that were put, or an error: a truncated or damaged answer is
///    detected, never returned.
/// 4. `Ok` with nothing in it means that nothing is there. A listing that failed or broke off is an error, and so is
///    a folder that the server does not know.
/// 5. Every error has a [class](BlobError::class) by which the caller decides whether to try again. An error after
///    bytes were sent may mean that they were stored; [`archive`](crate::archive) settles that.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Every archived run with the size and checksum of its current blob; one request.
    ///
    /// Versions whose key is not a run number, or is gone (overridden), are not in it.
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError>;

    /// Stores the blob of a run, with the run number as key and as tag.
    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError>;

    /// Stores a new current blob of a run. The one that was current, if any, is kept as a version that has its tag,
    /// and no key any more.
    ///
    /// Not for routine: use [`renew`](crate::renew), which looks first. Of several writers at once the last one has
    /// the current blob; some may be told [`BlobError::AlreadyExists`], and have stored nothing then.
    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError>;

    /// The current blob of a run; `None` when there is none.
    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError>;

    /// All versions that carry the run as key or tag, newest first: for people who look into a conflict.
    ///
    /// Costs a whole listing.
    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError>;
}

/// What a listing says of the current blob of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Its Adler-32 checksum.
    pub adler32: u32,
}

/// What the store confirms after a put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the new version, unique within the folder.
    pub version_id: u64,
    /// The length of what was stored, in bytes.
    pub size_bytes: u64,
    /// The Adler-32 checksum of what was stored.
    pub adler32: u32,
}

/// One version of a run's blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its id, unique within the folder.
    pub version_id: u64,
    /// Its key; `None` after another version took the key over.
    pub key: Option<String>,
    /// Its tags, in the order of the store.
    pub tags: Vec<String>,
    /// The length of its blob in bytes.
    pub size_bytes: u64,
    /// The Adler-32 checksum of its blob.
    pub adler32: u32,
    /// When it was stored, where the store says so.
    pub recorded_at: Option<DateTime<Utc>>,
}

impl VersionInfo {
    /// Whether the version carries `run` as key or tag.
    pub(crate) fn concerns(&self, run: &str) -> bool {
        self.key.as_deref() == Some(run) || self.tags.iter().any(|tag| tag == run)
    }
}
