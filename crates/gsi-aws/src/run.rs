//! What the workers of a run share: how to go about it, and the one reason why it ends early.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gsi_state::{Clock, GsiKey};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{ApiError, IndexApi},
    classify::{ErrorClass, classify},
    create::Look,
    describe::TableDescription,
    event::{Event, EventKind, Observer},
    foresee::Foreseen,
    pacer::Pacer,
    record::Recorder,
    retry::{Decision, FailedCall, RetryPolicy},
    try_again::wait_asked_for,
};

/// Randomness from 0 to 1, asked for once a pause.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// How a run goes about its work.
///
/// ```
/// use std::time::Duration;
/// use gsi_aws::RunOptions;
/// let options = RunOptions { request_interval: Some(Duration::from_secs(1)), ..RunOptions::default() };
/// assert!(options.is_waiting && options.timeout.is_none(), "it takes as long as it takes");
/// ```
#[derive(Clone)]
pub struct RunOptions {
    /// What to do about errors.
    pub retry: RetryPolicy,
    /// Tables worked on at once; 250, which is how many operations an account may have going on when tables
    /// are made along with their indexes. At least 1. Where there are more tables, those with the most work go
    /// first.
    pub tables_parallel_max: usize,
    /// Whether to wait for what was asked for. Otherwise the run ends when it has asked for all that
    /// can be asked for now.
    pub is_waiting: bool,
    /// How long to wait for one index; `None` is for as long as it takes.
    pub timeout_per_index: Option<Duration>,
    /// How long the whole run may take; `None` is for as long as it takes. What the service builds then goes
    /// on there.
    pub timeout: Option<Duration>,
    /// Requests for indexes are at least this far apart, over all tables; `None` is no pace at all.
    pub request_interval: Option<Duration>,
    /// Randomness for pauses; by default there is none.
    pub jitter: Jitter,
    /// For errors that name a time to wait for; without it, such times are not understood.
    pub clock: Option<Arc<dyn Clock>>,
    /// How long indexes are expected to take, where somebody knows better than the forecast from the table's
    /// description ([`Forecast::of_build`](crate::plan::Forecast::of_build)): the tables with the most work ahead go
    /// first.
    pub expected: HashMap<GsiKey, Duration>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            tables_parallel_max: 250,
            is_waiting: true,
            timeout_per_index: None,
            timeout: None,
            request_interval: None,
            jitter: Arc::new(|| 0.0),
            clock: None,
            expected: HashMap::new(),
        }
    }
}

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("retry", &self.retry)
            .field("tables_parallel_max", &self.tables_parallel_max)
            .field("is_waiting", &self.is_waiting)
            .field("timeout_per_index", &self.timeout_per_index)
            .field("timeout", &self.timeout)
            .field("request_interval", &self.request_interval)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

/// Why a run ends before everything is settled, where nobody asked it to.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// Every call would fail like this one.
    Refused(ApiError),
    /// It may not take any longer.
    TimedOut,
}

/// Ends at `deadline`; never without one.
pub(crate) async fn time_is_up(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Everything that the workers of a run share.
pub(crate) struct Run {
    pub(crate) api: Arc<dyn IndexApi>,
    pub(crate) recorder: Recorder,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) options: RunOptions,
    pub(crate) pacer: Pacer,
    /// Cancelled by whoever started the run, and by [`end`](Self::end).
    pub(crate) cancel: CancellationToken,
    /// What the tables let expect.
    pub(crate) foreseen: Foreseen,
    ended: OnceLock<Ended>,
    was_answered: AtomicBool,
    seen: Mutex<HashMap<String, Arc<TableDescription>>>,
}

impl Run {
    pub(crate) fn new(
        api: Arc<dyn IndexApi>,
        recorder: Recorder,
        options: RunOptions,
        observer: Arc<dyn Observer>,
        cancel: &CancellationToken,
    ) -> Self {
        Self {
            api,
            recorder,
            observer,
            pacer: Pacer::new(options.request_interval),
            options,
            cancel: cancel.child_token(),
            foreseen: Foreseen::default(),
            ended: OnceLock::new(),
            was_answered: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }

    /// Describes a table; `None` when the run is asked to stop first. A look may be broken off at any
    /// time, unlike a request.
    pub(crate) async fn look(&self, table: &str) -> Option<Look> {
        let look = self.cancel.run_until_cancelled(self.api.describe_table(table)).await?.map(Arc::new);
        if let Ok(description) = &look {
            self.was_answered.store(true, Ordering::Relaxed);
            self.seen().insert(table.to_owned(), Arc::clone(description));
        }
        Some(look)
    }

    /// Decides about a call that failed. What concerns every call ends the run, here and now.
    pub(crate) fn decide(&self, error: &ApiError, attempts: u32, is_merged: bool) -> (ErrorClass, Decision) {
        let class = match classify(error) {
            // The name was found before: then the network is down, and comes back.
            ErrorClass::HostNotFound if self.was_answered.load(Ordering::Relaxed) => ErrorClass::NoAnswer,
            class => class,
        };
        let asked_to_wait = match (error, &self.options.clock) {
            (ApiError::Service { message, .. }, Some(clock)) => wait_asked_for(message, clock.now()),
            _ => None,
        };
        let jitter = (self.options.jitter)();
        let call = FailedCall { class, attempts, is_merged, asked_to_wait, jitter };
        let decision = self.options.retry.decide(&call);
        if decision == Decision::GiveUpRun {
            self.end(Ended::Refused(error.clone()));
        }
        (class, decision)
    }

    /// Ends the run: nothing more is asked, and workers stop where they wait. The first reason counts.
    pub(crate) fn end(&self, why: Ended) {
        // A second reason changes nothing.
        drop(self.ended.set(why));
        self.cancel.cancel();
    }

    /// Why the run ended by itself.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        self.ended.get()
    }

    /// The error that every call would meet, as a text for the state.
    pub(crate) fn refusal(&self) -> Option<String> {
        match self.ended() {
            Some(Ended::Refused(error)) => Some(error.to_string()),
            Some(Ended::TimedOut) | None => None,
        }
    }

    pub(crate) fn tell(&self, key: &GsiKey, kind: EventKind) {
        self.observer.observe(&Event { key: key.clone(), kind });
    }

    /// The tables as they were seen last; after that, they are forgotten.
    pub(crate) fn take_seen(&self) -> HashMap<String, TableDescription> {
        let seen = std::mem::take(&mut *self.seen());
        seen.into_iter().map(|(name, table)| (name, Arc::unwrap_or_clone(table))).collect()
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Arc<TableDescription>>> {
        // Held for one insertion, which leaves the map whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("options", &self.options).finish_non_exhaustive()
    }
}
