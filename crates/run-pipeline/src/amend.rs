//! The stop-time pass of runs that were imported while they were being taken.
//!
//! Such a run had no stop time when it was imported. As soon as its directory has one, the second pass is added to
//! what is archived, as a later version beside it. Looked at are
//!
//! * the runs of which it is written down that they had no stop time (`<state>.unfinished`, the newest 100), and
//! * the newest few that have no second pass at all, whoever imported them: a run that is being taken is among them;
//! * when refreshing, the runs that are named.
//!
//! Of each only `metadata.txt` is read, until it has what the archive lacks.
//!
//! # The order of writes
//!
//! The run is put into `<state>.amended` before the pass is stored, so that the migration hears of it whatever
//! happens next; it leaves `<state>.unfinished` after the pass was read back. Both may be repeated: the store adds
//! the pass whole or not at all, and once; the migration compares before it puts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use artdaq_db::{Amended, ConfigStore};
use chrono::{DateTime, Utc};
use run_record::prepare::PreparedRun;
use run_state::{RunNumber, RunSet};

use crate::{
    hold::{times, times_of},
    journal::RunEvent,
    record::{Change, highest},
    retry::{Failure, chain},
    select::Mode,
    source::RecordSource,
    stage::{Run, Stopped},
    workers::blocking,
};

/// How many of the runs without a second pass are looked at.
const WITHOUT_PASS_MAX: u64 = 10;

/// Which runs may lack something.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// The runs that are archived, and neither in flight nor in the failure log.
    pub(crate) settled: RunSet,
    /// Runs that had no stop time when they were imported.
    pub(crate) unfinished: RunSet,
    /// Runs that artdaqDB lists without a second pass.
    pub(crate) without_second_pass: RunSet,
}

/// What amending needs.
pub(crate) struct Amending<'a> {
    pub(crate) run: &'a Run,
    pub(crate) source: &'a Arc<RecordSource>,
    pub(crate) store: &'a dyn ConfigStore,
    pub(crate) paths: &'a BTreeMap<RunNumber, PathBuf>,
}

/// Whether a prepared run has a stop time.
pub(crate) fn has_stop_time(prepared: &PreparedRun) -> bool {
    let text = |pass: &run_record::prepare::Pass| pass.files.get("RunHistory2.fcl").map(|text| times_of(text));
    prepared.update.as_ref().and_then(text).is_some_and(|times| times.has_stop)
}

impl Amending<'_> {
    /// Adds the second pass to those of the candidates whose directories have what the archive lacks.
    ///
    /// What fails is announced and no failure of the runs, which are archived; the next import tries again.
    pub(crate) async fn amend(&self, candidates: &Candidates, now: DateTime<Utc>) -> Result<(), Stopped> {
        let is_named = self.run.options.mode == Mode::Refresh;
        for (number, path) in self.chosen(candidates) {
            if self.run.is_halted() {
                return Ok(());
            }
            let lacks_pass = candidates.without_second_pass.contains(number);
            let (hold, place) = (self.run.options.hold, path.clone());
            let is_due = blocking(move || {
                let is_settled = || hold.look(&place, now).is_none();
                is_named || times(&place).is_some_and(|times| times.has_stop || lacks_pass) && is_settled()
            });
            if !is_due.await {
                continue;
            }
            match self.amend_one(number, &path).await? {
                Ok(Some(version)) => self.run.note_amended(number, version),
                Ok(None) => {}
                Err(reason) => self.run.note_not_amended(number, reason),
            }
        }
        self.refuse_unknown(candidates);
        Ok(())
    }

    /// The candidates, lowest first, with their directories.
    fn chosen(&self, candidates: &Candidates) -> Vec<(RunNumber, PathBuf)> {
        let Candidates { settled, unfinished, without_second_pass } = candidates;
        let options = &self.run.options;
        let chosen = match options.mode {
            Mode::RetryFailed => RunSet::new(),
            Mode::Refresh => options.only.as_ref().map_or_else(RunSet::new, |only| settled.intersection(only)),
            Mode::Full | Mode::Incremental => {
                let newest = highest(&without_second_pass.intersection(settled), WITHOUT_PASS_MAX);
                unfinished.intersection(settled).union(&newest)
            }
        };
        let named = chosen.iter().filter(|number| options.names(*number));
        named.filter_map(|number| Some((number, self.paths.get(&number)?.clone()))).collect()
    }

    /// Of what is to be refreshed, names what cannot be.
    fn refuse_unknown(&self, candidates: &Candidates) {
        let options = &self.run.options;
        let Some(only) = options.only.as_ref().filter(|_| options.mode == Mode::Refresh) else { return };
        let on_disk = self.paths.keys().copied().collect();
        for number in only.difference(&candidates.settled).iter() {
            self.run.note_not_amended(number, "it is not archived in artdaqDB yet".to_owned());
        }
        for number in only.intersection(&candidates.settled).difference(&on_disk).iter() {
            self.run.note_not_amended(number, "it has no directory any more".to_owned());
        }
    }

    /// The version under which the pass was stored; `None` where there was nothing to store.
    async fn amend_one(&self, number: RunNumber, path: &Path) -> Result<Result<Option<String>, String>, Stopped> {
        let (source, place) = (Arc::clone(self.source), path.to_owned());
        let prepared = match blocking(move || source.prepare(&place)).await {
            Ok(prepared) => prepared,
            Err(Failure { reason, .. }) => return Ok(Err(reason)),
        };
        let finished = has_stop_time(&prepared).then_some(number).into_iter().collect();
        if prepared.update.is_none() {
            return Ok(Ok(None));
        }
        self.run.record(Change { amended: RunSet::from_iter([number]), ..Change::default() }).await?;
        let stored = match self.store_pass(number, prepared).await {
            Ok(stored) => stored,
            Err(reason) => return Ok(Err(reason)),
        };
        let note = stored.clone().map(|version| (number, RunEvent::Amended { version }));
        self.run.record(Change { finished, notes: Vec::from_iter(note), ..Change::default() }).await?;
        Ok(Ok(stored))
    }

    /// Stores the second pass and reads it back.
    async fn store_pass(&self, number: RunNumber, prepared: PreparedRun) -> Result<Option<String>, String> {
        let results = self.store.amend([prepared.clone()].into()).await.map_err(|error| chain(&error))?;
        let stored = match results.into_iter().next() {
            Some(Ok(Amended::Stored { version })) => Some(version),
            Some(Ok(Amended::AlreadyThere | Amended::NothingToStore)) | None => None,
            Some(Err(refused)) => return Err(chain(&refused)),
        };
        let export = self.store.export(number).await.map_err(|error| chain(&error))?;
        let export = export.ok_or_else(|| format!("run {number} is not in artdaqDB any more"))?;
        for wanted in prepared.update.iter().flat_map(|pass| &pass.documents) {
            let text = wanted.document.to_text();
            if !export.documents.iter().any(|found| found.entity == wanted.entity && found.text == text) {
                return Err(format!("artdaqDB holds another `{}` of run {number}", wanted.entity));
            }
        }
        Ok(stored)
    }
}
