//! What was done in a state directory: its jobs, its reports, and the story of one index.

use gsi_state::{GsiKey, STATE_FILE_NAME, StatusView, archives, read_history};
use terminal::{Printer, clean};

use super::names;
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present::{self, Past, Story},
    reports,
};

/// Lists the jobs and the reports of the directory.
pub(super) fn history(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let unexpected = |error: anyhow::Error| Failure::new(Exit::Unexpected, error);
    let mut jobs = Vec::new();
    for path in archives(&cli.state_dir).map_err(|error| unexpected(error.into()))? {
        // One that is damaged hides none of the others.
        jobs.push((path.clone(), StatusView::read_file(&path)));
    }
    let past = Past {
        jobs,
        current: (StatusView::read(&cli.state_dir).transpose())
            .map(|current| (cli.state_dir.join(STATE_FILE_NAME), current.map(Some))),
        reports: reports::list(&cli.report_dir()).unwrap_or_else(|error| {
            printer.warn(format_args!("the reports cannot be listed: {}", clean(&error.to_string())));
            Vec::new()
        }),
    };
    present::history(&past, &cli.state_dir, cli.json, printer).map_err(unexpected)?;
    Ok(Exit::Done)
}

/// Tells what happened to one index, and what to do next.
pub(super) fn explain(cli: &Cli, text: &str, printer: Printer) -> Result<Exit, Failure> {
    let views = states(cli)?;
    let history = read_history(&cli.state_dir)?;
    let in_states = views.iter().flat_map(|view| view.state.gsis().map(|gsi| gsi.key.clone()));
    let in_history = history.iter().map(|entry| GsiKey::new(&entry.table, &entry.index));
    let key = names::resolve(text, in_states.chain(in_history))?;
    let story = Story {
        gsi: views.iter().find_map(|view| view.state.get(&key)),
        entries: history.iter().filter(|entry| entry.is_about(&key)).collect(),
        key,
    };
    present::explain(&story, cli.json, printer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(Exit::Done)
}

/// The state of the directory and its archives, the newest first. An archive that cannot be read is passed
/// over: `--history` says so.
fn states(cli: &Cli) -> Result<Vec<StatusView>, Failure> {
    let paths = archives(&cli.state_dir).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let archived = paths.iter().rev().filter_map(|path| StatusView::read_file(path).ok().flatten());
    Ok(StatusView::read(&cli.state_dir)?.into_iter().chain(archived).collect())
}
