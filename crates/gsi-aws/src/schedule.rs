//! Many indexes: one operation per table at a time, tables side by side, the longest first.

use std::{cmp::Reverse, collections::HashMap, sync::Arc, time::Duration};

use gsi_state::{GsiKey, GsiStateManager, GsiStatus, StatusChange};
use indexmap::IndexMap;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{ApiError, IndexApi},
    compare::{Comparison, compare, refusal},
    create::{Job, Look, Stop},
    event::{EventKind, Observer},
    foresee::longest_first,
    plan::{Span, side_by_side},
    record::{Book, RecordError, Recorder},
    report::{Outcome, RunReport},
    run::{Ended, Run, RunOptions, time_is_up},
    spec::IndexSpec,
    words,
};

/// Sees to the indexes `specs`, all of which must be in the state, until each is settled.
///
/// Tables are worked on side by side, those with the most work ahead first; the indexes of one table one
/// after the other in the order of `specs`, those that are under way already first. When `cancel` is
/// cancelled, nothing new is asked for, and the run ends as soon as the calls under way are answered; what
/// the service is building goes on there. The same happens by itself when the run's time is over, and when
/// the service refuses who we are.
///
/// Gives the state back, together with what came of it.
///
/// # Errors
///
/// [`RecordError`] when the state or its history could not be saved: nothing is asked for that is not on
/// disk. The state comes back then, too.
pub async fn create_all(
    manager: GsiStateManager,
    api: Arc<dyn IndexApi>,
    specs: Vec<IndexSpec>,
    options: RunOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (GsiStateManager, Result<RunReport, RecordError>) {
    create_all_in(manager, api, specs, options, observer, cancel).await
}

/// [`create_all`], wherever the state is kept.
pub(crate) async fn create_all_in<B: Book>(
    book: B,
    api: Arc<dyn IndexApi>,
    specs: Vec<IndexSpec>,
    options: RunOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (B, Result<RunReport, RecordError>) {
    let order: Vec<GsiKey> = specs.iter().map(IndexSpec::key).collect();
    let (recorder, task) = Recorder::start(book);
    let run = Arc::new(Run::new(api, recorder, options, observer, &cancel));
    let result = work(&run, specs).await;
    let tables = run.take_seen();
    let foreseen = run.foreseen.builds();
    let foreseen_in_all = in_all(&order, &foreseen, run.options.tables_parallel_max);
    let stopped_by = run.refusal();
    // The recorder's task ends with the last worker's hold on the run.
    drop(run);
    let book = task.finish().await;
    let report = result.map(|mut worked| {
        let outcomes = order.into_iter().map(|key| {
            let outcome = worked.outcomes.swap_remove(&key).unwrap_or(Outcome::NotStarted);
            (key, outcome)
        });
        let outcomes = outcomes.collect();
        let Worked { is_interrupted, elapsed, .. } = worked;
        RunReport { outcomes, is_interrupted, stopped_by, elapsed, tables, foreseen, foreseen_in_all }
    });
    (book, report)
}

/// How long the tables take side by side.
fn in_all(order: &[GsiKey], foreseen: &HashMap<GsiKey, Span>, places: usize) -> Option<Span> {
    let mut tables: IndexMap<&str, Span> = IndexMap::new();
    for key in order {
        if let Some(span) = foreseen.get(key) {
            let sum = tables.entry(key.table()).or_default();
            *sum = sum.plus(*span);
        }
    }
    (!tables.is_empty()).then(|| side_by_side(tables.values().copied(), places))
}

/// What the workers of a run came to.
#[derive(Default)]
struct Worked {
    outcomes: IndexMap<GsiKey, Outcome>,
    is_interrupted: bool,
    elapsed: Duration,
}

/// Works on all tables, as many at once as there are places.
async fn work(run: &Arc<Run>, specs: Vec<IndexSpec>) -> Result<Worked, RecordError> {
    let started = Instant::now();
    let mut tables = by_table(run, specs);
    if tables.len() > run.options.tables_parallel_max && run.options.expected.is_empty() {
        tables = longest_first(run, tables).await;
    }
    let mut tables = tables.into_iter();
    let mut workers = JoinSet::new();
    let mut begin_next = |workers: &mut JoinSet<_>| {
        if let Some(specs) = tables.next() {
            let run = Arc::clone(run);
            workers.spawn(async move { work_on_table(&run, &specs).await });
        }
    };
    for _ in 0..run.options.tables_parallel_max.max(1) {
        begin_next(&mut workers);
    }
    let mut worked = Worked::default();
    let mut failure = None;
    let deadline = run.options.timeout.map(|timeout| started + timeout);
    let bell = time_is_up(deadline);
    tokio::pin!(bell);
    let mut is_rung = false;
    loop {
        let finished = tokio::select! {
            // What is done in time counts as done.
            biased;
            finished = workers.join_next() => finished,
            () = &mut bell, if !is_rung => {
                is_rung = true;
                run.end(Ended::TimedOut);
                continue;
            }
        };
        let (settled, stop) = match finished {
            None => break,
            Some(Ok(finished)) => finished,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        };
        begin_next(&mut workers);
        worked.outcomes.extend(settled);
        match stop {
            Some(Stop::State(error)) => {
                failure.get_or_insert(error);
                run.cancel.cancel();
            }
            Some(Stop::Interrupted) => worked.is_interrupted |= run.ended().is_none(),
            Some(Stop::Table(_)) | None => {}
        }
    }
    worked.elapsed = started.elapsed();
    failure.map_or(Ok(worked), Err)
}

/// The indexes table by table, the tables with the most work ahead first; in each table, the indexes under way
/// first, since the table is busy with them.
fn by_table(run: &Run, specs: Vec<IndexSpec>) -> Vec<Vec<IndexSpec>> {
    let status = |spec: &IndexSpec| run.recorder.status_of(&spec.key()).map(|gsi| gsi.status);
    let mut tables: IndexMap<String, Vec<IndexSpec>> = IndexMap::new();
    // An index that is being rolled back is the rollback's to finish.
    for spec in specs.into_iter().filter(|spec| status(spec) != Some(GsiStatus::Deleting)) {
        tables.entry(spec.table.clone()).or_default().push(spec);
    }
    let mut tables: Vec<_> = tables.into_values().collect();
    for specs in &mut tables {
        specs.sort_by_key(|spec| status(spec) != Some(GsiStatus::InProgress));
    }
    tables.sort_by_cached_key(|specs| {
        let open = specs.iter().filter(|spec| status(spec) != Some(GsiStatus::Active));
        Reverse(open.map(|spec| run.expected(&spec.key())).sum::<Duration>())
    });
    tables
}

type Settled = Vec<(GsiKey, Outcome)>;

async fn work_on_table(run: &Run, specs: &[IndexSpec]) -> (Settled, Option<Stop>) {
    let mut settled = Vec::new();
    let Some(first) = specs.first() else { return (settled, None) };
    let mut look = run.look(&first.table).await;
    if let Some(Ok(table)) = &look {
        run.foreseen.note(specs, table);
    }
    let specs = hopeless_first(specs, look.as_ref());
    let mut work_ahead: Duration = specs.iter().map(|spec| run.expected(&spec.key())).sum();
    for (position, spec) in specs.iter().enumerate() {
        let job = Job::new(run, spec, look.take(), work_ahead);
        work_ahead = work_ahead.saturating_sub(run.expected(&spec.key()));
        match job.settle().await {
            Ok(outcome) => settled.push((spec.key(), outcome)),
            Err((_, Stop::Table(error))) => {
                for spec in &specs[position..] {
                    match fail_alike(run, spec, &error).await {
                        Ok(outcome) => settled.push((spec.key(), outcome)),
                        Err(error) => return (settled, Some(Stop::State(error))),
                    }
                }
                return (settled, None);
            }
            Err((left, stop)) => {
                if let Stop::Interrupted = stop {
                    settled.push((spec.key(), left));
                    settled.extend(specs[position + 1..].iter().filter_map(|spec| left_behind(run, spec)));
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

/// Fails an index for an error that concerns its whole table, unless its own job did; one that may be
/// building, or was seen active, is left as it is, since nobody could look.
async fn fail_alike(run: &Run, spec: &IndexSpec, error: &ApiError) -> Result<Outcome, RecordError> {
    let key = spec.key();
    let known = run.recorder.status_of(&key);
    let status = known.as_ref().map(|gsi| gsi.status);
    let error = error.to_string();
    let is_failed = known.is_some_and(|gsi| gsi.status == GsiStatus::Failed && gsi.last_error.as_ref() == Some(&error));
    let outcome = if matches!(status, Some(GsiStatus::InProgress | GsiStatus::Active)) {
        Outcome::Unsettled { error }
    } else if is_failed {
        Outcome::Failed { error }
    } else {
        let outcome = Outcome::Failed { error: error.clone() };
        let story = words::settled(&outcome, Duration::ZERO).into_iter().collect();
        let change = StatusChange::new(key.clone(), GsiStatus::Failed).error(error);
        run.recorder.record(change, story).await?;
        outcome
    };
    run.tell(&key, EventKind::Settled(outcome.clone()));
    Ok(outcome)
}

/// What a run that stopped leaves of an index that it did not come to: asked for by an earlier run, or not
/// started.
fn left_behind(run: &Run, spec: &IndexSpec) -> Option<(GsiKey, Outcome)> {
    let outcome = match (run.recorder.status_of(&spec.key())?.status, run.refusal()) {
        (GsiStatus::InProgress | GsiStatus::Active, Some(error)) => Outcome::Unsettled { error },
        (GsiStatus::InProgress, None) => Outcome::StillBuilding,
        (GsiStatus::Active, None) => Outcome::StillActive,
        (GsiStatus::Pending | GsiStatus::Failed | GsiStatus::Deleting | GsiStatus::Deleted, _) => Outcome::NotStarted,
    };
    if let Outcome::Unsettled { .. } = outcome {
        run.tell(&spec.key(), EventKind::Settled(outcome.clone()));
    }
    Some((spec.key(), outcome))
}

#[cfg(test)]
mod tests;
