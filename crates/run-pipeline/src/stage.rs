//! What both stages share: they begin with listings and a selection, their workers stop together, and
//! they end with a report.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use run_state::{Marks, RunNumber, RunSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    error::StageError,
    event::{Event, EventKind, Observer, Stage},
    files::{Counts, StageFiles, StageSnapshot},
    listing::{Shrunk, check_listings},
    record::{Change, Ledger, RecordError, Recorder, RecorderTask},
    report::{Outcome, StageReport},
    retry::{Decision, Failure, RetryPolicy},
    select::{Holdings, Mode, Selection, select},
};

/// How an execution of a stage goes about its work.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// Which runs.
    pub mode: Mode,
    /// Runs an execution when incremental, ten times that otherwise; 5.
    pub batch_size: u64,
    /// Runs worked on at once; 2. At least 1.
    pub parallel_workers: usize,
    /// What to do about errors.
    pub retry: RetryPolicy,
    /// By how much a listing may shrink against the last known count; 10 %.
    pub max_shrink_percent: u8,
}

impl Default for StageOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Full,
            batch_size: 5,
            parallel_workers: 2,
            retry: RetryPolicy::default(),
            max_shrink_percent: 10,
        }
    }
}

/// What the two sides hold, what cannot be used included.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) holdings: Holdings,
    /// Everything in the source, half-archived runs included.
    pub(crate) source_runs: u64,
    /// Everything in the destination, half-archived runs included.
    pub(crate) present: RunSet,
}

impl Listing {
    fn counts(&self) -> Counts {
        Counts::new(self.source_runs, self.present.len())
    }
}

/// What a stage would do, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which stage.
    pub stage: Stage,
    /// The state as it is.
    pub state: StageSnapshot,
    /// What the two sides hold.
    pub holdings: Holdings,
    /// What is to be done.
    pub selection: Selection,
}

impl Plan {
    pub(crate) fn new(
        stage: Stage,
        snapshot: StageSnapshot,
        listing: &Listing,
        options: &StageOptions,
        counts: PathBuf,
    ) -> Result<Self, StageError> {
        check_listings(snapshot.counts, listing.counts(), options.max_shrink_percent).map_err(
            |Shrunk { side, known_runs, found_runs }| StageError::Shrunk {
                stage,
                side,
                known_runs,
                found_runs,
                counts,
            },
        )?;
        let selection = select(&snapshot, &listing.holdings, options.mode, options.batch_size);
        Ok(Self { stage, state: snapshot, holdings: listing.holdings.clone(), selection })
    }
}

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
    let (mut ledger, outcome) = Ledger::open(files, &listing.holdings.available, &selection);
    let outcome = outcome.and_then(|()| ledger.save_counts(listing.counts()));
    if let Err(error) = outcome {
        return Err(Box::new(Refusal { files: ledger.into_files(), error: error.into() }));
    }
    let (recorder, task) = Recorder::start(ledger);
    let waiting = selection.work.difference(&selection.alone).iter().chain(selection.alone.iter()).collect();
    let run = Arc::new(Run {
        stage,
        options,
        recorder,
        observer,
        halt: cancel.child_token(),
        alone: selection.alone.clone(),
        progress: Mutex::new(Progress { waiting, ..Progress::default() }),
    });
    run.announce(&selection, listing.counts());
    let Listing { source_runs, present, .. } = listing.clone();
    Ok((run, Opening { started, marks_before, selection, interrupted, source_runs, present, task, cancel }))
}

impl Run {
    fn announce(&self, selection: &Selection, counts: Counts) {
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
        result.map_err(|error| {
            self.halt.cancel();
            self.progress().record_error.get_or_insert(error);
            Stopped
        })
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
            invalid: progress.invalid,
            amended: progress.amended,
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
