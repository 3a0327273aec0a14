//! An archive in memory: for rehearsals and tests. Forgets everything when it is dropped.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use run_record::{
    RunNumber,
    fhicl::Document,
    prepare::{Pass, PreparedRun},
};

use crate::{
    Amended, ConfigError, ConfigStore, Configuration, Export, ExportedDocument, Inserted, Refused, RunEntry,
    newest::check_collections,
};

/// An archive that lives as long as the value.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), artdaq_db::ConfigError> {
/// use artdaq_db::{ConfigStore, MemoryStore, RunNumber};
/// let store = MemoryStore::default();
/// assert!(store.runs().await?.is_empty());
/// assert_eq!(store.export(RunNumber::new(1000)).await?, None);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    runs: Mutex<BTreeMap<RunNumber, StoredRun>>,
}

#[derive(Debug)]
struct StoredRun {
    configuration: String,
    /// The passes in the order of their storing; the first is version 0.
    passes: Vec<Vec<StoredDocument>>,
}

#[derive(Debug)]
struct StoredDocument {
    collection: String,
    entity: String,
    document: Document,
}

fn stored(pass: &Pass) -> Vec<StoredDocument> {
    let copy = |document: &run_record::prepare::PreparedDocument| StoredDocument {
        collection: document.collection.clone(),
        entity: document.entity.clone(),
        document: document.document.clone(),
    };
    pass.documents.iter().map(copy).collect()
}

impl StoredRun {
    fn configuration(&self) -> Configuration {
        Configuration {
            name: self.configuration.clone(),
            complete: true,
            amended: self.passes.len() > 1,
            documents: self.passes.iter().map(Vec::len).sum(),
        }
    }

    /// The newest version of every document, with the number of its pass.
    fn newest(&self) -> HashMap<(&str, &str), (usize, &Document)> {
        let mut newest = HashMap::new();
        for (number, pass) in self.passes.iter().enumerate() {
            for stored in pass {
                newest.insert((stored.collection.as_str(), stored.entity.as_str()), (number, &stored.document));
            }
        }
        newest
    }

    fn version(&self, pass: usize) -> String {
        if pass == 0 { self.configuration.clone() } else { format!("{}v{pass}", self.configuration) }
    }

    fn has(&self, pass: &Pass) -> bool {
        let newest = self.newest();
        pass.documents.iter().all(|document| {
            newest
                .get(&(document.collection.as_str(), document.entity.as_str()))
                .is_some_and(|(_, stored)| **stored == document.document)
        })
    }
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunNumber, StoredRun>> {
        // Each change is a single insertion: a panic elsewhere leaves the map valid.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ConfigStore for MemoryStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
        let entry = |stored: &StoredRun| RunEntry { configurations: vec![stored.configuration()] };
        Ok(self.lock().iter().map(|(&run, stored)| (run, entry(stored))).collect())
    }

    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
        let mut runs = self.lock();
        let mut insert = |prepared: &PreparedRun| {
            check_collections(prepared)?;
            if let Some(there) = runs.get(&prepared.run) {
                return Ok(Inserted::AlreadyThere { configuration: there.configuration.clone() });
            }
            let passes: Vec<_> =
                [Some(&prepared.archive), prepared.update.as_ref()].into_iter().flatten().map(stored).collect();
            let documents = passes.iter().map(Vec::len).sum();
            runs.insert(prepared.run, StoredRun { configuration: prepared.full_name(), passes });
            Ok(Inserted::Stored { documents })
        };
        Ok(batch.iter().map(&mut insert).collect())
    }

    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
        let mut runs = self.lock();
        let mut amend = |prepared: &PreparedRun| {
            check_collections(prepared)?;
            let configuration = prepared.full_name();
            let Some(there) = runs.get_mut(&prepared.run).filter(|there| there.configuration == configuration) else {
                return Err(Refused::NotArchived { run: prepared.run, configuration });
            };
            let Some(pass) = &prepared.update else { return Ok(Amended::NothingToStore) };
            if there.has(pass) {
                return Ok(Amended::AlreadyThere);
            }
            there.passes.push(stored(pass));
            Ok(Amended::Stored { version: there.version(there.passes.len() - 1) })
        };
        Ok(batch.iter().map(&mut amend).collect())
    }

    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError> {
        let runs = self.lock();
        let Some(there) = runs.get(&run) else { return Ok(None) };
        let mut documents: Vec<_> = there
            .newest()
            .into_iter()
            .map(|((collection, entity), (pass, document))| ExportedDocument {
                entity: entity.to_owned(),
                collection: collection.to_owned(),
                version: there.version(pass),
                text: document.to_text(),
            })
            .collect();
        documents.sort();
        Ok(Some(Export { configuration: there.configuration(), documents }))
    }
}
