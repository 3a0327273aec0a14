//! Undoing: deletes the indexes that this state, or an archive of it, created.

mod candidate;
mod known;

use std::{path::PathBuf, sync::Arc};

use gsi_aws::{
    rollback::{LeftAlone, RollbackOptions, RollbackReport, RollbackSelection, RollbackTarget, roll_back},
    sdk::SdkIndexApi,
    spec::Definitions,
};
use gsi_state::{GsiKey, GsiStateManager, StatusView};
use terminal::{Printer, clean};

pub(crate) use self::candidate::{Candidate, READS_OVER, Reads};
use self::{
    candidate::{add_reads, candidates, confirmed},
    known::{read_archives, selected},
};
use super::{SCRIPT_NAME, cancelled_by_signals, definitions, no_state, reporting::clear_reports, runtime};
use crate::{
    cli::{Cli, Endpoint},
    exit::{Exit, Failure},
    present::{self, Undone},
    reports::{self, JobFacts},
    wire::{self, RunClock},
};

const STOPPING: &str =
    "stopping: no more deletions are asked for; what the service is deleting goes on there (again twice: stop at once)";

/// Deletes what this job created; with `only_unfinished`, what is still being created.
pub(super) fn undo(cli: &Cli, only_unfinished: bool, printer: Printer) -> Result<Exit, Failure> {
    // Before the lock, so that a directory without a state stays without files.
    if StatusView::read(&cli.state_dir)?.is_none() && read_archives(&cli.state_dir)?.is_empty() {
        return Err(no_state(&cli.state_dir));
    }
    let defined = if cli.definitions.is_some() { Some(definitions(cli, printer)?) } else { None };
    let (runtime, clock) = runtime(cli)?;
    let mut manager = GsiStateManager::open_with_clock(SCRIPT_NAME, &cli.state_dir, clock.for_state())?;
    clear_reports(cli, printer);
    let mut selection = selected(cli, &manager, defined.as_ref(), only_unfinished)?;
    for (key, reason) in &selection.left_alone {
        let key = key.to_string();
        if *reason == LeftAlone::Disputed {
            let key = clean(&key);
            printer.warn(format_args!(
                "{key} is left alone: {reason}; if it is to go all the same, add `--include-adopted`"
            ));
        } else {
            printer.comment(format_args!("{} is left alone: {reason}", clean(&key)));
        }
    }
    refuse_what_was_named(cli, &selection)?;
    if selection.chosen.is_empty() {
        return nothing_to_undo(cli, &mut manager, &selection, printer);
    }

    // No table is made, not even in an embedded DynamoDB.
    let nothing = Definitions::from_specs([]);
    let (api, mut candidates) = runtime.block_on(async {
        let api = Box::pin(wire::connect(cli, &nothing, &clock, printer)).await?;
        let mut candidates = candidates(Arc::clone(&api), std::mem::take(&mut selection.chosen)).await;
        if let Some(metrics) = wire::metrics(cli, &clock).await {
            add_reads(&mut candidates, metrics.as_ref()).await;
        }
        Ok::<_, Failure>((api, candidates))
    })?;
    if only_unfinished {
        let finished = candidates.extract_if(.., |candidate| candidate.error.is_none() && candidate.may_be_read());
        selection.left_alone.extend(finished.map(|candidate| leave_alone(candidate, printer)));
    }
    // Until here and while it asks, Ctrl-C ends it at once: nothing was changed. What is cancelled is only deleted while it
    // is being created, so there is nothing to ask.
    let (candidates, kept) =
        if only_unfinished { (candidates, Vec::new()) } else { confirmed(cli, candidates, printer)? };
    manager.restore(candidates.iter().map(|candidate| candidate.gsi.clone())).map_err(Failure::unsaved)?;
    let targets: Vec<RollbackTarget> =
        candidates.iter().map(|candidate| target(cli, candidate, only_unfinished)).collect();
    let (mut manager, report) = if targets.is_empty() {
        (manager, RollbackReport::default())
    } else {
        runtime.block_on(delete(cli, manager, api, targets, printer))?
    };
    let kept_report = keep_report(cli, &manager, &report, &clock, printer);
    let archive = archive_if_complete(&mut manager)?;
    let exit = exit_of(&report, &kept, &selection.left_alone);
    let undone = Undone {
        report: &report,
        kept: &kept,
        left_alone: &selection.left_alone,
        archive: archive.as_deref(),
        kept_report: kept_report.as_deref(),
        exit,
    };
    present::undone(&undone, &cli.state_dir, cli.json, printer)
        .map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}

/// Says why an index that is not being created any more is not cancelled.
fn leave_alone(candidate: Candidate, printer: Printer) -> (GsiKey, LeftAlone) {
    let key = candidate.gsi.key.to_string();
    printer.warn(format_args!("{} is left alone: it is active by now; `--rollback` deletes it", clean(&key)));
    (candidate.gsi.key, LeftAlone::Finished)
}

/// Writes the report. The state has the facts, so what cannot be written is a warning.
fn keep_report(
    cli: &Cli,
    manager: &GsiStateManager,
    report: &RollbackReport,
    clock: &RunClock,
    printer: Printer,
) -> Option<PathBuf> {
    let job = JobFacts { script_name: &manager.state().script_name, state_dir: &cli.state_dir };
    let written = reports::rollback_report(report, &job, clock.for_state().now())?;
    match reports::keep(&written, &cli.report_dir()) {
        Ok(path) => Some(path),
        Err(error) => {
            printer.warn(format_args!("the report was not written: {}", clean(&error.to_string())));
            None
        }
    }
}

/// What is active when it is looked at is deleted only where somebody agreed to that.
fn target(cli: &Cli, candidate: &Candidate, only_unfinished: bool) -> RollbackTarget {
    let was_agreed_to = cli.yes || candidate.may_be_read();
    RollbackTarget { key: candidate.gsi.key.clone(), may_be_active: was_agreed_to && !only_unfinished }
}

async fn delete(
    cli: &Cli,
    manager: GsiStateManager,
    api: Arc<SdkIndexApi>,
    targets: Vec<RollbackTarget>,
    printer: Printer,
) -> Result<(GsiStateManager, RollbackReport), Failure> {
    let cancel = cancelled_by_signals(STOPPING, printer)?;
    let observer = present::observer(printer, cli.json);
    let (manager, result) = roll_back(manager, api, targets, options(cli), observer.clone(), cancel).await;
    observer.finish();
    Ok((manager, result?))
}

fn options(cli: &Cli) -> RollbackOptions {
    let is_embedded = matches!(cli.endpoint, Some(Endpoint::Memory | Endpoint::File(_)));
    RollbackOptions {
        tries_max: cli.rollback.attempts,
        pause: cli.rollback.pause,
        tables_parallel_max: usize::from(cli.retry.max_parallel),
        is_waiting: !cli.retry.no_wait,
        timeout_per_index: cli.retry.timeout_per_index(),
        timeout: cli.retry.timeout(),
        request_interval: cli.retry.request_interval(!is_embedded),
        ..RollbackOptions::default()
    }
}

/// How a rollback ended; an index that somebody chose to keep is not gone, either, nor one of which nobody knows whose it
/// is.
fn exit_of(report: &RollbackReport, kept: &[GsiKey], left_alone: &[(GsiKey, LeftAlone)]) -> Exit {
    let is_disputed = left_alone.iter().any(|(_, reason)| *reason == LeftAlone::Disputed);
    if report.is_interrupted {
        Exit::Interrupted
    } else if report.has_failures() || !kept.is_empty() || is_disputed {
        Exit::SomeFailed
    } else if report.has_unfinished() {
        Exit::StillBuilding
    } else {
        Exit::Done
    }
}

/// Archives a state in which nothing is left to do.
fn archive_if_complete(manager: &mut GsiStateManager) -> Result<Option<PathBuf>, Failure> {
    let is_complete = manager.is_on_disk() && manager.is_complete();
    Ok(if is_complete { Some(manager.cleanup()?) } else { None })
}

/// An index that was asked for by name and must not be touched is an error, before anything is changed.
fn refuse_what_was_named(cli: &Cli, selection: &RollbackSelection) -> Result<(), Failure> {
    let is_chosen = |name: &str| selection.chosen.iter().any(|gsi| gsi.key.index() == name);
    let refused = selection.left_alone.iter().find(|(key, reason)| {
        // Tables may have indexes of the same name: one that can go is what was meant.
        *reason != LeftAlone::Deleted
            && cli.rollback.indexes.iter().any(|name| name == key.index())
            && !is_chosen(key.index())
    });
    let Some((key, reason)) = refused else { return Ok(()) };
    let error = anyhow::anyhow!("`{}` is not deleted: {reason}", clean(&key.to_string()));
    let failure = Failure::new(Exit::SomeFailed, error);
    Err(if reason.can_be_included() {
        failure.hint("nothing was changed; if it is to go all the same, add `--include-adopted`")
    } else {
        failure.hint("nothing was changed")
    })
}

/// An empty selection is no error, unless something was left out that may be ours.
fn nothing_to_undo(
    cli: &Cli,
    manager: &mut GsiStateManager,
    selection: &RollbackSelection,
    printer: Printer,
) -> Result<Exit, Failure> {
    let report = RollbackReport::default();
    let dir = manager.path().parent().unwrap_or(&cli.state_dir).to_owned();
    // The start before may have been killed when all was done but this.
    let archive = archive_if_complete(manager)?;
    let exit = exit_of(&report, &[], &selection.left_alone);
    let undone = Undone {
        report: &report,
        kept: &[],
        left_alone: &selection.left_alone,
        archive: archive.as_deref(),
        kept_report: None,
        exit,
    };
    present::undone(&undone, &dir, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}
