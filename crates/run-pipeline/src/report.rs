//! What came of an execution of a stage.

use std::{collections::BTreeMap, time::Duration};

use run_state::{Marks, RunNumber, RunSet};

use crate::{event::Stage, hold::HoldReason};

/// What came of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Complete in the destination, and verified.
    Archived {
        /// It was there before.
        was_there: bool,
    },
    /// Given up; the run is in the failure log.
    Failed {
        /// Why: the chain of causes in one line, but for the lines that a syntax error quotes.
        reason: String,
    },
    /// Selected, and not attempted: the execution was interrupted, or a store was in trouble.
    NotAttempted,
}

/// What came of an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// Which stage.
    pub stage: Stage,
    /// The selected runs.
    pub outcomes: BTreeMap<RunNumber, Outcome>,
    /// Runs that appeared below the mark and were put into the failure log.
    pub late: RunSet,
    /// Runs that were in flight when the last execution died.
    pub interrupted: RunSet,
    /// Wanted runs beyond the limit of one execution.
    pub beyond_limit: RunSet,
    /// Runs that somebody has named, and that nobody knows.
    pub not_found: RunSet,
    /// Runs whose record does not say what it is, with the problems.
    pub invalid: BTreeMap<RunNumber, Vec<String>>,
    /// Runs that are still being taken, and were held back.
    pub held: BTreeMap<RunNumber, HoldReason>,
    /// Runs that were archived before and whose changed record was stored beside that: the stop time in artdaqDB,
    /// or a new version in UconDB.
    pub amended: RunSet,
    /// Runs of which that failed, with the reasons; the next execution tries again.
    pub not_amended: BTreeMap<RunNumber, String>,
    /// Marks at the start.
    pub marks_before: Marks,
    /// Marks at the end.
    pub marks_after: Marks,
    /// The failure log at the end.
    pub still_failed: RunSet,
    /// Why no further runs were started, where a store as a whole was in trouble.
    pub stopped: Option<String>,
    /// The execution was asked to stop, and did.
    pub is_interrupted: bool,
    /// Wall time.
    pub elapsed: Duration,
}

impl StageReport {
    /// How many runs are archived by this execution, or were found to be.
    pub fn archived_count(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Archived { .. }))
    }

    /// How many runs failed.
    pub fn failed_count(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed { .. }))
    }

    /// How many outcomes are of one sort.
    pub fn count(&self, is_of_sort: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.values().filter(|outcome| is_of_sort(outcome)).count()
    }

    /// Whether some run failed or could not be amended, or a store was in trouble.
    pub fn has_failures(&self) -> bool {
        self.stopped.is_some() || self.failed_count() > 0 || !self.not_amended.is_empty()
    }

    /// Settled runs per second; `None` where no time has passed.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        let settled = u32::try_from(self.archived_count() + self.failed_count()).unwrap_or(u32::MAX);
        (seconds > 0.0).then(|| f64::from(settled) / seconds)
    }
}
