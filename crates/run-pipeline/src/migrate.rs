//! artdaqDB to UconDB.
//!
//! Workers take the lowest run that waits: noted as in flight, exported, packed, put, read back. A run is
//! migrated only when artdaqDB lists it as complete. Putting may be repeated: what is there already is
//! compared, packing time apart.

use std::{collections::BTreeMap, sync::Arc};

use artdaq_db::ConfigStore;
use run_record::{blob, validate::validate};
use run_state::{RunNumber, RunSet};
use tokio_util::sync::CancellationToken;
use ucon_db::{Archived, BlobStore, Verify, archive};

use crate::{
    error::{ListingError, StageError},
    event::{Observer, Stage},
    files::{StageFiles, StagePaths, StageSnapshot},
    listing::Side,
    record::Change,
    report::{Outcome, StageReport},
    retry::Failure,
    select::Holdings,
    stage::{Listing, Plan, Run, StageOptions, Stopped, begin},
    workers::side_by_side,
};

/// What a migration does beyond copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MigrateOptions {
    /// How a put is verified.
    pub verify: Verify,
    /// Whether to check that each record says what it is (`--validate`). A record that does not is
    /// archived, and reported.
    pub is_validating: bool,
}

/// Migrates runs that are complete in `source` and not in `store`.
///
/// When `cancel` is cancelled no further run is started, and those under way are finished. Gives the
/// state back, together with what came of it.
///
/// # Errors
///
/// When a side cannot be listed, or its listing is implausible: nothing has changed then. When the
/// state could not be saved: what was under way is settled by the next start.
pub async fn migrate(
    files: StageFiles,
    source: Arc<dyn ConfigStore>,
    store: Arc<dyn BlobStore>,
    migrate_options: MigrateOptions,
    options: StageOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (StageFiles, Result<StageReport, StageError>) {
    let listing = match list(&*source, &*store).await {
        Ok(listing) => listing,
        Err(error) => return (files, Err(error)),
    };
    let (run, opening) = match begin(files, Stage::Migrate, &listing, options, observer, cancel) {
        Ok(begun) => begun,
        Err(refusal) => return (refusal.files, Err(refusal.error)),
    };
    let workers = run.options.parallel_workers.max(1);
    let migration = Arc::new(Migration { run: Arc::clone(&run), source, store, options: migrate_options });
    let work = move |_| {
        let migration = Arc::clone(&migration);
        async move { migration.work().await }
    };
    // Errors are kept by the run.
    let _: Vec<Result<(), Stopped>> = side_by_side(workers, 0..workers, work).await;
    opening.end(run).await
}

/// Says what [`migrate`] would do, touching nothing: no lock, no file.
///
/// # Errors
///
/// As [`migrate`], and when the state cannot be read.
pub async fn plan_migrate(
    paths: &StagePaths,
    source: &dyn ConfigStore,
    store: &dyn BlobStore,
    options: &StageOptions,
) -> Result<Plan, StageError> {
    let snapshot = StageSnapshot::read(paths)?;
    let listing = list(source, store).await?;
    Plan::new(Stage::Migrate, snapshot, &listing, options, paths.counts())
}

async fn list(source: &dyn ConfigStore, store: &dyn BlobStore) -> Result<Listing, StageError> {
    let failed = |side, source| StageError::Listing { stage: Stage::Migrate, side, source };
    let imported = source.runs().await.map_err(|error| failed(Side::Source, ListingError::Config(error)))?;
    let migrated = store.runs().await.map_err(|error| failed(Side::Destination, ListingError::Blob(error)))?;
    let present: RunSet = migrated.into_keys().collect();
    let available = imported.iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| *run).collect();
    let holdings = Holdings { available, complete: present.clone() };
    Ok(Listing { holdings, source_runs: imported.len() as u64, present })
}

struct Migration {
    run: Arc<Run>,
    source: Arc<dyn ConfigStore>,
    store: Arc<dyn BlobStore>,
    options: MigrateOptions,
}

/// What came of one run, and what is wrong with its record.
struct Migrated {
    archived: Archived,
    problems: Vec<String>,
}

impl Migration {
    /// Migrates runs until none waits. The outcome of a run and the intent for the next one are saved
    /// together.
    async fn work(&self) -> Result<(), Stopped> {
        let mut settled: Option<(RunNumber, Outcome)> = None;
        loop {
            let next = self.run.take(1).first().copied();
            let mut change = Change { begun: next.into_iter().collect(), ..Change::default() };
            match &settled {
                Some((run, Outcome::Archived { .. })) => drop(change.archived.insert(*run)),
                Some((run, _)) => drop(change.failed.insert(*run)),
                None => {}
            }
            self.run.record(change).await?;
            if let Some((run, outcome)) = settled {
                self.run.settle(run, outcome);
            }
            let Some(run) = next else { return Ok(()) };
            settled = Some((run, self.migrate(run).await));
        }
    }

    async fn migrate(&self, run: RunNumber) -> Outcome {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.migrate_once(run).await {
                Ok(Migrated { archived, problems }) => {
                    self.run.store_works();
                    if !problems.is_empty() {
                        self.run.note_invalid(run, problems);
                    }
                    return Outcome::Archived { was_there: archived == Archived::AlreadyThere };
                }
                Err(failure) => failure,
            };
            match self.run.decide(&failure, attempts) {
                Some(after) if self.run.pause(run, &failure, after).await => {}
                _ => return Outcome::Failed { reason: failure.reason },
            }
        }
    }

    async fn migrate_once(&self, run: RunNumber) -> Result<Migrated, Failure> {
        let export = self.source.export(run).await?.filter(|export| export.configuration.complete);
        let export = export.ok_or_else(|| Failure::of_record(format!("run {run} is not complete in artdaqDB")))?;
        let files = export.documents.into_iter().map(|document| (format!("{}.fcl", document.entity), document.text));
        let files: BTreeMap<_, _> = files.collect();
        let packed = blob::pack(run, &files).map_err(|error| Failure::of_record(error.to_string()))?;
        let same_record = |ours: &[u8], theirs: &[u8]| match (str::from_utf8(ours), str::from_utf8(theirs)) {
            (Ok(ours), Ok(theirs)) => blob::same_content(ours, theirs),
            _ => false,
        };
        let archived = archive(&*self.store, run, packed.as_bytes(), self.options.verify, &same_record).await?;
        let problems = if self.options.is_validating { problems_of(&files) } else { Vec::new() };
        Ok(Migrated { archived, problems })
    }
}

fn problems_of(files: &BTreeMap<String, String>) -> Vec<String> {
    let checks = validate(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let problem = |check: run_record::validate::Check| Some(format!("{}: {}", check.key, check.value.err()?));
    checks.into_iter().filter_map(problem).collect()
}
