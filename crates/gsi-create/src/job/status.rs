//! The status view: reads the state, and nothing else.

use gsi_state::{StatusView, read_history};
use terminal::Printer;

use super::no_state;
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present,
};

/// Shows the state of the directory.
pub(super) fn status(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let Some(view) = StatusView::read(&cli.state_dir)? else {
        return Err(no_state(&cli.state_dir));
    };
    let history = if cli.verbose { Some(read_history(&cli.state_dir)?) } else { None };
    present::status(&view, history.as_deref(), cli.json, printer)
        .map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(Exit::Done)
}
