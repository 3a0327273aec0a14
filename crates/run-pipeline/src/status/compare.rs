//! Marks and failure log of a stage against what its two sides hold.

use run_state::{Marks, RunNumber, RunSet};

use super::{
    analysis::Weight,
    facts::{Facts, Store},
};
use crate::{event::Stage, files::StageSnapshot, select::below, strays::between};

/// How a mark stands to what it should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkCheck {
    /// It says what is the case.
    Right,
    /// It lies below: runs were archived that this state does not know of. The next execution, or a
    /// recovery of the state, moves it.
    Behind,
    /// It lies above the end of the unbroken sequence, and what is missing between is in the failure log, or in
    /// no store at all. A mark never moves back by itself, so that this comes of runs that appeared late.
    PastGaps,
    /// It lies above what is archived: only a recovery of the state moves it back.
    Ahead,
}

/// The state of a stage against reality. Where nothing is wrong, the sets are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCheck {
    /// Which stage.
    pub stage: Stage,
    /// The marks of the state file.
    pub recorded: Marks,
    /// The contiguous mark that the guide's rule gives, acknowledged gaps passed.
    pub actual_contiguous_run: RunNumber,
    /// The highest run of the destination.
    pub actual_attempted_run: RunNumber,
    /// The contiguous mark.
    pub contiguous: MarkCheck,
    /// The attempted mark.
    pub attempted: MarkCheck,
    /// How many runs the failure log has.
    pub logged_runs: u64,
    /// In the failure log, and in the destination: not verified.
    pub logged_and_present: RunSet,
    /// In the failure log, and neither in the source nor in the destination: no retry can succeed.
    pub logged_without_source: RunSet,
    /// At or below the mark, not archived, and in no log: the log should have them. They are late arrivals, or were
    /// archived and are gone.
    pub not_logged: RunSet,
    /// Above the mark: new.
    pub new: RunSet,
    /// In flight: being worked on, or left by an execution that died.
    pub in_flight: RunSet,
}

impl StateCheck {
    /// How grave it is.
    pub fn weight(&self) -> Weight {
        let is_ahead = self.contiguous == MarkCheck::Ahead || self.attempted == MarkCheck::Ahead;
        let is_behind = self.contiguous == MarkCheck::Behind || self.attempted == MarkCheck::Behind;
        let sets = [&self.logged_and_present, &self.logged_without_source, &self.not_logged, &self.in_flight];
        if is_ahead {
            Weight::Wrong
        } else if is_behind || sets.into_iter().any(|set| !set.is_empty()) {
            Weight::Work
        } else {
            Weight::Fine
        }
    }

    /// Whether a recovery of the state is what helps: a mark is not where it should be.
    pub const fn wants_recovery(&self) -> bool {
        self.contiguous.is_wrong() || self.attempted.is_wrong()
    }
}

impl MarkCheck {
    const fn is_wrong(self) -> bool {
        matches!(self, Self::Behind | Self::Ahead)
    }
}

/// Compares; `None` where the state or one of the sides could not be read.
pub(super) fn compare(facts: &Facts, stage: Stage, strays: &RunSet) -> Option<StateCheck> {
    let recorded = facts.stage(stage).state.as_ref().ok()?;
    let artdaq = facts.believed(Store::Artdaq).and(facts.artdaq.as_ref().ok())?;
    let (source, destination) = match stage {
        Stage::Import => (facts.believed(Store::Records)?, artdaq.complete.clone()),
        Stage::Migrate => (artdaq.complete.clone(), facts.believed(Store::Ucon)?),
    };
    let (source, destination) = (source.difference(strays), destination.difference(strays));
    let acknowledged = facts.acknowledged.clone().unwrap_or_default();
    let present = match stage {
        Stage::Import => artdaq.partial.union(&destination),
        Stage::Migrate => destination.clone(),
    };
    let start = recorded.marks.incremental_start();
    let settled = destination.union(&acknowledged).union(&recorded.failed).union(&recorded.in_flight);
    let open = source.difference(&settled);
    let new = open.difference(&open.up_to(start));
    let known = source.union(&destination).union(&recorded.failed).union(&recorded.in_flight).union(&acknowledged);
    let sides =
        Sides { source: &source, destination: &destination, acknowledged: &acknowledged, state: recorded, fresh: &new };
    Some(StateCheck {
        stage,
        recorded: recorded.marks.clone(),
        actual_contiguous_run: contiguous(&destination, &acknowledged),
        actual_attempted_run: destination.last().unwrap_or_default(),
        contiguous: check_contiguous(recorded.marks.last_contiguous_run, &sides),
        attempted: check_attempted(recorded.marks.last_attempted_run, &known, &below(&destination, new.first())),
        logged_runs: recorded.failed.len(),
        logged_and_present: recorded.failed.intersection(&destination),
        logged_without_source: recorded.failed.difference(&source).difference(&present).difference(&acknowledged),
        not_logged: open.up_to(start).difference(&recorded.held),
        in_flight: recorded.in_flight.clone(),
        new,
    })
}

/// The end of the unbroken sequence from the lowest archived run; 0 where there is none.
fn contiguous(archived: &RunSet, acknowledged: &RunSet) -> RunNumber {
    archived.contiguous_end_over(acknowledged).unwrap_or_default()
}

struct Sides<'a> {
    source: &'a RunSet,
    destination: &'a RunSet,
    acknowledged: &'a RunSet,
    state: &'a StageSnapshot,
    /// Runs above the mark that wait; the mark does not pass one.
    fresh: &'a RunSet,
}

fn check_contiguous(mark: RunNumber, sides: &Sides<'_>) -> MarkCheck {
    let unsettled = sides.state.failed.union(&sides.state.in_flight);
    let verified = below(&sides.destination.difference(&unsettled), sides.fresh.first());
    if mark < contiguous(&verified, sides.acknowledged) {
        return MarkCheck::Behind;
    }
    if mark <= contiguous(sides.destination, sides.acknowledged) {
        return MarkCheck::Right;
    }
    let archived = sides.destination.union(sides.acknowledged);
    // Runs below the lowest archived one never counted.
    let first = sides.destination.first().unwrap_or_default();
    let lost = between(&sides.source.difference(&archived).difference(&unsettled), first, mark);
    let reaches_mark = archived.last().is_some_and(|last| mark <= last);
    if reaches_mark && lost.is_empty() { MarkCheck::PastGaps } else { MarkCheck::Ahead }
}

/// `known` is every run that anybody has heard of, `archived` what is archived before the first that waits.
fn check_attempted(mark: RunNumber, known: &RunSet, archived: &RunSet) -> MarkCheck {
    if archived.last().is_some_and(|last| mark < last) {
        MarkCheck::Behind
    } else if mark > known.last().unwrap_or_default() {
        MarkCheck::Ahead
    } else {
        MarkCheck::Right
    }
}
