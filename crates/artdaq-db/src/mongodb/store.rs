//! The port on a MongoDB server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use run_record::{RunNumber, prepare::PreparedRun};
use tokio::sync::Mutex;

use super::{
    commit::{self, Written},
    connect::{Certificates, Connection},
    export,
    indexes::{self, CreatedIndex},
    intents::{Hidden, INTENTS, Pending},
    listing,
    plan::{Plan, Planned, Planner},
    query, system,
};
use crate::{
    Amended, ConfigError, ConfigStore, Export, Inserted, MongoUri, Refused, RunEntry, filesystem::Surroundings,
    newest::check_collections,
};

/// How often a run is planned again when other processes store it at the same time.
const WRITE_ATTEMPTS: u32 = 20;

/// What MongoDB allows for the names of a database and a collection together, a dot included.
const NAMESPACE_BYTES_MAX: usize = 255;

/// An archive in a MongoDB server.
///
/// Clones share the connection, which belongs to the tokio runtime of its first use. Nothing is connected before the
/// first question, and nothing is created before the first insertion.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use artdaq_db::{Certificates, ConfigStore, MongoStore, MongoUri, RandomOids, Surroundings};
///
/// // Nobody listens on port 1, which is found out in 50 ms.
/// let uri = MongoUri::parse("mongodb://daq:secret@127.0.0.1:1/archive?serverSelectionTimeoutMS=50")?;
/// let clock = Arc::new(statefile::SystemClock);
/// let surroundings = Surroundings { clock, oids: Arc::new(RandomOids), user: "daq".into() };
/// let store = MongoStore::new(uri, Certificates::default(), surroundings);
/// let error = store.runs().await.expect_err("no server");
/// assert_eq!(error.to_string(), "could not read `mongodb://127.0.0.1:1/archive`");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MongoStore {
    connection: Arc<Connection>,
    surroundings: Surroundings,
    writing: Arc<Mutex<()>>,
    is_described: Arc<AtomicBool>,
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoStore").field("uri", self.connection.uri()).finish_non_exhaustive()
    }
}

/// What is to be done with the runs of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Insert,
    Amend,
}

/// How it went with one run.
#[derive(Debug)]
enum Outcome {
    /// There was nothing to write: the newest configuration.
    There(String),
    Refused(Refused),
    /// Nothing to write, though the run counts as incomplete.
    Whole,
    NothingToStore,
    Written {
        written: Written,
        is_begun: bool,
        planned: usize,
        version: String,
    },
}

impl MongoStore {
    /// The archive at `uri`. Of the surroundings the ids are not used: here ids follow from what a document is.
    pub fn new(uri: MongoUri, certificates: Certificates, surroundings: Surroundings) -> Self {
        Self {
            connection: Arc::new(Connection::new(uri, certificates)),
            surroundings,
            writing: Arc::default(),
            is_described: Arc::default(),
        }
    }

    /// Makes the indexes by which a run is found without reading its collections as a whole, and answers with the
    /// collections in the order of their names. May be repeated; a collection that a later schema adds needs it again.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the server refuses.
    pub async fn create_indexes(&self) -> Result<Vec<CreatedIndex>, ConfigError> {
        indexes::create(&self.connection).await
    }

    /// Stores what is missing of a batch; the outcomes are in its order.
    async fn store(&self, work: Work, batch: &[PreparedRun]) -> Result<Vec<Outcome>, ConfigError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let _turn = self.writing.lock().await;
        let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
        let mut open: BTreeSet<usize> = (0..batch.len()).collect();
        for _ in 0..WRITE_ATTEMPTS {
            let pending = Pending::read(&self.connection).await?;
            let hidden = pending.hidden(&self.connection).await?;
            let numbers: BTreeSet<RunNumber> = open.iter().map(|&place| batch[place].run).collect();
            let numbers: Vec<_> = numbers.into_iter().collect();
            let entries = query::runs(&self.connection, Some(&numbers), &hidden).await?;
            let clock = &*self.surroundings.clock;
            let planner = Planner { connection: &self.connection, clock, pending: &pending, hidden: &hidden };
            let mut plans: Vec<Planned<'_>> = Vec::new();
            let mut again = BTreeSet::new();
            let mut first_of: BTreeMap<RunNumber, String> = BTreeMap::new();
            for &place in &open {
                let prepared = &batch[place];
                let decision = match first_of.get(&prepared.run) {
                    Some(configuration) => Err(Outcome::There(configuration.clone())),
                    None => self.decide(work, &planner, place, prepared, entries.get(&prepared.run)).await?,
                };
                match decision {
                    Ok(Plan::Write(plan)) => {
                        first_of.insert(prepared.run, prepared.full_name());
                        plans.push(plan);
                    }
                    Ok(Plan::Again) => drop(again.insert(place)),
                    Ok(Plan::Nothing) => drop(outcomes.insert(place, Outcome::Whole)),
                    Err(outcome) => drop(outcomes.insert(place, outcome)),
                }
            }
            again.append(&mut self.write(&plans, &hidden, &mut outcomes).await?);
            open = again;
            if open.is_empty() {
                return Ok(outcomes.into_values().collect());
            }
        }
        Err(ConfigError::Contended { place: self.connection.uri().to_string() })
    }

    /// What is to be written of a run, or why nothing is.
    async fn decide<'a>(
        &self,
        work: Work,
        planner: &Planner<'_>,
        place: usize,
        prepared: &'a PreparedRun,
        entry: Option<&RunEntry>,
    ) -> Result<Result<Plan<'a>, Outcome>, ConfigError> {
        if let Err(refused) = self.check_names(prepared) {
            return Ok(Err(Outcome::Refused(refused)));
        }
        let plan = match work {
            Work::Insert => {
                if let Some(there) = entry.and_then(RunEntry::newest).filter(|there| there.complete) {
                    return Ok(Err(Outcome::There(there.name.clone())));
                }
                planner.whole(place, prepared, entry).await?
            }
            Work::Amend => {
                let configuration = prepared.full_name();
                let is_there = |entry: &RunEntry| {
                    entry.configurations.iter().any(|there| there.name == configuration && there.complete)
                };
                if !entry.is_some_and(is_there) {
                    let run = prepared.run;
                    return Ok(Err(Outcome::Refused(Refused::NotArchived { run, configuration })));
                }
                if prepared.update.is_none() {
                    return Ok(Err(Outcome::NothingToStore));
                }
                planner.pass(place, prepared, entry).await?
            }
        };
        Ok(plan.map_err(Outcome::Refused))
    }

    /// Writes what is planned; returns the places of the runs that are to be planned again.
    async fn write(
        &self,
        planned: &[Planned<'_>],
        hidden: &Hidden,
        outcomes: &mut BTreeMap<usize, Outcome>,
    ) -> Result<BTreeSet<usize>, ConfigError> {
        if planned.is_empty() {
            return Ok(BTreeSet::new());
        }
        if !self.is_described.load(Ordering::Relaxed) {
            system::describe(&self.connection, &self.surroundings).await?;
            self.is_described.store(true, Ordering::Relaxed);
        }
        let mut again = BTreeSet::new();
        for (plan, written) in planned.iter().zip(commit::commit(&self.connection, planned, hidden).await?) {
            if written.is_contended {
                again.insert(plan.place);
                continue;
            }
            let outcome = Outcome::Written {
                written,
                is_begun: plan.is_begun,
                planned: plan.writes.len(),
                version: plan.version.clone(),
            };
            outcomes.insert(plan.place, outcome);
        }
        Ok(again)
    }

    /// Refuses a run of which a document has no place in a database.
    fn check_names(&self, prepared: &PreparedRun) -> Result<(), Refused> {
        check_collections(prepared)?;
        let longest = NAMESPACE_BYTES_MAX - self.connection.uri().database().len() - 1;
        let passes = [Some(&prepared.archive), prepared.update.as_ref()];
        for document in passes.into_iter().flatten().flat_map(|pass| &pass.documents) {
            let name = &document.collection;
            if name.starts_with("system.") || name.contains('$') || name == INTENTS || name.len() > longest {
                return Err(Refused::Collection { collection: name.clone(), entity: document.entity.clone() });
            }
        }
        Ok(())
    }
}

/// How many documents a run has.
fn documents_in(prepared: &PreparedRun) -> usize {
    prepared.archive.documents.len() + prepared.update.as_ref().map_or(0, |pass| pass.documents.len())
}

#[async_trait]
impl ConfigStore for MongoStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
        listing::runs(&self.connection, None).await
    }

    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
        let outcomes = self.store(Work::Insert, &batch).await?;
        let answer = |(outcome, prepared): (Outcome, &PreparedRun)| {
            let whole = documents_in(prepared);
            Ok(match outcome {
                Outcome::Refused(refused) => return Err(refused),
                Outcome::There(configuration) => Inserted::AlreadyThere { configuration },
                Outcome::Whole | Outcome::NothingToStore => Inserted::Completed { documents: 0, kept: whole },
                Outcome::Written { written: Written { stored, .. }, is_begun, planned, .. } => {
                    if !is_begun && stored == planned {
                        Inserted::Stored { documents: stored }
                    } else if !is_begun && stored == 0 {
                        // Another process was quicker.
                        Inserted::AlreadyThere { configuration: prepared.full_name() }
                    } else {
                        Inserted::Completed { documents: stored, kept: whole - stored }
                    }
                }
            })
        };
        Ok(outcomes.into_iter().zip(batch.iter()).map(answer).collect())
    }

    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
        let outcomes = self.store(Work::Amend, &batch).await?;
        let answer = |outcome| match outcome {
            Outcome::Refused(refused) => Err(refused),
            Outcome::NothingToStore => Ok(Amended::NothingToStore),
            Outcome::There(_) | Outcome::Whole => Ok(Amended::AlreadyThere),
            Outcome::Written { written, .. } if written.stored == 0 => Ok(Amended::AlreadyThere),
            Outcome::Written { version, .. } => Ok(Amended::Stored { version }),
        };
        Ok(outcomes.into_iter().map(answer).collect())
    }

    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError> {
        export::export(&self.connection, run).await
    }
}
