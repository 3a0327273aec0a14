//! Sets of runs, as ranges: the cost depends on the number of gaps, never on how far apart runs lie.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use range_set_blaze::RangeSetBlaze;

use crate::{NotARunNumber, RunNumber};

/// A set of runs. Displayed `100-105, 107`; the empty set `none`.
///
/// ```
/// use run_state::{RunNumber, RunSet};
/// let archived: RunSet = "100-102, 105-107".parse().unwrap();
/// assert_eq!(archived.gaps().to_string(), "103-104");
/// assert_eq!(archived.contiguous_end(), Some(RunNumber::new(102)));
/// assert_eq!(archived.len(), 6);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSet(RangeSetBlaze<u64>);

impl RunSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a run; `false` where it was in the set.
    pub fn insert(&mut self, run: RunNumber) -> bool {
        self.0.insert(run.get())
    }

    /// Removes a run; `false` where it was not in the set.
    pub fn remove(&mut self, run: RunNumber) -> bool {
        self.0.remove(run.get())
    }

    /// Whether a run is in the set.
    pub fn contains(&self, run: RunNumber) -> bool {
        self.0.contains(run.get())
    }

    /// How many runs there are, at most `u64::MAX`.
    pub fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Whether there is no run.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest run.
    pub fn first(&self) -> Option<RunNumber> {
        self.0.first().map(RunNumber::new)
    }

    /// The highest run.
    pub fn last(&self) -> Option<RunNumber> {
        self.0.last().map(RunNumber::new)
    }

    /// The runs, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = RunNumber> + '_ {
        self.0.iter().map(RunNumber::new)
    }

    /// The unbroken sequences, lowest first.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<RunNumber>> + '_ {
        self.0.ranges().map(|range| RunNumber::new(*range.start())..=RunNumber::new(*range.end()))
    }

    /// The runs of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    /// The runs of this set that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The runs of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// The runs of this set up to `last`, which is included.
    #[must_use]
    pub fn up_to(&self, last: RunNumber) -> Self {
        Self(&self.0 & &RangeSetBlaze::from_iter([0..=last.get()]))
    }

    /// The numbers between the lowest and the highest run that are not in the set.
    #[must_use]
    pub fn gaps(&self) -> Self {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return Self::new() };
        Self(&RangeSetBlaze::from_iter([first..=last]) - &self.0)
    }

    /// The end of the unbroken sequence that starts at the lowest run.
    pub fn contiguous_end(&self) -> Option<RunNumber> {
        self.ranges().next().map(|range| *range.end())
    }

    /// As [`contiguous_end`](Self::contiguous_end), where gaps that are `acknowledged` break nothing.
    ///
    /// It is always a run of this set: an acknowledged gap is passed when there is something behind it.
    ///
    /// ```
    /// use run_state::RunSet;
    /// let archived: RunSet = "100-102, 105-107, 109".parse().unwrap();
    /// let end = |acknowledged: &str| archived.contiguous_end_over(&acknowledged.parse().unwrap()).unwrap().get();
    /// assert_eq!(end("none"), 102);
    /// assert_eq!(end("103-104"), 107);
    /// assert_eq!(end("103"), 102);
    /// assert_eq!(end("50, 103-104, 108, 110-200"), 109);
    /// ```
    pub fn contiguous_end_over(&self, acknowledged: &Self) -> Option<RunNumber> {
        let first = self.first()?;
        // What is acknowledged below the first run is not the begin of the sequence.
        let passable = self.union(&acknowledged.difference(&acknowledged.up_to(first)));
        self.up_to(passable.contiguous_end()?).last()
    }
}

impl FromIterator<RunNumber> for RunSet {
    fn from_iter<I: IntoIterator<Item = RunNumber>>(runs: I) -> Self {
        Self(runs.into_iter().map(RunNumber::get).collect())
    }
}

impl Extend<RunNumber> for RunSet {
    fn extend<I: IntoIterator<Item = RunNumber>>(&mut self, runs: I) {
        self.0.extend(runs.into_iter().map(RunNumber::get));
    }
}

impl fmt::Display for RunSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (position, range) in self.0.ranges().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            if range.start() == range.end() {
                write!(f, "{separator}{}", range.start())?;
            } else {
                write!(f, "{separator}{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

/// A text that is not a set of runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseRunSetError {
    /// A part is neither a number nor a range.
    #[error("write runs as 100-120,130")]
    Number(#[from] NotARunNumber),
    /// A range ends before it starts.
    #[error("the range `{0}` ends before it starts")]
    Backwards(String),
}

impl FromStr for RunSet {
    type Err = ParseRunSetError;

    fn from_str(text: &str) -> Result<Self, ParseRunSetError> {
        let mut set = RangeSetBlaze::new();
        if text.trim() == "none" {
            return Ok(Self(set));
        }
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (RunNumber, RunNumber) = (first.trim().parse()?, last.trim().parse()?);
            if last < first {
                return Err(ParseRunSetError::Backwards(part.to_owned()));
            }
            set.ranges_insert(first.get()..=last.get());
        }
        Ok(Self(set))
    }
}
