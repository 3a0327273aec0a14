//! What a run would do, and the definitions of tables as they are. Both only read: no lock, no file.

use std::sync::Arc;

use gsi_aws::{
    IndexApi,
    drift::describe_tables,
    plan::{PlanOptions, plan as plan_all},
    spec::{Definitions, IndexSpec},
};
use gsi_state::StatusView;
use terminal::Printer;

use super::{definitions, runtime};
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present, wire,
};

/// Shows what a run would do.
pub(super) fn plan(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let definitions = definitions(cli, printer)?;
    let specs: Vec<IndexSpec> = definitions.iter().cloned().collect();
    // Whoever holds the state may go on changing it.
    let view = StatusView::read(&cli.state_dir)?;
    let statuses = view.iter().flat_map(|view| view.state.gsis()).map(|gsi| (gsi.key.clone(), gsi.status));
    let options = PlanOptions {
        statuses: statuses.collect(),
        tables_parallel_max: usize::from(cli.retry.max_parallel),
        price_per_million_writes: cli.plan.price_per_million_writes,
        ..PlanOptions::default()
    };
    let (runtime, clock) = runtime(cli)?;
    let plan = runtime.block_on(wire::until_a_signal(async {
        let looking = Box::pin(wire::connect_to_look(cli, &definitions, &clock, printer)).await?;
        Ok::<_, Failure>(plan_all(looking.api.clone() as Arc<dyn IndexApi>, &specs, &options).await)
    }))?;
    let exit = if plan.has_obstacles() {
        Exit::SomeFailed
    } else if plan.has_work() {
        Exit::ToDo
    } else {
        Exit::Done
    };
    present::plan(&plan, exit, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}

/// Prints the definitions of the indexes that tables have. All or nothing: half an answer would pass for one.
pub(super) fn export(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let names = if cli.definitions.is_some() {
        definitions(cli, printer)?.tables().map(|(name, _)| name.to_owned()).collect()
    } else {
        cli.tables.clone()
    };
    if names.is_empty() {
        let error = anyhow::anyhow!("no table is named");
        return Err(Failure::new(Exit::Usage, error).hint("say `--export-definitions --table NAME`"));
    }
    let (runtime, clock) = runtime(cli)?;
    let options = PlanOptions::default();
    let tables = runtime.block_on(wire::until_a_signal(async {
        let looking = Box::pin(wire::connect_to_look(cli, &Definitions::default(), &clock, printer)).await?;
        let api = looking.api.clone() as Arc<dyn IndexApi>;
        Ok::<_, Failure>(describe_tables(api, names, options.looks_parallel_max, options.pause).await)
    }))?;
    let mut document = serde_json::Map::new();
    for (name, table) in tables {
        let table = table.map_err(|error| {
            let context = format!("could not describe the table `{}`", terminal::clean(&name));
            Failure::new(Exit::SomeFailed, anyhow::Error::new(error).context(context))
        })?;
        let specs: Vec<IndexSpec> = table.definitions().collect();
        // A table without indexes is told, too: its list is empty.
        let specs = serde_json::to_value(&specs).map_err(|error| Failure::new(Exit::Unexpected, error))?;
        document.insert(name, specs);
    }
    let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    printer.answer(text).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(Exit::Done)
}
