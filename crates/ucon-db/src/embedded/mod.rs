//! An archive in a SQLite file, with the meaning of a UconDB server and none of its network.
//!
//! # Promises
//!
//! 1. A put is one transaction: a process that is killed, or a machine that loses power, leaves the whole version or
//!    nothing of it. When `put` returns, it is on stable storage.
//! 2. Several processes may use the file at once, from its creation on; they wait for each other, 10 s at most.
//! 3. Looking never creates: reading an archive whose file does not exist finds it empty.
//! 4. A file that is not such an archive, or was written by a newer program, is refused and left as it is.
//!
//! Unlike the server, it has no orphan blobs (version and blob are one transaction) and no users: who may write the
//! file may write the archive.

mod schema;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use statefile::Clock;

use crate::{
    BlobError, BlobInfo, BlobStore, ErrorClass, FolderName, ObjectName, Receipt, RunNumber, VersionInfo, adler32,
    key::{key_of, run_of},
};

/// An archive in a SQLite file.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use ucon_db::{BlobStore, EmbeddedStore, RunNumber};
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("ucondb.sqlite");
/// let clock = Arc::new(statefile::SystemClock);
/// let store = EmbeddedStore::new(&path, &"run_records".parse()?, &"configuration".parse()?, clock);
/// store.put(RunNumber::new(100), b"record").await?;
/// assert_eq!(store.get(RunNumber::new(100)).await?.as_deref(), Some(&b"record"[..]));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// As the server spells it: with its namespace.
    folder: String,
    object: String,
    clock: Arc<dyn Clock>,
    connection: Mutex<Option<Connection>>,
}

/// What to do about a run that has a current blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Refuse,
    /// It loses its key to the new one.
    Override,
}

/// What went wrong with an archive file.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// It could not be opened.
    #[error("could not open the archive `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The file, or the directory around it, could not be created.
    #[error("could not create the archive `{path}`")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is a database of something else.
    #[error("`{path}` is not an archive of run records")]
    NotAnArchive {
        /// The file; it is left as it is.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("`{path}` has format version {found}, newer than {supported}, the newest that this program knows")]
    TooNew {
        /// The file; it is left as it is.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that this program knows.
        supported: i64,
    },
    /// A blob in it does not have the checksum that was stored with it.
    #[error("`{path}` is damaged: run {run} does not have its checksum any more")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The run.
        run: RunNumber,
    },
    /// It could not be read or written.
    #[error("could not {operation} in the archive `{path}`")]
    Query {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
}

impl EmbeddedError {
    /// What the error means for another try: only another process that holds the file goes away by itself.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Open { source, .. } | Self::Query { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => ErrorClass::Transient,
                _ => ErrorClass::Permanent,
            },
            Self::Create { .. } | Self::NotAnArchive { .. } | Self::TooNew { .. } | Self::Damaged { .. } => {
                ErrorClass::Permanent
            }
        }
    }
}

impl EmbeddedStore {
    /// An archive in the file at `path`. Nothing is opened yet; the first put creates the file and its directory.
    pub fn new(path: &Path, folder: &FolderName, object: &ObjectName, clock: Arc<dyn Clock>) -> Self {
        let folder = match folder.as_str() {
            qualified if qualified.contains('.') => qualified.to_owned(),
            plain => format!("public.{plain}"),
        };
        let object = object.as_str().to_owned();
        let inner = Inner { path: path.to_owned(), folder, object, clock, connection: Mutex::new(None) };
        Self { inner: Arc::new(inner) }
    }

    /// Runs `work` on a thread that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let inner = Arc::clone(&self.inner);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
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

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Inner { path, folder, object, .. } = &*self.inner;
        f.debug_struct("EmbeddedStore")
            .field("path", path)
            .field("folder", folder)
            .field("object", object)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl BlobStore for EmbeddedStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError> {
        self.blocking(|archive| {
            let listed = archive.read("list the runs", |connection| archive.select_runs(connection))?;
            Ok(listed.unwrap_or_default())
        })
        .await
    }

    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let bytes = bytes.to_vec();
        self.blocking(move |archive| {
            archive
                .write("store a run", |connection| archive.insert(connection, run, &bytes, Taken::Refuse))?
                .ok_or(BlobError::AlreadyExists { run })
        })
        .await
    }

    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let bytes = bytes.to_vec();
        self.blocking(move |archive| {
            archive
                .write("store a run anew", |connection| archive.insert(connection, run, &bytes, Taken::Override))?
                .ok_or(BlobError::AlreadyExists { run })
        })
        .await
    }

    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        self.blocking(move |archive| {
            let found = archive.read("fetch a run", |connection| archive.select_blob(connection, run))?.flatten();
            let Some((bytes, checksum)) = found else { return Ok(None) };
            if adler32(&bytes) != checksum {
                return Err(EmbeddedError::Damaged { path: archive.path.clone(), run }.into());
            }
            Ok(Some(bytes))
        })
        .await
    }

    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError> {
        self.blocking(move |archive| {
            let found =
                archive.read("list the versions of a run", |connection| archive.select_versions(connection, run))?;
            Ok(found.unwrap_or_default())
        })
        .await
    }
}

impl Inner {
    /// Runs `query`, or returns `None` if the file does not exist.
    fn read<T>(
        &self,
        operation: &'static str,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, EmbeddedError> {
        let opened = self.connection.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !opened && !fs_err::exists(&self.path).unwrap_or(true) {
            return Ok(None);
        }
        self.write(operation, query).map(Some)
    }

    /// Runs `query`, after creating the file if it does not exist.
    fn write<T>(
        &self,
        operation: &'static str,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EmbeddedError> {
        // A query that panics drops its transaction, which rolls it back: the connection stays usable.
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => empty.insert(schema::open(&self.path)?),
        };
        query(connection).map_err(|source| EmbeddedError::Query { operation, path: self.path.clone(), source })
    }

    /// Stores a version with its blob; `None` if the run has a current one that is not to be overridden.
    fn insert(
        &self,
        connection: &mut Connection,
        run: RunNumber,
        bytes: &[u8],
        taken: Taken,
    ) -> rusqlite::Result<Option<Receipt>> {
        let key = key_of(run);
        let checksum = adler32(bytes);
        // Takes the write lock at once: what is read below stays true until the commit.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let place = params![self.folder, self.object, key];
        if taken == Taken::Override {
            let release = "UPDATE version SET key = NULL WHERE folder = ?1 AND object = ?2 AND key = ?3";
            transaction.prepare_cached(release)?.execute(place)?;
        }
        let is_taken = "SELECT 1 FROM version WHERE folder = ?1 AND object = ?2 AND key = ?3";
        if transaction.prepare_cached(is_taken)?.exists(place)? {
            return Ok(None);
        }
        let same = "SELECT id FROM blob WHERE folder = ?1 AND adler32 = ?2 AND size = ?3 AND data = ?4";
        let size = params![self.folder, checksum, bytes.len(), bytes];
        let known: Option<i64> = transaction.prepare_cached(same)?.query_row(size, |row| row.get(0)).optional()?;
        let data_key = if let Some(id) = known {
            id
        } else {
            let add = "INSERT INTO blob (folder, adler32, size, data) VALUES (?1, ?2, ?3, ?4)";
            transaction.prepare_cached(add)?.insert(size)?
        };
        let add = "INSERT INTO version (folder, object, key, tv, tr_micros, data_key) VALUES (?1, ?2, ?3, 0.0, ?4, ?5)";
        let now = self.clock.now().timestamp_micros();
        let id = transaction.prepare_cached(add)?.insert(params![self.folder, self.object, key, now, data_key])?;
        transaction.prepare_cached("INSERT INTO tag (version_id, name) VALUES (?1, ?2)")?.execute(params![id, key])?;
        transaction.commit()?;
        Ok(Some(Receipt { version_id: id.unsigned_abs(), size_bytes: bytes.len() as u64, adler32: checksum }))
    }

    fn select_runs(&self, connection: &Connection) -> rusqlite::Result<BTreeMap<RunNumber, BlobInfo>> {
        let mut statement = connection.prepare_cached(
            "SELECT v.key, b.size, b.adler32 FROM version v JOIN blob b ON b.id = v.data_key \
             WHERE v.folder = ?1 AND v.object = ?2 AND v.key IS NOT NULL",
        )?;
        let mut rows = statement.query(params![self.folder, self.object])?;
        let mut runs = BTreeMap::new();
        while let Some(row) = rows.next()? {
            if let Some(run) = run_of(row.get_ref(0)?.as_str()?) {
                runs.insert(run, BlobInfo { size_bytes: row.get(1)?, adler32: row.get(2)? });
            }
        }
        Ok(runs)
    }

    fn select_blob(&self, connection: &Connection, run: RunNumber) -> rusqlite::Result<Option<(Vec<u8>, u32)>> {
        let query = "SELECT b.data, b.adler32 FROM version v JOIN blob b ON b.id = v.data_key \
                     WHERE v.folder = ?1 AND v.object = ?2 AND v.key = ?3";
        connection
            .prepare_cached(query)?
            .query_row(params![self.folder, self.object, key_of(run)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    fn select_versions(&self, connection: &Connection, run: RunNumber) -> rusqlite::Result<Vec<VersionInfo>> {
        let mut statement = connection.prepare_cached(
            "SELECT v.id, v.key, b.size, b.adler32, v.tr_micros, \
                    (SELECT json_group_array(name ORDER BY name) FROM tag WHERE version_id = v.id) \
             FROM version v JOIN blob b ON b.id = v.data_key \
             WHERE v.folder = ?1 AND v.object = ?2 \
               AND (v.key = ?3 OR EXISTS (SELECT 1 FROM tag WHERE version_id = v.id AND name = ?3)) \
             ORDER BY v.tr_micros DESC, v.id DESC",
        )?;
        let version = |row: &rusqlite::Row<'_>| {
            let tags: String = row.get(5)?;
            Ok(VersionInfo {
                version_id: row.get(0)?,
                key: row.get(1)?,
                size_bytes: row.get(2)?,
                adler32: row.get(3)?,
                recorded_at: DateTime::from_timestamp_micros(row.get(4)?),
                tags: serde_json::from_str(&tags).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, error.into())
                })?,
            })
        };
        statement.query_map(params![self.folder, self.object, key_of(run)], version)?.collect()
    }
}
