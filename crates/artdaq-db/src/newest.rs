//! What is to be stored of a run, given the documents of its configuration that are there.

use std::collections::{BTreeMap, btree_map::Entry};

use run_record::prepare::{Pass, PreparedDocument, PreparedRun};

use crate::{
    Refused,
    document::StoredDocument,
    filesystem::SYSTEM_METADATA,
    version::{compare_versions, version, version_number},
};

/// What Linux allows for a file's name.
const NAME_BYTES_MAX: usize = 255;

/// The greatest versions of a configuration's documents, by entity and collection.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    pub(crate) documents: BTreeMap<(String, String), StoredDocument>,
}

/// Documents of one version that are to be stored.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) version: String,
    pub(crate) documents: Vec<&'a PreparedDocument>,
}

/// Refuses a run of which a document has no place in an archive.
pub(crate) fn check_collections(prepared: &PreparedRun) -> Result<(), Refused> {
    let documents =
        [Some(&prepared.archive), prepared.update.as_ref()].into_iter().flatten().flat_map(|pass| &pass.documents);
    for PreparedDocument { collection, entity, .. } in documents {
        let is_name = !collection.is_empty() && !collection.starts_with('.') && !collection.contains(['/', '\0']);
        if !is_name || collection == SYSTEM_METADATA || collection.len() > NAME_BYTES_MAX {
            return Err(Refused::Collection { collection: collection.clone(), entity: entity.clone() });
        }
    }
    Ok(())
}

impl Newest {
    /// Adds a document unless there is one of a greater version; of equal versions the one that was added first
    /// stays. Like the genuine program, callers add them by ascending ids.
    pub(crate) fn add(&mut self, collection: String, document: StoredDocument) {
        match self.documents.entry((document.entity().to_owned(), collection)) {
            Entry::Vacant(place) => drop(place.insert(document)),
            Entry::Occupied(mut place) => {
                if compare_versions(document.version(), place.get().version()).is_gt() {
                    place.insert(document);
                }
            }
        }
    }

    /// What is missing of a whole run. What is there with the same content is not wanted again; where a document is
    /// there with other content, the first pass gets a greater version.
    pub(crate) fn missing_of<'a>(&self, prepared: &'a PreparedRun) -> Vec<Wanted<'a>> {
        let configuration = prepared.full_name();
        let next = self.next_number(&configuration);
        let mut number = next.filter(|_| self.conflicts(&prepared.archive)).unwrap_or(0);
        let mut wanted = Vec::new();
        for pass in [Some(&prepared.archive), prepared.update.as_ref()].into_iter().flatten() {
            let documents = pass.documents.iter().filter(|document| !self.holds(document)).collect();
            wanted.push(Wanted { version: version(&configuration, number), documents });
            number = (number + 1).max(next.unwrap_or(1));
        }
        wanted
    }

    /// The stop-time pass under its next version; `None` if it is there.
    pub(crate) fn missing_of_pass<'a>(&self, configuration: &str, pass: &'a Pass) -> Option<Wanted<'a>> {
        if pass.documents.iter().all(|document| self.holds(document)) {
            return None;
        }
        let number = self.next_number(configuration).unwrap_or(1);
        Some(Wanted { version: version(configuration, number), documents: pass.documents.iter().collect() })
    }

    /// One more than the greatest number of the versions that are there; `None` if there is none.
    fn next_number(&self, configuration: &str) -> Option<u64> {
        let numbers = self.documents.values().filter_map(|document| version_number(configuration, document.version()));
        numbers.max().map(|number| number + 1)
    }

    fn get(&self, document: &PreparedDocument) -> Option<&StoredDocument> {
        self.documents.get(&(document.entity.clone(), document.collection.clone()))
    }

    fn holds(&self, document: &PreparedDocument) -> bool {
        self.get(document).is_some_and(|stored| stored.holds(&document.document))
    }

    /// Whether a document of the pass is there with other content.
    fn conflicts(&self, pass: &Pass) -> bool {
        pass.documents.iter().any(|document| self.get(document).is_some() && !self.holds(document))
    }
}
