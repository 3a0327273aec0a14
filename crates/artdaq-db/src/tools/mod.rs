//! An archive that is written and read by the genuine tools `bulkloader` and `bulkdownloader`.
//!
//! The tools have no listing; the Python archiver lists with the library even in its tools mode. Here the archive is
//! listed by a store of its own, natively, as [`FilesystemStore`](crate::FilesystemStore) or `MongoStore` do;
//! everything that is stored goes through `bulkloader`, and everything that is exported comes from `bulkdownloader`,
//! and is compared with what the listing's store reads. So both must reach the same archive; that they do is verified
//! with the first run that is stored.
//!
//! # Promises
//!
//! Those of [`ConfigStore`], but for what the tools cannot do:
//!
//! 1. **Whole or not at all** holds for what a listing calls complete. A load that breaks off leaves a part of a run,
//!    which is listed as incomplete and completed by the next insertion: the documents first, then `hashes`, then the
//!    second pass, each read back by `bulkdownloader` before the next one is loaded.
//! 2. **Stable storage**: the tools flush nothing. What was read back may be lost when the machine loses power.
//! 3. **Versions**: the tools give every document of a configuration the version `RUN/NAME`. A document that is there
//!    with other content cannot be told from a later one, so such a run is refused, and left as it is.
//! 4. **Collections**: the schema goes to `SystemLayout`, everything else to `RunHistory`, whatever the schema says.
//! 5. What the genuine parser refuses or destroys, and names that a shell would misread, are refused before anything
//!    is written or sent.
//! 6. One loader at a time: within a process, and between processes by a lock, which the loader inherits, so that it
//!    stays locked when we are killed and the loader goes on. (On a remote host the loader is not held by it.)
//!
//! # What is absent
//!
//! A listing by the tools; removing what a killed process left in the directory for temporary files; the archiver's
//! own retries.

mod error;
mod exchange;
mod files;
mod names;
mod process;
mod run;
mod settings;
mod tar;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use run_record::{RunNumber, prepare::PreparedRun};
use statefile::{Clock, Lock, Owner};
use tokio::sync::RwLock;

use crate::{
    Amended, ConfigError, ConfigStore, DatabaseUri, Export, Inserted, Refused, RunEntry, entry::schema_entity,
    filesystem::LOCK_FILE, lock, newest::check_collections,
};
use exchange::Tools;

pub use error::ToolError;
pub use settings::{PASSED, ToolSettings};

/// The lock of an archive in a server, in the directory for locks.
const SERVER_LOCK: &str = ".artdaq-tools.lock";

/// What is added to the lock's name for the one that a loader inherits.
const LOADER_SUFFIX: &str = ".loader";

/// An archive behind the genuine tools.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{collections::BTreeMap, sync::Arc, time::Duration};
/// use artdaq_db::{ConfigStore, DatabaseUri, MemoryStore, ToolSettings, ToolsStore};
///
/// let settings = ToolSettings {
///     uri: DatabaseUri::parse("filesystemdb:///daq/run_archive", |_| None)?,
///     loader: None,
///     downloader: Some("/opt/artdaq/bin/bulkdownloader".to_owned()),
///     remote_host: Some("daq@daq01".to_owned()),
///     environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin".to_owned())]),
///     temp_dir: "/tmp".into(),
///     lock_dir: "/var/lib/waymark".into(),
///     time_max: Duration::from_secs(300),
/// };
/// let listing = Arc::new(MemoryStore::default()); // in earnest one that reads the same archive
/// let store = ToolsStore::new(&settings, listing, Arc::new(statefile::SystemClock))?;
/// # drop(store); Ok(()) }
/// ```
pub struct ToolsStore {
    tools: Tools,
    listing: Arc<dyn ConfigStore>,
    lock: PathBuf,
    clock: Arc<dyn Clock>,
    /// The indexes are rewritten in place by a loader: nobody reads meanwhile.
    traffic: RwLock<()>,
    /// Whether the listing has shown what the tools stored.
    is_confirmed: AtomicBool,
}

impl fmt::Debug for ToolsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolsStore").field("uri", &self.tools.uri.to_string()).finish_non_exhaustive()
    }
}

impl ToolsStore {
    /// An archive behind the tools; `listing` reads the same archive. Only looks the programs up.
    ///
    /// # Errors
    ///
    /// [`ToolError`] when a program is missing, or when the tools or a shell would misread what they are given.
    pub fn new(
        settings: &ToolSettings,
        listing: Arc<dyn ConfigStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ToolError> {
        let tools = settings.resolve()?;
        let lock = match &settings.uri {
            DatabaseUri::Filesystem(uri) => uri.path().join(LOCK_FILE),
            DatabaseUri::Mongo(_) => settings.lock_dir.join(SERVER_LOCK),
        };
        Ok(Self { tools, listing, lock, clock, traffic: RwLock::default(), is_confirmed: AtomicBool::new(false) })
    }

    /// Keeps other writers out: those of this program by a lock with a record of its owner, and the loader of one that
    /// was killed by the lock that it has inherited.
    fn lock(&self) -> Result<Locked, ConfigError> {
        if let Some(directory) = self.lock.parent() {
            let operation = "create";
            let failed = |source| ConfigError::Io { operation, path: directory.to_owned(), source };
            fs_err::create_dir_all(directory).map_err(failed)?;
        }
        let lock = lock::acquire(&self.lock, &Owner::current(&*self.clock))
            .map_err(|source| ConfigError::Lock { root: self.lock.clone(), source })?;
        let mut path = self.lock.clone().into_os_string();
        path.push(LOADER_SUFFIX);
        let path = PathBuf::from(path);
        let failed = |source| ConfigError::Io { operation: "lock", path: path.clone(), source };
        let loader = fs_err::OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(failed)?;
        match loader.try_lock() {
            Ok(()) => Ok(Locked { loader, _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => Err(ToolError::LoaderRunning { lock: path }.into()),
            Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    fn differs(&self, configuration: &str, problem: &'static str) -> ConfigError {
        let (uri, configuration) = (self.tools.uri.to_string(), configuration.to_owned());
        ToolError::ListingDiffers { uri, configuration, problem }.into()
    }

    /// Verifies that the listing shows what was stored: that it reads the archive into which the tools write.
    async fn confirm(&self, stored: &BTreeMap<RunNumber, String>) -> Result<(), ConfigError> {
        if stored.is_empty() {
            return Ok(());
        }
        let runs = self.listing.runs().await?;
        for (run, name) in stored {
            let entry = runs.get(run);
            let found = entry.and_then(|entry| entry.configurations.iter().find(|found| found.name == *name));
            match found {
                Some(found) if found.complete => {}
                Some(_) => return Err(self.differs(name, "the tools have all of it, and the listing a part")),
                None => return Err(self.differs(name, "the tools have it, and the listing has not")),
            }
        }
        self.is_confirmed.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// The right to write.
struct Locked {
    /// What a loader inherits.
    loader: fs_err::File,
    _lock: Lock,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // A child that is just being started may have a copy of the file. Every loader has ended, or was killed.
        let _ = self.loader.unlock();
    }
}

#[async_trait]
impl ConfigStore for ToolsStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
        let _reading = self.traffic.read().await;
        self.listing.runs().await
    }

    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
        let _writing = self.traffic.write().await;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let locked = self.lock()?;
        let listed = self.listing.runs().await?;
        let mut stored: BTreeMap<RunNumber, String> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for prepared in &*batch {
            let there = listed.get(&prepared.run).filter(|entry| entry.is_complete()).and_then(RunEntry::newest);
            let there = there.map(|found| &found.name).or_else(|| stored.get(&prepared.run));
            let outcome = match check_collections(prepared).and_then(|()| names::check(prepared)) {
                Err(refused) => Err(refused),
                Ok(()) if let Some(there) = there => Ok(Inserted::AlreadyThere { configuration: there.clone() }),
                Ok(()) => {
                    let name = prepared.full_name();
                    let is_listed = listed
                        .get(&prepared.run)
                        .is_some_and(|entry| entry.configurations.iter().any(|found| found.name == name));
                    self.store(prepared, is_listed, &locked.loader).await?
                }
            };
            if outcome.is_ok() && there.is_none() {
                stored.insert(prepared.run, prepared.full_name());
            }
            outcomes.push(outcome);
        }
        self.confirm(&stored).await?;
        Ok(outcomes)
    }

    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
        let _writing = self.traffic.write().await;
        let listed = self.listing.runs().await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for prepared in &*batch {
            let name = prepared.full_name();
            let is_archived = listed
                .get(&prepared.run)
                .is_some_and(|entry| entry.configurations.iter().any(|found| found.name == name && found.complete));
            outcomes.push(match check_collections(prepared).and_then(|()| names::check(prepared)) {
                Err(refused) => Err(refused),
                Ok(()) if !is_archived => Err(Refused::NotArchived { run: prepared.run, configuration: name }),
                Ok(()) if prepared.update.is_none() => Ok(Amended::NothingToStore),
                Ok(()) => {
                    let locked = self.lock()?;
                    self.add_second_pass(prepared, &locked.loader).await?
                }
            });
        }
        Ok(outcomes)
    }

    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError> {
        let _reading = self.traffic.read().await;
        let Some(mut export) = self.listing.export(run).await? else { return Ok(None) };
        let full_name = export.configuration.name.clone();
        let name = names::configuration(&full_name)?;
        let found = self.tools.download(run, name).await?;
        let found = found.ok_or_else(|| self.differs(&full_name, "the listing has it, and the tools have not"))?;
        for document in &mut export.documents {
            let is_layout = document.entity == schema_entity();
            match found.get(&document.entity, is_layout) {
                Some(text) if text == document.text => {}
                _ => {
                    let (configuration, entity) = (full_name, document.entity.clone());
                    return Err(ToolError::ReadersDisagree { configuration, entity }.into());
                }
            }
        }
        if found.len() != export.documents.len() {
            return Err(self.differs(&full_name, "the tools have more documents than the listing"));
        }
        Ok(Some(export))
    }
}

/// The entities of documents, for messages.
fn named(entities: &BTreeSet<&str>) -> String {
    entities.iter().map(|entity| format!("`{entity}`")).collect::<Vec<_>>().join(", ")
}
