//! What an execution of a stage is to do: its options, what was listed, and what follows from both.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
};

use run_state::{RunNumber, RunSet};
use statefile::OpenError;

use crate::{
    error::StageError,
    event::Stage,
    files::StageSnapshot,
    hold::{Held, HoldPolicy, HoldReason},
    journal::{Turn, read_turns},
    listing::{Shrunk, check_listings},
    paths::{Counts, StagePaths},
    retry::RetryPolicy,
    select::{Holdings, Mode, Request, Selection, select},
};

/// How an execution of a stage goes about its work.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// Which runs.
    pub mode: Mode,
    /// Runs an execution when incremental, ten times that otherwise; 5.
    pub batch_size: u64,
    /// Runs worked on at once; 2. At least 1.
    pub parallel_workers: usize,
    /// What to do about errors.
    pub retry: RetryPolicy,
    /// By how much a listing may shrink against the last known count; 10 %.
    pub max_shrink_percent: u8,
    /// Only these runs; `None` for no such limit.
    pub only: Option<RunSet>,
    /// Which runs the import holds back; none.
    pub hold: HoldPolicy,
    /// Runs that somebody has acknowledged as missing: the contiguous mark passes them.
    pub acknowledged: RunSet,
}

impl StageOptions {
    pub(crate) fn request(&self) -> Request {
        Request { only: self.only.clone(), ..Request::new(self.mode, self.batch_size) }
    }

    /// Whether nobody has asked for other runs.
    pub(crate) fn names(&self, run: RunNumber) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(run))
    }
}

impl Default for StageOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Full,
            batch_size: 5,
            parallel_workers: 2,
            retry: RetryPolicy::default(),
            max_shrink_percent: 10,
            only: None,
            hold: HoldPolicy::default(),
            acknowledged: RunSet::new(),
        }
    }
}

/// What the two sides hold, what cannot be used included.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) holdings: Holdings,
    /// Everything in the source, half-archived runs included.
    pub(crate) source_runs: u64,
    /// Everything in the destination, half-archived runs included.
    pub(crate) present: RunSet,
    /// The runs that are held back.
    pub(crate) held: Held,
    /// In which order the failed runs were given up.
    pub(crate) turns: BTreeMap<RunNumber, Turn>,
}

impl Listing {
    /// What is wanted of these, but for what is held back.
    pub(crate) fn request(&self, options: &StageOptions) -> Request {
        Request { turns: self.turns.clone(), ..options.request() }
    }

    /// Who is worked on after whom: the lowest first. Those that a store refused come behind, since a few of them in a
    /// row stop the stage, the one that was tried last at the end; and last those that are to be alone.
    pub(crate) fn queue(&self, selection: &Selection) -> VecDeque<RunNumber> {
        let refused = |run: &RunNumber| self.turns.get(run).filter(|turn| turn.concerns_store);
        let mut queue: Vec<RunNumber> = selection.work.difference(&selection.alone).iter().collect();
        queue.sort_by_key(|run| refused(run).map(|turn| turn.last_attempt));
        queue.into_iter().chain(selection.alone.iter()).collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts::new(self.source_runs, self.present.len())
    }
}

/// What a stage would do, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which stage.
    pub stage: Stage,
    /// The state as it is.
    pub state: StageSnapshot,
    /// What the two sides hold.
    pub holdings: Holdings,
    /// What is to be done.
    pub selection: Selection,
    /// Runs that are held back, since they are still being taken.
    pub held: BTreeMap<RunNumber, HoldReason>,
    /// Archived runs whose record has changed since, or may have: import, a stop time would be added; migration, a
    /// new version would be put. When refreshing, the named runs that would be looked at.
    pub renew: RunSet,
}

/// In which order the failed runs were given up, where that matters. Blocks.
pub(crate) fn turns(paths: &StagePaths, failed: &RunSet, mode: Mode) -> Result<BTreeMap<RunNumber, Turn>, OpenError> {
    match mode {
        Mode::Full | Mode::RetryFailed => read_turns(&paths.journal(), failed),
        Mode::Incremental | Mode::Refresh => Ok(BTreeMap::new()),
    }
}

impl Plan {
    pub(crate) fn new(
        stage: Stage,
        snapshot: StageSnapshot,
        listing: &Listing,
        options: &StageOptions,
        counts: PathBuf,
    ) -> Result<Self, StageError> {
        check_listings(snapshot.counts, listing.counts(), options.max_shrink_percent).map_err(
            |Shrunk { side, known_runs, found_runs }| StageError::Shrunk {
                stage,
                side,
                known_runs,
                found_runs,
                counts,
            },
        )?;
        let request = Request { held: listing.held.keys().copied().collect(), ..listing.request(options) };
        let selection = select(&snapshot, &listing.holdings, &request);
        let Listing { holdings, held, .. } = listing.clone();
        Ok(Self { stage, state: snapshot, holdings, selection, held, renew: RunSet::new() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn whom_a_store_refuses_stands_in_nobodys_way() {
        let turn = |last_attempt, concerns_store| Turn { last_attempt, concerns_store };
        let turns = [(100, turn(7, true)), (101, turn(2, false)), (102, turn(5, true)), (104, turn(6, true))];
        let listing = Listing {
            holdings: Holdings::default(),
            source_runs: 0,
            present: RunSet::new(),
            held: Held::new(),
            turns: turns.into_iter().map(|(run, turn)| (RunNumber::new(run), turn)).collect(),
        };
        let set = |runs: &str| runs.parse::<RunSet>().unwrap();
        let selection = Selection { work: set("100-105"), alone: set("103"), ..Selection::default() };
        let queue: Vec<u64> = listing.queue(&selection).into_iter().map(RunNumber::get).collect();
        assert_eq!(queue, [101, 105, 102, 104, 100, 103]);
    }
}
