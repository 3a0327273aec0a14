//! One task owns the state; everybody else sends it changes and waits until they are on disk.
//!
//! Whatever waits is saved together (group commit), so that one flush serves all workers, and no worker
//! ever acts on, or announces, what is not durable.

use std::sync::Arc;

use run_state::RunSet;
use statefile::CommitError;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    files::{Counts, NextState, StageFiles},
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
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn merge(&mut self, other: &Self) {
        self.begun.extend(other.begun.iter());
        self.archived.extend(other.archived.iter());
        self.failed.extend(other.failed.iter());
        self.released.extend(other.released.iter());
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
}

impl Ledger {
    /// Takes in what was selected: late and interrupted runs go into the failure log, and the marks
    /// move over what is archived.
    pub(crate) fn open(
        mut files: StageFiles,
        available: &RunSet,
        selection: &Selection,
    ) -> (Self, Result<(), RecordError>) {
        let state = files.snapshot();
        let open = selection.fresh.union(&selection.work);
        let outcome = files.save(NextState {
            failed: state.failed.union(&selection.late).union(&selection.interrupted),
            archived: &below(&selection.verified, open.first()),
            attempted: selection.attempted,
            // Until they are settled, however often the program is killed before it comes to that.
            in_flight: state.in_flight.clone(),
        });
        let ledger = Self {
            files,
            archived: selection.verified.clone(),
            holding: selection.fresh.clone(),
            settled: selection.verified.intersection(available),
            pending: selection.work.clone(),
            resumed: state.in_flight,
        };
        (ledger, outcome.map_err(|error| RecordError(Arc::new(error))))
    }

    /// Disk first, then memory.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), RecordError> {
        let state = self.files.snapshot();
        let settled_now = change.archived.union(&change.failed);
        let archived = self.archived.union(&change.archived);
        let settled = self.settled.union(&settled_now);
        let holding = self.holding.difference(&settled_now);
        let ended = settled_now.union(&change.released);
        let pending = self.pending.difference(&ended);
        let still_open = self.resumed.difference(&settled_now);
        self.files
            .save(NextState {
                failed: state.failed.difference(&change.archived).union(&change.failed),
                archived: &below(&archived, holding.union(&pending).first()),
                attempted: below(&settled, holding.first()).last().unwrap_or_default(),
                in_flight: state.in_flight.difference(&ended.difference(&still_open)).union(&change.begun),
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
        let (saved, answer) = oneshot::channel();
        // The task lives as long as this sender, and answers everything it takes; a runtime that is
        // shut down ends both sides.
        if self.0.send(News { change, saved }).await.is_err() {
            std::future::pending::<()>().await;
        }
        match answer.await {
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

async fn own(mut ledger: Ledger, mut inbox: mpsc::Receiver<News>) -> Ledger {
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, NEWS_WAITING_MAX).await > 0 {
        let mut change = Change::default();
        let senders: Vec<_> = waiting
            .drain(..)
            .map(|news| {
                change.merge(&news.change);
                news.saved
            })
            .collect();
        // Flushing blocks, so it happens on a thread for it.
        let saved = tokio::task::spawn_blocking(move || {
            let result = ledger.apply(&change);
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

    use statefile::{Lock, Owner, SystemClock};

    use super::{Change, Ledger, RunSet, Selection, StageFiles};
    use crate::files::StagePaths;

    fn set(text: &str) -> RunSet {
        text.parse().unwrap()
    }

    /// Workers end out of order; whatever the order, the marks end where the guide's rule says.
    #[test]
    fn the_contiguous_mark_does_not_begin_in_the_middle() {
        let archived = |runs: &str| Change { archived: set(runs), ..Change::default() };
        let failed = |runs: &str| Change { failed: set(runs), ..Change::default() };
        let check = |changes: &[(Change, &str)]| {
            let dir = tempfile::tempdir().unwrap();
            let paths = StagePaths { state: dir.path().join("state"), failure_log: dir.path().join("log") };
            let lock = Lock::acquire(dir.path().join("lock"), &Owner::current(&SystemClock)).unwrap();
            let files = StageFiles::open(&paths, std::sync::Arc::new(lock)).unwrap();
            let work = set("101-103");
            let selection = Selection { work: work.clone(), fresh: work.clone(), ..Selection::default() };
            let (mut ledger, opened) = Ledger::open(files, &work, &selection);
            opened.unwrap();
            for (change, marks) in changes {
                ledger.apply(change).unwrap();
                assert_eq!(ledger.files.snapshot().marks.to_string(), *marks, "after {change:?}");
            }
        };
        check(&[(archived("103"), "0/0"), (archived("101"), "101/101"), (failed("102"), "101/103")]);
        check(&[(archived("103"), "0/0"), (failed("102"), "0/0"), (archived("101"), "101/103")]);
        check(&[(archived("102"), "0/0"), (archived("103"), "0/0"), (archived("101"), "103/103")]);
        check(&[(failed("101"), "0/101"), (archived("103"), "0/101"), (archived("102"), "103/103")]);
    }
}
