//! Before indexes are asked for: looks for items that they would leave out.

use std::sync::Arc;

use gsi_aws::{
    IndexApi, Outcome,
    compare::{Comparison, compare, refusal},
    describe::TableDescription,
    preflight::{Extent, IndexFindings, PROGRESS_FILE_NAME, Preflight, PreflightOptions, ProgressFile, TableFindings},
    sdk::SdkIndexApi,
    spec::IndexSpec,
};
use gsi_state::{GsiKey, GsiStateManager, GsiStatus, HistoryEvent, StatusChange};
use terminal::Printer;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Cli, PreflightExtent},
    exit::{Exit, Failure},
    present,
    wire::RunClock,
};

/// What came of a pre-flight.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The indexes that may be asked for.
    pub(super) specs: Vec<IndexSpec>,
    /// Those that may not, recorded as failed.
    pub(super) stopped: Vec<(GsiKey, Outcome)>,
    /// What was found, table by table.
    pub(super) findings: Vec<TableFindings>,
    /// The tables that were looked at, by name: of those of which no index may be asked for, nobody knows more.
    pub(super) tables: Vec<(String, TableDescription)>,
}

/// Items of a sample.
const SAMPLE_ITEMS: u64 = 1000;

/// Looks at the tables of the indexes that are still to be made. An index with violations is recorded as
/// failed, unless that is allowed; whoever cancels gets what was found so far.
pub(super) async fn preflight(
    cli: &Cli,
    manager: &mut GsiStateManager,
    api: &Arc<SdkIndexApi>,
    specs: Vec<IndexSpec>,
    clock: &RunClock,
    printer: Printer,
    cancel: &CancellationToken,
) -> Result<Checked, Failure> {
    let args = &cli.preflight;
    let extent = match args.preflight {
        PreflightExtent::Off => return Ok(Checked { specs, ..Checked::default() }),
        PreflightExtent::Sample => Extent::Sample { items: SAMPLE_ITEMS },
        PreflightExtent::Full => Extent::Full,
    };
    let steps = present::preflight_steps(printer, cli.json);
    let options =
        PreflightOptions { extent, read_units_per_second: args.read_units_per_second, ..PreflightOptions::default() };
    let progress = ProgressFile::open(&cli.state_dir, manager.lock())?;
    let preflight = Preflight::new(api.clone(), options, clock.for_state()).with_progress(progress);
    let preflight = preflight.with_steps({
        let steps = Arc::clone(&steps);
        move |step| steps.step(step)
    });
    let mut checked = Checked::default();
    let mut tables: Vec<&str> = specs.iter().map(|spec| spec.table.as_str()).collect();
    tables.dedup();
    let mut bad: Vec<(GsiKey, String)> = Vec::new();
    for table in tables {
        // Whatever is wrong with the table, the run finds it too, and knows what to do about it.
        let Some(Ok(described)) = cancel.run_until_cancelled(api.describe_table(table)).await else { continue };
        let is_to_come = |spec: &&IndexSpec| {
            spec.table == table
                && matches!(compare(spec, &described), Comparison::Missing)
                && refusal(spec, &described).is_none()
        };
        let to_come: Vec<&IndexSpec> = specs.iter().filter(is_to_come).collect();
        if to_come.is_empty() {
            continue;
        }
        let found = preflight.scan(&(&described).into(), &to_come, cancel).await;
        steps.finish();
        let Some(found) = found.map_err(|error| Failure::new(Exit::SomeFailed, error).hint(ASIDE))? else { break };
        present::preflight(&found, args.allow_violations, printer);
        if !args.allow_violations {
            bad.extend(
                found
                    .indexes
                    .iter()
                    .filter(|(_, index)| index.violations() > 0)
                    .map(|(name, index)| (GsiKey::new(table, name), refusal_text(index, &found))),
            );
        }
        checked.findings.push(found);
        checked.tables.push((table.to_owned(), described));
    }
    record(manager, &bad)?;
    checked.specs = specs.into_iter().filter(|spec| bad.iter().all(|(key, _)| *key != spec.key())).collect();
    checked.stopped = bad.into_iter().map(|(key, error)| (key, Outcome::Failed { error })).collect();
    Ok(checked)
}

const ASIDE: &str = "nothing was asked for; the same command goes on with the scan; `--preflight off` does without";

fn refusal_text(index: &IndexFindings, found: &TableFindings) -> String {
    let (count, scanned) = (index.violations(), found.scanned);
    let items = if count == 1 { "item".to_owned() } else { "items".to_owned() };
    format!(
        "the pre-flight found {count} {items} of {scanned} whose key cannot be in the index: they would be left out, \
         and could not be written any more; repair them, or say `--allow-violations`"
    )
}

/// Records what is not asked for.
fn record(manager: &mut GsiStateManager, bad: &[(GsiKey, String)]) -> Result<(), Failure> {
    let changes: Vec<_> =
        bad.iter().map(|(key, error)| StatusChange::new(key.clone(), GsiStatus::Failed).error(error)).collect();
    if changes.is_empty() {
        return Ok(());
    }
    let event = |error: &String| HistoryEvent::Settled {
        status: GsiStatus::Failed,
        origin: None,
        elapsed_seconds: None,
        error: Some(error.clone()),
    };
    manager.note(bad.iter().map(|(key, error)| (key.clone(), event(error)))).map_err(Failure::unsaved)?;
    manager.apply(&changes).map_err(Failure::unsaved)
}

/// Takes the progress away, when everything that it was about is made. What cannot be removed grows old
/// and counts no more.
pub(super) fn clear(cli: &Cli) {
    drop(fs_err::remove_file(cli.state_dir.join(PROGRESS_FILE_NAME)));
    drop(fs_err::remove_file(cli.state_dir.join(format!("{PROGRESS_FILE_NAME}.bak"))));
}
