//! Creating indexes, or going on with it.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use gsi_aws::{
    RetryPolicy, RunOptions, RunReport, create_all,
    preflight::TableFindings,
    spec::{Definitions, IndexSpec},
    validate::ValidationReport,
};
use gsi_state::{GsiStateManager, GsiStatus, StatusView};
use terminal::Printer;

use super::{
    SCRIPT_NAME, cancelled_by_signals,
    deadline::Deadline,
    definitions, no_state,
    preflight::{self, Checked},
    reporting, runtime,
    validate::{exit_after_creation, validate_new},
};
use crate::{
    cli::{Cli, Endpoint},
    exit::{Exit, Failure},
    present,
    wire::{self, RunClock},
};

const STOPPING: &str =
    "stopping: nothing new is asked for; what is being built goes on at the service (again twice: stop at once)";

/// Creates what the definitions ask for, or goes on with it.
pub(super) fn create(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let definitions = definitions(cli, printer)?;
    if (cli.resume || cli.retry_failed) && StatusView::read(&cli.state_dir)?.is_none() {
        return Err(no_state(&cli.state_dir));
    }
    let (runtime, clock) = runtime(cli)?;
    // The lock comes before everything that could change a file, the embedded database included.
    let manager = GsiStateManager::open_with_clock(SCRIPT_NAME, &cli.state_dir, clock.for_state())?;
    reporting::clear_reports(cli, printer);
    runtime.block_on(create_on(cli, manager, &definitions, &clock, printer))
}

/// The indexes that this run is about: all that are defined, or those that failed earlier.
fn chosen(cli: &Cli, manager: &GsiStateManager, definitions: &Definitions, printer: Printer) -> Vec<IndexSpec> {
    if !cli.retry_failed {
        return definitions.iter().cloned().collect();
    }
    let undefined = manager.failed().filter(|gsi| definitions.index(gsi.key.table(), gsi.key.index()).is_none());
    for gsi in undefined {
        let key = gsi.key.to_string();
        printer.warn(format_args!("{} failed, but is not among the chosen definitions", terminal::clean(&key)));
    }
    let has_failed =
        |spec: &&IndexSpec| manager.status_of(&spec.key()).is_some_and(|gsi| gsi.status == GsiStatus::Failed);
    definitions.iter().filter(has_failed).cloned().collect()
}

fn is_being_undone(manager: &GsiStateManager, spec: &IndexSpec) -> bool {
    manager.status_of(&spec.key()).is_some_and(|gsi| gsi.status == GsiStatus::Deleting)
}

async fn create_on(
    cli: &Cli,
    manager: GsiStateManager,
    definitions: &Definitions,
    clock: &RunClock,
    printer: Printer,
) -> Result<Exit, Failure> {
    let specs = chosen(cli, &manager, definitions, printer);
    let (undone, specs): (Vec<_>, Vec<_>) = specs.into_iter().partition(|spec| is_being_undone(&manager, spec));
    for spec in &undone {
        let key = spec.key().to_string();
        printer.warn(format_args!(
            "{} is being rolled back, and is left alone: finish that with `--rollback` first",
            terminal::clean(&key)
        ));
    }
    let Created { mut manager, report, validation, is_late, preflight } = if specs.is_empty() {
        printer.comment(if cli.retry_failed { "there is nothing to retry" } else { "the definitions name no index" });
        Created {
            manager,
            report: RunReport::default(),
            validation: ValidationReport::default(),
            is_late: false,
            preflight: Vec::new(),
        }
    } else {
        match create_chosen(cli, manager, definitions, specs, clock, printer).await? {
            Some(done) => done,
            None => return Ok(Exit::Interrupted),
        }
    };
    let reports = reporting::keep_reports(cli, &manager, &report, clock.for_state().now(), printer);
    // What could not be validated is what the next run finds to do.
    let is_settled = !report.has_failures() && !report.has_unfinished();
    let is_complete = manager.is_complete() && is_settled && !validation.is_interrupted;
    let archive = if is_complete { Some(manager.cleanup()?) } else { None };
    if archive.is_some() {
        preflight::clear(cli);
    }
    let exit = match exit_after_creation(Exit::of(&report), &validation, is_late) {
        Exit::Done | Exit::StillBuilding if !undone.is_empty() => Exit::SomeFailed,
        exit => exit,
    };
    let end = present::End {
        report: &report,
        validation: &validation,
        preflight: &preflight,
        state: manager.state(),
        archive: archive.as_deref(),
        reports: &reports,
        exit,
        is_retry: cli.retry_failed,
    };
    present::end(&end, &cli.state_dir, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}

/// What came of creating.
struct Created {
    manager: GsiStateManager,
    report: RunReport,
    validation: ValidationReport,
    /// The time that `--timeout` allows is over.
    is_late: bool,
    /// What the pre-flight found, table by table.
    preflight: Vec<TableFindings>,
}

/// Connects and creates; `None` when a signal came before there was a connection.
async fn create_chosen(
    cli: &Cli,
    mut manager: GsiStateManager,
    definitions: &Definitions,
    specs: Vec<IndexSpec>,
    clock: &RunClock,
    printer: Printer,
) -> Result<Option<Created>, Failure> {
    let cancel = cancelled_by_signals(STOPPING, printer)?;
    let deadline = Deadline::start(cli.retry.timeout(), &cancel);
    if cli.endpoint == Some(Endpoint::Memory) && manager.is_on_disk() {
        printer.warn(
            "an earlier run left a state here, but a DynamoDB in memory begins empty: what was active is made again",
        );
    }
    let connected = cancel.run_until_cancelled(Box::pin(wire::connect(cli, definitions, clock, printer))).await;
    let Some(api) = connected.transpose()? else { return Ok(None) };
    if !cli.retry_failed {
        manager.initialize(specs.iter().map(IndexSpec::key)).map_err(Failure::unsaved)?;
    }
    let order: Vec<_> = specs.iter().map(IndexSpec::key).collect();
    let Checked { specs, stopped, findings, tables } =
        preflight::preflight(cli, &mut manager, &api, specs, clock, printer, deadline.end()).await?;
    let observer = present::observer(printer, cli.json);
    let watch = wire::watch_progress(cli, &observer, clock, printer).await;
    let options = RunOptions { clock: Some(clock.for_state()), timeout: deadline.left(), ..options(cli) };
    // Where the pre-flight took all of the time, nothing is asked for, and only told how it stands.
    let until = if deadline.is_over() { deadline.end().clone() } else { cancel };
    let (mut manager, result) = create_all(manager, api.clone(), specs.clone(), options, observer.clone(), until).await;
    drop(watch);
    let result = match result
        .map(|report| RunReport { is_interrupted: report.is_interrupted && !deadline.is_over(), ..report })
    {
        Ok(report) if !cli.no_validate && !report.is_interrupted && report.stopped_by.is_none() => {
            let found = validate_new(&mut manager, api, &specs, clock, observer.as_ref(), deadline.end()).await;
            found.map(|found| (report, found))
        }
        other => other.map(|report| (report, ValidationReport::default())).map_err(Failure::from),
    };
    observer.finish();
    let (mut report, validation) = result?;
    report.outcomes.extend(stopped);
    for (name, table) in tables {
        report.tables.entry(name).or_insert(table);
    }
    report.outcomes.sort_by_key(|key, _| order.iter().position(|other| other == key));
    let is_late = deadline.is_over();
    Ok(Some(Created { manager, report, validation, is_late, preflight: findings }))
}

/// How the command line wants the work done; who knows the time adds it.
pub(super) fn options(cli: &Cli) -> RunOptions {
    let is_embedded = matches!(cli.endpoint, Some(Endpoint::Memory | Endpoint::File(_)));
    let args = &cli.retry;
    RunOptions {
        retry: RetryPolicy { attempts_max: args.max_attempts, backoff: args.backoff.clone(), ..RetryPolicy::default() },
        tables_parallel_max: usize::from(args.max_parallel),
        is_waiting: !args.no_wait,
        timeout_per_index: args.timeout_per_index(),
        timeout: args.timeout(),
        request_interval: args.request_interval(!is_embedded),
        // Nobody else throngs at an embedded DynamoDB, and rehearsals are to repeat themselves.
        jitter: if is_embedded { Arc::new(|| 0.0) } else { Arc::new(random) },
        ..RunOptions::default()
    }
}

/// A random number from 0 to 1, good enough to keep clients apart.
fn random() -> f64 {
    // The standard library seeds its hash tables with the system's randomness.
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    u32::try_from(bits).map_or(0.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}
