//! What is to be stored of a batch: made from the prepared runs and what is there, before anything is written.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use run_record::{RunNumber, prepare::PreparedRun};

use super::{
    Oid,
    archive::{Archive, Snapshot},
    dialect, document_path,
    index::IndexEntry,
    query,
};
use crate::{
    Amended, ConfigError, Inserted, Refused,
    document::{NewDocument, timestamp},
    newest::{Newest, Wanted, check_collections},
};

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
        let wanted = there.missing_of(prepared);
        for wanted in &wanted {
            self.add(run, &configuration, wanted)?;
        }
        let documents = wanted.iter().map(|wanted| wanted.documents.len()).sum();
        let kept = prepared.archive.documents.len() + prepared.update.as_ref().map_or(0, |pass| pass.documents.len())
            - documents;
        self.stored.insert(run, configuration);
        let is_new = there.documents.is_empty();
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
        let wanted = there.missing_of_pass(&configuration, pass).filter(|_| !self.stored.contains_key(&run));
        let Some(wanted) = wanted else { return Ok(Ok(Amended::AlreadyThere)) };
        self.add(run, &configuration, &wanted)?;
        self.stored.insert(run, configuration.clone());
        Ok(Ok(Amended::Stored { version: wanted.version }))
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

    fn add(&mut self, run: RunNumber, configuration: &str, wanted: &Wanted<'_>) -> Result<(), ConfigError> {
        for document in &wanted.documents {
            let oid = self.free_oid(&document.collection)?;
            let time = timestamp(self.archive.surroundings.clock.now());
            let new = NewDocument {
                oid,
                collection: &document.collection,
                entity: &document.entity,
                version: &wanted.version,
                configuration,
                run,
                time: &time,
                content: &document.document,
            };
            let mut text = String::with_capacity(16 << 10);
            dialect::write(&mut text, &new.to_json());
            self.planned.push(Planned { run, collection: document.collection.clone(), entry: new.index_entry(), text });
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
