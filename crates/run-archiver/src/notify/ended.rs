//! What came of a stage, as far as anybody outside is told.

use std::path::PathBuf;

use run_pipeline::{Outcome, Stage, StageReport};
use run_state::{RunNumber, RunSet};

use super::stopwatch::Lap;
use crate::{
    exit::Failure,
    present::{self, StageEnd},
};

/// One stage of one execution, when it is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) stage: Stage,
    pub(crate) end: End,
    /// How long the runs took.
    pub(crate) laps: Vec<Lap>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It ran to its end, or was interrupted.
    Ran(Box<StageReport>),
    /// It could not start, or could not go on.
    Broke {
        /// The error and its causes.
        chain: Vec<String>,
        /// What can be done about it.
        hint: Option<String>,
    },
}

/// Where all this happens.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The name of the machine.
    pub(crate) host: String,
    /// The configuration, as an absolute path where that can be had.
    pub(crate) config: PathBuf,
    /// What goes wrong on purpose, while failures are rehearsed.
    pub(crate) rehearsal: Option<String>,
}

impl Ended {
    /// What came of `stage`.
    pub(crate) fn new(stage: Stage, end: &StageEnd, laps: Vec<Lap>) -> Self {
        let end = match end {
            StageEnd::Ran(report) => End::Ran(report.clone()),
            StageEnd::Broke(failure) => End::broke(failure),
        };
        Self { stage, end, laps }
    }

    /// `stage` did not even begin.
    pub(crate) fn not_begun(stage: Stage, failure: &Failure) -> Self {
        Self { stage, end: End::broke(failure), laps: Vec::new() }
    }

    /// Whether somebody should look.
    pub(crate) fn is_trouble(&self) -> bool {
        match &self.end {
            End::Ran(report) => report.has_failures() || !report.invalid.is_empty() || !self.left_behind().is_empty(),
            End::Broke { .. } => true,
        }
    }

    /// The failed runs with their reasons.
    pub(crate) fn failed(&self) -> Vec<(RunNumber, &str)> {
        let End::Ran(report) = &self.end else { return Vec::new() };
        report.outcomes.iter().filter_map(|(run, outcome)| Some((*run, reason_of(outcome)?))).collect()
    }

    /// Runs that were put into the failure log without having been tried: they appeared late, or their work was cut off.
    pub(crate) fn left_behind(&self) -> RunSet {
        let End::Ran(report) = &self.end else { return RunSet::new() };
        let tried: RunSet = self.failed().into_iter().map(|(run, _)| run).collect();
        report.late.union(&report.interrupted).intersection(&report.still_failed).difference(&tried)
    }

    /// What is wrong, in a text that is the same whenever the same is wrong.
    ///
    /// Numbers in reasons do not count: they are ports, times and attempts. Runs that failed for the reason
    /// for which the stage was stopped do not count either, since with a store that is down they are others each time.
    pub(crate) fn trouble(&self) -> String {
        let report = match &self.end {
            End::Broke { chain, .. } => return format!("broke: {}", without_numbers(&chain.join(": "))),
            End::Ran(report) => report,
        };
        let stopped = report.stopped.as_deref().map(without_numbers);
        let failed: RunSet = self
            .failed()
            .into_iter()
            .filter(|(_, reason)| stopped.as_ref().is_none_or(|stopped| *stopped != without_numbers(reason)))
            .map(|(run, _)| run)
            .collect();
        let invalid: RunSet = report.invalid.keys().copied().collect();
        let mut parts: Vec<String> = stopped.into_iter().map(|reason| format!("stopped: {reason}")).collect();
        for (name, runs) in [("failed", failed), ("not valid", invalid), ("left behind", self.left_behind())] {
            if !runs.is_empty() {
                parts.push(format!("{name}: {runs}"));
            }
        }
        if parts.is_empty() {
            let archived: RunSet = report.outcomes.keys().copied().collect();
            parts.push(format!("none: {archived}"));
        }
        parts.join("; ")
    }
}

fn reason_of(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Failed { reason } => Some(reason),
        _ => None,
    }
}

impl End {
    fn broke(failure: &Failure) -> Self {
        Self::Broke { chain: present::chain(failure), hint: failure.hint.clone() }
    }
}

/// The text with `#` in the place of each number.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '0'..='9' if plain.ends_with('#') => {}
            '0'..='9' => plain.push('#'),
            other => plain.push(other),
        }
    }
    plain
}
