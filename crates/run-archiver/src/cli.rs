//! The command line.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  run-archiver config.yaml --dry-run              what would be done; changes nothing, takes no lock
  run-archiver config.yaml --incremental          new runs, both stages: for cron or a timer
  run-archiver config.yaml --import-only          from the run directories to artdaqDB
  run-archiver config.yaml --migrate-only --validate
  run-archiver config.yaml --retry-failed-import  once the cause is gone
  run-archiver config.yaml --recover-import-state after the state was lost or damaged

Exit codes: 0 done, 1 a known error (configuration, lock, state, a store; some run failed),
2 unexpected error, 64 usage, 130 interrupted.";

/// Archives the run records of a data acquisition system: run directories to artdaqDB, artdaqDB to UconDB.
///
/// May be interrupted or killed at any moment: the same command goes on where it stopped. Nothing archived is
/// ever changed or deleted.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Parser)]
#[command(name = "run-archiver", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The configuration, YAML.
    #[arg(default_value = "config.yaml")]
    pub(crate) config: PathBuf,

    #[command(flatten)]
    modes: Modes,

    /// Only runs above both marks of the state: those that were never attempted.
    #[arg(long, conflicts_with_all = ["retry_failed_import", "retry_failed_migrate", "recover_import_state", "recover_migrate_state", "repair_artdaqdb"])]
    pub(crate) incremental: bool,

    /// Check that each migrated record names its components, configuration and software.
    #[arg(long)]
    pub(crate) validate: bool,

    /// Say what would be done, and do nothing: no lock, no state, no log.
    #[arg(long, conflicts_with_all = ["recover_import_state", "recover_migrate_state", "repair_artdaqdb"])]
    pub(crate) dry_run: bool,

    /// Print the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say more, and log more.
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Say only what went wrong, and the answer.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Modes {
    /// Only from the run directories to artdaqDB.
    #[arg(long)]
    import_only: bool,

    /// Only from artdaqDB to UconDB.
    #[arg(long)]
    migrate_only: bool,

    /// The runs of the import's failure log.
    #[arg(long)]
    retry_failed_import: bool,

    /// The runs of the migration's failure log.
    #[arg(long)]
    retry_failed_migrate: bool,

    /// Rebuild the import's state and failure log from the run directories and artdaqDB.
    #[arg(long)]
    recover_import_state: bool,

    /// Rebuild the migration's state and failure log from artdaqDB and UconDB.
    #[arg(long)]
    recover_migrate_state: bool,

    /// Rebuild the index of artdaqDB's file store from its documents.
    #[arg(long)]
    repair_artdaqdb: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// Both stages.
    Both,
    /// `--import-only`
    Import,
    /// `--migrate-only`
    Migrate,
    /// `--retry-failed-import`
    RetryImport,
    /// `--retry-failed-migrate`
    RetryMigrate,
    /// `--recover-import-state`
    RecoverImport,
    /// `--recover-migrate-state`
    RecoverMigrate,
    /// `--repair-artdaqdb`
    Repair,
}

impl Cli {
    /// What is asked for.
    pub(crate) const fn job(&self) -> Job {
        match self.modes {
            Modes { import_only: true, .. } => Job::Import,
            Modes { migrate_only: true, .. } => Job::Migrate,
            Modes { retry_failed_import: true, .. } => Job::RetryImport,
            Modes { retry_failed_migrate: true, .. } => Job::RetryMigrate,
            Modes { recover_import_state: true, .. } => Job::RecoverImport,
            Modes { recover_migrate_state: true, .. } => Job::RecoverMigrate,
            Modes { repair_artdaqdb: true, .. } => Job::Repair,
            _ => Job::Both,
        }
    }
}

/// Reads the command line; on failure, or for help, prints what there is to say.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| {
        // Nothing is left to do if the terminal is gone.
        drop(error.print());
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn command_lines_are_understood_or_refused() {
        for (arguments, expect) in [
            ("", Some(Job::Both)),
            ("c.yaml --incremental", Some(Job::Both)),
            ("--import-only --incremental --dry-run", Some(Job::Import)),
            ("c.yaml --migrate-only --validate --json", Some(Job::Migrate)),
            ("--retry-failed-import", Some(Job::RetryImport)),
            ("--retry-failed-migrate -v", Some(Job::RetryMigrate)),
            ("--recover-import-state", Some(Job::RecoverImport)),
            ("--recover-migrate-state -q", Some(Job::RecoverMigrate)),
            ("--repair-artdaqdb", Some(Job::Repair)),
            ("--import-only --migrate-only", None),
            ("--retry-failed-import --recover-import-state", None),
            ("--retry-failed-import --incremental", None),
            ("--recover-import-state --dry-run", None),
            ("-v -q", None),
            ("a.yaml b.yaml", None),
            ("--report-status", None),
        ] {
            let arguments = std::iter::once("run-archiver").chain(arguments.split_whitespace());
            let seen = Cli::try_parse_from(arguments.clone()).ok().map(|cli| cli.job());
            assert_eq!(seen, expect, "{arguments:?}");
        }
    }
}
