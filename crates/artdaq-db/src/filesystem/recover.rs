//! Puts an archive in order after an insertion that did not come to its end.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    archive::{Archive, in_writing_order},
    index::{Index, IndexEntry},
    intent::{self, Intended, Intent},
    query,
};
use crate::{ConfigError, filesystem::disk::io_error};

/// Completes or removes what a dead writer has left. Only for the holder of the lock.
///
/// A run whose documents are all in place is completed: they were flushed before they got their names. Of any other
/// run the documents are removed; no index names them.
pub(super) fn recover(archive: &mut Archive) -> Result<(), ConfigError> {
    let Some(intent) = start(archive)? else { return Ok(()) };
    let mut additions: BTreeMap<&str, Vec<IndexEntry>> = BTreeMap::new();
    for documents in intent.runs().values() {
        let unindexed = unindexed(documents, |collection| archive.index(collection).map(Some))?;
        if !all_in_place(archive, documents)? {
            remove(archive, &unindexed)?;
            continue;
        }
        for document in unindexed {
            let entry = query::read(&document.path(&archive.root))?.entry;
            additions.entry(&document.collection).or_default().push(entry);
        }
    }
    for collection in in_writing_order(additions.keys().map(ToString::to_string).collect()) {
        let new = additions.remove(collection.as_str()).unwrap_or_default();
        archive.change_index(&collection, |index| index.add(&new))?;
    }
    close(archive, &intent)
}

/// Removes the documents of runs that a dead writer has not finished, without need of sound indexes.
///
/// Runs whose documents are all in place stay, for a repair to index them.
pub(super) fn discard_unfinished(archive: &mut Archive) -> Result<(), ConfigError> {
    let Some(intent) = start(archive)? else { return Ok(()) };
    for documents in intent.runs().values() {
        if !all_in_place(archive, documents)? {
            let unindexed = unindexed(documents, |collection| Ok(archive.index(collection).ok()))?;
            remove(archive, &unindexed)?;
        }
    }
    close(archive, &intent)
}

/// The intent that is to be settled; one that never got its name is removed.
fn start(archive: &Archive) -> Result<Option<Intent>, ConfigError> {
    archive.disk.remove_leftovers(&intent::path_in(&archive.root))?;
    Intent::read(&archive.root)
}

fn unindexed<'a>(
    documents: &[&'a Intended],
    mut index: impl FnMut(&str) -> Result<Option<Arc<Index>>, ConfigError>,
) -> Result<Vec<&'a Intended>, ConfigError> {
    let mut unindexed = Vec::new();
    for document in documents {
        if !index(&document.collection)?.is_some_and(|index| index.contains(&document.oid)) {
            unindexed.push(*document);
        }
    }
    Ok(unindexed)
}

fn all_in_place(archive: &Archive, documents: &[&Intended]) -> Result<bool, ConfigError> {
    for document in documents {
        let path = document.path(&archive.root);
        if !fs_err::exists(&path).map_err(io_error("read", &path))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn remove(archive: &Archive, documents: &[&Intended]) -> Result<(), ConfigError> {
    documents.iter().try_for_each(|document| archive.disk.remove_file(&document.path(&archive.root)))
}

/// Removes what else the dead writer has left, and at last the intent.
fn close(archive: &Archive, intent: &Intent) -> Result<(), ConfigError> {
    for document in &intent.documents {
        archive.disk.remove_file(&document.temporary(&archive.root))?;
    }
    let mut collections: Vec<&str> = intent.documents.iter().map(|document| document.collection.as_str()).collect();
    collections.sort_unstable();
    collections.dedup();
    for collection in collections {
        let directory = archive.root.join(collection);
        if directory.is_dir() {
            archive.disk.remove_leftovers(&archive.index_path(collection))?;
            archive.disk.sync_directory(&directory)?;
        }
    }
    archive.disk.sync_directory(&archive.root)?;
    archive.disk.remove_file(&intent::path_in(&archive.root))
}
