//! What came of a run.

use std::{collections::HashMap, time::Duration};

use gsi_state::GsiKey;
use indexmap::IndexMap;

use crate::{describe::TableDescription, plan::Span};

/// What came of one index in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Asked for in this run or an earlier one, and the service said ACTIVE.
    Created {
        /// From the first look at the index in this run to ACTIVE.
        elapsed: Duration,
    },
    /// The same index was there before anybody asked for it.
    Adopted,
    /// An earlier run saw it active, and it still is.
    StillActive,
    /// Given up.
    Failed {
        /// Why, as in the state file.
        error: String,
    },
    /// Asked for, and the service is at work on it; this run does not wait (any longer).
    StillBuilding,
    /// Asked for, or seen active by an earlier run, and now the service could not be reached to learn
    /// what came of it.
    Unsettled {
        /// Why the service was not reached.
        error: String,
    },
    /// Not attempted in this run: it was interrupted, or it does not wait for the table to be free.
    NotStarted,
}

impl Outcome {
    /// Whether the index is known to be usable.
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Created { .. } | Self::Adopted | Self::StillActive)
    }
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// Every index that the run was asked to see to, in the order of the definitions.
    pub outcomes: IndexMap<GsiKey, Outcome>,
    /// The run was asked to stop, and did.
    pub is_interrupted: bool,
    /// The error that every call would have met, so that the run stopped for all tables: expired
    /// credentials, a region that does not exist.
    pub stopped_by: Option<String>,
    /// Wall time of the run.
    pub elapsed: Duration,
    /// The tables, by name, as they were seen last.
    pub tables: HashMap<String, TableDescription>,
    /// How long each index that was to be built was expected to take, when its table was seen first.
    pub foreseen: HashMap<GsiKey, Span>,
    /// How long all of it was expected to take, tables side by side; absent where nothing was to be built.
    pub foreseen_in_all: Option<Span>,
}

impl RunReport {
    /// How many outcomes are of one sort.
    pub fn count(&self, is_of_sort: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.values().filter(|outcome| is_of_sort(outcome)).count()
    }

    /// Whether some index failed or could not be settled, or the run was stopped by an error.
    pub fn has_failures(&self) -> bool {
        self.stopped_by.is_some()
            || self.count(|outcome| matches!(outcome, Outcome::Failed { .. } | Outcome::Unsettled { .. })) > 0
    }

    /// Whether some index is being built, or waits for its turn, after a run that did not wait.
    pub fn has_unfinished(&self) -> bool {
        self.count(|outcome| matches!(outcome, Outcome::StillBuilding | Outcome::NotStarted)) > 0
    }
}
