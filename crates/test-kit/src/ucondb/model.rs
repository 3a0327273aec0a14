//! What the server remembers: folders, versions, blobs.

use std::collections::{BTreeMap, BTreeSet};

use super::record::adler32;

/// All folders, by their full names.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) folders: BTreeMap<String, Folder>,
    /// Epoch seconds; moves on with each version, so that the order of versions does not hang on a real clock.
    now: f64,
}

/// One folder: versions of all its objects, and contents, each once.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    pub(crate) versions: Vec<Version>,
    blobs: Vec<Vec<u8>>,
}

/// One version.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: u64,
    pub(crate) key: Option<String>,
    pub(crate) object: String,
    pub(crate) tv: f64,
    pub(crate) tr: f64,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) data_key: u64,
    pub(crate) data_size: usize,
    pub(crate) adler32: u32,
}

/// A version about to be.
#[derive(Debug)]
pub(crate) struct NewVersion<'a> {
    pub(crate) object: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) tv: f64,
    pub(crate) replaces: bool,
    pub(crate) data: &'a [u8],
}

impl Model {
    pub(crate) fn new(folders: Vec<String>) -> Self {
        let folders = folders.into_iter().map(|name| (name, Folder::default())).collect();
        Self { folders, now: 1_795_219_679.0 }
    }

    /// The present moment of this server, in epoch seconds.
    pub(crate) fn now(&self) -> f64 {
        self.now
    }

    /// The folder under its plain or full name.
    pub(crate) fn folder(&self, name: &str) -> Option<(String, &Folder)> {
        let name = full_name(name);
        self.folders.get(&name).map(|folder| (name, folder))
    }

    /// Stores a version; `None` if its key is taken, or the folder unknown.
    pub(crate) fn put(&mut self, folder: &str, new: NewVersion<'_>) -> Option<Version> {
        self.now += 0.015_625;
        let tr = self.now;
        self.folders.get_mut(&full_name(folder))?.put(new, tr)
    }

    pub(crate) fn seed(
        &mut self,
        folder: &str,
        object: &str,
        key: Option<&str>,
        tags: &[&str],
        tv: f64,
        data: &[u8],
    ) -> Option<u64> {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        self.put(folder, NewVersion { object, key, tags, tv, replaces: true, data }).map(|version| version.id)
    }

    pub(crate) fn contents(&self, folder: &str, object: &str) -> Vec<(String, Vec<u8>)> {
        let Some(folder) = self.folders.get(folder) else { return Vec::new() };
        let current = folder.versions.iter().filter(|version| version.object == object);
        let mut contents: Vec<_> = current
            .filter_map(|version| Some((version.key.clone()?, folder.blob(version.data_key)?.to_vec())))
            .collect();
        contents.sort();
        contents
    }

    pub(crate) fn version_count(&self, folder: &str) -> usize {
        self.folders.get(folder).map_or(0, |folder| folder.versions.len())
    }
}

impl Folder {
    fn put(&mut self, new: NewVersion<'_>, tr: f64) -> Option<Version> {
        let taken = |version: &&mut Version| {
            version.object == new.object && version.key.is_some() && version.key.as_deref() == new.key
        };
        if let Some(old) = self.versions.iter_mut().find(taken) {
            if !new.replaces {
                return None;
            }
            old.key = None;
        }
        let at = self.blobs.iter().position(|blob| blob == new.data).unwrap_or_else(|| {
            self.blobs.push(new.data.to_vec());
            self.blobs.len() - 1
        });
        let version = Version {
            id: self.versions.len() as u64 + 1,
            key: new.key.map(str::to_owned),
            object: new.object.to_owned(),
            tv: new.tv,
            tr,
            tags: new.tags,
            data_key: at as u64 + 1,
            data_size: new.data.len(),
            adler32: adler32(new.data),
        };
        self.versions.push(version.clone());
        Some(version)
    }

    /// The content with this number.
    pub(crate) fn blob(&self, data_key: u64) -> Option<&[u8]> {
        let at = usize::try_from(data_key.checked_sub(1)?).ok()?;
        self.blobs.get(at).map(Vec::as_slice)
    }

    /// Whether an object exists: it does from its first version on.
    pub(crate) fn has_object(&self, object: &str) -> bool {
        self.versions.iter().any(|version| version.object == object)
    }
}

/// A folder's name with its namespace.
pub(crate) fn full_name(folder: &str) -> String {
    if folder.contains('.') { folder.to_owned() } else { format!("public.{folder}") }
}
