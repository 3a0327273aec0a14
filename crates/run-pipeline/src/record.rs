//! One task owns the state; everybody else sends it changes and waits until they are on disk.
//!
//! Whatever waits is saved together (group commit), so that one flush serves all workers, and no worker
//! ever acts on, or announces, what is not durable.

use std::{sync::Arc, time::Duration};

use statefile::CommitError;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::ledger::{Change, Ledger};

/// Why a change did not reach the disk. Cheap to clone: every worker that waits gets it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the state could not be saved")]
pub struct RecordError(#[source] pub(crate) Arc<CommitError>);

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

    use run_state::RunSet;

    use crate::{
        event::Stage,
        files::{StageFiles, StagePaths},
        hold::Held,
        ledger::{Change, Ledger, highest},
        select::Selection,
    };

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
                assert_eq!(ledger.files().snapshot().marks.to_string(), *marks, "after {change:?}");
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
