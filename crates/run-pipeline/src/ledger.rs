//! The state of a stage with what is known beyond it: what a change of a run means for marks, failure log and lists.

use std::sync::Arc;

use run_state::{RunNumber, RunSet};

use crate::{
    files::{Counts, NextState, StageFiles, StageSnapshot},
    hold::Held,
    journal::{Content, RunEvent},
    record::RecordError,
    retry::Failure,
    select::{Selection, below},
};

/// What happened to runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// They are about to be worked on.
    pub(crate) begun: RunSet,
    /// They are complete in the destination, and verified.
    pub(crate) archived: RunSet,
    /// They were given up.
    pub(crate) failed: RunSet,
    /// They were to be worked on, and nothing was done.
    pub(crate) released: RunSet,
    /// They were imported without a stop time.
    pub(crate) unfinished: RunSet,
    /// They have their stop time now.
    pub(crate) finished: RunSet,
    /// Their record is about to be amended.
    pub(crate) amended: RunSet,
    /// The migration has seen to that.
    pub(crate) renewed: RunSet,
    /// What the journal is to tell.
    pub(crate) notes: Vec<(RunNumber, RunEvent)>,
    /// It may wait a moment for others, so that they are saved together.
    pub(crate) is_patient: bool,
}

impl Change {
    /// `run` is about to be worked on.
    pub(crate) fn begun(runs: impl IntoIterator<Item = RunNumber>) -> Self {
        Self { begun: runs.into_iter().collect(), ..Self::default() }
    }

    /// Nothing was done about `runs`.
    pub(crate) fn released(runs: impl IntoIterator<Item = RunNumber>) -> Self {
        Self { released: runs.into_iter().collect(), ..Self::default() }
    }

    /// Notes that `run` is archived, and what was verified of it.
    pub(crate) fn note_archived(&mut self, run: RunNumber, was_there: bool, content: Content) {
        self.archived.insert(run);
        self.notes.push((run, RunEvent::Archived { was_there, content }));
    }

    /// Notes that `run` was given up after `attempt` attempts.
    pub(crate) fn note_failed(&mut self, run: RunNumber, failure: &Failure, attempt: u32) {
        self.failed.insert(run);
        let (class, reason) = (failure.class, failure.reason.clone());
        self.notes.push((run, RunEvent::Failed { attempt, class, reason }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self { is_patient: self.is_patient, ..Self::default() }
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        self.begun.extend(other.begun.iter());
        self.archived.extend(other.archived.iter());
        self.failed.extend(other.failed.iter());
        self.released.extend(other.released.iter());
        self.unfinished.extend(other.unfinished.iter());
        self.finished.extend(other.finished.iter());
        self.amended.extend(other.amended.iter());
        self.renewed.extend(other.renewed.iter());
        self.notes.append(&mut other.notes);
    }
}

/// The state with what is known beyond it: everything that is archived, and what no mark may pass.
#[derive(Debug)]
pub(crate) struct Ledger {
    files: StageFiles,
    archived: RunSet,
    /// Runs above the mark, neither archived nor failed: the attempted mark stays below the first.
    holding: RunSet,
    /// The runs of the source that are settled, by this execution or before.
    settled: RunSet,
    /// Runs that this execution still works on. Workers end out of order, so the contiguous mark stays
    /// below the first: else it would begin at a run in the middle, and could never move back.
    pending: RunSet,
    /// Runs that an earlier execution left in flight: they stay so until they are settled.
    resumed: RunSet,
    /// Runs that people live without: the contiguous mark passes them.
    acknowledged: RunSet,
    /// Runs that move no mark.
    strays: RunSet,
}

impl Ledger {
    /// Takes in what was selected: late and interrupted runs go into the failure log, and the marks
    /// move over what is archived.
    pub(crate) fn open(
        mut files: StageFiles,
        available: &RunSet,
        selection: &Selection,
        held: &Held,
        acknowledged: RunSet,
    ) -> (Self, Result<(), RecordError>) {
        let state = files.snapshot();
        let pending = selection.work.union(&state.in_flight);
        let mut marks = state.marks.clone();
        let counted = |runs: &RunSet| runs.difference(&selection.strays);
        let unsettled = counted(&selection.fresh.union(&pending));
        let reliable = below(&counted(&selection.verified), unsettled.first());
        marks.advance_over(&reliable, &acknowledged, selection.attempted);
        let failed = state.failed.union(&selection.late).union(&selection.interrupted);
        let held_now: RunSet = held.keys().copied().collect();
        // Whoever was held back stays so until it is taken, or gone.
        let still_held = state.held.intersection(available).difference(&selection.verified.union(&selection.work));
        let outcome = files.save(NextState {
            notes: notes_at_begin(&state, selection, held),
            marks,
            failed: failed.clone(),
            // Until they are settled, however often the program is killed before it comes to that.
            in_flight: state.in_flight.clone(),
            held: held_now.union(&still_held),
            unfinished: state.unfinished,
            amended: state.amended,
        });
        let ledger = Self {
            files,
            archived: selection.verified.clone(),
            holding: selection.fresh.clone(),
            settled: selection.verified.union(&failed).intersection(available),
            pending,
            resumed: state.in_flight,
            acknowledged,
            strays: selection.strays.clone(),
        };
        (ledger, outcome.map_err(|error| RecordError(Arc::new(error))))
    }

    /// Disk first, then memory.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), RecordError> {
        let state = self.files.snapshot();
        let settled_now = change.archived.union(&change.failed);
        let archived = self.archived.union(&change.archived);
        let settled = self.settled.union(&settled_now);
        let holding = self.holding.difference(&settled_now);
        let ended = settled_now.union(&change.released);
        let pending = self.pending.difference(&ended);
        let still_open = self.resumed.difference(&settled_now);
        let mut marks = state.marks;
        let counted = |runs: &RunSet| runs.difference(&self.strays);
        let attempted = below(&counted(&settled), counted(&holding).first()).last().unwrap_or_default();
        let reliable = below(&counted(&archived), counted(&holding.union(&pending)).first());
        marks.advance_over(&reliable, &self.acknowledged, attempted);
        let unfinished = state.unfinished.union(&change.unfinished).difference(&change.finished);
        self.files
            .save(NextState {
                notes: change.notes,
                marks,
                failed: state.failed.difference(&change.archived).union(&change.failed),
                in_flight: state.in_flight.difference(&ended.difference(&still_open)).union(&change.begun),
                held: state.held.difference(&settled_now),
                unfinished: highest(&unfinished, UNFINISHED_RUNS_MAX),
                amended: state.amended.union(&change.amended).difference(&change.renewed),
            })
            .map_err(|error| RecordError(Arc::new(error)))?;
        (self.archived, self.settled, self.holding, self.pending) = (archived, settled, holding, pending);
        Ok(())
    }

    /// Remembers what the listings found.
    pub(crate) fn save_counts(&mut self, counts: Counts) -> Result<(), RecordError> {
        self.files.save_counts(counts).map_err(|error| RecordError(Arc::new(error)))
    }

    pub(crate) fn archived(&self) -> &RunSet {
        &self.archived
    }

    #[cfg(test)]
    pub(crate) fn files(&self) -> &StageFiles {
        &self.files
    }

    pub(crate) fn into_files(self) -> StageFiles {
        self.files
    }
}

/// How many runs without a stop time are remembered: a run that is being taken is among the newest, and where no
/// run ever has a stop time the list must not grow with the archive.
pub(crate) const UNFINISHED_RUNS_MAX: u64 = 100;

/// The `count` highest of `runs`.
pub(crate) fn highest(runs: &RunSet, count: u64) -> RunSet {
    let dropped = usize::try_from(runs.len().saturating_sub(count)).unwrap_or(usize::MAX);
    if dropped == 0 { runs.clone() } else { runs.iter().skip(dropped).collect() }
}

/// What the journal is to tell before any work.
fn notes_at_begin(state: &StageSnapshot, selection: &Selection, held: &Held) -> Vec<(RunNumber, RunEvent)> {
    let of = |runs: &RunSet, event: RunEvent| -> Vec<_> { runs.iter().map(|run| (run, event.clone())).collect() };
    let mut notes = of(&selection.late, RunEvent::Late);
    notes.extend(of(&selection.interrupted.difference(&state.failed), RunEvent::Interrupted));
    let newly_held = held.iter().filter(|(run, _)| !state.held.contains(**run));
    notes.extend(newly_held.map(|(run, reason)| (*run, RunEvent::Held { reason: reason.to_string() })));
    notes
}
