//! One task owns the state; everybody else sends it news and waits until they are on disk.
//!
//! Whatever waits is committed in one write, so one flush serves all workers (group commit), and no
//! worker ever acts on, or announces, what is not durable.

use std::sync::Arc;

use gsi_state::{ChangeError, CreationState, GsiKey, GsiState, GsiStateManager, StatusChange};
use statefile::UpdateError;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// Why news did not reach the disk. Cheap to clone: every worker that waits gets it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the state could not be saved")]
pub struct RecordError(#[source] Arc<UpdateError<ChangeError>>);

/// A message to the owner of the state.
struct News {
    change: StatusChange,
    saved: oneshot::Sender<Result<(), RecordError>>,
}

/// The way for workers to tell the state what happens.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    news: mpsc::Sender<News>,
    state: watch::Receiver<CreationState>,
}

/// The task that owns the state while workers run.
#[derive(Debug)]
pub(crate) struct RecorderTask(JoinHandle<GsiStateManager>);

/// Enough that no worker waits for a place; more only costs memory.
const NEWS_WAITING_MAX: usize = 1024;

impl Recorder {
    /// Starts the task. It ends when every clone of the recorder is gone.
    pub(crate) fn start(manager: GsiStateManager) -> (Self, RecorderTask) {
        let (news, inbox) = mpsc::channel(NEWS_WAITING_MAX);
        let (publish, state) = watch::channel(manager.state().clone());
        (Self { news, state }, RecorderTask(tokio::spawn(own(manager, inbox, publish))))
    }

    /// Saves a change; returns when it is on stable storage.
    ///
    /// # Errors
    ///
    /// When it is not. The state refuses all further changes then, and the run must end.
    pub(crate) async fn record(&self, change: StatusChange) -> Result<(), RecordError> {
        let (saved, answer) = oneshot::channel();
        // The task lives as long as this sender, and answers everything it takes; a runtime that is
        // shut down ends both sides.
        if self.news.send(News { change, saved }).await.is_err() {
            std::future::pending::<()>().await;
        }
        match answer.await {
            Ok(result) => result,
            Err(_) => std::future::pending().await,
        }
    }

    /// What the state last said of an index.
    pub(crate) fn status_of(&self, key: &GsiKey) -> Option<GsiState> {
        self.state.borrow().get(key).cloned()
    }
}

impl RecorderTask {
    /// Waits until every worker has let go of its recorder, and gives the state back.
    ///
    /// # Panics
    ///
    /// Where the task panicked, this passes the panic on.
    pub(crate) async fn finish(self) -> GsiStateManager {
        match self.0.await {
            Ok(manager) => manager,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
}

async fn own(
    mut manager: GsiStateManager,
    mut inbox: mpsc::Receiver<News>,
    publish: watch::Sender<CreationState>,
) -> GsiStateManager {
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, NEWS_WAITING_MAX).await > 0 {
        let (changes, senders): (Vec<_>, Vec<_>) = waiting.drain(..).map(|news| (news.change, news.saved)).unzip();
        // Flushing blocks, so it happens on a thread for it.
        let committed = tokio::task::spawn_blocking(move || {
            let results = commit(&mut manager, &changes);
            (manager, results)
        });
        let results;
        (manager, results) = match committed.await {
            Ok(done) => done,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        };
        publish.send_replace(manager.state().clone());
        for (sender, result) in senders.into_iter().zip(results) {
            // A worker that was dropped meanwhile does not want to know.
            drop(sender.send(result));
        }
    }
    manager
}

/// Commits all changes in one write; where one of them is refused, each by itself, so that the
/// others are not lost with it.
fn commit(manager: &mut GsiStateManager, changes: &[StatusChange]) -> Vec<Result<(), RecordError>> {
    let apply = |manager: &mut GsiStateManager, changes: &[StatusChange]| {
        manager.apply(changes).map_err(|error| RecordError(Arc::new(error)))
    };
    match apply(manager, changes) {
        Ok(()) => vec![Ok(()); changes.len()],
        Err(RecordError(error)) if changes.len() > 1 && matches!(*error, UpdateError::Rejected(_)) => {
            changes.iter().map(|change| apply(manager, std::slice::from_ref(change))).collect()
        }
        Err(error) => vec![Err(error); changes.len()],
    }
}
