//! The command line.

mod looks;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{CommandFactory as _, Parser, error::ErrorKind};
use run_state::RunSet;

use crate::{exit::Exit, present};

pub(crate) use self::looks::{Look, Report, Word};

const EXAMPLES: &str = "\
Examples:
  run-archiver config.yaml --dry-run              what would be done; changes nothing, takes no lock
  run-archiver config.yaml --incremental          new runs, both stages: for cron or a timer
  run-archiver config.yaml --import-only          from the run directories to artdaqDB
  run-archiver config.yaml --migrate-only --validate
  run-archiver config.yaml --retry-failed-import  once the cause is gone
  run-archiver --selftest work                    can that file system hold state?
  run-archiver config.yaml --runs 100-120,130     only these
  run-archiver config.yaml --recover-import-state after the state was lost or damaged
  run-archiver config.yaml --report-status --compare-state   what is missing, why, and what to do

Exit codes: 0 done, 1 a known error (configuration, lock, state, a store; some run failed),
2 unexpected error, 3 a report has found work to do, 64 usage, 130 interrupted.";

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

    #[command(flatten)]
    looks: looks::Looks,

    /// Only runs above both marks of the state: those that were never attempted.
    #[arg(long, conflicts_with_all = NOT_ARCHIVING, conflicts_with_all = ["retry_failed_import", "retry_failed_migrate"])]
    pub(crate) incremental: bool,

    /// Only these runs, as in 100-120,130; whatever else is wanted waits.
    #[arg(long, value_name = "RUNS", conflicts_with_all = NOT_ARCHIVING)]
    runs: Option<RunSet>,

    /// With --recover-import-state and --recover-migrate-state: an answer that is empty or short is right.
    #[arg(long)]
    pub(crate) accept_empty: bool,

    /// Check that each migrated record names its components, configuration and software.
    #[arg(long)]
    pub(crate) validate: bool,

    /// Say what would be done, and do nothing: no lock, no state, no log.
    #[arg(long, conflicts_with_all = ["repair_artdaqdb", "create_indexes", "test_notifications", "selftest"])]
    pub(crate) dry_run: bool,

    /// How long --selftest may take, roughly.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=50))]
    selftest_seconds: u64,

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

/// Modes that archive no runs, or only those that they name themselves.
const NOT_ARCHIVING: [&str; 7] = [
    "selftest",
    "refresh",
    "recover_import_state",
    "recover_migrate_state",
    "repair_artdaqdb",
    "create_indexes",
    "test_notifications",
];

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

    /// Look at archived runs again: a stop time that they lacked is added, and a changed record gets a new version in
    /// UconDB, beside the one before. Several runs as in 100-120,130.
    #[arg(long, value_name = "RUN")]
    refresh: Option<RunSet>,

    /// Rebuild the import's state and failure log from the run directories and artdaqDB.
    #[arg(long)]
    recover_import_state: bool,

    /// Rebuild the migration's state and failure log from artdaqDB and UconDB.
    #[arg(long)]
    recover_migrate_state: bool,

    /// Rebuild the index of artdaqDB's file store from its documents.
    #[arg(long)]
    repair_artdaqdb: bool,

    /// Make the indexes by which artdaqDB in a MongoDB server finds a run without reading everything.
    #[arg(long)]
    create_indexes: bool,

    /// Try whether the file system of a directory can hold state: kills, locks, renames, flushes, no more room. Makes a
    /// directory in it, and removes that again; reads no configuration.
    #[arg(long, value_name = "DIR")]
    selftest: Option<PathBuf>,

    /// Send a test message on every channel of notification, and say what came of it: no lock, no state.
    #[arg(long)]
    test_notifications: bool,
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
    /// `--refresh`
    Refresh,
    /// `--recover-import-state`
    RecoverImport,
    /// `--recover-migrate-state`
    RecoverMigrate,
    /// `--repair-artdaqdb`
    Repair,
    /// `--create-indexes`
    CreateIndexes,
    /// `--test-notifications`
    TestNotifications,
}

impl Cli {
    /// What clap has no words for: a flag that belongs to one of two.
    fn checked(self) -> Result<Self, clap::Error> {
        if self.accept_empty && !matches!(self.job(), Job::RecoverImport | Job::RecoverMigrate) {
            let text = "--accept-empty belongs to --recover-import-state or --recover-migrate-state";
            return Err(Self::command().error(ErrorKind::MissingRequiredArgument, text));
        }
        Ok(self)
    }

    /// The directory whose mount is to be tried, if any, and how long that may take.
    pub(crate) fn selftest(&self) -> Option<(&Path, Duration)> {
        self.modes.selftest.as_deref().map(|dir| (dir, Duration::from_secs(self.selftest_seconds)))
    }

    /// The look that is asked for, if any: it takes no lock and changes nothing.
    pub(crate) fn look(&self) -> Option<Look> {
        self.looks.look()
    }

    /// What is said about gaps, if anything.
    pub(crate) fn word(&self) -> Option<Word> {
        self.looks.word()
    }

    /// The runs that are named, by `--runs` or `--refresh`.
    pub(crate) fn only(&self) -> Option<&RunSet> {
        self.runs.as_ref().or(self.modes.refresh.as_ref())
    }

    /// What is asked for.
    pub(crate) const fn job(&self) -> Job {
        match self.modes {
            Modes { import_only: true, .. } => Job::Import,
            Modes { migrate_only: true, .. } => Job::Migrate,
            Modes { retry_failed_import: true, .. } => Job::RetryImport,
            Modes { retry_failed_migrate: true, .. } => Job::RetryMigrate,
            Modes { refresh: Some(_), .. } => Job::Refresh,
            Modes { recover_import_state: true, .. } => Job::RecoverImport,
            Modes { recover_migrate_state: true, .. } => Job::RecoverMigrate,
            Modes { repair_artdaqdb: true, .. } => Job::Repair,
            Modes { create_indexes: true, .. } => Job::CreateIndexes,
            Modes { test_notifications: true, .. } => Job::TestNotifications,
            _ => Job::Both,
        }
    }
}

/// Reads the command line; on failure, or for help, prints what there is to say.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    if let Some(outcome) = terminal::write_pages_if_asked(Cli::command()) {
        return Err(outcome.map_or(Exit::Unexpected, |()| Exit::Done).into());
    }
    if let Some(outcome) = waymark_selftest::work_if_asked() {
        return Err(outcome.map_or(Exit::Unexpected, |()| Exit::Done).into());
    }
    Cli::try_parse().and_then(Cli::checked).map_err(|error| {
        // Nothing is left to do if the terminal is gone.
        drop(error.print());
        if error.use_stderr() && wants_json() {
            present::usage_failure(&error.to_string());
        }
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
    })
}

/// The words of a command line, whatever they mean.
#[derive(Debug, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true)]
struct Words {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Whether somebody who reads JSON waits for an answer, though the command line was not understood.
fn wants_json() -> bool {
    let is_asked_for =
        |Words { words }: Words| words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
    Words::try_parse().is_ok_and(is_asked_for)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
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
            ("c.yaml --create-indexes --json", Some(Job::CreateIndexes)),
            ("--create-indexes --incremental", None),
            ("--create-indexes --dry-run", None),
            ("--test-notifications --json", Some(Job::TestNotifications)),
            ("--test-notifications --import-only", None),
            ("--selftest work --json --selftest-seconds 5", Some(Job::Both)),
            ("--selftest", None),
            ("--selftest work --incremental", None),
            ("--selftest work --dry-run", None),
            ("--selftest work --import-only", None),
            ("--selftest work --selftest-seconds 60", None),
            ("--test-notifications --dry-run", None),
            ("--import-only --migrate-only", None),
            ("--retry-failed-import --recover-import-state", None),
            ("--retry-failed-import --incremental", None),
            ("--recover-import-state --dry-run", Some(Job::RecoverImport)),
            ("--recover-migrate-state --accept-empty", Some(Job::RecoverMigrate)),
            ("--accept-empty", None),
            ("--refresh 100-120,130", Some(Job::Refresh)),
            ("--refresh", None),
            ("--refresh 5-3", None),
            ("--refresh 100 --incremental", None),
            ("--refresh 100 --runs 100", None),
            ("--runs 100-120,130 --retry-failed-import", Some(Job::RetryImport)),
            ("--runs 100-120,130 --incremental", Some(Job::Both)),
            ("--runs 100 --recover-import-state", None),
            ("--runs 12a", None),
            ("-v -q", None),
            ("a.yaml b.yaml", None),
            ("--report-status", Some(Job::Both)),
            ("--compare-state --html page.html --verify-archive=full", Some(Job::Both)),
            ("--report-status --import-only", None),
            ("--report-status --incremental", None),
            ("--verify-archive=nonsense", None),
            ("--acknowledge 103-104", None),
            ("--acknowledge 103-104 --reason off --until 2027-01-01", Some(Job::Both)),
            ("--acknowledge 103-104 --reason off --withdraw 105", None),
            ("--acknowledgements --report-status", None),
            ("--explain 103 --json", Some(Job::Both)),
            ("--explain 103 --compare-state", None),
        ] {
            let arguments = std::iter::once("run-archiver").chain(arguments.split_whitespace());
            let seen = Cli::try_parse_from(arguments.clone()).and_then(Cli::checked).ok().map(|cli| cli.job());
            assert_eq!(seen, expect, "{arguments:?}");
        }
    }
}
