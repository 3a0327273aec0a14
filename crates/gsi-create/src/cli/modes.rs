//! What the program can be asked to do besides creation; one thing at a time.

use std::path::{Path, PathBuf};

use gsi_state::GsiStatus;

use super::Cli;

/// What is asked for, where it is not creation.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
#[group(id = "Modes", multiple = false)]
pub(super) struct Modes {
    /// Show the state and end; with -v, with its history. Needs no lock, no network and no write permission.
    #[arg(long, help_heading = HEADING)]
    status: bool,

    /// Show what a run would do, and how long it will take. Changes nothing, and needs no lock.
    #[arg(long, visible_alias = "dry-run", help_heading = HEADING)]
    plan: bool,

    /// Print the definitions of the indexes that tables have, to be named with --table. Changes nothing.
    #[arg(long, help_heading = HEADING)]
    export_definitions: bool,

    /// Show every index of the definitions' tables as the service has it, and where it differs. Changes nothing.
    #[arg(long, help_heading = HEADING)]
    check_status: bool,

    /// Query the active indexes of the definitions to see whether they answer. Creates nothing.
    #[arg(long, help_heading = HEADING)]
    validate: bool,

    /// Delete the indexes that this state, or an archive of it, created. May be limited with --table and --index.
    #[arg(long, help_heading = HEADING)]
    rollback: bool,

    /// Delete those of them that are still being created.
    #[arg(long, help_heading = HEADING)]
    cancel: bool,

    /// Play the whole job through, on a DynamoDB in memory whose tables look like the real ones, in virtual
    /// time, and show how long it will take. Changes nothing.
    #[arg(long, help_heading = HEADING)]
    rehearse: bool,

    /// List the jobs of the state directory and their reports.
    #[arg(long, help_heading = HEADING)]
    history: bool,

    /// Tell what happened to an index, and what to do next.
    #[arg(long, value_name = "TABLE.INDEX", help_heading = HEADING)]
    explain: Option<String>,

    /// Take an index out of the state; the table is not touched. Keeps a backup.
    #[arg(long, value_name = "TABLE.INDEX", help_heading = HEADING)]
    forget: Option<String>,

    /// Set the status of an index in the state. Keeps a backup.
    #[arg(long, num_args = 2, value_names = ["TABLE.INDEX", "STATUS"], help_heading = HEADING)]
    mark: Vec<String>,

    /// Try whether the file system of a directory can hold state: kills, locks, renames, flushes, no more room. Makes a
    /// directory in it, and removes that again.
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    selftest: Option<PathBuf>,

    /// Free the state's lock, where its holder is certainly dead, or with --yes.
    #[arg(long, help_heading = HEADING)]
    unlock: bool,
}

const HEADING: &str = "Other jobs";

/// The modes that need no definitions file.
pub(super) const WITHOUT_DEFINITIONS: [&str; 10] = [
    "selftest",
    "status",
    "export_definitions",
    "rollback",
    "cancel",
    "history",
    "explain",
    "forget",
    "mark",
    "unlock",
];

/// What the program is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job<'a> {
    /// Create indexes, or go on with it.
    Create,
    /// Show the state.
    Status,
    /// Show what a run would do.
    Plan,
    /// Print the definitions of what tables have.
    Export,
    /// Show what the tables have.
    CheckStatus,
    /// Query the indexes.
    Validate,
    /// Delete what was created.
    Rollback,
    /// Delete what is being created.
    Cancel,
    /// Play the job through on an embedded DynamoDB.
    Rehearse,
    /// List jobs and reports.
    History,
    /// Tell the story of an index.
    Explain(&'a str),
    /// Take an index out of the state.
    Forget(&'a str),
    /// Set the status of an index.
    Mark(&'a str, &'a str),
    /// Free the lock.
    Unlock,
    /// Try a mount.
    Selftest(&'a Path),
}

impl Cli {
    /// What is asked for.
    pub(crate) fn job(&self) -> Job<'_> {
        match &self.modes {
            Modes { status: true, .. } => Job::Status,
            Modes { plan: true, .. } => Job::Plan,
            Modes { export_definitions: true, .. } => Job::Export,
            Modes { check_status: true, .. } => Job::CheckStatus,
            Modes { validate: true, .. } => Job::Validate,
            Modes { rollback: true, .. } => Job::Rollback,
            Modes { cancel: true, .. } => Job::Cancel,
            Modes { rehearse: true, .. } => Job::Rehearse,
            Modes { history: true, .. } => Job::History,
            Modes { explain: Some(name), .. } => Job::Explain(name),
            Modes { forget: Some(name), .. } => Job::Forget(name),
            Modes { unlock: true, .. } => Job::Unlock,
            Modes { selftest: Some(dir), .. } => Job::Selftest(dir),
            Modes { mark, .. } => match &mark[..] {
                [name, status] => Job::Mark(name, status),
                _ => Job::Create,
            },
        }
    }
}

/// The status of a name on the command line.
pub(crate) fn status(name: &str) -> Option<GsiStatus> {
    GsiStatus::ALL.into_iter().find(|status| status.as_str() == name)
}

/// What goes with a mode, and is none itself.
#[derive(Debug, clap::Args)]
pub(crate) struct ModeArgs {
    /// How long --selftest may take, in seconds, roughly.
    #[arg(
        long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=50),
        help_heading = HEADING,
    )]
    pub(crate) selftest_seconds: u64,
}
