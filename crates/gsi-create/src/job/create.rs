//! Creating indexes, or going on with it.

use std::time::Duration;

use gsi_aws::{
    RetryPolicy, RunOptions, RunReport, create_all,
    spec::{Definitions, IndexSpec},
};
use gsi_state::{GsiStateManager, GsiStatus, StatusView};
use terminal::Printer;

use super::{SCRIPT_NAME, cancelled_by_signals, definitions, no_state, runtime};
use crate::{
    cli::{Cli, Endpoint},
    exit::{Exit, Failure},
    present, wire,
};

const STOPPING: &str =
    "stopping: nothing new is asked for; what is being built goes on at the service (again twice: stop at once)";

/// Creates what the definitions ask for, or goes on with it.
pub(super) fn create(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let definitions = definitions(cli, printer)?;
    if (cli.resume || cli.retry_failed) && StatusView::read(&cli.state_dir)?.is_none() {
        return Err(no_state(&cli.state_dir));
    }
    // The lock comes before everything that could change a file, the embedded database included.
    let manager = GsiStateManager::open(SCRIPT_NAME, &cli.state_dir)?;
    runtime()?.block_on(create_on(cli, manager, &definitions, printer))
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

async fn create_on(
    cli: &Cli,
    manager: GsiStateManager,
    definitions: &Definitions,
    printer: Printer,
) -> Result<Exit, Failure> {
    let specs = chosen(cli, &manager, definitions, printer);
    let (mut manager, report) = if specs.is_empty() {
        printer.comment(if cli.retry_failed { "there is nothing to retry" } else { "the definitions name no index" });
        (manager, RunReport::default())
    } else {
        match create_chosen(cli, manager, definitions, specs, printer).await? {
            Some(done) => done,
            None => return Ok(Exit::Interrupted),
        }
    };
    let archive = if manager.is_complete() { Some(manager.cleanup()?) } else { None };
    let exit = Exit::of(&report);
    let end = present::End { report: &report, state: manager.state(), archive: archive.as_deref(), exit };
    present::end(&end, &cli.state_dir, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}

/// Connects and creates; `None` when a signal came before there was a connection.
async fn create_chosen(
    cli: &Cli,
    mut manager: GsiStateManager,
    definitions: &Definitions,
    specs: Vec<IndexSpec>,
    printer: Printer,
) -> Result<Option<(GsiStateManager, RunReport)>, Failure> {
    let cancel = cancelled_by_signals(STOPPING, printer)?;
    if cli.endpoint == Some(Endpoint::Memory) && manager.is_on_disk() {
        printer.warn(
            "an earlier run left a state here, but a DynamoDB in memory begins empty: what was active is made again",
        );
    }
    let connected = cancel.run_until_cancelled(Box::pin(wire::connect(cli, definitions, printer))).await;
    let Some(api) = connected.transpose()? else { return Ok(None) };
    if !cli.retry_failed {
        manager.initialize(specs.iter().map(IndexSpec::key)).map_err(Failure::unsaved)?;
    }
    let observer = present::observer(printer, cli.json);
    let (manager, result) = create_all(manager, api, specs, options(cli), observer.clone(), cancel).await;
    observer.finish();
    Ok(Some((manager, result?)))
}

fn options(cli: &Cli) -> RunOptions {
    RunOptions {
        retry: RetryPolicy { attempts_max: cli.max_attempts, backoff: cli.backoff.clone(), ..RetryPolicy::default() },
        tables_parallel_max: usize::from(cli.max_parallel),
        is_waiting: !cli.no_wait,
        timeout_per_index: (cli.timeout_per_index > Duration::ZERO).then_some(cli.timeout_per_index),
    }
}
