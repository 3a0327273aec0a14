//! The tables as the service has them, against the definitions. Reads only: no lock, no file.

use std::{sync::Arc, time::Duration};

use gsi_aws::drift::describe_tables;
use terminal::Printer;

use super::{definitions, runtime};
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present, wire,
};

/// Describes at once: reading is cheap, and accounts allow far more.
const PARALLEL_MAX: usize = 10;

/// Shows every index of the definitions' tables.
pub(super) fn check_status(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let definitions = definitions(cli, printer)?;
    let (runtime, clock) = runtime(cli)?;
    runtime.block_on(wire::until_a_signal(async {
        let looking = Box::pin(wire::connect_to_look(cli, &definitions, &clock, printer)).await?;
        let names: Vec<String> = definitions.tables().map(|(name, _)| name.to_owned()).collect();
        let tables =
            describe_tables(Arc::clone(&looking.api) as Arc<_>, names, PARALLEL_MAX, Duration::from_secs(1)).await;
        let check = present::Check { definitions: &definitions, tables: &tables };
        let exit = check.exit();
        present::check(&check, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
        Ok(exit)
    }))
}
