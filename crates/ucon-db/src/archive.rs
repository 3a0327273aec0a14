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
            if verify == Verify::ReadBack {
                let stored = read_back(store, run).await?;
                let (ours, theirs) = (Md5Digest::of(bytes), Md5Digest::of(&stored));
                if ours != theirs {
                    return Err(BlobError::ReadBackDiffers { run, ours, theirs });
                }
            }
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

async fn read_back(store: &dyn BlobStore, run: RunNumber) -> Result<Vec<u8>, BlobError> {
    store.get(run).await?.ok_or(BlobError::NotReadable { run })
}
