//! What insertions are about to write, in a collection of their own: there before the first document is.
//!
//! While an intent exists, the documents that it names may be there in part. Readers hide them until all are there.
//! The next insertion of the run completes it, since the same run has the same ids. An intent is removed by whoever
//! knows that all its documents are there; after a crash it stays, and then says nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use mongodb::bson::{doc, oid::ObjectId};
use run_record::RunNumber;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{bson::to_bson, connect::Connection, query::duplicates_allowed};
use crate::{ConfigError, Oid};

/// The collection. The genuine programs search it like every other one, and find nothing: its records have no
/// configurations.
pub(crate) const INTENTS: &str = "WaymarkIntents";

/// The record that counts finished insertions, so that a reader knows whether the archive has changed meanwhile.
const FINISHED: &str = "finished";

/// What an insertion is about to write of one configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    /// Made from the rest, so that two processes that are about to write the same share the record.
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) configuration: String,
    run: String,
    pub(super) documents: Vec<Target>,
}

/// One document of an intent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) collection: String,
    pub(super) oid: ObjectId,
}

impl Target {
    pub(super) fn new(collection: &str, oid: &Oid) -> Self {
        Self { collection: collection.to_owned(), oid: to_bson(oid) }
    }
}

impl Intent {
    pub(super) fn new(run: RunNumber, configuration: &str, mut documents: Vec<Target>) -> Self {
        documents.sort();
        documents.dedup();
        let mut digest = Sha256::new();
        for document in &documents {
            digest.update(document.collection.as_bytes());
            digest.update([0]);
            digest.update(document.oid.bytes());
        }
        let mut bytes = [0; 12];
        bytes.copy_from_slice(&digest.finalize()[..12]);
        let id = format!("{configuration}#{}", ObjectId::from_bytes(bytes));
        Self { id, configuration: configuration.to_owned(), run: run.to_string(), documents }
    }
}

/// A record of the collection, whichever it is.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    configuration: String,
    #[serde(default)]
    run: String,
    #[serde(default)]
    documents: Vec<Target>,
    #[serde(default)]
    count: i64,
}

/// All intents, and how many insertions were finished before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) intents: Vec<Intent>,
    finished: i64,
}

/// The documents that readers do not see.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    documents: HashSet<Target>,
    by_collection: BTreeMap<String, Vec<ObjectId>>,
    /// The intents that are finished, though nobody has removed them.
    pub(super) finished: BTreeSet<String>,
}

impl Hidden {
    pub(super) fn contains(&self, target: &Target) -> bool {
        self.documents.contains(target)
    }

    pub(super) fn of(&self, collection: &str) -> &[ObjectId] {
        self.by_collection.get(collection).map_or(&[], Vec::as_slice)
    }
}

impl Pending {
    /// Reads the collection.
    pub(super) async fn read(connection: &Connection) -> Result<Self, ConfigError> {
        let records = connection.database().await?.collection::<Record>(INTENTS);
        let mut cursor = connection.ask("read", records.find(doc! {}).sort(doc! { "_id": 1 })).await?;
        let mut pending = Self::default();
        while connection.ask("read", cursor.advance()).await? {
            let record = cursor.deserialize_current().map_err(|error| connection.error("read", &error))?;
            let Record { id, configuration, run, documents, count } = record;
            if id == FINISHED {
                pending.finished = count;
            } else {
                pending.intents.push(Intent { id, configuration, run, documents });
            }
        }
        Ok(pending)
    }

    /// The intents of a configuration.
    pub(super) fn of(&self, configuration: &str) -> impl Iterator<Item = &Intent> {
        self.intents.iter().filter(move |intent| intent.configuration == configuration)
    }

    /// The documents of the intents of which not every document is there.
    pub(super) async fn hidden(&self, connection: &Connection) -> Result<Hidden, ConfigError> {
        let mut wanted: BTreeMap<&str, BTreeSet<ObjectId>> = BTreeMap::new();
        for document in self.intents.iter().flat_map(|intent| &intent.documents) {
            wanted.entry(&document.collection).or_default().insert(document.oid);
        }
        let mut there = HashSet::new();
        for (collection, oids) in wanted {
            let oids: Vec<_> = oids.into_iter().collect();
            there.extend(super::query::existing(connection, collection, &oids).await?);
        }
        let mut hidden = Hidden::default();
        for intent in &self.intents {
            if intent.documents.iter().all(|document| there.contains(document)) {
                hidden.finished.insert(intent.id.clone());
            } else {
                hidden.documents.extend(intent.documents.iter().cloned());
            }
        }
        for document in &hidden.documents {
            hidden.by_collection.entry(document.collection.clone()).or_default().push(document.oid);
        }
        Ok(hidden)
    }
}

/// Records intents; one that is there already is shared.
pub(super) async fn record(connection: &Connection, intents: &[&Intent]) -> Result<(), ConfigError> {
    let records = connection.database().await?.collection::<Intent>(INTENTS);
    let outcome = connection.ask_raw("write", records.insert_many(intents.iter().copied()).ordered(false)).await?;
    duplicates_allowed(connection, outcome.map(drop)).map(drop)
}

/// Counts insertions of which every document is there, and then removes their intents.
///
/// In this order a reader that saw an intent go has also seen the count change.
pub(super) async fn finish(connection: &Connection, ids: &BTreeSet<String>) -> Result<(), ConfigError> {
    let records = connection.database().await?.collection::<Record>(INTENTS);
    let counted = records.update_one(doc! { "_id": FINISHED }, doc! { "$inc": { "count": 1_i64 } }).upsert(true);
    connection.ask("write", counted).await?;
    let ids: Vec<&String> = ids.iter().collect();
    connection.ask("write", records.delete_many(doc! { "_id": { "$in": ids } })).await?;
    Ok(())
}
