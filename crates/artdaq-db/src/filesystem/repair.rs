//! Compares the indexes with the documents, and rebuilds those that are not what they should be.

use std::path::PathBuf;

use super::{
    Oid,
    archive::{Archive, in_writing_order},
    document_path,
    index::{Index, IndexEntry},
    query, recover, system,
};
use crate::ConfigError;

/// What the comparison of an archive's indexes with its documents has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The collections, sorted by name.
    pub collections: Vec<CollectionSurvey>,
    /// Documents that cannot be read, with the reason; they are left as they are. Only a repair reads documents.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl Survey {
    /// Whether every index names exactly the documents that are there.
    pub fn is_sound(&self) -> bool {
        let sound = |collection: &CollectionSurvey| {
            collection.index == IndexState::Sound && collection.unindexed == 0 && collection.dangling == 0
        };
        self.collections.iter().all(sound) && self.unreadable.is_empty()
    }
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionSurvey {
    /// Its name.
    pub name: String,
    /// Its index file.
    pub index: IndexState,
    /// Documents that are there and that the index does not name.
    pub unindexed: usize,
    /// Documents that the index names and that are not there.
    pub dangling: usize,
}

/// The state of an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// It can be read, or neither it nor any document is there.
    Sound,
    /// It is not there, but documents are.
    Missing,
    /// It is empty, cut off or otherwise no index.
    Damaged,
}

/// What is known of a collection.
struct Found {
    survey: CollectionSurvey,
    index: Option<Index>,
    documents: Vec<Oid>,
}

/// Compares without changing anything.
pub(super) fn survey(archive: &mut Archive) -> Result<Survey, ConfigError> {
    let mut survey = Survey::default();
    for collection in archive.collections()? {
        survey.collections.push(examine(archive, &collection)?.survey);
    }
    Ok(survey)
}

fn examine(archive: &mut Archive, collection: &str) -> Result<Found, ConfigError> {
    let documents = archive.documents_of(collection)?;
    let (state, index) = match archive.index(collection) {
        Ok(index) => (IndexState::Sound, Some(Index::clone(&index))),
        Err(ConfigError::IndexMissing { .. }) => (IndexState::Missing, None),
        Err(ConfigError::IndexDamaged { .. }) => (IndexState::Damaged, None),
        Err(other) => return Err(other),
    };
    let named = index.as_ref().map_or(&[][..], Index::oids);
    let survey = CollectionSurvey {
        name: collection.to_owned(),
        index: state,
        unindexed: documents.iter().filter(|oid| named.binary_search(oid).is_err()).count(),
        dangling: named.iter().filter(|oid| documents.binary_search(oid).is_err()).count(),
    };
    Ok(Found { survey, index, documents })
}

/// Makes every index name exactly the readable documents of its collection; returns what was found before.
///
/// Only for the holder of the lock. The bytes of an index that is rebuilt are kept in the root of the archive.
pub(super) fn repair(archive: &mut Archive) -> Result<Survey, ConfigError> {
    recover::discard_unfinished(archive)?;
    system::remove_leftovers(archive)?;
    let mut survey = Survey::default();
    for collection in in_writing_order(archive.collections()?) {
        archive.disk.remove_leftovers(&archive.index_path(&collection))?;
        let found = examine(archive, &collection)?;
        let is_sound = found.survey.index == IndexState::Sound && found.survey.dangling == 0;
        if !is_sound || found.survey.unindexed > 0 {
            // An index that can be read and names nothing that is missing is added to; any other is made anew.
            let mut index = found.index.filter(|_| is_sound).unwrap_or_default();
            let entries = read(archive, &collection, &found.documents, &index, &mut survey.unreadable)?;
            if !is_sound || !entries.is_empty() {
                index.add(&entries);
                keep(archive, &collection)?;
                archive.write_index(&collection, index)?;
            }
        }
        survey.collections.push(found.survey);
    }
    survey.collections.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(survey)
}

/// Reads the documents that an index does not name.
fn read(
    archive: &Archive,
    collection: &str,
    documents: &[Oid],
    index: &Index,
    unreadable: &mut Vec<(PathBuf, String)>,
) -> Result<Vec<IndexEntry>, ConfigError> {
    let mut entries = Vec::new();
    for oid in documents.iter().filter(|oid| !index.contains(oid)) {
        let path = document_path(&archive.root, collection, oid);
        match query::read(&path) {
            Ok(document) if document.entry.oid == *oid => entries.push(document.entry),
            Ok(document) => unreadable.push((path, format!("its `_id` is {}", document.entry.oid))),
            Err(ConfigError::DocumentDamaged { source, .. }) => unreadable.push((path, source.to_string())),
            Err(other) => return Err(other),
        }
    }
    Ok(entries)
}

/// Keeps the bytes of an index that is about to be replaced.
fn keep(archive: &Archive, collection: &str) -> Result<(), ConfigError> {
    let path = archive.index_path(collection);
    match statefile::read(&path, u64::MAX) {
        Ok(bytes) => {
            archive.disk.replace(&archive.root.join(format!(".waymark-{collection}-index.json.before-repair")), &bytes)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(super::disk::io_error("read", &path)(error)),
    }
}
