//! The `filesystemdb` format of `artdaq_database` 1.10, read and written natively.
//!
//! ```text
//! ROOT/
//!   SystemMetadata/<oid>.json     describes the archive; written once
//!   RunHistory/<oid>.json …       one file a document; the collection is the directory
//!   RunHistory/index.json         which documents have which version, configuration, entity, run
//!   SystemLayout/…                schema.fcl, stored with every pass
//!   .waymark.lock                 who writes; the genuine programs ignore plain files in ROOT
//!   .waymark-intent.json          only while an insertion runs: what it is writing
//!   .waymark-<oid>.tmp            likewise: a document that is not yet flushed
//! ```
//!
//! # Promises
//!
//! 1. What this module writes, the genuine programs read, and the reverse.
//! 2. Where the genuine code is not atomic, this is: documents first, under a temporary name, flushed, renamed; then
//!    each index, replaced as a whole; all under a lock. The index of `SystemLayout`, which the genuine programs ask
//!    whether a run is there, comes last. Between the first index and the last, a genuine `findconfigs` can see the
//!    run without its schema; our own readers see it whole or not at all.
//! 3. What a crash leaves is completed or removed by the next writer, exactly: an intent on disk names it. A document
//!    that we did not write is never removed.
//! 4. An index that is missing, empty or cut off is an error that names it; [`FilesystemStore::repair`] rebuilds it
//!    from the documents. Reading creates nothing.
//! 5. One load and one rewrite of each index a batch; an index that has not changed on disk is not read again.
//!
//! The lock keeps our own processes apart. The genuine programs lock nothing: while one of them writes into the same
//! archive, either side may overwrite the other's index. The documents remain, and a repair finds them.
//!
//! # Complete and incomplete
//!
//! A failed import of the genuine programs leaves a part of a run. A configuration counts as complete if it has its
//! schema, and either the document `hashes`, which the library mode stores last, or a second pass, which follows only
//! a first one without failures. A run of the genuine tools mode without a stop time has neither; it cannot be told
//! from a failed one, counts as incomplete, and is completed (by `hashes`) when it is inserted again.

mod archive;
mod commit;
mod dialect;
mod disk;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod intent;
mod oid;
mod plan;
mod query;
mod recover;
mod repair;
mod system;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use run_record::{RunNumber, prepare::PreparedRun};
use statefile::Clock;

use crate::{Amended, ConfigError, ConfigStore, Export, FilesystemUri, Inserted, Refused, RunEntry};
use archive::Archive;
use plan::Planner;

pub(crate) use archive::{LOCK_FILE, SYSTEM_METADATA};
pub use dialect::SyntaxError;
pub use index::Filter;
pub(crate) use index::IndexEntry;
pub use oid::{NotAnOid, Oid, OidSource, RandomOids};
pub use repair::{CollectionSurvey, IndexState, Survey};

/// What an archive takes from the world around it.
#[derive(Clone)]
pub struct Surroundings {
    /// Tells the times that are written into documents.
    pub clock: Arc<dyn Clock>,
    /// Gives the ids of new documents.
    pub oids: Arc<dyn OidSource>,
    /// Who creates the archive, for its description.
    pub user: String,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An archive in a directory.
///
/// Clones share the archive. Nothing is read before the first question, and nothing is created before the first insertion.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use artdaq_db::{ConfigStore, FilesystemStore, FilesystemUri, RandomOids, Surroundings};
/// # let dir = tempfile::tempdir()?;
/// let uri = FilesystemUri::parse("filesystemdb://$DATA/archive", |_| dir.path().to_str().map(Into::into))?;
/// let clock = Arc::new(statefile::SystemClock);
/// let surroundings = Surroundings { clock, oids: Arc::new(RandomOids), user: "daq".into() };
/// let store = FilesystemStore::new(&uri, surroundings);
/// assert!(store.runs().await?.is_empty());
/// assert!(!uri.path().exists());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct FilesystemStore {
    root: PathBuf,
    archive: Arc<Mutex<Archive>>,
}

impl fmt::Debug for FilesystemStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesystemStore").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Where a document lies.
fn document_path(root: &Path, collection: &str, oid: &Oid) -> PathBuf {
    root.join(collection).join(format!("{oid}.json"))
}

impl FilesystemStore {
    /// The archive at `uri`.
    pub fn new(uri: &FilesystemUri, surroundings: Surroundings) -> Self {
        Self::of(Archive::new(uri.path().to_owned(), uri.to_string(), surroundings))
    }

    fn of(archive: Archive) -> Self {
        Self { root: archive.root.clone(), archive: Arc::new(Mutex::new(archive)) }
    }

    /// The directory of the archive.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The documents that meet every criterion of `filter`: collection and id, sorted.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if an index cannot be read.
    pub async fn find(&self, filter: Filter) -> Result<Vec<(String, Oid)>, ConfigError> {
        self.blocking(move |archive| Ok(archive.snapshot()?.find(&filter))).await
    }

    /// Compares the indexes with the names of the documents, without changing anything.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a directory cannot be listed. Damaged indexes are no error here, but findings.
    pub async fn survey(&self) -> Result<Survey, ConfigError> {
        self.blocking(repair::survey).await
    }

    /// Makes every index name exactly the readable documents of its collection; returns what was found before.
    ///
    /// What an interrupted insertion has left is settled first. Documents that cannot be read are listed and left as
    /// they are; the bytes of a replaced index are kept as `.waymark-COLLECTION-index.json.before-repair`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if another process writes, or the system refuses.
    pub async fn repair(&self) -> Result<Survey, ConfigError> {
        self.blocking(|archive| {
            if !fs_err::exists(&archive.root).map_err(disk::io_error("read", &archive.root))? {
                return Ok(Survey::default());
            }
            let _lock = archive.lock()?;
            repair::repair(archive)
        })
        .await
    }

    /// Runs `work` with the archive to itself, on a thread that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Archive) -> Result<T, ConfigError> + Send + 'static,
    ) -> Result<T, ConfigError> {
        // A panic in the middle of a change has taken the changed index out of the cache.
        self.detached(|archive| work(&mut archive.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    /// Runs `work` on a thread that may wait for the disk.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Mutex<Archive>) -> Result<T, ConfigError> + Send + 'static,
    ) -> Result<T, ConfigError> {
        let archive = Arc::clone(&self.archive);
        match tokio::task::spawn_blocking(move || work(&archive)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                // Let the panic go on where it is seen.
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down and will not poll this again.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// Plans and stores a batch, under the lock.
fn store<T>(
    archive: &mut Archive,
    batch: &[PreparedRun],
    plan: impl FnOnce(&mut Planner<'_>, &[PreparedRun]) -> Result<Vec<T>, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let _lock = archive.lock()?;
    recover::recover(archive)?;
    let snapshot = archive.snapshot()?;
    let mut planner = Planner::new(archive, &snapshot);
    let outcomes = plan(&mut planner, batch)?;
    let documents = planner.finish();
    // Its share of the indexes would have them copied before they are changed.
    drop(snapshot);
    commit::commit(archive, &documents)?;
    Ok(outcomes)
}

fn insert_all(planner: &mut Planner<'_>, batch: &[PreparedRun]) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
    batch.iter().map(|prepared| planner.insert(prepared)).collect()
}

fn amend_all(planner: &mut Planner<'_>, batch: &[PreparedRun]) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
    batch.iter().map(|prepared| planner.amend(prepared)).collect()
}

#[async_trait]
impl ConfigStore for FilesystemStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
        self.blocking(|archive| Ok(query::runs(&archive.snapshot()?, None))).await
    }

    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
        self.blocking(move |archive| store(archive, &batch, insert_all)).await
    }

    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
        self.blocking(move |archive| store(archive, &batch, amend_all)).await
    }

    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError> {
        let root = self.root.clone();
        self.detached(move |archive| {
            // Only the look-up keeps others from the archive, not the reading of the documents.
            let located = query::locate(&mut archive.lock().unwrap_or_else(PoisonError::into_inner), run)?;
            located.map(|(configuration, documents)| query::export(&root, configuration, documents)).transpose()
        })
        .await
    }
}
