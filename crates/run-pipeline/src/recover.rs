//! Rebuilds the state of a stage from what the archives hold: the six steps of the state management guide.
//!
//! Both sides are listed (steps 1 and 2); the marks follow from what is complete in the destination (3 and 4); what is
//! in the source, at or below the attempted mark, and not complete in the destination is missing (5); both files are
//! written (6).
//!
//! # Promises
//!
//! 1. A side that lists nothing, or implausibly little, changes nothing, unless somebody says that it is right:
//!    against the last known counts, and against what the old state says is archived. A store that is not mounted
//!    would empty the failure log otherwise.
//! 2. Every old file is kept under a name with the time, and nothing is ever overwritten; a file that cannot be read
//!    is no obstacle.
//! 3. A run that is in the destination in part is missing.
//! 4. After a kill at any moment the state is the old one, or every run at or below the attempted mark is archived
//!    or in the failure log: the log is written before the marks.
//! 5. What is in flight stays so: the next start settles it against the archives.
//!
//! [`plan_recovery`] decides and reads only; [`recover`] does what was decided.

mod commit;

use std::{
    io,
    path::{Path, PathBuf},
};

use artdaq_db::ConfigStore;
use run_record::directory::list_runs;
use run_state::{FailureLog, Marks, RunSet};
use statefile::{CommitError, Document, OpenError, Snapshot, for_each_record};
use ucon_db::BlobStore;

pub use self::commit::recover;
use crate::{
    error::{ListingError, StageError},
    event::Stage,
    journal::RunNote,
    listing::{Shrunk, Side, check_listings},
    paths::{Counts, RunList, StagePaths},
    strays::strays,
    workers::blocking,
};

/// What the two sides of a stage hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// The runs that can be taken from the source.
    pub source: RunSet,
    /// The runs that are complete in the destination.
    pub complete: RunSet,
    /// The runs that are in the destination in part.
    pub partial: RunSet,
    /// Everything that the source lists, halves included.
    pub source_runs: u64,
}

impl Sides {
    fn counts(&self) -> Counts {
        Counts::new(self.source_runs, self.complete.len() + self.partial.len())
    }
}

/// What the caller says about it.
#[derive(Debug, Clone, Default)]
pub struct RecoveryOptions {
    /// An empty or short answer is right.
    pub is_empty_accepted: bool,
    /// By how much a side may have shrunk.
    pub max_shrink_percent: u8,
    /// Runs that somebody has acknowledged as missing: the contiguous mark passes them.
    pub acknowledged: RunSet,
}

/// What is, and what is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Whose state.
    pub stage: Stage,
    /// What both sides hold.
    pub sides: Sides,
    /// The marks as they were; `None` where the file is missing or cannot be read.
    pub marks_before: Option<Marks>,
    /// The marks as they are to be.
    pub marks: Marks,
    /// The failure log as it was; `None` where there is no state at all, or the log cannot be read.
    pub failed_before: Option<RunSet>,
    /// The runs that are missing: the failure log as it is to be.
    pub missing: RunSet,
    /// Files that are there and cannot be read.
    pub damaged: Vec<PathBuf>,
}

/// Why the state was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A side could not be listed. Nothing has changed.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A side lists nothing. Nothing has changed.
    #[error("the {side} of the {stage} lists no complete run, so there is nothing to rebuild the state from")]
    Empty {
        /// Which stage.
        stage: Stage,
        /// Which side.
        side: Side,
    },
    /// The destination lists too few of the runs that are archived by the old state. Nothing has changed.
    #[error(
        "of {archived_runs} runs that the old state calls archived, the destination of the {stage} lists {found_runs}"
    )]
    Short {
        /// Which stage.
        stage: Stage,
        /// How many runs the old state knows to be archived.
        archived_runs: u64,
        /// How many of them are in the destination, if only in part.
        found_runs: u64,
    },
    /// An old file could not be kept. The state has not changed.
    #[error("could not keep a copy of `{path}`")]
    Keep {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The new state could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new state could not be written.
    #[error("the state could not be written")]
    Commit(#[from] CommitError),
}

impl RecoverError {
    /// Whether the caller may insist: the answer was empty or short.
    pub const fn is_about_amount(&self) -> bool {
        matches!(self, Self::Empty { .. } | Self::Short { .. } | Self::Stage(StageError::Shrunk { .. }))
    }
}

/// What the import's two sides hold: run directories below `records`, and artdaqDB.
///
/// # Errors
///
/// When one cannot be listed.
pub async fn import_sides(records: &Path, store: &dyn ConfigStore) -> Result<Sides, StageError> {
    let failed = |side, source| StageError::Listing { stage: Stage::Import, side, source };
    let records = records.to_owned();
    let found = blocking(move || list_runs(&records)).await;
    let found = found.map_err(|error| failed(Side::Source, ListingError::Records(error)))?;
    let stored = store.runs().await.map_err(|error| failed(Side::Destination, ListingError::Config(error)))?;
    let complete: RunSet = stored.iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| *run).collect();
    let partial = stored.into_keys().collect::<RunSet>().difference(&complete);
    Ok(Sides { source_runs: found.len() as u64, source: found.into_keys().collect(), complete, partial })
}

/// What the migration's two sides hold: artdaqDB and UconDB.
///
/// # Errors
///
/// When one cannot be listed.
pub async fn migrate_sides(source: &dyn ConfigStore, store: &dyn BlobStore) -> Result<Sides, StageError> {
    let failed = |side, source| StageError::Listing { stage: Stage::Migrate, side, source };
    let imported = source.runs().await.map_err(|error| failed(Side::Source, ListingError::Config(error)))?;
    let migrated = store.runs().await.map_err(|error| failed(Side::Destination, ListingError::Blob(error)))?;
    Ok(Sides {
        source_runs: imported.len() as u64,
        source: imported.into_iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| run).collect(),
        complete: migrated.into_keys().collect(),
        partial: RunSet::new(),
    })
}

/// Decides what the state is to be. Reads the old one, without a lock, and changes nothing.
///
/// # Errors
///
/// When an answer is empty or implausibly short, and that is not accepted.
pub fn plan_recovery(paths: &StagePaths, sides: Sides, options: &RecoveryOptions) -> Result<Recovery, RecoverError> {
    let mut damaged = Vec::new();
    let old_marks = old::<Marks>(&paths.state, &mut damaged)?;
    let old_log = old::<FailureLog>(&paths.failure_log, &mut damaged)?.map(|log| log.runs);
    // Where there is a state, no log means that nothing has failed yet.
    let is_empty = old_marks.is_some() && !damaged.contains(&paths.failure_log);
    let old_log = old_log.or_else(|| is_empty.then(RunSet::new));
    let counts = old::<Counts>(&paths.counts(), &mut damaged)?;
    for list in [paths.in_flight(), paths.held(), paths.unfinished(), paths.amended()] {
        old::<RunList>(&list, &mut damaged)?;
    }
    match for_each_record(&paths.journal(), |_: RunNote| {}) {
        Err(OpenError::Damaged { path, .. }) => damaged.push(path),
        outcome => outcome?,
    }
    if !options.is_empty_accepted {
        check(paths, &sides, old_marks.as_ref().zip(old_log.as_ref()), counts, options)?;
    }
    let (marks, missing) = rebuild(&old_marks.clone().unwrap_or_default(), &sides, &options.acknowledged);
    let stage = paths.stage;
    Ok(Recovery { stage, sides, marks_before: old_marks, marks, failed_before: old_log, missing, damaged })
}

/// Marks and missing runs as they follow from the two sides; fields of `marks` that we do not know are kept.
fn rebuild(marks: &Marks, sides: &Sides, acknowledged: &RunSet) -> (Marks, RunSet) {
    // As in the stages, what is far from all others moves no mark.
    let strays = strays(&sides.source.union(&sides.complete).union(&sides.partial));
    let marks = marks.recovered(&sides.complete.difference(&strays), acknowledged);
    let missing = sides.source.up_to(marks.last_attempted_run).difference(&sides.complete);
    (marks, missing)
}

fn old<D: Document>(path: &Path, damaged: &mut Vec<PathBuf>) -> Result<Option<D>, OpenError> {
    match Snapshot::<D>::read(path) {
        Ok(snapshot) => Ok(snapshot.map(|snapshot| snapshot.document)),
        Err(OpenError::Damaged { path, .. }) => {
            damaged.push(path);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether the answers can be believed.
fn check(
    paths: &StagePaths,
    sides: &Sides,
    before: Option<(&Marks, &RunSet)>,
    counts: Option<Counts>,
    options: &RecoveryOptions,
) -> Result<(), RecoverError> {
    let stage = paths.stage;
    for (side, runs) in [(Side::Source, &sides.source), (Side::Destination, &sides.complete)] {
        if runs.is_empty() {
            return Err(RecoverError::Empty { stage, side });
        }
    }
    let percent = options.max_shrink_percent;
    check_listings(counts, sides.counts(), percent).map_err(|Shrunk { side, known_runs, found_runs }| {
        StageError::Shrunk { stage, side, known_runs, found_runs, counts: paths.counts() }
    })?;
    let Some((marks, failed)) = before else { return Ok(()) };
    let archived = sides.source.up_to(marks.last_contiguous_run).difference(failed).difference(&options.acknowledged);
    // What lies below everything that is archived appeared late.
    let late = sides.complete.first().and_then(|first| first.get().checked_sub(1));
    let archived = archived.difference(&sides.source.up_to(late.unwrap_or_default().into()));
    // What is there in part is missing, but the answer is none the shorter for it.
    let found = archived.intersection(&sides.complete.union(&sides.partial));
    let (claimed, seen) = (Counts::new(0, archived.len()), Counts::new(0, found.len()));
    check_listings(Some(claimed), seen, percent).map_err(|Shrunk { known_runs, found_runs, .. }| RecoverError::Short {
        stage,
        archived_runs: known_runs,
        found_runs,
    })
}

#[cfg(test)]
mod tests;
