//! Tables side by side: which begins when, and which ends last.

use std::{cmp::Reverse, time::Duration};

use super::{Span, TablePlan};

/// The tables with work ahead in the order in which a run begins with them: those that are expected to take longest
/// first, else as they come.
pub(super) fn of(tables: &[TablePlan]) -> Vec<&TablePlan> {
    let mut order: Vec<&TablePlan> = tables.iter().filter(|table| table.forecast.is_some()).collect();
    order.sort_by_cached_key(|table| {
        let each = table.indexes.iter().filter_map(|index| index.forecast);
        Reverse(each.map(|forecast| forecast.seconds.middle()).sum::<Duration>())
    });
    order
}

/// When everything is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) seconds: Span,
    /// Where in the order the table stands that ends last.
    pub(super) last: Option<usize>,
}

/// Each table begins when one of `places` is free, in order.
pub(super) fn schedule(order: &[&TablePlan], places: usize) -> Schedule {
    let spans: Vec<Span> = order.iter().filter_map(|table| Some(table.forecast?.seconds)).collect();
    let (_, last) = ends(spans.iter().map(|span| span.high), places);
    Schedule { seconds: side_by_side(spans, places), last }
}

/// How long tables take side by side, each when one of `places` is free, in order.
pub(crate) fn side_by_side(tables: impl IntoIterator<Item = Span>, places: usize) -> Span {
    let spans: Vec<Span> = tables.into_iter().collect();
    let (low, _) = ends(spans.iter().map(|span| span.low), places);
    let (high, _) = ends(spans.iter().map(|span| span.high), places);
    Span { low, high }
}

/// When the last of `durations` ends, and which it is: the first, of several.
fn ends(durations: impl Iterator<Item = u64>, places: usize) -> (u64, Option<usize>) {
    let mut free_at: Vec<u64> = Vec::new();
    let (mut end, mut last) = (0, None);
    for (position, duration) in durations.enumerate() {
        let earliest = free_at.iter().enumerate().min_by_key(|(_, at)| **at).map(|(place, at)| (place, *at));
        let done = match earliest {
            Some((place, at)) if free_at.len() >= places.max(1) => {
                free_at[place] = at.saturating_add(duration);
                free_at[place]
            }
            _ => {
                free_at.push(duration);
                duration
            }
        };
        if last.is_none() || done > end {
            (end, last) = (done, Some(position));
        }
    }
    (end, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_wait_for_a_place() {
        let check = |durations: &[u64], places, expect| {
            assert_eq!(ends(durations.iter().copied(), places), expect, "{durations:?} in {places}");
        };
        check(&[], 3, (0, None));
        check(&[5, 9, 2], 3, (9, Some(1)));
        check(&[5, 9, 2], 1, (16, Some(2)));
        check(&[5, 9, 2], 2, (9, Some(1)));
        check(&[5, 9, 5], 2, (10, Some(2)));
        check(&[0, 0], 0, (0, Some(0)));
        check(&[u64::MAX, 1], 1, (u64::MAX, Some(0)));
    }
}
