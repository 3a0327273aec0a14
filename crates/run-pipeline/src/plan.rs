//! What an execution of a stage is to do: its options, what was listed, and what follows from both.

use std::{collections::BTreeMap, path::PathBuf};

use run_state::{RunNumber, RunSet};

use crate::{
    error::StageError,
    event::Stage,
    files::StageSnapshot,
    hold::{Held, HoldPolicy, HoldReason},
    listing::{Shrunk, check_listings},
    paths::Counts,
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
}

impl Listing {
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
        let request = Request { held: listing.held.keys().copied().collect(), ..options.request() };
        let selection = select(&snapshot, &listing.holdings, &request);
        let Listing { holdings, held, .. } = listing.clone();
        Ok(Self { stage, state: snapshot, holdings, selection, held })
    }
}
