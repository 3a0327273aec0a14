//! Many indexes: one operation per table at a time, tables side by side.

use std::{fmt, sync::Arc, time::Duration};

use gsi_state::{GsiKey, GsiStateManager, GsiStatus, StatusChange};
use indexmap::IndexMap;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    api::IndexApi,
    compare::{Comparison, compare, refusal},
    create::{Job, Look, Stop},
    event::{Event, EventKind, Observer},
    record::{RecordError, Recorder},
    report::{Outcome, RunReport},
    retry::RetryPolicy,
    spec::IndexSpec,
};

/// How a run goes about its work.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What to do about errors.
    pub retry: RetryPolicy,
    /// Tables worked on at once; 50. At least 1.
    pub tables_parallel_max: usize,
    /// Whether to wait for what was asked for. Otherwise the run ends when it has asked for all that
    /// can be asked for now.
    pub is_waiting: bool,
    /// How long to wait for one index; `None` is for as long as it takes.
    pub timeout_per_index: Option<Duration>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { retry: RetryPolicy::default(), tables_parallel_max: 50, is_waiting: true, timeout_per_index: None }
    }
}

/// Everything that the workers of a run share.
pub(crate) struct Run {
    pub(crate) api: Arc<dyn IndexApi>,
    pub(crate) recorder: Recorder,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) options: RunOptions,
    pub(crate) cancel: CancellationToken,
}

impl Run {
    /// Describes a table; `None` when the run is asked to stop first. A look may be broken off at any
    /// time, unlike a request.
    pub(crate) async fn look(&self, table: &str) -> Option<Look> {
        self.cancel.run_until_cancelled(self.api.describe_table(table)).await
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Sees to the indexes `specs`, all of which must be in the state, until each is settled.
///
/// Tables are worked on side by side, in the order of `specs`; the indexes of one table one after the
/// other, those that are under way already first. When `cancel` is cancelled, nothing new is asked
/// for, and the run ends as soon as the calls under way are answered; what the service is building
/// goes on there.
///
/// Gives the state back, together with what came of it.
///
/// # Errors
///
/// [`RecordError`] when the state could not be saved: nothing is asked for that is not on disk. The
/// state comes back then, too.
pub async fn create_all(
    manager: GsiStateManager,
    api: Arc<dyn IndexApi>,
    specs: Vec<IndexSpec>,
    options: RunOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (GsiStateManager, Result<RunReport, RecordError>) {
    let started = Instant::now();
    let order: Vec<GsiKey> = specs.iter().map(IndexSpec::key).collect();
    let tables = by_table(specs, &manager);
    let (recorder, task) = Recorder::start(manager);
    let places = Arc::new(Semaphore::new(options.tables_parallel_max.max(1)));
    let run = Arc::new(Run { api, recorder, observer, options, cancel });

    let mut workers = JoinSet::new();
    for specs in tables {
        let (run, places) = (Arc::clone(&run), Arc::clone(&places));
        workers.spawn(async move {
            // The semaphore is never closed, so waiting for a place ends with one.
            let _place = places.acquire_owned().await;
            work_on_table(&run, &specs).await
        });
    }
    let mut outcomes = IndexMap::new();
    let mut failure = None;
    let mut is_interrupted = false;
    while let Some(finished) = workers.join_next().await {
        let (settled, stop) = match finished {
            Ok(finished) => finished,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        outcomes.extend(settled);
        match stop {
            Some(Stop::State(error)) => {
                failure.get_or_insert(error);
                run.cancel.cancel();
            }
            Some(Stop::Interrupted) => is_interrupted = true,
            Some(Stop::Table(_)) | None => {}
        }
    }
    drop(run);
    let manager = task.finish().await;
    if let Some(error) = failure {
        return (manager, Err(error));
    }
    let outcomes = order
        .into_iter()
        .map(|key| {
            let outcome = outcomes.swap_remove(&key).unwrap_or(Outcome::NotStarted);
            (key, outcome)
        })
        .collect();
    (manager, Ok(RunReport { outcomes, is_interrupted, elapsed: started.elapsed() }))
}

/// The indexes table by table; in each, those under way first, since the table is busy with them.
fn by_table(specs: Vec<IndexSpec>, manager: &GsiStateManager) -> Vec<Vec<IndexSpec>> {
    let mut tables: IndexMap<String, Vec<IndexSpec>> = IndexMap::new();
    for spec in specs {
        tables.entry(spec.table.clone()).or_default().push(spec);
    }
    let is_under_way =
        |spec: &IndexSpec| manager.status_of(&spec.key()).is_some_and(|gsi| gsi.status == GsiStatus::InProgress);
    for specs in tables.values_mut() {
        specs.sort_by_key(|spec| !is_under_way(spec));
    }
    tables.into_values().collect()
}

type Settled = Vec<(GsiKey, Outcome)>;

async fn work_on_table(run: &Run, specs: &[IndexSpec]) -> (Settled, Option<Stop>) {
    let mut settled = Vec::new();
    let Some(first) = specs.first() else { return (settled, None) };
    let mut look = run.look(&first.table).await;
    let specs = hopeless_first(specs, look.as_ref());
    for (position, spec) in specs.iter().enumerate() {
        match Job::new(run, spec, look.take()).settle().await {
            Ok(outcome) => settled.push((spec.key(), outcome)),
            Err(Stop::Table(error)) => {
                for spec in &specs[position..] {
                    match fail_alike(run, spec, &error.to_string()).await {
                        Ok(outcome) => settled.push((spec.key(), outcome)),
                        Err(error) => return (settled, Some(Stop::State(error))),
                    }
                }
                return (settled, None);
            }
            Err(stop) => {
                if let Stop::Interrupted = stop {
                    settled.extend(specs[position..].iter().filter_map(|spec| left_behind(run, spec)));
                }
                return (settled, Some(stop));
            }
        }
    }
    (settled, None)
}

/// What the first look shows to be impossible comes first, so that it is known before anything is asked
/// for. Whatever is wrong with the look is the first job's to deal with.
fn hopeless_first<'a>(specs: &'a [IndexSpec], look: Option<&Look>) -> Vec<&'a IndexSpec> {
    let mut specs: Vec<&IndexSpec> = specs.iter().collect();
    if let Some(Ok(table)) = look {
        let is_hopeless = |spec: &IndexSpec| match compare(spec, table) {
            Comparison::Different { .. } => true,
            Comparison::Missing => refusal(spec, table).is_some(),
            Comparison::Same { .. } => false,
        };
        specs.sort_by_key(|spec| !is_hopeless(spec));
    }
    specs
}

/// Fails an index for an error that concerns its whole table; one that may be building, or was seen
/// active, is left as it is, since nobody could look.
async fn fail_alike(run: &Run, spec: &IndexSpec, error: &str) -> Result<Outcome, RecordError> {
    let status = run.recorder.status_of(&spec.key()).map(|gsi| gsi.status);
    let error = error.to_owned();
    let outcome = if matches!(status, Some(GsiStatus::InProgress | GsiStatus::Active)) {
        Outcome::Unsettled { error }
    } else {
        run.recorder.record(StatusChange::new(spec.key(), GsiStatus::Failed).error(&error)).await?;
        Outcome::Failed { error }
    };
    run.observer.observe(&Event { key: spec.key(), kind: EventKind::Settled(outcome.clone()) });
    Ok(outcome)
}

/// What an interrupted run leaves: building at the service, or not started.
fn left_behind(run: &Run, spec: &IndexSpec) -> Option<(GsiKey, Outcome)> {
    let outcome = match run.recorder.status_of(&spec.key())?.status {
        GsiStatus::InProgress => Outcome::StillBuilding,
        GsiStatus::Active => Outcome::StillActive,
        GsiStatus::Pending | GsiStatus::Failed | GsiStatus::Deleting | GsiStatus::Deleted => Outcome::NotStarted,
    };
    Some((spec.key(), outcome))
}
