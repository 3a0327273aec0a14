//! What came of a rollback.

use std::time::Duration;

use gsi_state::GsiKey;
use serde::Serialize;

/// What came of one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RollbackOutcome {
    /// Its deletion was asked for, now or by an earlier rollback, and it is gone.
    Deleted,
    /// It was gone before anybody asked.
    AlreadyGone,
    /// The service is at work on its deletion, or the request waits for its turn; this run does not wait (any longer).
    StillDeleting,
    /// It is active, and was not to be deleted when it is.
    Kept,
    /// Given up; it is still there, or that is not known.
    Failed {
        /// Why, as in the state file.
        error: String,
    },
    /// Nothing was asked for: the run was interrupted, or does not wait for the table to be free.
    NotStarted,
}

impl RollbackOutcome {
    /// Whether the index is gone.
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Deleted | Self::AlreadyGone)
    }
}

/// One call that did not succeed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RollbackError {
    /// When, in seconds after the start of the run.
    pub after_seconds: f64,
    /// DynamoDB's name of the call.
    pub operation: &'static str,
    /// The class of the error: `throttled`, `table-busy` …
    pub class: &'static str,
    /// The service's code and words.
    pub message: String,
    /// How long until the next look or request; `None` where there is none.
    pub next_delay_seconds: Option<f64>,
}

/// The story of one index.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RolledBack {
    /// The table.
    pub table: String,
    /// The index.
    pub index: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: RollbackOutcome,
    /// Requests of this run that count.
    pub tries: u32,
    /// Every call that did not succeed, in order.
    pub errors: Vec<RollbackError>,
    /// How long this run was at it.
    pub elapsed_seconds: f64,
    /// An index of the same name appeared after ours was gone; it was not touched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub was_made_again: bool,
}

impl RolledBack {
    /// Which index.
    pub fn key(&self) -> GsiKey {
        GsiKey::new(&self.table, &self.index)
    }
}

/// What came of a rollback.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RollbackReport {
    /// Every index that the run was asked to see to, in the order given.
    pub indexes: Vec<RolledBack>,
    /// The run was asked to stop, and did.
    pub is_interrupted: bool,
    /// Wall time of the run.
    pub elapsed_seconds: f64,
}

impl RollbackReport {
    /// How many outcomes are of one sort.
    pub fn count(&self, is_of_sort: impl Fn(&RollbackOutcome) -> bool) -> usize {
        self.indexes.iter().filter(|index| is_of_sort(&index.outcome)).count()
    }

    /// Whether some index was given up or kept.
    pub fn has_failures(&self) -> bool {
        self.count(|outcome| matches!(outcome, RollbackOutcome::Failed { .. } | RollbackOutcome::Kept)) > 0
    }

    /// Whether some index is being deleted, or waits for its turn, after a run that did not wait.
    pub fn has_unfinished(&self) -> bool {
        self.count(|outcome| matches!(outcome, RollbackOutcome::StillDeleting | RollbackOutcome::NotStarted)) > 0
    }

    /// Wall time of the run.
    pub fn elapsed(&self) -> Duration {
        Duration::try_from_secs_f64(self.elapsed_seconds).unwrap_or_default()
    }
}
