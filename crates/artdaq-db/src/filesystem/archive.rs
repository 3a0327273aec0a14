//! The directory of an archive: its collections, and their indexes in memory as long as the files do not change.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use fs_err as fs;
use statefile::{Lock, Owner};

use super::{
    Oid, Surroundings,
    disk::{Disk, io_error},
    index::{Filter, Index},
    intent::{self, Intent},
};
use crate::{ConfigError, lock};

/// The collection of the record that describes the archive.
pub(crate) const SYSTEM_METADATA: &str = "SystemMetadata";

const INDEX_FILE: &str = "index.json";
pub(crate) const LOCK_FILE: &str = ".waymark.lock";

/// How often a reader looks again when the archive changes while it is read.
const READ_ATTEMPTS: u32 = 5;

/// An archive, and what is known of its indexes.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) root: PathBuf,
    pub(super) uri: String,
    pub(super) surroundings: Surroundings,
    pub(super) disk: Disk,
    cache: BTreeMap<String, (Stamp, Arc<Index>)>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { inode: metadata.ino(), bytes: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }

    /// `None` if there is no such file.
    fn at(path: &Path) -> Result<Option<Self>, ConfigError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Self::of(&metadata))),
            // A FIFO would be waited for.
            Ok(_) => Err(io_error("read", path)(io::Error::other("it is not a regular file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", path)(error)),
        }
    }
}

/// One consistent state of all indexes.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    pub(super) indexes: BTreeMap<String, Arc<Index>>,
    /// Documents of runs that an insertion has not finished; they are hidden.
    pub(super) hidden: HashSet<Oid>,
}

impl Snapshot {
    /// The documents that meet a filter, by collection and id.
    pub(super) fn find(&self, filter: &Filter) -> Vec<(String, Oid)> {
        let mut found = Vec::new();
        for (collection, index) in &self.indexes {
            let visible = index.find(filter).into_iter().filter(|oid| !self.hidden.contains(oid));
            found.extend(visible.map(|oid| (collection.clone(), oid)));
        }
        found
    }
}

impl Archive {
    pub(super) fn new(root: PathBuf, uri: String, surroundings: Surroundings) -> Self {
        Self { root, uri, surroundings, disk: Disk::default(), cache: BTreeMap::new() }
    }

    /// Locks the archive for writing, after creating its directory.
    pub(super) fn lock(&self) -> Result<Lock, ConfigError> {
        if !fs::exists(&self.root).map_err(io_error("read", &self.root))? {
            self.disk.create_directory(&self.root)?;
        }
        let owner = Owner::current(&*self.surroundings.clock);
        lock::acquire(&self.root.join(LOCK_FILE), &owner)
            .map_err(|source| ConfigError::Lock { root: self.root.clone(), source })
    }

    /// Creates a collection with an empty index, so that documents without an index always mean that it was lost.
    pub(super) fn create_collection(&mut self, collection: &str) -> Result<(), ConfigError> {
        let directory = self.root.join(collection);
        if !directory.is_dir() {
            self.disk.create_directory(&directory)?;
            self.disk.sync_directory(&self.root)?;
        }
        if fs::exists(self.index_path(collection)).map_err(io_error("read", &directory))? {
            return Ok(());
        }
        self.write_index(collection, Index::default())
    }

    pub(super) fn index_path(&self, collection: &str) -> PathBuf {
        self.root.join(collection).join(INDEX_FILE)
    }

    /// The directories of the archive that may hold runs; none, if there is no archive.
    pub(super) fn collections(&self) -> Result<Vec<String>, ConfigError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(ConfigError::NotADirectory { path: self.root.clone() });
            }
            Err(error) => return Err(io_error("list", &self.root)(error)),
        };
        let mut collections = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io_error("list", &self.root))?;
            // A link may lead to a directory.
            let is_directory = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            if let (true, Ok(name)) = (is_directory, entry.file_name().into_string())
                && name != SYSTEM_METADATA
            {
                collections.push(name);
            }
        }
        collections.sort();
        Ok(collections)
    }

    /// The documents that lie in a collection, indexed or not, sorted.
    pub(super) fn documents_of(&self, collection: &str) -> Result<Vec<Oid>, ConfigError> {
        let mut oids: Vec<Oid> = self.names_of(collection)?.filter_map(|name| oid_of(&name)).collect();
        oids.sort();
        Ok(oids)
    }

    fn names_of(&self, collection: &str) -> Result<impl Iterator<Item = String>, ConfigError> {
        let path = self.root.join(collection);
        let list = || -> io::Result<Vec<String>> {
            fs::read_dir(&path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        };
        list().map(Vec::into_iter).map_err(io_error("list", &path))
    }

    /// The index of a collection, read again only if its file has changed.
    pub(super) fn index(&mut self, collection: &str) -> Result<Arc<Index>, ConfigError> {
        let path = self.index_path(collection);
        let Some(stamp) = Stamp::at(&path)? else {
            self.cache.remove(collection);
            if self.root.join(collection).is_dir() && self.names_of(collection)?.any(|name| oid_of(&name).is_some()) {
                return Err(ConfigError::IndexMissing { path });
            }
            return Ok(Arc::default());
        };
        if let Some((known, index)) = self.cache.get(collection)
            && *known == stamp
        {
            return Ok(Arc::clone(index));
        }
        let (stamp, index) = read_index(&path)?;
        let index = Arc::new(index);
        self.cache.insert(collection.to_owned(), (stamp, Arc::clone(&index)));
        Ok(index)
    }

    /// Changes an index and replaces its file. If that fails, the file is read again before it is next used.
    pub(super) fn change_index(
        &mut self,
        collection: &str,
        change: impl FnOnce(&mut Index),
    ) -> Result<(), ConfigError> {
        let shared = self.index(collection)?;
        self.cache.remove(collection);
        let mut index = Arc::unwrap_or_clone(shared);
        change(&mut index);
        self.write_index(collection, index)
    }

    /// Replaces the file of an index.
    pub(super) fn write_index(&mut self, collection: &str, index: Index) -> Result<(), ConfigError> {
        let path = self.index_path(collection);
        self.cache.remove(collection);
        self.disk.replace(&path, &index.to_bytes())?;
        if let Some(stamp) = Stamp::at(&path)? {
            self.cache.insert(collection.to_owned(), (stamp, Arc::new(index)));
        }
        Ok(())
    }

    /// All indexes as they are between two changes of another process.
    ///
    /// If the archive never rests, the last state that was seen is returned; a run between two indexes is incomplete
    /// or hidden in it, but never complete.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot, ConfigError> {
        let mut attempt = 1;
        loop {
            let before = self.stamps()?;
            let mut snapshot = Snapshot::default();
            // The reverse of the order of writing.
            for collection in in_writing_order(self.collections()?).into_iter().rev() {
                let index = self.index(&collection)?;
                snapshot.indexes.insert(collection, index);
            }
            if let Some(intent) = Intent::read(&self.root)? {
                snapshot.hidden = hidden(&intent, &snapshot.indexes);
            }
            if attempt == READ_ATTEMPTS || self.stamps()? == before {
                return Ok(snapshot);
            }
            attempt += 1;
        }
    }

    fn stamps(&self) -> Result<BTreeMap<String, Option<Stamp>>, ConfigError> {
        // First, since it says best what is wrong with a place that is no archive.
        let collections = self.collections()?;
        let mut stamps = BTreeMap::from([(String::new(), Stamp::at(&intent::path_in(&self.root))?)]);
        for collection in collections {
            let stamp = Stamp::at(&self.index_path(&collection))?;
            stamps.insert(collection, stamp);
        }
        Ok(stamps)
    }
}

/// The documents of the intent's runs of which not every document is indexed.
fn hidden(intent: &Intent, indexes: &BTreeMap<String, Arc<Index>>) -> HashSet<Oid> {
    let has_entry = |document: &&super::intent::Intended| {
        indexes.get(&document.collection).is_some_and(|index| index.contains(&document.oid))
    };
    let runs = intent.runs();
    let unfinished = runs.values().filter(|documents| !documents.iter().all(has_entry));
    unfinished.flatten().map(|document| document.oid).collect()
}

/// The order in which indexes are written: the one that the genuine program asks whether a run is there comes last.
pub(super) fn in_writing_order(mut collections: Vec<String>) -> Vec<String> {
    collections.sort_by_key(|collection| collection == run_record::schema::SCHEMA_COLLECTION);
    collections
}

fn oid_of(name: &str) -> Option<Oid> {
    name.strip_suffix(".json")?.parse().ok()
}

/// Reads an index with the stamp of the state that was read.
fn read_index(path: &Path) -> Result<(Stamp, Index), ConfigError> {
    let read = || -> io::Result<(Stamp, Vec<u8>)> {
        let mut file = fs::File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok((stamp, bytes))
    };
    let (stamp, bytes) = read().map_err(io_error("read", path))?;
    let index = Index::parse(&String::from_utf8_lossy(&bytes))
        .map_err(|source| ConfigError::IndexDamaged { path: path.to_owned(), source })?;
    Ok((stamp, index))
}
