//! What an insertion is about to write, on disk before the first document is.
//!
//! While it exists, documents that it names may be there in part. Readers hide a run of which a document is not yet
//! indexed; the next writer completes the run if all its documents are in place, and removes them otherwise. So a
//! document that we did not write is never removed.

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
};

use run_record::RunNumber;
use serde::{Deserialize, Serialize};

use super::{Oid, disk::io_error};
use crate::ConfigError;

/// The file, in the root of the archive, where the genuine programs ignore plain files.
pub(super) const INTENT_FILE: &str = ".waymark-intent.json";

/// Where the file of an archive lies.
pub(super) fn path_in(root: &Path) -> PathBuf {
    root.join(INTENT_FILE)
}

/// What an insertion is about to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    /// The version of this form. 1: the first.
    version: u32,
    /// The documents.
    pub(super) documents: Vec<Intended>,
}

/// One document of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intended {
    run: u64,
    pub(super) collection: String,
    #[serde(with = "text")]
    pub(super) oid: Oid,
}

mod text {
    //! An object id as its text.

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::Oid;

    pub(super) fn serialize<S: Serializer>(oid: &Oid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(oid.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Oid, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Whether `name` is that of a directory in the root. What an intent names is removed: it must not lead elsewhere.
fn is_directory_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let first = components.next();
    !name.contains('\0')
        && components.next().is_none()
        && first.is_some_and(|first| first == Component::Normal(name.as_ref()))
}

impl Intended {
    pub(super) fn new(run: RunNumber, collection: &str, oid: Oid) -> Self {
        Self { run: run.get(), collection: collection.to_owned(), oid }
    }

    /// Where the document will lie.
    pub(super) fn path(&self, root: &Path) -> PathBuf {
        super::document_path(root, &self.collection, &self.oid)
    }

    /// Where it lies until it is flushed: in the root, where the genuine programs ignore it.
    pub(super) fn temporary(&self, root: &Path) -> PathBuf {
        root.join(format!(".waymark-{}.tmp", self.oid))
    }
}

impl Intent {
    pub(super) fn new(documents: Vec<Intended>) -> Self {
        Self { version: 1, documents }
    }

    /// The intent that an insertion in progress, or a dead one, has left in the archive.
    pub(super) fn read(root: &Path) -> Result<Option<Self>, ConfigError> {
        let path = path_in(root);
        let text = match statefile::read(&path, u64::MAX) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        let read = || {
            let intent: Self = serde_json::from_slice(&text)?;
            match intent.documents.iter().find(|document| !is_directory_name(&document.collection)) {
                None => Ok(Some(intent)),
                Some(document) => Err(serde::de::Error::custom(format!("`{}` is no collection", document.collection))),
            }
        };
        read().map_err(|source| ConfigError::IntentDamaged { path, source })
    }

    /// Its file.
    #[expect(clippy::expect_used, reason = "a struct of numbers and texts has a JSON form")]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts")
    }

    /// The documents of each run.
    pub(super) fn runs(&self) -> BTreeMap<u64, Vec<&Intended>> {
        let mut runs: BTreeMap<u64, Vec<&Intended>> = BTreeMap::new();
        for document in &self.documents {
            runs.entry(document.run).or_default().push(document);
        }
        runs
    }
}
