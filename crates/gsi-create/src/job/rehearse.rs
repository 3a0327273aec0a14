//! The rehearsal of a job: nothing of the user's is touched, and nothing is left behind.

use std::sync::Arc;

use anyhow::Context as _;
use dynamo_embedded::FaultPlan;
use gsi_aws::{
    ApiError, EventKind, IndexApi, RunOptions, RunReport, create_all,
    describe::TableDescription,
    spec::{Definitions, IndexSpec},
};
use gsi_state::GsiStateManager;
use terminal::{Printer, Verbosity};

use super::{SCRIPT_NAME, cancelled_by_signals, create, definitions};
use crate::{
    cli::{Cli, Endpoint},
    exit::{Exit, Failure},
    present,
    rehearsal::{
        looks::QuickLooks,
        schedule::{Schedule, Told, Witness},
        sources,
    },
    wire::{self, RehearsalStage},
};

const STOPPING: &str = "stopping the rehearsal (again twice: stop at once)";

/// Plays the job through and shows the schedule.
pub(super) fn rehearse(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let definitions = definitions(cli, printer)?;
    let tables = tables(cli, &definitions, printer)?;
    let faults = faults(cli)?;
    let has_faults = faults != FaultPlan::none();
    let play = Play { cli, definitions: &definitions, tables: &tables, printer };
    // What the faults cost is the difference from a run without them, which is played beside it.
    let (performance, undisturbed) = std::thread::scope(|threads| {
        let undisturbed = has_faults.then(|| threads.spawn(|| play.silent().perform(FaultPlan::none(), None)));
        let performance = play.perform(faults, cli.rehearsal.speed);
        let undisturbed =
            undisturbed.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (performance, undisturbed.transpose())
    });
    let (performance, undisturbed) = (performance?, undisturbed?);
    if [Some(&performance), undisturbed.as_ref()].into_iter().flatten().any(|played| played.report.is_interrupted) {
        return Ok(Exit::Interrupted);
    }
    // Its own time bounds it, as it would bound the run.
    let exit = Exit::of(&performance.report);
    let answer = present::Rehearsal {
        schedule: Schedule::of(&performance.told, &performance.report),
        tables: &tables,
        told: &performance.told,
        strikes: &performance.strikes,
        undisturbed: undisturbed.map(|played| Schedule::of(&played.told, &played.report)),
        calls: performance.calls,
        seed: cli.rehearsal.seed,
        exit,
    };
    present::rehearsal(&answer, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}

fn faults(cli: &Cli) -> Result<FaultPlan, Failure> {
    let all = cli.rehearsal.fault.iter().try_fold(FaultPlan::none(), |plan, more| plan.and(&more.to_string()));
    all.map_err(|error| Failure::new(Exit::Usage, error))
}

/// What the tables of the definitions are like.
fn tables(cli: &Cli, definitions: &Definitions, printer: Printer) -> Result<Vec<TableDescription>, Failure> {
    if cli.rehearsal.from.is_empty() && cli.endpoint != Some(Endpoint::Memory) {
        return described(cli, definitions, printer);
    }
    let mut known = Vec::new();
    for path in &cli.rehearsal.from {
        known.extend(sources::read(path).map_err(|error| Failure::new(Exit::BadDefinitions, error))?);
    }
    let mut tables = Vec::new();
    for (name, _) in definitions.tables() {
        // The last word counts, as of files named later.
        if let Some(table) = known.iter().rfind(|table| table.name == name) {
            tables.push(table.clone());
            continue;
        }
        if !cli.rehearsal.from.is_empty() {
            let name = terminal::clean(name);
            printer.warn(format_args!("nothing is known of the table {name}: assumed empty and on demand"));
        }
        let key_type = sources::assumed_key_type(&definitions.attribute_types(name));
        tables.push(sources::assumed(name, key_type));
    }
    Ok(tables)
}

/// Asks the endpoint; a table that does not exist there does not exist in the rehearsal.
fn described(cli: &Cli, definitions: &Definitions, printer: Printer) -> Result<Vec<TableDescription>, Failure> {
    if let Some(Endpoint::File(_)) = cli.endpoint {
        let error = anyhow::anyhow!("a rehearsal does not touch a database file");
        return Err(Failure::new(Exit::Usage, error).hint(
            "say `--endpoint embedded` for empty tables, or `--from FILE` for tables like those described there",
        ));
    }
    let (runtime, clock) = wire::runtime(false)?;
    runtime.block_on(async {
        let cancel = cancelled_by_signals(STOPPING, printer)?;
        let connect = Box::pin(wire::connect(cli, definitions, &clock, printer));
        let interrupted = || Failure::new(Exit::Interrupted, anyhow::anyhow!("interrupted"));
        let api = cancel.run_until_cancelled(connect).await.ok_or_else(interrupted)?.map_err(|failure| {
            let known = failure.hint.clone().unwrap_or_default();
            failure.hint(format!("{known}; to rehearse without the tables, say `--endpoint embedded` or `--from FILE`"))
        })?;
        let mut tables = Vec::new();
        for (name, _) in definitions.tables() {
            match cancel.run_until_cancelled(api.describe_table(name)).await.ok_or_else(interrupted)? {
                Ok(table) => tables.push(table),
                Err(ApiError::Service { code, .. }) if code == "ResourceNotFoundException" => {}
                Err(error) => {
                    let context = format!("could not describe the table `{name}`");
                    return Err(Failure::new(Exit::SomeFailed, anyhow::Error::new(error).context(context)));
                }
            }
        }
        Ok(tables)
    })
}

/// A job to be played, as often as wanted.
#[derive(Clone, Copy)]
struct Play<'a> {
    cli: &'a Cli,
    definitions: &'a Definitions,
    tables: &'a [TableDescription],
    printer: Printer,
}

/// What came of playing it once.
struct Performance {
    report: RunReport,
    told: Vec<Told>,
    strikes: Vec<(String, u64)>,
    /// Calls of DescribeTable and of UpdateTable.
    calls: (usize, usize),
}

impl Play<'_> {
    /// The same, with nothing to say.
    fn silent(self) -> Self {
        Self { printer: Printer::new(Verbosity::Quiet), ..self }
    }

    /// Plays the job with these faults: as fast as possible, unless a `speed` is wanted; then with the
    /// commentary of a real run.
    fn perform(&self, faults: FaultPlan, speed: Option<f64>) -> Result<Performance, Failure> {
        let unexpected = |error: anyhow::Error| Failure::new(Exit::Unexpected, error);
        let (runtime, clock) = wire::runtime(true)?;
        let dir = tempfile::tempdir().context("could not make a temporary directory").map_err(unexpected)?;
        let mut manager = GsiStateManager::open_with_clock(SCRIPT_NAME, dir.path(), clock.for_state())?;
        let specs: Vec<IndexSpec> = self.definitions.iter().cloned().collect();
        manager.initialize(specs.iter().map(IndexSpec::key)).map_err(|error| unexpected(error.into()))?;
        runtime.block_on(async {
            let cancel = cancelled_by_signals(STOPPING, self.printer)?;
            let stage =
                RehearsalStage::open(self.tables, self.definitions, self.cli.rehearsal.seed, faults, &clock).await;
            let stage = stage.map_err(unexpected)?;
            if let Some(speed) = speed {
                tokio::spawn(wire::throttle(speed));
            }
            let commentator = if speed.is_some() { self.printer } else { self.silent().printer };
            let follower = present::observer(commentator, self.cli.json);
            let witness = Arc::new(Witness::new(follower.clone()));
            let options = RunOptions { clock: Some(clock.for_state()), ..self.options() };
            let api = Arc::new(QuickLooks::new(stage.api(), stage.dynamo().clone(), clock.clone()));
            let (_, report) = create_all(manager, api.clone(), specs, options, witness.clone(), cancel).await;
            follower.finish();
            let is_request = |told: &Told| matches!(told.event.kind, EventKind::Requesting { .. });
            let told = witness.told();
            let requests = told.iter().filter(|told| is_request(told)).count();
            let strikes = stage.dynamo().strikes();
            Ok(Performance { report: report?, told, strikes, calls: (api.looks(), requests) })
        })
    }

    /// Those of a run at the real service, which always waits to the end, without chance.
    fn options(&self) -> RunOptions {
        let request_interval = self.cli.retry.request_interval(true);
        RunOptions { is_waiting: true, request_interval, jitter: Arc::new(|| 0.0), ..create::options(self.cli) }
    }
}
