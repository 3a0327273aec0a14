//! Numbers that stand too far from all others to be runs of the same series.
//!
//! A directory `2026020110` among runs of four digits is somebody's note of a date. Taken for a run it
//! would be the end of a gap of two billion runs.

use run_state::{RunNumber, RunSet};

/// Runs this far apart may be strangers. Real series jump by some thousands at most.
const FAR_RUNS: u64 = 1_000_000;

/// As many strangers together are no oversight, but a series of their own.
const STRAYS_MAX: u64 = 10;

/// The runs of `all` that stand more than a million numbers from the largest cluster, alone or by a few.
///
/// A cluster that has more than ten runs, and more than a thousandth of the largest, is a series of its own: the way
/// there is an ordinary gap.
pub(crate) fn strays(all: &RunSet) -> RunSet {
    let mut clusters: Vec<(RunNumber, RunNumber, u64)> = Vec::new();
    for range in all.ranges() {
        let (start, end) = (*range.start(), *range.end());
        let count = (end.get() - start.get()).saturating_add(1);
        match clusters.last_mut() {
            Some((_, last, runs)) if start.get() - last.get() <= FAR_RUNS => (*last, *runs) = (end, *runs + count),
            _ => clusters.push((start, end, count)),
        }
    }
    // Of equally large ones the lowest: nobody writes numbers that are too low by a million.
    let Some(largest) = clusters.iter().map(|(_, _, runs)| *runs).max() else { return RunSet::new() };
    let main = clusters.iter().position(|(_, _, runs)| *runs == largest);
    let most = STRAYS_MAX.max(largest / 1000);
    let is_stray = |index: usize, runs: u64| Some(index) != main && runs <= most && runs <= largest;
    let mut strays = RunSet::new();
    for (index, (start, end, runs)) in clusters.into_iter().enumerate() {
        if is_stray(index, runs) {
            strays = strays.union(&between(all, start, end));
        }
    }
    strays
}

/// The runs of a set from `first` to `last`, both included.
pub(crate) fn between(runs: &RunSet, first: RunNumber, last: RunNumber) -> RunSet {
    let upper = runs.up_to(last);
    match first.get().checked_sub(1) {
        None => upper,
        Some(below) => upper.difference(&runs.up_to(below.into())),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn far_from_all_others_is_stray() {
        let check = |all: &str, expect: &str| {
            assert_eq!(strays(&all.parse().unwrap()).to_string(), expect, "{all}");
        };
        check("none", "none");
        check("7", "none");
        check("1000-1005, 2026020110", "2026020110");
        check("7, 2026020110", "2026020110");
        check("1000-1005, 50000", "none"); // a jump, as series make them
        check("1000-1005, 20260201-20260203", "20260201-20260203");
        check("3, 2026020110-2026020199", "3");
        check("1-1000000, 2026020110, 18446744073709551615", "2026020110, 18446744073709551615");
        check("1-1000, 5000001-5000100", "none"); // a series of its own
        check("1-1000000, 5000001-5000100", "5000001-5000100");
        check("1, 900001, 1800001, 2700001", "none"); // sparse, and never far from a neighbour
    }
}
