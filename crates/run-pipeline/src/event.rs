//! What happens, while it happens. Libraries do not speak; a binary shows these.

use std::{collections::BTreeMap, fmt, time::Duration};

use run_state::{RunNumber, RunSet};

use crate::{hold::HoldReason, report::Outcome};

/// One of the two jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From run directories to artdaqDB.
    Import,
    /// From artdaqDB to UconDB.
    Migrate,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Import => "import",
            Self::Migrate => "migration",
        })
    }
}

/// One thing that happened in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where.
    pub stage: Stage,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Both sides were listed.
    Listed {
        /// Runs in the source.
        source_runs: u64,
        /// Runs in the destination.
        destination_runs: u64,
    },
    /// These runs appeared below the mark; they are in the failure log now.
    Late(RunSet),
    /// The last execution died while it worked on these runs; they are in the failure log now.
    Interrupted(RunSet),
    /// The last execution died after it had stored these runs; they are verified first.
    Unconfirmed(RunSet),
    /// These runs are held back, since they are still being taken.
    Held(BTreeMap<RunNumber, HoldReason>),
    /// These runs will be worked on.
    Selected {
        /// Which.
        work: RunSet,
        /// Which would be, were it not for the limit of an execution.
        beyond_limit: RunSet,
    },
    /// Files of a run's directory that are not archived.
    Skipped {
        /// The run.
        run: RunNumber,
        /// Relative paths.
        files: Vec<String>,
    },
    /// An attempt failed, and there will be another.
    Retrying {
        /// The run, or the lowest of those that failed together.
        run: RunNumber,
        /// Why the attempt failed.
        reason: String,
        /// When the next one is.
        after: Duration,
    },
    /// A migrated record does not say what it is.
    Invalid {
        /// The run.
        run: RunNumber,
        /// One a parameter: `config_name: no such parameter`.
        problems: Vec<String>,
    },
    /// Nothing more will be done about a run in this execution, and that is on disk.
    Settled {
        /// The run.
        run: RunNumber,
        /// What came of it.
        outcome: Outcome,
    },
    /// The second pass of a run that was archived without one, or without its stop time, was stored.
    Amended {
        /// The run.
        run: RunNumber,
        /// Under which version.
        version: String,
    },
    /// The record of a run has changed since it was migrated; it was put as a new version, beside the one before.
    Renewed {
        /// The run.
        run: RunNumber,
        /// The id of the version.
        version_id: u64,
    },
    /// The second pass, or the new version, of a run could not be stored; the next execution tries again.
    NotAmended {
        /// The run.
        run: RunNumber,
        /// Why.
        reason: String,
    },
    /// A store as a whole is in trouble; no further run is started.
    Stopping {
        /// What trouble.
        reason: String,
    },
}

/// Sees events as they happen. Must not block for long: the work waits.
pub trait Observer: Send + Sync {
    /// Sees one event.
    fn observe(&self, event: &Event);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: &Event) {}
}
