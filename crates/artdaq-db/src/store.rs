//! The port: what the pipeline asks of an archive of configurations, whatever it is made of.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use run_record::{RunNumber, prepare::PreparedRun};

use crate::{ConfigError, Refused};

/// An archive of run configurations: the documents of each run, kept for ever.
///
/// # Promises
///
/// 1. A run is stored whole or not at all: a reader, and whoever comes back after a crash, finds no half of a run that
///    this store was writing.
/// 2. When [`insert`](Self::insert) or [`amend`](Self::amend) returns `Ok`, what it reports as stored is on stable
///    storage. After an error each run of the batch is absent or whole; list the runs to find out which.
/// 3. Nothing stored is ever changed or removed; a later version of a document stands beside the earlier one.
/// 4. Both calls may be repeated: what is there already, with the same content, is not stored again.
/// 5. `Ok` with nothing in it means that nothing is there. A listing that failed is an error, never a shorter listing.
/// 6. Reading changes nothing and creates nothing.
/// 7. Every error has a [class](ConfigError::class) by which the caller decides whether to try again.
#[async_trait]
pub trait ConfigStore: Send + Sync {
    /// Every run of the archive with its configurations.
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError>;

    /// Stores runs with all their documents, the stop-time pass included where a run has one.
    ///
    /// A run that is there in part, as failed imports of the genuine programs leave it, is completed: only what is
    /// missing, or has other content, is stored. The answers are in the order of the batch; a run that is refused does
    /// not hold up the others.
    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError>;

    /// Stores the stop-time pass of runs that are archived already, as a new version `RUN/NAMEv1` (`v2`, …).
    ///
    /// The answers are in the order of the batch.
    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError>;

    /// The documents of a run's newest configuration, of each entity the greatest version; `None` if there is no such
    /// run.
    ///
    /// An incomplete run is exported as far as it is there, and the answer says so.
    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError>;
}

/// What a listing says of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEntry {
    /// Its configurations, the newest first; there is at least one.
    pub configurations: Vec<Configuration>,
}

impl RunEntry {
    /// The configuration that counts: the newest.
    pub fn newest(&self) -> Option<&Configuration> {
        self.configurations.first()
    }

    /// Whether the newest configuration was imported to the end.
    pub fn is_complete(&self) -> bool {
        self.newest().is_some_and(|configuration| configuration.complete)
    }

    /// Whether the newest configuration has its stop-time pass.
    pub fn is_amended(&self) -> bool {
        self.newest().is_some_and(|configuration| configuration.amended)
    }
}

/// One configuration of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Its full name, as in `1000/demo`.
    pub name: String,
    /// Whether it was imported to the end: it has its schema, and either the document `hashes`, which is stored last,
    /// or a second pass, which follows a first one without failures.
    pub complete: bool,
    /// Whether it has its stop-time pass.
    pub amended: bool,
    /// How many documents it has, all versions counted.
    pub documents: usize,
}

/// What an insertion did with one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// The run was not there; now it is.
    Stored {
        /// How many documents were stored.
        documents: usize,
    },
    /// A part of the run was there; now all of it is.
    Completed {
        /// How many documents were stored.
        documents: usize,
        /// How many were there already, with the same content.
        kept: usize,
    },
    /// The run was there, complete. Its content was not compared.
    AlreadyThere {
        /// The name of its newest configuration.
        configuration: String,
    },
}

/// What amending did with one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amended {
    /// The stop-time pass was stored.
    Stored {
        /// Under this version.
        version: String,
    },
    /// The stop-time pass is there, with the same content.
    AlreadyThere,
    /// The prepared run has no stop-time pass.
    NothingToStore,
}

/// The documents of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The configuration: the newest of the run.
    pub configuration: Configuration,
    /// Its documents, by entity and then collection; of each the greatest version, numbers compared as numbers.
    pub documents: Vec<ExportedDocument>,
}

/// One exported document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExportedDocument {
    /// Its entity.
    pub entity: String,
    /// Its collection.
    pub collection: String,
    /// Its version.
    pub version: String,
    /// Its FHiCL text, as the genuine export prints it.
    pub text: String,
}
