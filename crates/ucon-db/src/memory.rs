//! An archive in memory: for rehearsals and tests. Forgets everything when it is dropped.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{BlobError, BlobInfo, BlobStore, Receipt, RunNumber, VersionInfo, adler32, key::key_of};

/// An archive that lives as long as the value.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ucon_db::BlobError> {
/// use ucon_db::{BlobStore, MemoryStore, RunNumber};
/// let store = MemoryStore::default();
/// store.put(RunNumber::new(100), b"record").await?;
/// assert_eq!(store.get(RunNumber::new(100)).await?.as_deref(), Some(&b"record"[..]));
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    blobs: Mutex<BTreeMap<RunNumber, Vec<Stored>>>,
}

/// A version; the last one of a run is the current one.
#[derive(Debug)]
struct Stored {
    version_id: u64,
    bytes: Vec<u8>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunNumber, Vec<Stored>>> {
        // Each change is a single insertion: a panic elsewhere leaves the map valid.
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(blobs: &mut BTreeMap<RunNumber, Vec<Stored>>, run: RunNumber, bytes: &[u8]) -> Receipt {
        // Nothing is ever removed, so the count is an id that no other version has.
        let version_id = blobs.values().map(Vec::len).sum::<usize>() as u64 + 1;
        blobs.entry(run).or_default().push(Stored { version_id, bytes: bytes.to_vec() });
        Receipt { version_id, size_bytes: bytes.len() as u64, adler32: adler32(bytes) }
    }
}

#[async_trait]
impl BlobStore for MemoryStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError> {
        let info =
            |stored: &Stored| BlobInfo { size_bytes: stored.bytes.len() as u64, adler32: adler32(&stored.bytes) };
        Ok(self.lock().iter().filter_map(|(&run, versions)| Some((run, info(versions.last()?)))).collect())
    }

    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let mut blobs = self.lock();
        if blobs.contains_key(&run) {
            return Err(BlobError::AlreadyExists { run });
        }
        Ok(Self::store(&mut blobs, run, bytes))
    }

    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        Ok(Self::store(&mut self.lock(), run, bytes))
    }

    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(self.lock().get(&run).and_then(|versions| versions.last()).map(|stored| stored.bytes.clone()))
    }

    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError> {
        let blobs = self.lock();
        let newest_first = blobs.get(&run).into_iter().flat_map(|versions| versions.iter().rev());
        let version = |(age, stored): (usize, &Stored)| VersionInfo {
            version_id: stored.version_id,
            key: (age == 0).then(|| key_of(run)),
            tags: vec![key_of(run)],
            size_bytes: stored.bytes.len() as u64,
            adler32: adler32(&stored.bytes),
            recorded_at: None,
        };
        Ok(newest_first.enumerate().map(version).collect())
    }
}
