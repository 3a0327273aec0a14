//! What the program can be asked to do, a file each; from the parsed command line to the exit code.

mod create;
mod status;

use std::path::{Path, PathBuf};

use gsi_aws::spec::Definitions;
use terminal::{Printer, Verbosity};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Cli, Job},
    exit::{Exit, Failure},
    present,
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
    };
    outcome.unwrap_or_else(|failure| {
        printer.error(&terminal::render_error(failure.chain(), failure.hint.as_deref()));
        failure.exit
    })
}

/// The runtime of jobs that talk to DynamoDB.
fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Unexpected, error))
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
    let bytes = fs_err::read(path).map_err(|error| Failure::new(Exit::BadDefinitions, error))?;
    let parsed = Definitions::parse_bytes(&bytes, path).map_err(|error| {
        for warning in &error.warnings {
            printer.warn(present::located(path, warning));
        }
        Failure::new(Exit::BadDefinitions, error)
    })?;
    for warning in &parsed.warnings {
        printer.warn(present::located(path, warning));
    }
    if cli.tables.is_empty() { Ok(parsed.definitions) } else { Ok(parsed.definitions.select_tables(&cli.tables)?) }
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
    let names = fs_err::read_dir(dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let archives =
        names.filter(|name| name.starts_with(".gsi_creation_state_") && name.strip_suffix(".json").is_some());
    archives.max().map(|name| dir.join(name))
}
