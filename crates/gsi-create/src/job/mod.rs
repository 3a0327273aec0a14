//! What the program can be asked to do, a file each; from the parsed command line to the exit code.

mod by_hand;
mod check;
mod create;
mod deadline;
mod history;
pub(crate) mod input;
mod names;
mod plan;
mod preflight;
mod rehearse;
mod reporting;
mod rollback;
mod status;
mod validate;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use gsi_aws::spec::{Definitions, DefinitionsError, ParseOptions, ProblemKind};
use terminal::{Printer, Verbosity};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub(crate) use self::rollback::{Candidate, READS_OVER, Reads};
use crate::{
    cli::{Cli, ClockKind, Endpoint, Job},
    exit::{Exit, Failure},
    present, selftest,
    wire::{self, RunClock},
};

/// The name in the state file of jobs that this program starts.
const SCRIPT_NAME: &str = "gsi-create";

/// Does what the command line asks for.
pub(crate) fn run(cli: &Cli) -> Exit {
    let verbosity = match (cli.quiet, cli.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let printer = Printer::new(verbosity);
    let outcome = match cli.job() {
        Job::Create => create::create(cli, printer),
        Job::Status => status::status(cli, printer),
        Job::Plan => plan::plan(cli, printer),
        Job::Export => plan::export(cli, printer),
        Job::CheckStatus => check::check_status(cli, printer),
        Job::Validate => validate::validate_alone(cli, printer),
        Job::Rollback => rollback::undo(cli, false, printer),
        Job::Cancel => rollback::undo(cli, true, printer),
        Job::Rehearse => rehearse::rehearse(cli, printer),
        Job::History => history::history(cli, printer),
        Job::Explain(name) => history::explain(cli, name, printer),
        Job::Forget(name) => by_hand::forget(cli, name, printer),
        Job::Mark(name, status) => by_hand::mark(cli, name, status, printer),
        Job::Unlock => by_hand::unlock(cli, printer),
        Job::Selftest(dir) => {
            selftest::selftest(dir, Duration::from_secs(cli.mode_args.selftest_seconds), cli.json, printer)
        }
    };
    outcome.unwrap_or_else(|failure| {
        printer.error(&terminal::render_error(failure.chain(), failure.hint.as_deref()));
        failure.exit
    })
}

/// The runtime of jobs that talk to DynamoDB, and the clock that the state and an embedded DynamoDB
/// are to be told the time by.
fn runtime(cli: &Cli) -> Result<(Runtime, RunClock), Failure> {
    let is_virtual = cli.embedded.clock == ClockKind::Virtual;
    if is_virtual && !matches!(cli.endpoint, Some(Endpoint::Memory | Endpoint::File(_))) {
        let error = anyhow::anyhow!("`--embedded-clock virtual` needs an embedded endpoint");
        return Err(Failure::new(Exit::Usage, error).hint(
            "nothing makes the time of a DynamoDB outside of this process pass faster; add `--endpoint embedded`",
        ));
    }
    wire::runtime(is_virtual)
}

/// A token that the first signal cancels, with `announcement` on the screen; two more stop at once.
/// Must be called within a runtime.
fn cancelled_by_signals(announcement: &'static str, printer: Printer) -> Result<CancellationToken, Failure> {
    let cancel = CancellationToken::new();
    let announce = move || printer.comment(announcement);
    terminal::stop_on_signals(cancel.clone(), announce).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(cancel)
}

/// Reads the definitions file and chooses the tables.
fn definitions(cli: &Cli, printer: Printer) -> Result<Definitions, Failure> {
    let Some(path) = &cli.definitions else {
        return Err(Failure::new(Exit::Usage, anyhow::anyhow!("no definitions file was named")));
    };
    let bytes = input::read(path).map_err(|error| Failure::new(Exit::BadDefinitions, error))?;
    let options = ParseOptions { table_names: cli.plan.table_names.iter().cloned().collect() };
    let parsed = Definitions::parse_bytes_with(&bytes, path, &options).map_err(|error| {
        for warning in &error.warnings {
            printer.warn(present::located(path, warning));
        }
        let hint = unnamed(&error);
        let failure = Failure::new(Exit::BadDefinitions, error);
        if let Some(hint) = hint { failure.hint(hint) } else { failure }
    })?;
    for warning in &parsed.warnings {
        printer.warn(present::located(path, warning));
    }
    if cli.tables.is_empty() { Ok(parsed.definitions) } else { Ok(parsed.definitions.select_tables(&cli.tables)?) }
}

/// What to say where a template does not tell the names of its tables.
fn unnamed(error: &DefinitionsError) -> Option<String> {
    let flags = error.problems.iter().filter_map(|problem| match &problem.kind {
        ProblemKind::ComputedName { resource, .. } | ProblemKind::GeneratedName { resource } => {
            Some(format!("--table-name {}=NAME", terminal::clean(resource)))
        }
        _ => None,
    });
    let flags: Vec<_> = flags.collect();
    (!flags.is_empty()).then(|| format!("say what the tables are called: `{}`", flags.join(" ")))
}

fn no_state(dir: &Path) -> Failure {
    let error = anyhow::anyhow!("there is no index-creation state in `{}`", dir.display());
    let hint = match newest_archive(dir) {
        Some(archive) => format!("the last job there was completed; its state is archived as `{}`", archive.display()),
        None => "say the directory of the state with `--state-dir DIR`".to_owned(),
    };
    Failure::new(Exit::BadState, error).hint(hint)
}

/// The archive of the last completed job. Only for a hint, so a directory that cannot be read has none.
fn newest_archive(dir: &Path) -> Option<PathBuf> {
    gsi_state::archives(dir).ok()?.pop()
}
