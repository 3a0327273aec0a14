//! Which runs a stage works on: a pure function of its state and of what the two sides hold.
//!
//! A run is *verified* when it is complete in the destination and neither in flight nor in the failure
//! log: those were not seen to the end, so that what lies in the destination may not be what was meant.
//!
//! | mode | runs, in the order of preference |
//! |---|---|
//! | full | interrupted, not verified and never failed, not verified and failed |
//! | incremental | interrupted, above both marks and neither verified nor failed |
//! | retry failed | those of the failure log |
//! | refresh | none: what is archived is looked at again |
//!
//! The lowest come first, up to the limit: `batch_size` runs when incremental, ten times that otherwise.
//! Failed runs stand behind the others in full mode, lest many that can never succeed keep it from ever
//! reaching a new one; and of the failed ones those come first whose last attempt is longest ago, so that each has its
//! turn, however many never succeed. Where somebody names runs, only those are worked on; what is noticed of others, and the
//! marks, do not depend on it.
//!
//! # Held back
//!
//! A run that is still being taken is not worked on, and that is no failure: above the mark it stays *fresh*, so that
//! no mark passes it. Runs above it are worked on all the same; until it is settled they are known by the archive (or
//! the failure log) alone, while the attempted mark waits below it.
//!
//! # Strays
//!
//! A number that stands far from all others (a directory `2026020110`) is archived as any run is, and moves no mark:
//! else whatever comes in the true series would lie below the mark, and count as late, for ever.
//!
//! # Runs below the mark
//!
//! Two kinds of runs would never be looked at again, so they go into the failure log first:
//!
//! * *late*: in the source, at or below the mark, not in the destination, in no log;
//! * *interrupted*: in flight when the last execution died, and not complete in the destination. Such a
//!   run stays in flight, and every execution tries it again until it is settled; one that failed or was
//!   cut off before comes after the others and by itself, since it may be what kills the program.

use std::collections::BTreeMap;

use run_state::{RunNumber, RunSet};

use crate::{files::StageSnapshot, journal::Turn, strays::strays};

/// Which runs are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Every run that is not archived.
    #[default]
    Full,
    /// Runs above both marks.
    Incremental,
    /// The runs of the failure log.
    RetryFailed,
    /// None: those that are named and archived are looked at again.
    Refresh,
}

impl Mode {
    /// How many runs one execution works on.
    ///
    /// ```
    /// use run_pipeline::Mode;
    /// assert_eq!(Mode::Incremental.limit(5), 5);
    /// assert_eq!(Mode::Full.limit(5), 50);
    /// ```
    pub fn limit(self, batch_size: u64) -> u64 {
        match self {
            Self::Incremental => batch_size,
            Self::Full | Self::RetryFailed | Self::Refresh => batch_size.saturating_mul(10),
        }
    }
}

/// What the two sides of a stage hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// The runs that can be taken from the source.
    pub available: RunSet,
    /// The runs that are complete in the destination.
    pub complete: RunSet,
}

/// What is wanted.
///
/// ```
/// use run_pipeline::{Mode, Request};
/// let request = Request { only: Some("100-120, 130".parse().unwrap()), ..Request::new(Mode::Incremental, 5) };
/// assert!(request.held.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Which runs.
    pub mode: Mode,
    /// Runs an execution when incremental, ten times that otherwise.
    pub batch_size: u64,
    /// Only these; `None` for no such limit.
    pub only: Option<RunSet>,
    /// Runs that are held back.
    pub held: RunSet,
    /// When each of the failed runs was given up last; who is not in here comes first.
    pub turns: BTreeMap<RunNumber, Turn>,
}

impl Request {
    /// Whatever the mode says.
    pub fn new(mode: Mode, batch_size: u64) -> Self {
        Self { mode, batch_size, only: None, held: RunSet::new(), turns: BTreeMap::new() }
    }

    /// Whether a run is not to be worked on.
    fn without(&self, runs: &RunSet) -> RunSet {
        let named = self.only.as_ref().map_or_else(|| runs.clone(), |only| runs.intersection(only));
        named.difference(&self.held)
    }

    /// The `places` runs whose turn it is: the lowest, but those that have failed in the order of their last attempts.
    fn next(&self, runs: &RunSet, places: u64) -> RunSet {
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        if self.turns.is_empty() || runs.len() <= places as u64 {
            return runs.iter().take(places).collect();
        }
        let mut queue: Vec<RunNumber> = runs.iter().collect();
        queue.sort_by_key(|run| self.turns.get(run).map(|turn| turn.last_attempt));
        queue.into_iter().take(places).collect()
    }
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Runs that appeared below the mark; they belong into the failure log.
    pub late: RunSet,
    /// Runs whose work was cut off; they belong into the failure log.
    pub interrupted: RunSet,
    /// Runs whose work was cut off when it was done but for the record of it; to be verified.
    pub unconfirmed: RunSet,
    /// The runs known to be archived.
    pub verified: RunSet,
    /// The runs to work on, lowest first.
    pub work: RunSet,
    /// Of these, the runs whose work was cut off before, though they failed already: each is worked on by
    /// itself and after the others, since one of them may be what kills the program.
    pub alone: RunSet,
    /// The wanted runs beyond the limit.
    pub beyond_limit: RunSet,
    /// Runs above the mark that no log mentions: no mark may pass one before it was attempted.
    pub fresh: RunSet,
    /// The highest run that counts as attempted before any work: what is archived already counts, as far
    /// as no fresh run stands before it.
    pub attempted: RunNumber,
    /// Runs that move no mark, since their numbers are far from all others.
    pub strays: RunSet,
    /// Runs that were named, and that nobody knows: neither side has them in full, and no list of the state names them.
    pub not_found: RunSet,
}

/// Selects the runs to work on.
///
/// ```
/// use run_pipeline::{Holdings, Mode, Request, StageSnapshot, select};
/// use run_state::Marks;
/// let state = StageSnapshot { marks: Marks::new(102.into(), 107.into()), ..StageSnapshot::default() };
/// let holdings = Holdings { available: "100-120".parse().unwrap(), complete: "100-102, 104-107".parse().unwrap() };
/// let selection = select(&state, &holdings, &Request::new(Mode::Incremental, 5));
/// assert_eq!(selection.work.to_string(), "108-112");
/// assert_eq!(selection.late.to_string(), "103");
/// ```
pub fn select(state: &StageSnapshot, holdings: &Holdings, request: &Request) -> Selection {
    let Holdings { available, complete } = holdings;
    let verified = complete.difference(&state.failed).difference(&state.in_flight);
    let interrupted = state.in_flight.difference(complete);
    let unconfirmed = state.in_flight.intersection(complete).difference(&state.failed);
    let alone = state.in_flight.intersection(&state.failed);

    let start = state.marks.incremental_start();
    let failed_or_cut = state.failed.union(&interrupted);
    let late = available.up_to(start).difference(complete).difference(&failed_or_cut);
    let failed = failed_or_cut.union(&late);

    let missing = available.difference(&verified);
    let above = missing.difference(&available.up_to(start));
    let fresh = above.difference(&failed);
    let known = verified.union(&failed).intersection(available).union(&interrupted);
    let strays = strays(&available.union(complete));
    let reached = below(&known.difference(&strays), fresh.difference(&strays).first()).last().unwrap_or_default();
    let attempted = state.marks.last_attempted_run.max(reached);
    let (mode, batch_size) = (request.mode, request.batch_size);
    let preferences = match mode {
        Mode::Full => vec![state.in_flight.clone(), missing.difference(&failed), missing],
        Mode::Incremental => vec![state.in_flight.clone(), fresh.clone()],
        Mode::RetryFailed => vec![failed.union(&unconfirmed)],
        Mode::Refresh => Vec::new(),
    };
    let mut work = RunSet::new();
    let mut wanted = RunSet::new();
    for runs in preferences.iter().map(|runs| request.without(runs)) {
        let places = mode.limit(batch_size).saturating_sub(work.len());
        work = work.union(&request.next(&runs.difference(&work), places));
        wanted = wanted.union(&runs);
    }
    let beyond_limit = wanted.difference(&work);
    let alone = alone.intersection(&work);
    let all =
        [available, complete, &failed, &state.in_flight].into_iter().fold(RunSet::new(), |all, runs| all.union(runs));
    let not_found = request.only.as_ref().filter(|_| mode != Mode::Refresh);
    let not_found = not_found.map_or_else(RunSet::new, |only| only.difference(&all));
    Selection {
        late,
        interrupted,
        unconfirmed,
        verified,
        work,
        alone,
        beyond_limit,
        fresh,
        attempted,
        strays,
        not_found,
    }
}

/// The runs below `bound`, or all where there is none.
pub(crate) fn below(runs: &RunSet, bound: Option<RunNumber>) -> RunSet {
    match bound {
        None => runs.clone(),
        Some(bound) => bound.get().checked_sub(1).map_or_else(RunSet::new, |last| runs.up_to(last.into())),
    }
}

#[cfg(test)]
mod tests;
