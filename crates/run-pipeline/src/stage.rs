//! What both stages share: they begin with listings and a selection, their workers stop together, and
//! they end with a report.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use run_state::{Marks, RunNumber, RunSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    error::StageError,
    event::{Event, EventKind, Observer, Stage},
    files::StageFiles,
    hold::Held,
    ledger::{Change, Ledger},
    paths::Counts,
    plan::{Listing, Plan, StageOptions},
    record::{RecordError, Recorder, RecorderTask, Submitted},
    report::{Outcome, StageReport},
    retry::{Decision, Failure},
    select::Selection,
};

/// Everything that the workers of an execution share.
pub(crate) struct Run {
    pub(crate) stage: Stage,
    pub(crate) options: StageOptions,
    recorder: Recorder,
    observer: Arc<dyn Observer>,
    /// Cancelled when somebody asks to stop, and when a store is in trouble.
    halt: CancellationToken,
    /// Runs that are worked on by themselves.
    alone: RunSet,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    outcomes: BTreeMap<RunNumber, Outcome>,
    invalid: BTreeMap<RunNumber, Vec<String>>,
    amended: RunSet,
    not_amended: BTreeMap<RunNumber, String>,
    waiting: VecDeque<RunNumber>,
    /// Runs in a row that were given up for a store.
    store_failures: u32,
    stopped: Option<String>,
    record_error: Option<RecordError>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("stage", &self.stage).field("options", &self.options).finish_non_exhaustive()
    }
}

/// What is known when an execution begins, and needed when it ends.
#[derive(Debug)]
pub(crate) struct Opening {
    started: Instant,
    marks_before: Marks,
    selection: Selection,
    interrupted: RunSet,
    source_runs: u64,
    present: RunSet,
    held: Held,
    task: RecorderTask,
    cancel: CancellationToken,
}

/// Why an execution does not begin, with the state, which goes back to the caller.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) files: StageFiles,
    pub(crate) error: StageError,
}

/// Checks the listings, takes in what the last execution left, and selects the work.
pub(crate) fn begin(
    files: StageFiles,
    stage: Stage,
    listing: &Listing,
    options: StageOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> Result<(Arc<Run>, Opening), Box<Refusal>> {
    let started = Instant::now();
    let snapshot = files.snapshot();
    let (marks_before, interrupted) = (snapshot.marks.clone(), snapshot.in_flight.clone());
    let plan = match Plan::new(stage, snapshot, listing, &options, files.paths().counts()) {
        Ok(plan) => plan,
        Err(error) => return Err(Box::new(Refusal { files, error })),
    };
    let selection = plan.selection;
    let Listing { source_runs, present, held, .. } = listing.clone();
    let acknowledged = options.acknowledged.clone();
    let (mut ledger, outcome) = Ledger::open(files, &listing.holdings.available, &selection, &held, acknowledged);
    let outcome = outcome.and_then(|()| ledger.save_counts(listing.counts()));
    if let Err(error) = outcome {
        return Err(Box::new(Refusal { files: ledger.into_files(), error: error.into() }));
    }
    let (recorder, task) = Recorder::start(ledger);
    let waiting = listing.queue(&selection);
    let run = Arc::new(Run {
        stage,
        options,
        recorder,
        observer,
        halt: cancel.child_token(),
        alone: selection.alone.clone(),
        progress: Mutex::new(Progress { waiting, ..Progress::default() }),
    });
    run.announce(&selection, &held, listing.counts());
    Ok((run, Opening { started, marks_before, selection, interrupted, source_runs, present, held, task, cancel }))
}

impl Run {
    fn announce(&self, selection: &Selection, held: &Held, counts: Counts) {
        let Counts { source_runs, destination_runs, .. } = counts;
        self.observe(EventKind::Listed { source_runs, destination_runs });
        let notices = [
            (&selection.late, EventKind::Late as fn(RunSet) -> EventKind),
            (&selection.interrupted, EventKind::Interrupted),
            (&selection.unconfirmed, EventKind::Unconfirmed),
        ];
        for (runs, kind) in notices {
            if !runs.is_empty() {
                self.observe(kind(runs.clone()));
            }
        }
        if !held.is_empty() {
            self.observe(EventKind::Held(held.clone()));
        }
        let Selection { work, beyond_limit, .. } = selection.clone();
        self.observe(EventKind::Selected { work, beyond_limit });
    }

    pub(crate) fn observe(&self, kind: EventKind) {
        self.observer.observe(&Event { stage: self.stage, kind });
    }

    /// Whether no further run is to be started.
    pub(crate) fn is_halted(&self) -> bool {
        self.halt.is_cancelled()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // No change in here can panic half-way.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lowest runs that wait, at most `count`, and one that is to be alone by itself; none when
    /// the stage stops.
    pub(crate) fn take(&self, count: usize) -> Vec<RunNumber> {
        if self.is_halted() {
            return Vec::new();
        }
        let mut progress = self.progress();
        let together = progress.waiting.iter().take(count).take_while(|run| !self.alone.contains(**run)).count();
        let count = together.max(1).min(progress.waiting.len());
        progress.waiting.drain(..count).collect()
    }

    /// Saves what happened to runs. An error stops the stage and is kept for its end.
    ///
    /// # Errors
    ///
    /// When it is not on disk: the caller must do nothing more.
    pub(crate) async fn record(&self, change: Change) -> Result<(), Stopped> {
        let result = self.recorder.record(change).await;
        result.map_err(|error| self.state_failed(error))
    }

    /// Hands a change in, which is then waited for with [`saved`](Self::saved).
    pub(crate) async fn submit(&self, change: Change) -> Submitted {
        self.recorder.submit(change).await
    }

    /// As [`record`](Self::record), for a change that was handed in.
    pub(crate) async fn saved(&self, change: Submitted) -> Result<(), Stopped> {
        change.saved().await.map_err(|error| self.state_failed(error))
    }

    fn state_failed(&self, error: RecordError) -> Stopped {
        self.halt.cancel();
        self.progress().record_error.get_or_insert(error);
        Stopped
    }

    /// Notes what came of a run, which is on disk, and tells the world.
    pub(crate) fn settle(&self, run: RunNumber, outcome: Outcome) {
        self.progress().outcomes.insert(run, outcome.clone());
        self.observe(EventKind::Settled { run, outcome });
    }

    pub(crate) fn note_invalid(&self, run: RunNumber, problems: Vec<String>) {
        self.progress().invalid.insert(run, problems.clone());
        self.observe(EventKind::Invalid { run, problems });
    }

    pub(crate) fn note_amended(&self, run: RunNumber, version: String) {
        self.progress().amended.insert(run);
        self.observe(EventKind::Amended { run, version });
    }

    pub(crate) fn note_renewed(&self, run: RunNumber, version_id: u64) {
        self.progress().amended.insert(run);
        self.observe(EventKind::Renewed { run, version_id });
    }

    pub(crate) fn note_not_amended(&self, run: RunNumber, reason: String) {
        self.progress().not_amended.insert(run, reason.clone());
        self.observe(EventKind::NotAmended { run, reason });
    }

    /// Notes that a store did what it was asked.
    pub(crate) fn store_works(&self) {
        self.progress().store_failures = 0;
    }

    /// Stops the stage, since no run can succeed.
    pub(crate) fn stop(&self, reason: &str) {
        let is_first = {
            let mut progress = self.progress();
            let is_first = progress.stopped.is_none();
            progress.stopped.get_or_insert_with(|| reason.to_owned());
            is_first
        };
        self.halt.cancel();
        if is_first {
            self.observe(EventKind::Stopping { reason: reason.to_owned() });
        }
    }

    /// Decides about an attempt that failed, the `attempts`-th of a run: how long to wait before the
    /// next one, `None` where there is none.
    pub(crate) fn decide(&self, failure: &Failure, attempts: u32) -> Option<Duration> {
        match self.options.retry.decide(failure.class, attempts) {
            // Whoever wants to stop does not want to wait.
            _ if self.is_halted() => None,
            Decision::Again { after } => Some(after),
            Decision::GiveUpStage => {
                self.stop(&failure.reason);
                None
            }
            Decision::GiveUpRun => {
                if failure.class.concerns_store() && self.count_store_failure() {
                    self.stop(&failure.reason);
                }
                None
            }
        }
    }

    /// Whether enough runs in a row were given up for a store to call it a trouble of the store.
    fn count_store_failure(&self) -> bool {
        let mut progress = self.progress();
        progress.store_failures += 1;
        progress.store_failures >= self.options.retry.store_failures_max.max(1)
    }

    /// Waits before another attempt; `false` when there is to be none, since the stage stops.
    pub(crate) async fn pause(&self, run: RunNumber, failure: &Failure, after: Duration) -> bool {
        self.observe(EventKind::Retrying { run, reason: failure.reason.clone(), after });
        tokio::select! {
            () = tokio::time::sleep(after) => true,
            () = self.halt.cancelled() => false,
        }
    }
}

/// The state could not be saved; [`Run::record`] has kept the reason.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

impl Opening {
    /// Waits for the state's owner, and reports. Every other holder of `run` must be gone.
    pub(crate) async fn end(self, run: Arc<Run>) -> (StageFiles, Result<StageReport, StageError>) {
        let stage = run.stage;
        let progress = std::mem::take(&mut *run.progress());
        drop(run);
        let mut ledger = self.task.finish().await;
        if let Some(error) = progress.record_error {
            return (ledger.into_files(), Err(error.into()));
        }
        let counts = Counts::new(self.source_runs, self.present.union(ledger.archived()).len());
        if let Err(error) = ledger.save_counts(counts) {
            return (ledger.into_files(), Err(error.into()));
        }
        let files = ledger.into_files();
        let snapshot = files.snapshot();
        let mut outcomes = progress.outcomes;
        for number in self.selection.work.iter() {
            outcomes.entry(number).or_insert(Outcome::NotAttempted);
        }
        let report = StageReport {
            stage,
            outcomes,
            late: self.selection.late,
            interrupted: self.interrupted,
            beyond_limit: self.selection.beyond_limit,
            not_found: self.selection.not_found,
            invalid: progress.invalid,
            held: self.held,
            amended: progress.amended,
            not_amended: progress.not_amended,
            marks_before: self.marks_before,
            marks_after: snapshot.marks,
            still_failed: snapshot.failed,
            stopped: progress.stopped,
            is_interrupted: self.cancel.is_cancelled(),
            elapsed: self.started.elapsed(),
        };
        (files, Ok(report))
    }
}
