//! artdaqDB to UconDB.
//!
//! Workers take the lowest run that waits: noted as in flight, exported, packed, put, read back. A run is
//! migrated only when artdaqDB lists it as complete. Putting may be repeated: what is there already is
//! compared, packing time apart.
//!
//! A run that the import has amended since it was migrated (`<import state>.amended`) gets a new version, and the one
//! before is kept.

use std::{collections::BTreeMap, sync::Arc};

use artdaq_db::ConfigStore;
use run_record::{blob, validate::validate};
use run_state::{RunNumber, RunSet};
use tokio_util::sync::CancellationToken;
use ucon_db::{Archived, BlobStore, Md5Digest, Verify, adler32, archive, renew};

use crate::{
    error::{ListingError, StageError},
    event::{Observer, Stage},
    files::{StageFiles, StagePaths, StageSnapshot},
    hold::Held,
    journal::{Content, RunEvent},
    ledger::Change,
    listing::Side,
    plan::{Listing, Plan, StageOptions, turns},
    report::{Outcome, StageReport},
    retry::Failure,
    select::{Holdings, Mode},
    stage::{Run, Stopped, begin},
    whole::whole,
    workers::side_by_side,
};

/// What a migration does beyond copying.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrateOptions {
    /// How a put is verified.
    pub verify: Verify,
    /// Whether to check that each record says what it is (`--validate`). A record that does not is
    /// archived, and reported.
    pub is_validating: bool,
    /// Where the import keeps its state, so that runs that it has amended get a new version. `None`: only those that
    /// are refreshed by hand. The state's lock must guard both.
    pub import: Option<StagePaths>,
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
    mut files: StageFiles,
    source: Arc<dyn ConfigStore>,
    store: Arc<dyn BlobStore>,
    migrate_options: MigrateOptions,
    options: StageOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (StageFiles, Result<StageReport, StageError>) {
    let mut listing = match list(&*source, &*store).await {
        Ok(listing) => listing,
        Err(error) => return (files, Err(error)),
    };
    if let Some(import) = &migrate_options.import
        && let Err(error) = files.follow(import)
    {
        return (files, Err(error.into()));
    }
    let now = files.snapshot();
    listing.turns = match turns(files.paths(), &now.failed, options.mode) {
        Ok(turns) => turns,
        Err(error) => return (files, Err(error.into())),
    };
    let renewals = renewals(&now, &listing, &options);
    let (run, opening) = match begin(files, Stage::Migrate, &listing, options, observer, cancel) {
        Ok(begun) => begun,
        Err(refusal) => return (refusal.files, Err(refusal.error)),
    };
    let workers = run.options.parallel_workers.max(1);
    let shared = Migration { run: Arc::clone(&run), source, store, options: migrate_options, renewals };
    let migration = Arc::new(shared);
    let work = {
        let migration = Arc::clone(&migration);
        move |_| {
            let migration = Arc::clone(&migration);
            async move { migration.work().await }
        }
    };
    // Errors are kept by the run.
    let _: Vec<Result<(), Stopped>> = side_by_side(workers, 0..workers, work).await;
    let _ = migration.renew().await;
    drop(migration);
    opening.end(run).await
}

/// Runs whose record has changed since it was archived.
struct Renewals {
    /// All of them: whoever works on one makes the record of today the current one.
    changed: RunSet,
    /// Those that are archived, so that only their new version is to be put.
    archived: RunSet,
    /// Those of them that cannot be refreshed, though somebody has asked for it.
    refused: RunSet,
}

fn renewals(state: &StageSnapshot, listing: &Listing, options: &StageOptions) -> Renewals {
    let Holdings { available, complete } = &listing.holdings;
    let archived = complete.difference(&state.failed).difference(&state.in_flight).intersection(available);
    let named = options.only.clone().unwrap_or_default();
    match options.mode {
        Mode::Refresh => Renewals {
            changed: state.amended.union(&named),
            archived: named.intersection(&archived),
            refused: named.difference(&archived),
        },
        Mode::RetryFailed => {
            Renewals { changed: state.amended.clone(), archived: RunSet::new(), refused: RunSet::new() }
        }
        Mode::Full | Mode::Incremental => {
            let due = state.amended.intersection(&archived).iter().filter(|run| options.names(*run)).collect();
            Renewals { changed: state.amended.clone(), archived: due, refused: RunSet::new() }
        }
    }
}

/// Says what [`migrate`] would do, touching nothing: no lock, no file. `import` is where the import keeps its state,
/// as in [`MigrateOptions`].
///
/// # Errors
///
/// As [`migrate`], and when the state cannot be read.
pub async fn plan_migrate(
    paths: &StagePaths,
    import: Option<&StagePaths>,
    source: &dyn ConfigStore,
    store: &dyn BlobStore,
    options: &StageOptions,
) -> Result<Plan, StageError> {
    let snapshot = StageSnapshot::read(paths)?;
    let snapshot = match import {
        Some(import) => snapshot.following(import)?,
        None => snapshot,
    };
    let mut listing = list(source, store).await?;
    listing.turns = turns(paths, &snapshot.failed, options.mode)?;
    let renew = renewals(&snapshot, &listing, options).archived;
    Ok(Plan { renew, ..Plan::new(Stage::Migrate, snapshot, &listing, options, paths.counts())? })
}

async fn list(source: &dyn ConfigStore, store: &dyn BlobStore) -> Result<Listing, StageError> {
    let failed = |side, source| StageError::Listing { stage: Stage::Migrate, side, source };
    let imported = source.runs().await.map_err(|error| failed(Side::Source, ListingError::Config(error)))?;
    let migrated = store.runs().await.map_err(|error| failed(Side::Destination, ListingError::Blob(error)))?;
    let present: RunSet = migrated.into_keys().collect();
    let available = imported.iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| *run).collect();
    let holdings = Holdings { available, complete: present.clone() };
    Ok(Listing { holdings, source_runs: imported.len() as u64, present, held: Held::new(), turns: BTreeMap::new() })
}

struct Migration {
    run: Arc<Run>,
    source: Arc<dyn ConfigStore>,
    store: Arc<dyn BlobStore>,
    options: MigrateOptions,
    renewals: Renewals,
}

/// What came of one run, and what is wrong with its record.
struct Migrated {
    archived: Archived,
    content: Content,
    problems: Vec<String>,
}

/// A run that was given up, after so many attempts.
struct GivenUp {
    failure: Failure,
    attempts: u32,
}

impl Migrated {
    const fn was_there(&self) -> bool {
        matches!(self.archived, Archived::AlreadyThere)
    }
}

impl Migration {
    /// Migrates runs until none waits. The outcome of a run and the intent for the next one are saved
    /// together.
    async fn work(&self) -> Result<(), Stopped> {
        let mut settled: Option<(RunNumber, Result<Migrated, GivenUp>)> = None;
        loop {
            let next = self.run.take(1).first().copied();
            let mut change = Change::begun(next);
            match &settled {
                Some((run, Ok(migrated))) => {
                    change.note_archived(*run, migrated.was_there(), migrated.content.clone());
                    change.renewed.insert(*run);
                }
                Some((run, Err(GivenUp { failure, attempts }))) => change.note_failed(*run, failure, *attempts),
                None => {}
            }
            self.run.record(change).await?;
            match settled {
                Some((run, Ok(migrated))) => {
                    self.run.settle(run, Outcome::Archived { was_there: migrated.was_there() });
                }
                Some((run, Err(GivenUp { failure, .. }))) => {
                    self.run.settle(run, Outcome::Failed { reason: failure.reason });
                }
                None => {}
            }
            let Some(run) = next else { return Ok(()) };
            settled = Some((run, self.migrate(run).await));
        }
    }

    /// Puts a new version of the runs that are archived and have changed since. What fails is announced and no
    /// failure of the runs, which are archived; the next migration tries again.
    async fn renew(&self) -> Result<(), Stopped> {
        for run in self.renewals.refused.iter() {
            self.run.note_not_amended(run, "it is not archived in UconDB yet, or not settled".to_owned());
        }
        for run in self.renewals.archived.iter() {
            if self.run.is_halted() {
                return Ok(());
            }
            let migrated = match self.migrate(run).await {
                Ok(migrated) => migrated,
                Err(GivenUp { failure, .. }) => {
                    self.run.note_not_amended(run, failure.reason);
                    continue;
                }
            };
            // Also of what was there already: the execution that put it may have died before it could note it.
            let notes = vec![(run, RunEvent::Refreshed { content: migrated.content })];
            self.run.record(Change { renewed: RunSet::from_iter([run]), notes, ..Change::default() }).await?;
            if let Archived::Stored(receipt) = migrated.archived {
                self.run.note_renewed(run, receipt.version_id);
            }
        }
        Ok(())
    }

    async fn migrate(&self, run: RunNumber) -> Result<Migrated, GivenUp> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.migrate_once(run).await {
                Ok(mut migrated) => {
                    self.run.store_works();
                    if !migrated.problems.is_empty() {
                        self.run.note_invalid(run, std::mem::take(&mut migrated.problems));
                    }
                    return Ok(migrated);
                }
                Err(failure) => failure,
            };
            match self.run.decide(&failure, attempts) {
                Some(after) if self.run.pause(run, &failure, after).await => {}
                _ => return Err(GivenUp { failure, attempts }),
            }
        }
    }

    async fn migrate_once(&self, run: RunNumber) -> Result<Migrated, Failure> {
        let export = whole(run, self.source.export(run).await?)?;
        let files = export.documents.into_iter().map(|document| (format!("{}.fcl", document.entity), document.text));
        let files: BTreeMap<_, _> = files.collect();
        let packed = blob::pack(run, &files).map_err(|error| Failure::of_record(error.to_string()))?;
        let same_record = |ours: &[u8], theirs: &[u8]| match (str::from_utf8(ours), str::from_utf8(theirs)) {
            (Ok(ours), Ok(theirs)) => blob::same_content(ours, theirs),
            _ => false,
        };
        let (ours, verify) = (packed.as_bytes(), self.options.verify);
        let archived = if self.renewals.changed.contains(run) {
            renew(&*self.store, run, ours, verify, &same_record).await?
        } else {
            archive(&*self.store, run, ours, verify, &same_record).await?
        };
        let content = match &archived {
            Archived::Stored(receipt) => Content { version: Some(receipt.version_id), ..digests(ours) },
            // It holds the same record, perhaps with another packing line.
            Archived::AlreadyThere => self.store.get(run).await?.map_or_else(Content::default, |there| digests(&there)),
        };
        let problems = if self.options.is_validating { problems_of(&files) } else { Vec::new() };
        Ok(Migrated { archived, content, problems })
    }
}

fn digests(bytes: &[u8]) -> Content {
    Content {
        size_bytes: Some(bytes.len() as u64),
        adler32: Some(adler32(bytes)),
        md5: Some(Md5Digest::of(bytes).to_string()),
        ..Content::default()
    }
}

fn problems_of(files: &BTreeMap<String, String>) -> Vec<String> {
    let checks = validate(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let problem = |check: run_record::validate::Check| Some(format!("{}: {}", check.key, check.value.err()?));
    checks.into_iter().filter_map(problem).collect()
}
