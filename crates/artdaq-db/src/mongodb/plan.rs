//! What is to be stored of a run, given what is there: decided before anything is written, and always alike.
//!
//! A document's id is made from its collection, configuration, version and entity. So two processes that store the same
//! run, or one that stores it again after a crash, write under the same ids, and the server lets each document in once.

use std::collections::BTreeMap;

use mongodb::bson::RawDocumentBuf;
use run_record::{RunNumber, fhicl::Document, prepare::PreparedRun, schema::SCHEMA_COLLECTION};
use sha2::{Digest as _, Sha256};
use statefile::Clock;

use super::{
    bson::encode,
    connect::Connection,
    intents::{Hidden, Intent, Pending, Target},
    query,
};
use crate::{
    ConfigError, Oid, Refused, RunEntry,
    document::{NewDocument, StoredDocument, timestamp},
    newest::{Newest, Wanted},
};

/// A run of which something is to be written.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    /// Its place in the batch.
    pub(super) place: usize,
    pub(super) intent: Intent,
    /// Intents of the same configuration that this one replaces.
    pub(super) replaces: Vec<String>,
    pub(super) writes: Vec<Write<'a>>,
    /// The version of the last pass.
    pub(super) version: String,
    /// Whether something of the configuration is there.
    pub(super) is_begun: bool,
}

/// A document that is to be written.
#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) target: Target,
    pub(super) content: &'a Document,
    pub(super) bson: RawDocumentBuf,
}

impl Write<'_> {
    /// Whether it is written after everything else: the genuine programs ask the collection of the schemas whether a
    /// run is there.
    pub(super) fn is_last(&self) -> bool {
        self.target.collection == SCHEMA_COLLECTION
    }
}

/// What is there of a configuration.
#[derive(Debug, Default)]
struct There {
    visible: Vec<(Target, StoredDocument)>,
    /// Documents of insertions that are not finished.
    hidden: BTreeMap<Target, StoredDocument>,
    replaces: Vec<String>,
}

/// Plans runs; shares what was read for all of them.
pub(super) struct Planner<'a> {
    pub(super) connection: &'a Connection,
    pub(super) clock: &'a dyn Clock,
    pub(super) pending: &'a Pending,
    pub(super) hidden: &'a Hidden,
}

/// What is to be done with a run.
#[derive(Debug)]
pub(super) enum Plan<'a> {
    /// Nothing is missing.
    Nothing,
    /// This is to be written.
    Write(Planned<'a>),
    /// Somebody else was just writing it, so that it is not known what is there.
    Again,
}

/// Why there is no plan: the run is refused, or to be planned again.
enum NoPlan {
    Refused(Refused),
    Again,
}

impl From<Refused> for NoPlan {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Planner<'_> {
    /// Plans to store a whole run.
    pub(super) async fn whole<'a>(
        &self,
        place: usize,
        prepared: &'a PreparedRun,
        entry: Option<&RunEntry>,
    ) -> Result<Result<Plan<'a>, Refused>, ConfigError> {
        self.plan(place, prepared, entry, |there| there.missing_of(prepared)).await
    }

    /// Plans to store the stop-time pass.
    pub(super) async fn pass<'a>(
        &self,
        place: usize,
        prepared: &'a PreparedRun,
        entry: Option<&RunEntry>,
    ) -> Result<Result<Plan<'a>, Refused>, ConfigError> {
        let configuration = prepared.full_name();
        let missing = |there: &Newest| {
            let pass = prepared.update.as_ref();
            pass.and_then(|pass| there.missing_of_pass(&configuration, pass)).into_iter().collect()
        };
        self.plan(place, prepared, entry, missing).await
    }

    async fn plan<'a>(
        &self,
        place: usize,
        prepared: &'a PreparedRun,
        entry: Option<&RunEntry>,
        missing: impl Fn(&Newest) -> Vec<Wanted<'a>>,
    ) -> Result<Result<Plan<'a>, Refused>, ConfigError> {
        let configuration = prepared.full_name();
        let there = match self.there(prepared.run, &configuration, entry).await? {
            Ok(there) => there,
            Err(NoPlan::Again) => return Ok(Ok(Plan::Again)),
            Err(NoPlan::Refused(refused)) => return Ok(Err(refused)),
        };
        let is_begun = !there.visible.is_empty() || !there.hidden.is_empty();
        let There { visible, mut hidden, replaces } = there;
        let mut newest = newest(visible);
        // What an unfinished insertion was to write is what is to be written now, unless the run has changed since.
        let mut wanted = missing(&newest);
        let mut writes = match self.writes(prepared.run, &configuration, &wanted) {
            Ok(writes) => writes,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut targets: Vec<_> = writes.iter().map(|write| write.target.clone()).collect();
        let is_same = |(target, stored): (&Target, &StoredDocument)| {
            writes.iter().any(|write| write.target == *target && stored.holds(write.content))
        };
        if hidden.iter().all(is_same) {
            writes.retain(|write| !hidden.contains_key(&write.target));
        } else {
            targets = hidden.keys().cloned().collect();
            while let Some((target, document)) = hidden.pop_first() {
                newest.add(target.collection, document);
            }
            wanted = missing(&newest);
            writes = match self.writes(prepared.run, &configuration, &wanted) {
                Ok(writes) => writes,
                Err(refused) => return Ok(Err(refused)),
            };
            targets.extend(writes.iter().map(|write| write.target.clone()));
        }
        if writes.is_empty() && replaces.is_empty() {
            return Ok(Ok(Plan::Nothing));
        }
        let version = wanted.pop().map_or_else(|| configuration.clone(), |wanted| wanted.version);
        let intent = Intent::new(prepared.run, &configuration, targets);
        Ok(Ok(Plan::Write(Planned { place, intent, replaces, writes, version, is_begun })))
    }

    /// What is there of a configuration; a document of it that cannot be read concerns this run only.
    async fn there(
        &self,
        run: RunNumber,
        configuration: &str,
        entry: Option<&RunEntry>,
    ) -> Result<Result<There, NoPlan>, ConfigError> {
        let mut there = There::default();
        let open = self.pending.of(configuration).filter(|intent| !self.hidden.finished.contains(&intent.id));
        there.replaces = open.map(|intent| intent.id.clone()).collect();
        let is_listed = entry.is_some_and(|entry| entry.configurations.iter().any(|found| found.name == configuration));
        if !is_listed && there.replaces.is_empty() {
            return Ok(Ok(there));
        }
        let documents = match self.documents_of(run, configuration).await? {
            Ok(documents) => documents,
            Err(no_plan) => return Ok(Err(no_plan)),
        };
        for (target, document) in documents {
            if self.hidden.contains(&target) {
                there.hidden.insert(target, document);
            } else {
                there.visible.push((target, document));
            }
        }
        Ok(Ok(there))
    }

    /// All documents of a configuration, if they are the same before and after a look at the intents, and these are as
    /// they were: then what we take for open is open, and what we take for whole is whole.
    async fn documents_of(
        &self,
        run: RunNumber,
        configuration: &str,
    ) -> Result<Result<Vec<(Target, StoredDocument)>, NoPlan>, ConfigError> {
        let read = query::documents_of(self.connection, configuration);
        let documents = match read.await {
            Ok(documents) => documents,
            Err(error @ ConfigError::StoredDamaged { .. }) => {
                return Ok(Err(Refused::Unreadable { run, problem: error.to_string() }.into()));
            }
            Err(other) => return Err(other),
        };
        let now = Pending::read(self.connection).await?;
        if !now.of(configuration).eq(self.pending.of(configuration)) {
            return Ok(Err(NoPlan::Again));
        }
        let again = query::documents_of(self.connection, configuration).await?;
        let targets = |documents: &[(Target, StoredDocument)]| -> Vec<Target> {
            documents.iter().map(|(target, _)| target.clone()).collect()
        };
        Ok(if targets(&documents) == targets(&again) { Ok(documents) } else { Err(NoPlan::Again) })
    }

    fn writes<'a>(
        &self,
        run: RunNumber,
        configuration: &str,
        wanted: &[Wanted<'a>],
    ) -> Result<Vec<Write<'a>>, Refused> {
        let mut writes = Vec::new();
        for Wanted { version, documents } in wanted {
            for document in documents {
                let oid = id_of(&document.collection, configuration, version, &document.entity);
                let time = timestamp(self.clock.now());
                let new = NewDocument {
                    oid,
                    collection: &document.collection,
                    entity: &document.entity,
                    version,
                    configuration,
                    run,
                    time: &time,
                    content: &document.document,
                };
                let bson = encode(&new.to_json()).map_err(|problem| Refused::Unstorable {
                    run,
                    entity: document.entity.clone(),
                    problem,
                })?;
                let target = Target::new(&document.collection, &oid);
                writes.push(Write { target, content: &document.document, bson });
            }
        }
        Ok(writes)
    }
}

fn newest(documents: Vec<(Target, StoredDocument)>) -> Newest {
    let mut newest = Newest::default();
    for (target, document) in documents {
        newest.add(target.collection, document);
    }
    newest
}

/// The id of a document: of the form of the genuine ones, and always the same.
fn id_of(collection: &str, configuration: &str, version: &str, entity: &str) -> Oid {
    let mut digest = Sha256::new();
    for part in [collection, configuration, version, entity] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let mut bytes = [0; 12];
    bytes.copy_from_slice(&digest.finalize()[..12]);
    Oid::from_random(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_documents_apart_and_never_change() {
        let id = id_of("RunHistory", "1000/demo", "1000/demo", "boot");
        assert_eq!(id, id_of("RunHistory", "1000/demo", "1000/demo", "boot"));
        for other in [
            id_of("SystemLayout", "1000/demo", "1000/demo", "boot"),
            id_of("RunHistory", "1001/demo", "1000/demo", "boot"),
            id_of("RunHistory", "1000/demo", "1000/demov1", "boot"),
            id_of("RunHistory", "1000/demo", "1000/demo", "setup"),
            id_of("RunHistory", "1000/demo", "1000/demob", "oot"),
        ] {
            assert_ne!(id, other);
        }
        // Stored archives depend on it.
        assert_eq!(id.to_string(), "ec25d15865a141778a1640de");
    }
}
