//! Undoing: which indexes, and how hard to try.

use std::time::Duration;

/// What only a rollback understands.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// Only this index; may be repeated.
    #[arg(long = "index", value_name = "NAME", requires = "Modes", help_heading = HEADING)]
    pub(crate) indexes: Vec<String>,

    /// Delete indexes that were found in place, too.
    #[arg(long, requires = "Modes", help_heading = HEADING)]
    pub(crate) include_adopted: bool,

    /// Requests for the deletion of one index before it is given up.
    #[arg(long = "delete-attempts", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..), help_heading = HEADING)]
    pub(crate) attempts: u32,

    /// Pause after a failed deletion.
    #[arg(long = "delete-pause", value_name = "TIME", default_value = "30s", value_parser = super::duration, help_heading = HEADING)]
    pub(crate) pause: Duration,
}

const HEADING: &str = "Rollback";
