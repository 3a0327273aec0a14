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
    import::difference,
    journal::RunEvent,
    ledger::{Change, highest},
    plan::StageOptions,
    retry::{Failure, chain},
    select::Mode,
    source::RecordSource,
    stage::{Run, Stopped},
    whole::whole,
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

impl Candidates {
    /// The runs whose second pass would be stored, or, when refreshing, looked at.
    pub(crate) async fn due(
        &self,
        options: &StageOptions,
        paths: &BTreeMap<RunNumber, PathBuf>,
        now: DateTime<Utc>,
    ) -> RunSet {
        let mut due = RunSet::new();
        for (number, path) in self.chosen(options, paths) {
            if self.is_due(options, number, &path, now).await {
                due.insert(number);
            }
        }
        due
    }

    /// Whether the directory of a run has what the archive lacks, and is settled.
    async fn is_due(&self, options: &StageOptions, number: RunNumber, path: &Path, now: DateTime<Utc>) -> bool {
        let lacks_pass = self.without_second_pass.contains(number);
        let (is_named, hold, place) = (options.mode == Mode::Refresh, options.hold, path.to_owned());
        let look = move || {
            let is_settled = || hold.look(&place, now).is_none();
            is_named || times(&place).is_some_and(|times| times.has_stop || lacks_pass) && is_settled()
        };
        blocking(look).await
    }

    /// The runs that are looked at, lowest first, with their directories.
    fn chosen(&self, options: &StageOptions, paths: &BTreeMap<RunNumber, PathBuf>) -> Vec<(RunNumber, PathBuf)> {
        let Self { settled, unfinished, without_second_pass } = self;
        let chosen = match options.mode {
            Mode::RetryFailed => RunSet::new(),
            Mode::Refresh => options.only.as_ref().map_or_else(RunSet::new, |only| settled.intersection(only)),
            Mode::Full | Mode::Incremental => {
                let newest = highest(&without_second_pass.intersection(settled), WITHOUT_PASS_MAX);
                unfinished.intersection(settled).union(&newest)
            }
        };
        let named = chosen.iter().filter(|number| options.names(*number));
        named.filter_map(|number| Some((number, paths.get(&number)?.clone()))).collect()
    }
}

impl Amending<'_> {
    /// Adds the second pass to those of the candidates whose directories have what the archive lacks.
    ///
    /// What fails is announced and no failure of the runs, which are archived; the next import tries again.
    pub(crate) async fn amend(&self, candidates: &Candidates, now: DateTime<Utc>) -> Result<(), Stopped> {
        for (number, path) in candidates.chosen(&self.run.options, self.paths) {
            if self.run.is_halted() {
                return Ok(());
            }
            if !candidates.is_due(&self.run.options, number, &path, now).await {
                continue;
            }
            match self.amend_one(number, &path).await? {
                Ok(Some(version)) => self.run.note_amended(number, version),
                Ok(None) => {}
                Err(reason) => {
                    self.run.note_not_amended(number, reason);
                    continue;
                }
            }
            if self.run.options.mode == Mode::Refresh
                && let Some(reason) = self.changed_otherwise(number, &path).await
            {
                self.run.note_not_amended(number, reason);
            }
        }
        self.refuse_unknown(candidates);
        Ok(())
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

    /// Whether the directory of a run holds something else than was archived: that is not brought up to date, and
    /// whoever names the run must not think so.
    async fn changed_otherwise(&self, number: RunNumber, path: &Path) -> Option<String> {
        let (source, place) = (Arc::clone(self.source), path.to_owned());
        let prepared = match blocking(move || source.prepare(&place)).await {
            Ok(prepared) => prepared,
            Err(Failure { reason, .. }) => return Some(reason),
        };
        let export = match self.store.export(number).await {
            Ok(Some(export)) => export,
            Ok(None) => return Some(format!("run {number} is not in artdaqDB any more")),
            Err(error) => return Some(chain(&error)),
        };
        let export = match whole(number, Some(export)) {
            Ok(export) => export,
            Err(Failure { reason, .. }) => return Some(reason),
        };
        let difference = difference(&prepared, &export, true)?;
        Some(format!("its directory holds something else than was archived, which stays as it is: {difference}"))
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
