//! A put that may be repeated, and that ends in verified content.
//!
//! What the stores do not do, so that they stay small and all behave alike: settle a conflict by content, and
//! read back what was stored. No retries in here: the caller asks again when the error's class says so,
//! and a put whose answer was lost is then found to be done.

use crate::{BlobError, BlobStore, Md5Digest, Receipt, RunNumber};

/// How a fresh put is verified beyond the receipt, which every store checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// Read the blob back and compare its MD5 digest: one more request a run.
    #[default]
    ReadBack,
    /// Trust the size and checksum of the receipt.
    Receipt,
}

/// How a run came to be in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Archived {
    /// It was put just now.
    Stored(Receipt),
    /// It was there before, with the same record.
    AlreadyThere,
}

/// Archives a run, or finds that it is archived already.
///
/// `same_record(ours, theirs)` says whether two blobs hold the same record. Pass a comparison that leaves the packing
/// lines out: the original archiver wrote the minute of packing into each blob.
///
/// # Errors
///
/// [`BlobError::Differs`] when the archive holds another record of this run, [`BlobError::ReadBackDiffers`] when it
/// returns other bytes than it confirmed, and whatever the store reports.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ucon_db::BlobError> {
/// use ucon_db::{Archived, MemoryStore, RunNumber, Verify, archive};
/// let store = MemoryStore::default();
/// let same = |ours: &[u8], theirs: &[u8]| ours == theirs;
/// let first = archive(&store, RunNumber::new(100), b"record", Verify::ReadBack, &same).await?;
/// let again = archive(&store, RunNumber::new(100), b"record", Verify::ReadBack, &same).await?;
/// assert!(matches!(first, Archived::Stored(_)));
/// assert_eq!(again, Archived::AlreadyThere);
/// # Ok(()) }
/// ```
pub async fn archive(
    store: &dyn BlobStore,
    run: RunNumber,
    bytes: &[u8],
    verify: Verify,
    same_record: &(dyn Fn(&[u8], &[u8]) -> bool + Send + Sync),
) -> Result<Archived, BlobError> {
    match store.put(run, bytes).await {
        Ok(receipt) => {
            check(store, run, bytes, verify).await?;
            Ok(Archived::Stored(receipt))
        }
        Err(BlobError::AlreadyExists { .. }) => {
            let there = read_back(store, run).await?;
            if bytes == there || same_record(bytes, &there) {
                return Ok(Archived::AlreadyThere);
            }
            Err(BlobError::Differs { run, ours: Md5Digest::of(bytes), theirs: Md5Digest::of(&there) })
        }
        Err(error) => Err(error),
    }
}

/// Makes `bytes` the current blob of a run, unless the current one holds the same record already. What was current is
/// kept as an older version.
///
/// May be repeated: after a kill, or a lost answer, the next call finds the blob in its place.
///
/// # Errors
///
/// [`BlobError::ReadBackDiffers`] when the archive returns other bytes than it confirmed, and whatever the store
/// reports. [`BlobError::AlreadyExists`] means that somebody else puts the run at the same moment.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ucon_db::BlobError> {
/// use ucon_db::{Archived, BlobStore, MemoryStore, RunNumber, Verify, renew};
/// let (store, run) = (MemoryStore::default(), RunNumber::new(100));
/// let same = |ours: &[u8], theirs: &[u8]| ours == theirs;
/// store.put(run, b"without stop time").await?;
/// let first = renew(&store, run, b"with stop time", Verify::ReadBack, &same).await?;
/// let again = renew(&store, run, b"with stop time", Verify::ReadBack, &same).await?;
/// assert!(matches!(first, Archived::Stored(_)));
/// assert_eq!(again, Archived::AlreadyThere);
/// assert_eq!(store.versions(run).await?.len(), 2);
/// # Ok(()) }
/// ```
pub async fn renew(
    store: &dyn BlobStore,
    run: RunNumber,
    bytes: &[u8],
    verify: Verify,
    same_record: &(dyn Fn(&[u8], &[u8]) -> bool + Send + Sync),
) -> Result<Archived, BlobError> {
    if let Some(there) = store.get(run).await?
        && (bytes == there || same_record(bytes, &there))
    {
        return Ok(Archived::AlreadyThere);
    }
    let receipt = store.put_version(run, bytes).await?;
    check(store, run, bytes, verify).await?;
    Ok(Archived::Stored(receipt))
}

/// Compares what is stored now with what was just put.
async fn check(store: &dyn BlobStore, run: RunNumber, bytes: &[u8], verify: Verify) -> Result<(), BlobError> {
    if verify == Verify::Receipt {
        return Ok(());
    }
    let stored = read_back(store, run).await?;
    let (ours, theirs) = (Md5Digest::of(bytes), Md5Digest::of(&stored));
    if ours == theirs { Ok(()) } else { Err(BlobError::ReadBackDiffers { run, ours, theirs }) }
}

async fn read_back(store: &dyn BlobStore, run: RunNumber) -> Result<Vec<u8>, BlobError> {
    store.get(run).await?.ok_or(BlobError::NotReadable { run })
}
