//! The stop-time pass of runs that were imported while they were being taken.
//!
//! Such a run had neither start nor stop time when it was imported. As soon as its directory has one,
//! the second pass is added to what is archived. Only the highest few runs without a second pass are
//! looked at, since a run that is being taken is among them, and reading all would cost ever more.
//!
//! No intent is noted: the store adds the pass whole or not at all, and adding may be repeated.

use std::{path::PathBuf, sync::Arc};

use artdaq_db::{Amended, ConfigStore};
use run_state::RunNumber;

use crate::{
    event::EventKind,
    retry::{Failure, chain},
    source::RecordSource,
    stage::Run,
    workers::blocking,
};

/// How many runs are looked at.
pub(crate) const AMENDED_RUNS_MAX: usize = 10;

/// Adds the second pass to those of `runs` whose directories have a start or stop time now.
///
/// What fails is announced and no failure of the runs, which are archived; the next import tries again.
pub(crate) async fn amend(
    run: &Run,
    source: &Arc<RecordSource>,
    store: &dyn ConfigStore,
    runs: Vec<(RunNumber, PathBuf)>,
) {
    for (number, path) in runs {
        if run.is_halted() {
            return;
        }
        match amend_one(source, store, path).await {
            Ok(Some(version)) => run.note_amended(number, version),
            Ok(None) => {}
            Err(reason) => run.observe(EventKind::NotAmended { run: number, reason }),
        }
    }
}

/// The version under which the pass was stored; `None` where there was nothing to store.
async fn amend_one(
    source: &Arc<RecordSource>,
    store: &dyn ConfigStore,
    path: PathBuf,
) -> Result<Option<String>, String> {
    let source = Arc::clone(source);
    let prepared = blocking(move || source.prepare(&path)).await.map_err(|Failure { reason, .. }| reason)?;
    if prepared.update.is_none() {
        return Ok(None);
    }
    let results = store.amend([prepared].into()).await.map_err(|error| chain(&error))?;
    match results.into_iter().next() {
        Some(Ok(Amended::Stored { version })) => Ok(Some(version)),
        Some(Ok(Amended::AlreadyThere | Amended::NothingToStore)) | None => Ok(None),
        Some(Err(refused)) => Err(chain(&refused)),
    }
}
