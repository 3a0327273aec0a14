//! The table of gaps: one row a range of runs that are missing from one place for one cause.

use std::ops::RangeInclusive;

use run_state::RunNumber;

use super::{
    analysis::Analysis,
    causes::{Cause, Group},
    facts::{Facts, FailureStory, Store},
};

/// Runs in a row that are missing from one place for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// Which.
    pub runs: RangeInclusive<RunNumber>,
    /// Why.
    pub cause: Cause,
    /// Where they should be.
    pub missing_in: Store,
    /// How they failed, where they did; the most times, and the last reason.
    pub story: Option<FailureStory>,
}

impl GapRow {
    /// How many runs it stands for.
    pub fn count(&self) -> u64 {
        (self.runs.end().get() - self.runs.start().get()).saturating_add(1)
    }
}

impl Analysis {
    /// The table of gaps, lowest first. Runs that failed for the same reason, one after the other, share a row.
    pub fn gap_rows(&self, facts: &Facts) -> Vec<GapRow> {
        let mut rows: Vec<GapRow> = self.groups.iter().flat_map(|group| group_rows(group, facts)).collect();
        rows.sort_by_key(|row| (*row.runs.start(), row.missing_in));
        rows
    }
}

fn group_rows(group: &Group, facts: &Facts) -> Vec<GapRow> {
    let row = |runs, story| GapRow { runs, cause: group.cause, missing_in: group.missing_in, story };
    if !matches!(group.cause, Cause::Failed | Cause::HalfImported | Cause::Interrupted) {
        return group.runs.ranges().map(|runs| row(runs, None)).collect();
    }
    let stages = match group.missing_in {
        Store::Records => [&facts.import, &facts.migrate],
        Store::Artdaq => [&facts.import; 2],
        Store::Ucon => [&facts.migrate; 2],
    };
    let story =
        |run: RunNumber| stages.iter().find_map(|stage| stage.history.as_ref().ok()?.failures.get(&run)).cloned();
    let mut rows: Vec<GapRow> = Vec::new();
    // Each of these runs is in a log or a listing, so that there are no more of them than there were runs.
    for run in group.runs.iter() {
        let story = story(run);
        match rows.last_mut().filter(|last| follows(last, run) && reason(last.story.as_ref()) == reason(story.as_ref()))
        {
            Some(last) => {
                last.runs = *last.runs.start()..=run;
                if let (Some(known), Some(other)) = (&mut last.story, story) {
                    known.times = known.times.max(other.times);
                    known.last_at = known.last_at.max(other.last_at);
                }
            }
            None => rows.push(row(run..=run, story)),
        }
    }
    rows
}

fn follows(row: &GapRow, run: RunNumber) -> bool {
    row.runs.end().get().checked_add(1) == Some(run.get())
}

fn reason(story: Option<&FailureStory>) -> Option<&str> {
    story.map(|story| story.last_reason.as_str())
}
