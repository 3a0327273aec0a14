//! Whether indexes answer: after their creation, and alone.

use std::sync::Arc;

use gsi_aws::{
    Observer,
    sdk::SdkIndexApi,
    spec::IndexSpec,
    validate::{Finding, ValidationOptions, ValidationReport, validate},
};
use gsi_state::{GsiKey, GsiStateManager, GsiStatus, HistoryEvent, StatusChange, StatusView, Validation, Verdict};
use terminal::Printer;
use tokio_util::sync::CancellationToken;

use super::{SCRIPT_NAME, cancelled_by_signals, definitions, runtime};
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present,
    wire::{self, RunClock},
};

const STOPPING: &str = "stopping: what was found out so far is kept";

/// Queries every index of the definitions that is ACTIVE; creates nothing.
///
/// The verdicts go into the state where there is one and it calls the index active.
pub(super) fn validate_alone(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let definitions = definitions(cli, printer)?;
    let (runtime, clock) = runtime(cli)?;
    let mut manager = match StatusView::read(&cli.state_dir)? {
        Some(_) => Some(GsiStateManager::open_with_clock(SCRIPT_NAME, &cli.state_dir, clock.for_state())?),
        None => None,
    };
    runtime.block_on(async {
        let cancel = cancelled_by_signals(STOPPING, printer)?;
        let connect = Box::pin(wire::connect_to_look(cli, &definitions, &clock, printer));
        let Some(looking) = cancel.run_until_cancelled(connect).await.transpose()? else {
            return Ok(Exit::Interrupted);
        };
        let api = Arc::clone(&looking.api);
        let observer = present::observer(printer, cli.json);
        let specs = definitions.iter().cloned().collect();
        let report = look_into(api, specs, observer.as_ref(), &cancel, |key, finding| {
            manager.as_mut().map_or(Ok(()), |manager| keep(manager, &clock, key, finding))
        })
        .await;
        observer.finish();
        let report = report?;
        let exit = exit_alone(&report);
        present::validation(&report, exit, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
        Ok(exit)
    })
}

/// Queries those of the new indexes that have no verdict yet: made by this run, or by one that was killed before it
/// could ask.
pub(super) async fn validate_new(
    manager: &mut GsiStateManager,
    api: Arc<SdkIndexApi>,
    specs: &[IndexSpec],
    clock: &RunClock,
    observer: &dyn Observer,
    cancel: &CancellationToken,
) -> Result<ValidationReport, Failure> {
    let has_no_verdict = |spec: &&IndexSpec| {
        manager.status_of(&spec.key()).is_some_and(|gsi| {
            let is_open = gsi.validation.as_ref().is_none_or(|known| known.verdict == Verdict::ValidationError);
            gsi.status == GsiStatus::Active && is_open
        })
    };
    let specs = specs.iter().filter(has_no_verdict).cloned().collect();
    look_into(api, specs, observer, cancel, |key, finding| keep(manager, clock, key, finding)).await
}

async fn look_into(
    api: Arc<SdkIndexApi>,
    specs: Vec<IndexSpec>,
    observer: &dyn Observer,
    cancel: &CancellationToken,
    keep: impl FnMut(&GsiKey, &Finding) -> Result<(), Failure>,
) -> Result<ValidationReport, Failure> {
    validate(api.clone(), api, specs, ValidationOptions::default(), observer, cancel, keep).await
}

/// Keeps a verdict in the history, and in the state where that calls the index active.
fn keep(manager: &mut GsiStateManager, clock: &RunClock, key: &GsiKey, finding: &Finding) -> Result<(), Failure> {
    let Finding { verdict, detail } = finding.clone();
    let event = HistoryEvent::Validated { verdict, detail: detail.clone() };
    manager.note([(key.clone(), event)]).map_err(Failure::unsaved)?;
    if manager.status_of(key).is_some_and(|gsi| gsi.status == GsiStatus::Active) {
        let validation = Validation { verdict, at: clock.for_state().now(), detail };
        let change = StatusChange::new(key.clone(), GsiStatus::Active).validation(validation);
        manager.apply(&[change]).map_err(Failure::unsaved)?;
    }
    Ok(())
}

/// The question was whether the indexes answer: whatever is not "yes" for an active one is a failure.
fn exit_alone(report: &ValidationReport) -> Exit {
    let bad = [Verdict::NonFunctional, Verdict::NotUsed, Verdict::ValidationError];
    if report.is_interrupted {
        Exit::Interrupted
    } else if bad.into_iter().any(|verdict| report.count(verdict) > 0) {
        Exit::SomeFailed
    } else if report.not_active() > 0 {
        Exit::ToDo
    } else {
        Exit::Done
    }
}

/// After creation, only an index that is known not to work is a failure; doubts are warnings. What was not come to
/// in time (`is_late`) is for a later run, like what is still being built.
pub(super) fn exit_after_creation(created: Exit, report: &ValidationReport, is_late: bool) -> Exit {
    match created {
        _ if report.is_interrupted && !is_late => Exit::Interrupted,
        Exit::Done if report.is_interrupted && report.count(Verdict::NonFunctional) == 0 => Exit::StillBuilding,
        Exit::Done | Exit::StillBuilding if report.count(Verdict::NonFunctional) > 0 => Exit::SomeFailed,
        created => created,
    }
}
