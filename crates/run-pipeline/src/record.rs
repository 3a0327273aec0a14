//! One task owns the state; everybody else sends it changes and waits until they are on disk.
//!
//! Whatever waits is saved together (group commit), so that one flush serves all workers, and no worker
//! ever acts on, or announces, what is not durable.

use std::{sync::Arc, time::Duration};

use run_state::{RunNumber, RunSet};
use statefile::CommitError;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    files::{Counts, NextState, StageFiles, StageSnapshot},
    hold::Held,
    journal::{Content, RunEvent},
    retry::Failure,
    select::{Selection, below},
};

/// Why a change did not reach the disk. Cheap to clone: every worker that waits gets it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the state could not be saved")]
pub struct RecordError(#[source] Arc<CommitError>);

/// What happened to runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// They are about to be worked on.
    pub(crate) begun: RunSet,
    /// They are complete in the destination, and verified.
    pub(crate) archived: RunSet,
    /// They were given up.
    pub(crate) failed: RunSet,
    /// They were to be worked on, and nothing was done.
    pub(crate) released: RunSet,
    /// They were imported without a stop time.
    pub(crate) unfinished: RunSet,
    /// They have their stop time now.
    pub(crate) finished: RunSet,
    /// Their record is about to be amended.
    pub(crate) amended: RunSet,
    /// The migration has seen to that.
    pub(crate) renewed: RunSet,
    /// What the journal is to tell.
    pub(crate) notes: Vec<(RunNumber, RunEvent)>,
    /// It may wait a moment for others, so that they are saved together.
    pub(crate) is_patient: bool,
}

impl Change {
    /// `run` is about to be worked on.
    pub(crate) fn begun(runs: impl IntoIterator<Item = RunNumber>) -> Self {
        Self { begun: runs.into_iter().collect(), ..Self::default() }
    }

    /// Nothing was done about `runs`.
    pub(crate) fn released(runs: impl IntoIterator<Item = RunNumber>) -> Self {
        Self { released: runs.into_iter().collect(), ..Self::default() }
    }

    /// Notes that `run` is archived, and what was verified of it.
    pub(crate) fn note_archived(&mut self, run: RunNumber, was_there: bool, content: Content) {
        self.archived.insert(run);
        self.notes.push((run, RunEvent::Archived { was_there, content }));
    }

    /// Notes that `run` was given up after `attempt` attempts.
    pub(crate) fn note_failed(&mut self, run: RunNumber, failure: &Failure, attempt: u32) {
        self.failed.insert(run);
        let (class, reason) = (failure.class, failure.reason.clone());
        self.notes.push((run, RunEvent::Failed { attempt, class, reason }));
    }

    fn is_empty(&self) -> bool {
        *self == Self { is_patient: self.is_patient, ..Self::default() }
    }

    fn merge(&mut self, mut other: Self) {
        self.begun.extend(other.begun.iter());
        self.archived.extend(other.archived.iter());
        self.failed.extend(other.failed.iter());
        self.released.extend(other.released.iter());
        self.unfinished.extend(other.unfinished.iter());
        self.finished.extend(other.finished.iter());
        self.amended.extend(other.amended.iter());
        self.renewed.extend(other.renewed.iter());
        self.notes.append(&mut other.notes);
    }
}

/// The state with what is known beyond it: everything that is archived, and what no mark may pass.
#[derive(Debug)]
pub(crate) struct Ledger {
    files: StageFiles,
    archived: RunSet,
    /// Runs above the mark, neither archived nor failed: the attempted mark stays below the first.
    holding: RunSet,
    /// The runs of the source that are settled, by this execution or before.
    settled: RunSet,
    /// Runs that this execution still works on. Workers end out of order, so the contiguous mark stays
    /// below the first: else it would begin at a run in the middle, and could never move back.
    pending: RunSet,
    /// Runs that an earlier execution left in flight: they stay so until they are settled.
    resumed: RunSet,
    /// Runs that people live without: the contiguous mark passes them.
    acknowledged: RunSet,
}

impl Ledger {
    /// Takes in what was selected: late and interrupted runs go into the failure log, and the marks
    /// move over what is archived.
    pub(crate) fn open(
        mut files: StageFiles,
        available: &RunSet,
        selection: &Selection,
        held: &Held,
        acknowledged: RunSet,
    ) -> (Self, Result<(), RecordError>) {
        let state = files.snapshot();
        let pending = selection.work.union(&state.in_flight);
        let mut marks = state.marks.clone();
        let reliable = below(&selection.verified, selection.fresh.union(&pending).first());
        marks.advance_over(&reliable, &acknowledged, selection.attempted);
        let failed = state.failed.union(&selection.late).union(&selection.interrupted);
        let held_now: RunSet = held.keys().copied().collect();
        // Whoever was held back stays so until it is taken, or gone.
        let still_held = state.held.intersection(available).difference(&selection.verified.union(&selection.work));
        let outcome = files.save(NextState {
            notes: notes_at_begin(&state, selection, held),
            marks,
            failed: failed.clone(),
            // Until they are settled, however often the program is killed before it comes to that.
            in_flight: state.in_flight.clone(),
            held: held_now.union(&still_held),
            unfinished: state.unfinished,
            amended: state.amended,
        });
        let ledger = Self {
            files,
            archived: selection.verified.clone(),
            holding: selection.fresh.clone(),
            settled: selection.verified.union(&failed).intersection(available),
            pending,
            resumed: state.in_flight,
            acknowledged,
        };
        (ledger, outcome.map_err(|error| RecordError(Arc::new(error))))
    }

    /// Disk first, then memory.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), RecordError> {
        let state = self.files.snapshot();
        let settled_now = change.archived.union(&change.failed);
        let archived = self.archived.union(&change.archived);
        let settled = self.settled.union(&settled_now);
        let holding = self.holding.difference(&settled_now);
        let ended = settled_now.union(&change.released);
        let pending = self.pending.difference(&ended);
        let still_open = self.resumed.difference(&settled_now);
        let mut marks = state.marks;
        let attempted = below(&settled, holding.first()).last().unwrap_or_default();
        let reliable = below(&archived, holding.union(&pending).first());
        marks.advance_over(&reliable, &self.acknowledged, attempted);
        let unfinished = state.unfinished.union(&change.unfinished).difference(&change.finished);
        self.files
            .save(NextState {
                notes: change.notes,
                marks,
                failed: state.failed.difference(&change.archived).union(&change.failed),
                in_flight: state.in_flight.difference(&ended.difference(&still_open)).union(&change.begun),
                held: state.held.difference(&settled_now),
                unfinished: highest(&unfinished, UNFINISHED_RUNS_MAX),
                amended: state.amended.union(&change.amended).difference(&change.renewed),
            })
            .map_err(|error| RecordError(Arc::new(error)))?;
        (self.archived, self.settled, self.holding, self.pending) = (archived, settled, holding, pending);
        Ok(())
    }

    /// Remembers what the listings found.
    pub(crate) fn save_counts(&mut self, counts: Counts) -> Result<(), RecordError> {
        self.files.save_counts(counts).map_err(|error| RecordError(Arc::new(error)))
    }

    pub(crate) fn archived(&self) -> &RunSet {
        &self.archived
    }

    pub(crate) fn into_files(self) -> StageFiles {
        self.files
    }
}

/// How many runs without a stop time are remembered: a run that is being taken is among the newest, and where no
/// run ever has a stop time the list must not grow with the archive.
pub(crate) const UNFINISHED_RUNS_MAX: u64 = 100;

/// The `count` highest of `runs`.
pub(crate) fn highest(runs: &RunSet, count: u64) -> RunSet {
    let dropped = usize::try_from(runs.len().saturating_sub(count)).unwrap_or(usize::MAX);
    if dropped == 0 { runs.clone() } else { runs.iter().skip(dropped).collect() }
}

/// What the journal is to tell before any work.
fn notes_at_begin(state: &StageSnapshot, selection: &Selection, held: &Held) -> Vec<(RunNumber, RunEvent)> {
    let of = |runs: &RunSet, event: RunEvent| -> Vec<_> { runs.iter().map(|run| (run, event.clone())).collect() };
    let mut notes = of(&selection.late, RunEvent::Late);
    notes.extend(of(&selection.interrupted.difference(&state.failed), RunEvent::Interrupted));
    let newly_held = held.iter().filter(|(run, _)| !state.held.contains(**run));
    notes.extend(newly_held.map(|(run, reason)| (*run, RunEvent::Held { reason: reason.to_string() })));
    notes
}

/// A message to the owner of the state.
struct News {
    change: Change,
    saved: oneshot::Sender<Result<(), RecordError>>,
}

/// The way for workers to tell the state what happens.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(mpsc::Sender<News>);

/// The task that owns the state while workers run.
#[derive(Debug)]
pub(crate) struct RecorderTask(JoinHandle<Ledger>);

/// Enough that no worker waits for a place; more only costs memory.
const NEWS_WAITING_MAX: usize = 1024;

/// How long, and for how many, what is in no hurry waits: so that some runs are saved together, where each of them
/// alone would cost as many flushes, and so that no outcome is ever lost by more than a moment.
const PATIENCE: Duration = Duration::from_millis(20);
const PATIENT_MAX: usize = 16;

impl Recorder {
    /// Starts the task. It ends when every clone of the recorder is gone.
    pub(crate) fn start(ledger: Ledger) -> (Self, RecorderTask) {
        let (news, inbox) = mpsc::channel(NEWS_WAITING_MAX);
        (Self(news), RecorderTask(tokio::spawn(own(ledger, inbox))))
    }

    /// Saves a change; returns when it is on stable storage.
    ///
    /// # Errors
    ///
    /// When it is not. The state refuses all further changes then, and the stage must end.
    pub(crate) async fn record(&self, change: Change) -> Result<(), RecordError> {
        if change.is_empty() {
            return Ok(());
        }
        self.submit(change).await.saved().await
    }

    /// Hands a change in; the answer is when it is saved.
    pub(crate) async fn submit(&self, change: Change) -> Submitted {
        let (saved, answer) = oneshot::channel();
        // The task lives as long as this sender, and answers everything it takes; a runtime that is
        // shut down ends both sides.
        if self.0.send(News { change, saved }).await.is_err() {
            std::future::pending::<()>().await;
        }
        Submitted(answer)
    }
}

/// A change that was handed in.
#[derive(Debug)]
pub(crate) struct Submitted(oneshot::Receiver<Result<(), RecordError>>);

impl Submitted {
    /// Returns when it is on stable storage.
    pub(crate) async fn saved(self) -> Result<(), RecordError> {
        match self.0.await {
            Ok(result) => result,
            Err(_) => std::future::pending().await,
        }
    }
}

impl RecorderTask {
    /// Waits until every worker has let go of its recorder, and gives the state back.
    ///
    /// # Panics
    ///
    /// Where the task panicked, this passes the panic on.
    pub(crate) async fn finish(self) -> Ledger {
        match self.0.await {
            Ok(ledger) => ledger,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
}

/// Where all that waits is in no hurry, waits for more.
async fn wait_for_more(waiting: &mut Vec<News>, inbox: &mut mpsc::Receiver<News>) {
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    while waiting.len() < PATIENT_MAX && waiting.iter().all(|news| news.change.is_patient) {
        tokio::select! {
            biased;
            news = inbox.recv() => match news {
                Some(news) => waiting.push(news),
                None => return,
            },
            () = &mut patience => return,
        }
    }
}

async fn own(mut ledger: Ledger, mut inbox: mpsc::Receiver<News>) -> Ledger {
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, NEWS_WAITING_MAX).await > 0 {
        wait_for_more(&mut waiting, &mut inbox).await;
        let mut change = Change::default();
        let senders: Vec<_> = waiting
            .drain(..)
            .map(|news| {
                change.merge(news.change);
                news.saved
            })
            .collect();
        // Flushing blocks, so it happens on a thread for it.
        let saved = tokio::task::spawn_blocking(move || {
            let result = ledger.apply(change);
            (ledger, result)
        });
        let result;
        (ledger, result) = match saved.await {
            Ok(done) => done,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        };
        for sender in senders {
            // A worker that was dropped meanwhile does not want to know.
            drop(sender.send(result.clone()));
        }
    }
    ledger
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use statefile::{Lock, Owner, SystemClock};

    use super::{Change, Held, Ledger, RunSet, Selection, StageFiles, highest};
    use crate::{event::Stage, files::StagePaths};

    fn set(text: &str) -> RunSet {
        text.parse().unwrap()
    }

    /// Workers end out of order; whatever the order, the marks end where the guide's rule says.
    #[test]
    fn the_contiguous_mark_does_not_begin_in_the_middle() {
        let archived = |runs: &str| Change { archived: set(runs), ..Change::default() };
        let failed = |runs: &str| Change { failed: set(runs), ..Change::default() };
        let check = |acknowledged: &str, changes: &[(Change, &str)]| {
            let dir = tempfile::tempdir().unwrap();
            let (state, failure_log) = (dir.path().join("state"), dir.path().join("log"));
            let paths = StagePaths { stage: Stage::Import, state, failure_log };
            let lock = Lock::acquire(dir.path().join("lock"), &Owner::current(&SystemClock)).unwrap();
            let files = StageFiles::open(&paths, Arc::new(lock), Arc::new(SystemClock)).unwrap();
            let work = set("101-103");
            let selection = Selection { work: work.clone(), fresh: work.clone(), ..Selection::default() };
            let (mut ledger, opened) = Ledger::open(files, &work, &selection, &Held::new(), set(acknowledged));
            opened.unwrap();
            for (change, marks) in changes {
                ledger.apply(change.clone()).unwrap();
                assert_eq!(ledger.files.snapshot().marks.to_string(), *marks, "after {change:?}");
            }
        };
        check("none", &[(archived("103"), "0/0"), (archived("101"), "101/101"), (failed("102"), "101/103")]);
        check("none", &[(archived("103"), "0/0"), (failed("102"), "0/0"), (archived("101"), "101/103")]);
        check("none", &[(archived("102"), "0/0"), (archived("103"), "0/0"), (archived("101"), "103/103")]);
        check("none", &[(failed("101"), "0/101"), (archived("103"), "0/101"), (archived("102"), "103/103")]);
        // An acknowledged run is passed when something is archived behind it, and no work is left before that.
        check("102", &[(archived("103"), "0/0"), (archived("101"), "101/101"), (failed("102"), "103/103")]);
        check("102-200", &[(archived("101"), "101/101"), (failed("102"), "101/102"), (failed("103"), "101/103")]);
    }

    #[test]
    fn the_newest_runs_are_remembered() {
        assert_eq!(highest(&set("1-5, 9"), 6), set("1-5, 9"));
        assert_eq!(highest(&set("1-5, 9"), 2), set("5, 9"));
        assert_eq!(highest(&set("1-5, 9"), 0), set("none"));
    }
}
