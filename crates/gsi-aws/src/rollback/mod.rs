//! Deletes indexes that a job created: one deletion per table at a time, tables side by side.
//!
//! # Promises
//!
//! 1. Nothing is asked for without the intent (`deleting`) on disk; `deleted` is recorded after the service was seen
//!    without the index.
//! 2. Killed anywhere and started again, it goes on: each turn looks at the table afresh.
//! 3. An index that is ACTIVE is deleted only where [`RollbackTarget::may_be_active`] says so.
//! 4. An index that appears under the name after ours was seen to go is somebody else's, and is not touched.
//!
//! Which indexes those are is [`select`]'s business, and asking a person is the binary's.

mod job;
mod report;
mod select;

use std::{fmt, sync::Arc, time::Duration};

use gsi_state::{GsiKey, GsiStateManager, GsiStatus};
use indexmap::IndexMap;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use self::job::{Job, Stop};
pub(crate) use self::select::is_disputed;
pub use self::{
    report::{RollbackError, RollbackOutcome, RollbackReport, RolledBack},
    select::{LeftAlone, RollbackFilter, RollbackSelection, known_indexes, select},
};
use crate::{
    api::{ApiError, IndexApi},
    event::{Event, EventKind, Observer},
    pacer::Pacer,
    record::{RecordError, Recorder},
    run::time_is_up,
};

/// How a rollback goes about its work. The defaults are the requirement's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackOptions {
    /// Requests for the deletion of one index in one run; 3.
    pub tries_max: u32,
    /// Pause after a failed request; 30 s.
    pub pause: Duration,
    /// Pause before a busy table is looked at again; 5 s.
    pub busy_pause: Duration,
    /// Tables worked on at once; 50. At least 1.
    pub tables_parallel_max: usize,
    /// Whether to wait until the indexes are gone.
    pub is_waiting: bool,
    /// How long to wait for one index; `None` is for as long as it takes.
    pub timeout_per_index: Option<Duration>,
    /// How long the whole run may take; `None` is for as long as it takes. What the service deletes then goes on there.
    pub timeout: Option<Duration>,
    /// How far apart requests are, over all tables; `None`: as they come. 1 s, as for creation.
    pub request_interval: Option<Duration>,
}

impl Default for RollbackOptions {
    fn default() -> Self {
        Self {
            tries_max: 3,
            pause: Duration::from_secs(30),
            busy_pause: Duration::from_secs(5),
            tables_parallel_max: 50,
            is_waiting: true,
            timeout_per_index: None,
            timeout: None,
            request_interval: Some(Duration::from_secs(1)),
        }
    }
}

/// An index to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackTarget {
    /// Which index.
    pub key: GsiKey,
    /// Whether it is to be deleted when it is ACTIVE, too: somebody may read it then.
    pub may_be_active: bool,
}

/// What the workers of a rollback share.
struct Undo {
    api: Arc<dyn IndexApi>,
    recorder: Recorder,
    observer: Arc<dyn Observer>,
    options: RollbackOptions,
    cancel: CancellationToken,
    pacer: Pacer,
    /// Cancelled when every further call would fail alike.
    hopeless: CancellationToken,
    started: Instant,
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undo").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Deletes the indexes `targets`, all of which must be in the state, and waits until they are gone.
///
/// When `cancel` is cancelled, nothing new is asked for, and the run ends as soon as the calls under way are answered; the
/// same happens by itself when the run's time is over.
///
/// Gives the state back, together with what came of it.
///
/// # Errors
///
/// [`RecordError`] when the state could not be saved: nothing is asked for that is not on disk. The state comes back
/// then, too.
pub async fn roll_back(
    manager: GsiStateManager,
    api: Arc<dyn IndexApi>,
    targets: Vec<RollbackTarget>,
    options: RollbackOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (GsiStateManager, Result<RollbackReport, RecordError>) {
    let started = Instant::now();
    let order: Vec<GsiKey> = targets.iter().map(|target| target.key.clone()).collect();
    let tables = by_table(targets, &manager);
    let (recorder, task) = Recorder::start(manager);
    let places = Arc::new(Semaphore::new(options.tables_parallel_max.max(1)));
    let deadline = options.timeout.map(|timeout| started + timeout);
    // Ends with the user's wish, or by itself.
    let (wish, cancel) = (cancel.clone(), cancel.child_token());
    let hopeless = CancellationToken::new();
    let pacer = Pacer::new(options.request_interval);
    let undo = Arc::new(Undo { api, recorder, observer, options, cancel, pacer, hopeless, started });

    let mut workers = JoinSet::new();
    for targets in tables {
        let (undo, places) = (Arc::clone(&undo), Arc::clone(&places));
        workers.spawn(async move {
            // The semaphore is never closed, so waiting for a place ends with one.
            let _place = places.acquire_owned().await;
            undo_table(&undo, targets).await
        });
    }
    let mut stories: IndexMap<GsiKey, RolledBack> = IndexMap::new();
    let mut failure = None;
    let bell = time_is_up(deadline);
    tokio::pin!(bell);
    loop {
        let finished = tokio::select! {
            // What is done in time counts as done.
            biased;
            finished = workers.join_next() => finished,
            () = &mut bell, if !undo.cancel.is_cancelled() => {
                undo.cancel.cancel();
                continue;
            }
        };
        let Some(finished) = finished else { break };
        match finished {
            Ok(Ok(settled)) => stories.extend(settled.into_iter().map(|story| (story.key(), story))),
            Ok(Err(error)) => {
                failure.get_or_insert(error);
                undo.cancel.cancel();
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    let is_interrupted = wish.is_cancelled() && stories.values().any(|story| !is_settled(&story.outcome));
    drop(undo);
    let manager = task.finish().await;
    if let Some(error) = failure {
        return (manager, Err(error));
    }
    let indexes = order.iter().filter_map(|key| stories.swap_remove(key)).collect();
    (manager, Ok(RollbackReport { indexes, is_interrupted, elapsed_seconds: started.elapsed().as_secs_f64() }))
}

const fn is_settled(outcome: &RollbackOutcome) -> bool {
    !matches!(outcome, RollbackOutcome::StillDeleting | RollbackOutcome::NotStarted)
}

/// The indexes table by table; in each, what keeps the table busy first: deletions that an earlier run began, then what
/// is being created.
fn by_table(targets: Vec<RollbackTarget>, manager: &GsiStateManager) -> Vec<Vec<RollbackTarget>> {
    let mut tables: IndexMap<String, Vec<RollbackTarget>> = IndexMap::new();
    for target in targets {
        tables.entry(target.key.table().to_owned()).or_default().push(target);
    }
    for targets in tables.values_mut() {
        targets.sort_by_key(|target| match manager.status_of(&target.key).map(|gsi| gsi.status) {
            Some(GsiStatus::Deleting) => 0,
            Some(GsiStatus::InProgress) => 1,
            _ => 2,
        });
    }
    tables.into_values().collect()
}

/// Sees to the indexes of one table, one after the other.
async fn undo_table(undo: &Undo, targets: Vec<RollbackTarget>) -> Result<Vec<RolledBack>, RecordError> {
    let mut settled = Vec::new();
    let mut table_error: Option<ApiError> = None;
    for target in targets {
        let mut job = Job::new(undo, target);
        let outcome = match &table_error {
            Some(error) => job.fail(error.to_string()).await?,
            None => match job.settle().await {
                Ok(outcome) => outcome,
                Err(Stop::State(error)) => return Err(error),
                Err(Stop::Interrupted) => job.left_behind(),
                Err(Stop::Table(error)) => {
                    let outcome = job.fail(error.to_string()).await?;
                    table_error = Some(error);
                    outcome
                }
            },
        };
        let story = job.finish(outcome);
        let kind = EventKind::Rollback(RollbackStep::Settled(story.outcome.clone()));
        undo.observer.observe(&Event { key: story.key(), kind });
        settled.push(story);
    }
    Ok(settled)
}

/// What happens to an index that is to be deleted.
#[derive(Debug, Clone, PartialEq)]
pub enum RollbackStep {
    /// Its resources are being allocated; it can be deleted after that. Told at every look.
    InAllocation,
    /// Its deletion is about to be asked for; the intent is on disk.
    Requesting {
        /// Which try of this run, counted from 1.
        attempt: u32,
    },
    /// The service is at work on it. Told at every look.
    Deleting {
        /// How long this run has been at the index.
        elapsed: Duration,
    },
    /// A call failed.
    Refused {
        /// The error, as it goes into the state file.
        error: String,
        /// When it is looked at again; `None`: it is given up.
        next: Option<Duration>,
    },
    /// Nothing more will be done about it in this run.
    Settled(RollbackOutcome),
}
