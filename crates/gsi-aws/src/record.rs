//! One task owns the state; everybody else sends it news and waits until they are on disk.
//!
//! Whatever waits is committed together, the state first and then the history, so one flush of each serves
//! all workers (group commit), and no worker ever acts on, or announces, what is not durable.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gsi_state::{ChangeError, CommitError, GsiKey, GsiState, GsiStateManager, HistoryEvent, StatusChange};
use statefile::UpdateError;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// Why news did not reach the disk. Cheap to clone: every worker that waits gets it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordError {
    /// The state file was not written.
    #[error("the state could not be saved")]
    State(#[source] Arc<UpdateError<ChangeError>>),
    /// The history was not written; the state was.
    #[error("the history could not be saved")]
    History(#[source] Arc<CommitError>),
}

/// Where the state and its history are kept.
pub(crate) trait Book: Send + 'static {
    /// Whether keeping blocks the thread: files do.
    const BLOCKS: bool;

    /// Applies all changes, or none.
    fn apply(&mut self, changes: &[StatusChange]) -> Result<(), UpdateError<ChangeError>>;

    /// Adds lines to the history.
    fn note(&mut self, events: Vec<(GsiKey, HistoryEvent)>) -> Result<(), CommitError>;

    /// What is known of an index.
    fn get(&self, key: &GsiKey) -> Option<&GsiState>;

    /// What is known of every index.
    fn all(&self) -> impl Iterator<Item = &GsiState>;
}

impl Book for GsiStateManager {
    const BLOCKS: bool = true;

    fn apply(&mut self, changes: &[StatusChange]) -> Result<(), UpdateError<ChangeError>> {
        self.apply(changes)
    }

    fn note(&mut self, events: Vec<(GsiKey, HistoryEvent)>) -> Result<(), CommitError> {
        self.note(events)
    }

    fn get(&self, key: &GsiKey) -> Option<&GsiState> {
        self.status_of(key)
    }

    fn all(&self) -> impl Iterator<Item = &GsiState> {
        self.state().gsis()
    }
}

/// A message to the owner of the state.
struct News {
    change: Option<StatusChange>,
    events: Vec<(GsiKey, HistoryEvent)>,
    saved: oneshot::Sender<Result<(), RecordError>>,
}

/// The way for workers to tell the state what happens.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    news: mpsc::Sender<News>,
    known: Arc<Mutex<HashMap<GsiKey, GsiState>>>,
}

/// The task that owns the state while workers run.
#[derive(Debug)]
pub(crate) struct RecorderTask<B>(JoinHandle<B>);

/// Enough that no worker waits for a place; more only costs memory.
const NEWS_WAITING_MAX: usize = 1024;

impl Recorder {
    /// Starts the task. It ends when every clone of the recorder is gone.
    pub(crate) fn start<B: Book>(book: B) -> (Self, RecorderTask<B>) {
        let (news, inbox) = mpsc::channel(NEWS_WAITING_MAX);
        let known = book.all().map(|gsi| (gsi.key.clone(), gsi.clone())).collect();
        let recorder = Self { news, known: Arc::new(Mutex::new(known)) };
        let task = tokio::spawn(own(book, inbox, Arc::clone(&recorder.known)));
        (recorder, RecorderTask(task))
    }

    /// Saves a change and what the history is to say of it; returns when both are on stable storage.
    ///
    /// # Errors
    ///
    /// When they are not. No further change is taken then, and the run must end.
    pub(crate) async fn record(&self, change: StatusChange, events: Vec<HistoryEvent>) -> Result<(), RecordError> {
        let key = change.key.clone();
        self.save(&key, Some(change), events).await
    }

    /// Saves lines of the history.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub(crate) async fn note(&self, key: &GsiKey, events: Vec<HistoryEvent>) -> Result<(), RecordError> {
        if events.is_empty() { Ok(()) } else { self.save(key, None, events).await }
    }

    async fn save(
        &self,
        key: &GsiKey,
        change: Option<StatusChange>,
        events: Vec<HistoryEvent>,
    ) -> Result<(), RecordError> {
        let (saved, answer) = oneshot::channel();
        let events = events.into_iter().map(|event| (key.clone(), event)).collect();
        // The task lives as long as this sender, and answers everything it takes; a runtime that is
        // shut down ends both sides.
        if self.news.send(News { change, events, saved }).await.is_err() {
            std::future::pending::<()>().await;
        }
        match answer.await {
            Ok(result) => result,
            Err(_) => std::future::pending().await,
        }
    }

    /// What the state last said of an index.
    pub(crate) fn status_of(&self, key: &GsiKey) -> Option<GsiState> {
        known(&self.known).get(key).cloned()
    }
}

fn known(known: &Mutex<HashMap<GsiKey, GsiState>>) -> MutexGuard<'_, HashMap<GsiKey, GsiState>> {
    // Held for single insertions, which leave the map whole.
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<B> RecorderTask<B> {
    /// Waits until every worker has let go of its recorder, and gives the state back.
    ///
    /// # Panics
    ///
    /// Where the task panicked, this passes the panic on.
    pub(crate) async fn finish(self) -> B {
        match self.0.await {
            Ok(book) => book,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
}

async fn own<B: Book>(
    mut book: B,
    mut inbox: mpsc::Receiver<News>,
    published: Arc<Mutex<HashMap<GsiKey, GsiState>>>,
) -> B {
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, NEWS_WAITING_MAX).await > 0 {
        let batch = std::mem::take(&mut waiting);
        let results;
        let batch = if B::BLOCKS {
            // Flushing blocks, so it happens on a thread for it.
            let committed = tokio::task::spawn_blocking(move || {
                let results = commit(&mut book, &batch);
                (book, batch, results)
            });
            let (returned, batch, committed) = match committed.await {
                Ok(done) => done,
                Err(failure) => std::panic::resume_unwind(failure.into_panic()),
            };
            book = returned;
            results = committed;
            batch
        } else {
            results = commit(&mut book, &batch);
            batch
        };
        let changed = batch.iter().filter_map(|news| book.get(&news.change.as_ref()?.key));
        known(&published).extend(changed.map(|gsi| (gsi.key.clone(), gsi.clone())));
        for (news, result) in batch.into_iter().zip(results) {
            // A worker that was dropped meanwhile does not want to know.
            drop(news.saved.send(result));
        }
    }
    book
}

/// Commits all changes in one write, and then their history in another; where a change is refused, each by
/// itself, so that the others are not lost with it.
fn commit<B: Book>(book: &mut B, batch: &[News]) -> Vec<Result<(), RecordError>> {
    let changes: Vec<_> = batch.iter().filter_map(|news| news.change.clone()).collect();
    let mut results = vec![Ok(()); batch.len()];
    if !changes.is_empty()
        && let Err(error) = book.apply(&changes)
    {
        let is_refused = changes.len() > 1 && matches!(error, UpdateError::Rejected(_));
        let all_alike = RecordError::State(Arc::new(error));
        for (news, result) in batch.iter().zip(&mut results) {
            *result = match &news.change {
                Some(change) if is_refused => {
                    book.apply(std::slice::from_ref(change)).map_err(|error| RecordError::State(Arc::new(error)))
                }
                None if is_refused => Ok(()),
                _ => Err(all_alike.clone()),
            };
        }
    }
    let is_kept = |(news, result): (&News, &Result<(), RecordError>)| match result {
        Ok(()) => news.events.clone(),
        Err(_) => Vec::new(),
    };
    let events: Vec<_> = batch.iter().zip(&results).flat_map(is_kept).collect();
    if !events.is_empty()
        && let Err(error) = book.note(events)
    {
        let error = RecordError::History(Arc::new(error));
        for (news, result) in batch.iter().zip(&mut results) {
            if result.is_ok() && !news.events.is_empty() {
                *result = Err(error.clone());
            }
        }
    }
    results
}

#[cfg(test)]
mod tests;
