//! Writes what is planned, so that a crash at any moment leaves each run whole or absent.
//!
//! The order: the intent; the documents under temporary names; one flush for all of them; their final names; the
//! directories; the indexes, that of `SystemLayout` last; and the intent is removed. The batch is committed, run by
//! run, by the last index that names it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    archive::{Archive, in_writing_order},
    index::IndexEntry,
    intent::{self, Intended, Intent},
    plan::Planned,
    recover, system,
};
use crate::ConfigError;

/// Stores the planned documents. On error the archive is put in order as far as it still can be.
pub(super) fn commit(archive: &mut Archive, planned: &[Planned]) -> Result<(), ConfigError> {
    if planned.is_empty() {
        return Ok(());
    }
    let outcome = write(archive, planned);
    if outcome.is_err() {
        // The next writer tries again; the first error is the one that tells.
        drop(recover::recover(archive));
    }
    outcome
}

fn write(archive: &mut Archive, planned: &[Planned]) -> Result<(), ConfigError> {
    let root = archive.root.clone();
    system::describe(archive)?;
    let intended = |document: &Planned| Intended::new(document.run, &document.collection, document.entry.oid);
    let intent = Intent::new(planned.iter().map(intended).collect());
    archive.disk.replace(&intent::path_in(&root), &intent.to_bytes())?;

    let collections: BTreeSet<&str> = planned.iter().map(|document| document.collection.as_str()).collect();
    for collection in &collections {
        archive.create_collection(collection)?;
    }
    let temporaries: Vec<_> = intent.documents.iter().map(|document| document.temporary(&root)).collect();
    for (document, temporary) in planned.iter().zip(&temporaries) {
        archive.disk.create_file(temporary, document.text.as_bytes())?;
    }
    archive.disk.sync_files(&root, temporaries.iter().map(std::path::PathBuf::as_path))?;
    for (document, temporary) in intent.documents.iter().zip(&temporaries) {
        archive.disk.rename(temporary, &document.path(&root))?;
    }
    for collection in &collections {
        archive.disk.sync_directory(&root.join(collection))?;
    }
    archive.disk.sync_directory(&root)?;

    let mut entries: BTreeMap<&str, Vec<&IndexEntry>> = BTreeMap::new();
    for document in planned {
        entries.entry(&document.collection).or_default().push(&document.entry);
    }
    for collection in in_writing_order(entries.keys().map(ToString::to_string).collect()) {
        let new = entries.remove(collection.as_str()).unwrap_or_default();
        archive.change_index(&collection, |index| index.add(new))?;
    }
    // Not flushed: an intent whose documents are all indexed says nothing.
    archive.disk.remove_file(&intent::path_in(&root))
}
