//! Reports for the tests of this folder.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, time::Duration};

use run_pipeline::{Outcome, Stage, StageReport};
use run_state::{Marks, RunSet};

/// An import in which these runs were archived and those failed.
pub(super) fn report(archived: &str, failed: &str, stopped: Option<&str>) -> StageReport {
    let set = |runs: &str| if runs.is_empty() { RunSet::new() } else { runs.parse::<RunSet>().unwrap() };
    let (archived, failed) = (set(archived), set(failed));
    let good = archived.iter().map(|run| (run, Outcome::Archived { was_there: false }));
    let bad =
        failed.iter().map(|run| (run, Outcome::Failed { reason: format!("line {run} is \u{1b} malformed\nx: [1") }));
    StageReport {
        stage: Stage::Import,
        outcomes: good.chain(bad).collect::<BTreeMap<_, _>>(),
        late: RunSet::new(),
        interrupted: RunSet::new(),
        beyond_limit: RunSet::new(),
        not_found: RunSet::new(),
        invalid: BTreeMap::new(),
        held: BTreeMap::new(),
        not_amended: BTreeMap::new(),
        amended: RunSet::new(),
        marks_before: Marks::new(99.into(), 99.into()),
        marks_after: Marks::new(102.into(), archived.union(&failed).last().unwrap_or(99.into())),
        still_failed: failed,
        stopped: stopped.map(str::to_owned),
        is_interrupted: false,
        elapsed: Duration::from_millis(1500),
    }
}
