//! What is to be stored of a batch: made from the prepared runs and what is there, before anything is written.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use run_record::{
    RunNumber,
    prepare::{Pass, PreparedDocument, PreparedRun},
};

use super::{
    Oid,
    archive::{Archive, SYSTEM_METADATA, Snapshot},
    document::{NewDocument, timestamp},
    document_path,
    index::IndexEntry,
    query::{self, Newest},
};
use crate::{Amended, ConfigError, Inserted, Refused};

/// A document that is to be written.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) run: RunNumber,
    pub(super) collection: String,
    pub(super) entry: IndexEntry,
    pub(super) text: String,
}

/// Plans the runs of a batch one after the other.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    archive: &'a Archive,
    snapshot: &'a Snapshot,
    planned: Vec<Planned>,
    oids: HashSet<Oid>,
    /// Configurations that this batch stores, by run.
    stored: BTreeMap<RunNumber, String>,
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

/// What Linux allows for a file's name.
const NAME_BYTES_MAX: usize = 255;

impl<'a> Planner<'a> {
    pub(super) fn new(archive: &'a Archive, snapshot: &'a Snapshot) -> Self {
        Self { archive, snapshot, planned: Vec::new(), oids: HashSet::new(), stored: BTreeMap::new() }
    }

    /// The documents to write.
    pub(super) fn finish(self) -> Vec<Planned> {
        self.planned
    }

    /// Plans to store a whole run.
    pub(super) fn insert(&mut self, prepared: &PreparedRun) -> Result<Result<Inserted, Refused>, ConfigError> {
        if let Err(refused) = check_collections(prepared) {
            return Ok(Err(refused));
        }
        let run = prepared.run;
        if let Some(configuration) = self.stored.get(&run) {
            return Ok(Ok(Inserted::AlreadyThere { configuration: configuration.clone() }));
        }
        let entry = query::runs(self.snapshot, Some(run)).remove(&run);
        let newest = entry.as_ref().and_then(|entry| entry.newest());
        if let Some(there) = newest.filter(|there| there.complete) {
            return Ok(Ok(Inserted::AlreadyThere { configuration: there.name.clone() }));
        }
        let configuration = prepared.full_name();
        let there = match self.documents_of(run, &configuration)? {
            Ok(there) => there,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut kept = 0;
        let mut number =
            next_number(&there, &configuration).filter(|_| conflicts(&there, &prepared.archive)).unwrap_or(0);
        let mut documents = 0;
        for pass in [Some(&prepared.archive), prepared.update.as_ref()].into_iter().flatten() {
            let missing: Vec<_> = pass.documents.iter().filter(|document| !holds(&there, document)).collect();
            kept += pass.documents.len() - missing.len();
            documents += missing.len();
            self.add(run, &configuration, number, &missing)?;
            number = (number + 1).max(next_number(&there, &configuration).unwrap_or(1));
        }
        self.stored.insert(run, configuration);
        let is_new = there.is_empty();
        Ok(Ok(if is_new { Inserted::Stored { documents } } else { Inserted::Completed { documents, kept } }))
    }

    /// Plans to store the stop-time pass of a run.
    pub(super) fn amend(&mut self, prepared: &PreparedRun) -> Result<Result<Amended, Refused>, ConfigError> {
        if let Err(refused) = check_collections(prepared) {
            return Ok(Err(refused));
        }
        let run = prepared.run;
        let configuration = prepared.full_name();
        let entry = query::runs(self.snapshot, Some(run)).remove(&run);
        let is_there = |entry: &crate::RunEntry| {
            entry.configurations.iter().any(|there| there.name == configuration && there.complete)
        };
        if !entry.is_some_and(|entry| is_there(&entry)) {
            return Ok(Err(Refused::NotArchived { run, configuration }));
        }
        let Some(pass) = &prepared.update else { return Ok(Ok(Amended::NothingToStore)) };
        let there = match self.documents_of(run, &configuration)? {
            Ok(there) => there,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.stored.contains_key(&run) || pass.documents.iter().all(|document| holds(&there, document)) {
            return Ok(Ok(Amended::AlreadyThere));
        }
        let number = next_number(&there, &configuration).unwrap_or(1);
        let documents: Vec<_> = pass.documents.iter().collect();
        self.add(run, &configuration, number, &documents)?;
        self.stored.insert(run, configuration.clone());
        Ok(Ok(Amended::Stored { version: version(&configuration, number) }))
    }

    /// What is there of a configuration; a document of it that cannot be read concerns this run only.
    fn documents_of(&self, run: RunNumber, configuration: &str) -> Result<Result<Newest, Refused>, ConfigError> {
        match query::newest(&self.archive.root, query::documents_of(self.snapshot, configuration)) {
            Ok(there) => Ok(Ok(there)),
            Err(error @ (ConfigError::DocumentDamaged { .. } | ConfigError::DocumentMissing { .. })) => {
                Ok(Err(Refused::Unreadable { run, problem: error.to_string() }))
            }
            Err(other) => Err(other),
        }
    }

    fn add(
        &mut self,
        run: RunNumber,
        configuration: &str,
        number: u64,
        documents: &[&PreparedDocument],
    ) -> Result<(), ConfigError> {
        let version = version(configuration, number);
        for document in documents {
            let oid = self.free_oid(&document.collection)?;
            let time = timestamp(self.archive.surroundings.clock.now());
            let new = NewDocument {
                oid,
                collection: &document.collection,
                entity: &document.entity,
                version: &version,
                configuration,
                run,
                time: &time,
                content: &document.document,
            };
            let planned =
                Planned { run, collection: document.collection.clone(), entry: new.index_entry(), text: new.to_text() };
            self.planned.push(planned);
        }
        Ok(())
    }

    /// An id that no document of the collection has, be it indexed, on disk only, or planned.
    fn free_oid(&mut self, collection: &str) -> Result<Oid, ConfigError> {
        loop {
            let oid = self.archive.surroundings.oids.next().map_err(ConfigError::Oid)?;
            let indexed = self.snapshot.indexes.get(collection).is_some_and(|index| index.contains(&oid));
            if !indexed && !exists(&document_path(&self.archive.root, collection, &oid)) && self.oids.insert(oid) {
                return Ok(oid);
            }
        }
    }
}

fn exists(path: &Path) -> bool {
    // What cannot be examined may be there.
    fs_err::symlink_metadata(path).is_ok_and(|_| true)
}

fn version(configuration: &str, number: u64) -> String {
    if number == 0 { configuration.to_owned() } else { format!("{configuration}v{number}") }
}

/// One more than the greatest number of the versions that are there; `None` if there is none.
fn next_number(there: &Newest, configuration: &str) -> Option<u64> {
    there.values().filter_map(|document| query::version_number(configuration, document.version())).max().map(|n| n + 1)
}

fn stored<'a>(there: &'a Newest, document: &PreparedDocument) -> Option<&'a super::document::StoredDocument> {
    there.get(&(document.entity.clone(), document.collection.clone()))
}

fn holds(there: &Newest, document: &PreparedDocument) -> bool {
    stored(there, document).is_some_and(|stored| stored.holds(&document.document))
}

/// Whether a document of the pass is there with other content, so that it needs a greater version.
fn conflicts(there: &Newest, pass: &Pass) -> bool {
    pass.documents.iter().any(|document| stored(there, document).is_some() && !holds(there, document))
}
