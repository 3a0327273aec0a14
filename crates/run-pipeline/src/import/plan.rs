//! What an import finds before it begins: the two sides, the runs that are held back, and what would be done.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use artdaq_db::ConfigStore;
use chrono::{DateTime, Utc};
use run_state::{RunNumber, RunSet};
use statefile::Clock;

use crate::{
    amend::Candidates,
    error::{ListingError, StageError},
    event::Stage,
    files::{StagePaths, StageSnapshot},
    hold::{Held, HoldPolicy},
    listing::Side,
    plan::{Listing, Plan, StageOptions, turns},
    select::Holdings,
    source::RecordSource,
    workers::blocking,
};

/// Says what [`import`](crate::import()) would do, touching nothing: no lock, no file.
///
/// # Errors
///
/// As [`import`](crate::import()), and when the state cannot be read.
pub async fn plan_import(
    paths: &StagePaths,
    source: Arc<RecordSource>,
    store: &dyn ConfigStore,
    options: &StageOptions,
    clock: &dyn Clock,
) -> Result<Plan, StageError> {
    let snapshot = StageSnapshot::read(paths)?;
    let Listed { mut listing, paths: records, without_second_pass } = list(&source, store).await?;
    listing.turns = turns(paths, &snapshot.failed, options.mode)?;
    listing.held = held(&snapshot, &listing, options, &records, clock.now()).await;
    let unfinished = snapshot.unfinished.clone();
    let candidates = Candidates { settled: settled(&listing, &snapshot), unfinished, without_second_pass };
    let plan = Plan::new(Stage::Import, snapshot, &listing, options, paths.counts())?;
    Ok(Plan { renew: candidates.due(options, &records, clock.now()).await, ..plan })
}

/// The runs that are archived, and that no list of the state calls in doubt.
pub(super) fn settled(listing: &Listing, state: &StageSnapshot) -> RunSet {
    listing.holdings.complete.difference(&state.failed).difference(&state.in_flight)
}

/// The runs that would be taken, and are still being taken down.
pub(super) async fn held(
    state: &StageSnapshot,
    listing: &Listing,
    options: &StageOptions,
    paths: &BTreeMap<RunNumber, PathBuf>,
    now: DateTime<Utc>,
) -> Held {
    if options.hold == HoldPolicy::default() {
        return Held::new();
    }
    let (policy, request) = (options.hold, listing.request(options));
    let (state, holdings, paths) = (state.clone(), listing.holdings.clone(), paths.clone());
    blocking(move || policy.held(&state, &holdings, &request, &paths, now)).await
}

/// What the two sides of an import hold.
pub(super) struct Listed {
    pub(super) paths: BTreeMap<RunNumber, PathBuf>,
    pub(super) listing: Listing,
    /// Complete runs that have no second pass.
    pub(super) without_second_pass: RunSet,
}

pub(super) async fn list(source: &Arc<RecordSource>, store: &dyn ConfigStore) -> Result<Listed, StageError> {
    let failed = |side, source| StageError::Listing { stage: Stage::Import, side, source };
    let records = {
        let source = Arc::clone(source);
        blocking(move || source.list()).await
    };
    let paths = records.map_err(|error| failed(Side::Source, ListingError::Records(error)))?;
    let stored = store.runs().await.map_err(|error| failed(Side::Destination, ListingError::Config(error)))?;
    let holdings = Holdings {
        available: paths.keys().copied().collect(),
        complete: stored.iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| *run).collect(),
    };
    let without_second_pass = stored.iter().filter(|(_, entry)| entry.is_complete() && !entry.is_amended());
    let without_second_pass = without_second_pass.map(|(run, _)| *run).collect();
    let present = stored.into_keys().collect();
    let listing =
        Listing { source_runs: paths.len() as u64, present, holdings, held: Held::new(), turns: BTreeMap::new() };
    Ok(Listed { paths, listing, without_second_pass })
}
