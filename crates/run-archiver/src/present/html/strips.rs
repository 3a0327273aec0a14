//! One strip a store: where it has runs, where it has none, and why.

use std::{fmt::Write as _, ops::RangeInclusive};

use run_pipeline::status::{Store, Weight};
use run_state::{RunNumber, RunSet};
use serde_json::{Value, json};

use super::{class, clean};
use crate::present::status::{Picture, runs};

/// Units from left to right; about the pixels of a wide screen.
pub(super) const WIDTH: u64 = 1600;

/// The least width of a gap, in tenths of a unit: a gap of one run must be seen.
const GAP_TENTHS: u64 = 16;

/// More ranges than that are not handed to the script, which then zooms into the drawing as it is.
const DATA_RANGES_MAX: usize = 20_000;

pub(super) struct Strip {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) total: String,
    pub(super) remark: String,
    pub(super) error: Option<String>,
    pub(super) covered: String,
    pub(super) holes: String,
    pub(super) fine: String,
    pub(super) work: String,
    pub(super) wrong: String,
}

pub(super) struct Drawing {
    /// The runs from left to right; `None` where there is none.
    pub(super) axis: Option<RangeInclusive<u64>>,
    pub(super) strips: Vec<Strip>,
    /// For the script: JSON of numbers alone.
    pub(super) data: String,
}

impl Drawing {
    /// Run numbers at even distances.
    pub(super) fn ticks(&self, count: u64) -> Vec<u64> {
        let Some(axis) = &self.axis else { return Vec::new() };
        let (lo, span) = (u128::from(*axis.start()), u128::from(axis.end() - axis.start()));
        let tick = |index: u64| u64::try_from(lo + span * u128::from(index) / u128::from(count)).unwrap_or(u64::MAX);
        (0..=count).map(tick).collect()
    }
}

/// What one strip shows, as ranges.
struct Layers {
    covered: RunSet,
    holes: RunSet,
    fine: RunSet,
    work: RunSet,
    wrong: RunSet,
}

/// Draws the strips of all stores over the same range.
pub(super) fn draw(picture: &Picture) -> Drawing {
    let stores = &picture.analysis.stores;
    let strays = stores.iter().fold(RunSet::new(), |all, store| all.union(&store.strays));
    let all =
        stores.iter().filter_map(|store| store.runs.as_ref().ok()).fold(RunSet::new(), |all, runs| all.union(runs));
    // Runs that vanished from every store lie outside perhaps.
    let ends: RunSet = picture.rows.iter().flat_map(|row| [*row.runs.start(), *row.runs.end()]).collect();
    let all = all.union(&ends.difference(&strays));
    let axis = all.first().zip(all.last()).map(|(lo, hi)| lo.get()..=hi.get());
    let whole = all.union(&all.gaps());
    let mut strips = Vec::new();
    let mut data = Vec::new();
    for report in stores {
        let layers = layers(picture, report.store, &whole);
        strips.push(strip(picture, report, axis.as_ref(), &layers));
        if report.runs.is_ok() {
            data.push(layers);
        }
    }
    Drawing { data: script_data(axis.as_ref(), &data), axis, strips }
}

fn layers(picture: &Picture, store: Store, whole: &RunSet) -> Layers {
    let report = &picture.analysis.stores[store as usize];
    let found = report.runs.clone().unwrap_or_default().difference(&report.partial);
    let hull = found.union(&found.gaps());
    let of = |weight: Weight| {
        let groups = picture.analysis.groups.iter();
        let chosen = groups.filter(|group| group.missing_in == store && group.weight() == weight);
        chosen.fold(RunSet::new(), |all, group| all.union(&group.runs)).intersection(whole)
    };
    Layers {
        holes: whole.difference(&found),
        covered: hull,
        fine: of(Weight::Fine),
        work: of(Weight::Work),
        wrong: of(Weight::Wrong),
    }
}

fn strip(
    picture: &Picture,
    report: &run_pipeline::status::StoreReport,
    axis: Option<&RangeInclusive<u64>>,
    layers: &Layers,
) -> Strip {
    let found = report.runs.clone().unwrap_or_default();
    let range = found.first().zip(found.last()).map_or_else(String::new, |(lo, hi)| format!("{lo} to {hi}, "));
    let gaps = found.gaps().len();
    let gaps = if gaps == 0 { "no gap".to_owned() } else { format!("{} not there between", runs(gaps)) };
    let path = |set: &RunSet, least| axis.map_or_else(String::new, |axis| path(set, axis, least));
    let name = report.store.to_string();
    Strip {
        name: if report.store == Store::Records { "Filesystem".to_owned() } else { name },
        location: clean(picture.location(report.store)),
        total: runs(found.len() - report.partial.len()),
        remark: if found.is_empty() { "empty".to_owned() } else { format!("{range}{gaps}") },
        error: report.runs.as_ref().err().map(|error| format!("could not be read: {}", clean(&error.0))),
        covered: path(&layers.covered, 0),
        holes: path(&layers.holes, GAP_TENTHS),
        fine: path(&layers.fine, GAP_TENTHS),
        work: path(&layers.work, GAP_TENTHS),
        wrong: path(&layers.wrong, GAP_TENTHS),
    }
}

/// The boxes of the ranges, in tenths of a unit; what cannot be told apart is one box.
fn boxes(set: &RunSet, axis: &RangeInclusive<u64>, least: u64) -> Vec<(u64, u64)> {
    let (lo, runs) = (*axis.start(), u128::from(axis.end() - axis.start()) + 1);
    let tenths = WIDTH * 10;
    let at = |run: u128| u64::try_from(run * u128::from(tenths) / runs).unwrap_or(tenths).min(tenths);
    let mut boxes: Vec<(u64, u64)> = Vec::new();
    for range in set.ranges() {
        let (start, end) = (at(offset(*range.start(), lo)), at(offset(*range.end(), lo) + 1));
        let end = end.max(start + least);
        match boxes.last_mut() {
            Some((_, right)) if start <= *right => *right = (*right).max(end),
            _ => boxes.push((start, end)),
        }
    }
    boxes
}

fn offset(run: RunNumber, lo: u64) -> u128 {
    u128::from(run.get().saturating_sub(lo))
}

fn path(set: &RunSet, axis: &RangeInclusive<u64>, least: u64) -> String {
    let units = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    boxes(set, axis, least).into_iter().fold(String::new(), |mut path, (start, end)| {
        // Writing to a String does not fail.
        let _ = write!(path, "M{0} 0H{1}V24H{0}z", units(start), units(end));
        path
    })
}

/// Numbers alone: no text that could end the script element.
fn script_data(axis: Option<&RangeInclusive<u64>>, layers: &[Layers]) -> String {
    let Some(axis) = axis else { return String::new() };
    let sets = |layers: &Layers| {
        [layers.covered.clone(), layers.holes.clone(), layers.fine.clone(), layers.work.clone(), layers.wrong.clone()]
    };
    let count: usize = layers.iter().flat_map(sets).map(|set| set.ranges().count()).sum();
    let is_exact = count <= DATA_RANGES_MAX;
    let flat = |set: RunSet| -> Value {
        if is_exact {
            return set.ranges().flat_map(|range| [range.start().get(), range.end().get()]).collect();
        }
        // As exact as the drawing.
        let (lo, runs) = (*axis.start(), u128::from(axis.end() - axis.start()) + 1);
        let back = |tenths: u64| {
            lo + u64::try_from(u128::from(tenths) * runs / u128::from(WIDTH * 10)).unwrap_or(u64::MAX - lo)
        };
        boxes(&set, axis, 0).into_iter().flat_map(|(start, end)| [back(start), back(end)]).collect()
    };
    let store = |layers: &Layers| {
        let [covered, holes, fine, work, wrong] = sets(layers).map(flat);
        json!({ "covered": covered, "holes": holes, class(Weight::Fine): fine, class(Weight::Work): work, class(Weight::Wrong): wrong })
    };
    let stores: Vec<Value> = layers.iter().map(store).collect();
    json!({ "lo": axis.start(), "hi": axis.end(), "width": WIDTH, "stores": stores }).to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn gaps_of_one_run_are_seen_and_neighbours_become_one() {
        let check = |runs: &str, axis: RangeInclusive<u64>, least, expect: &[(u64, u64)]| {
            assert_eq!(boxes(&runs.parse().unwrap(), &axis, least), expect, "{runs}");
        };
        check("none", 1..=10, 16, &[]);
        check("1-10", 1..=10, 0, &[(0, 16_000)]);
        check("1", 1..=1_000_000, 16, &[(0, 16)]);
        check("500000", 1..=1_000_000, 16, &[(7999, 8015)]);
        check("5, 7, 9", 1..=1_000_000, 16, &[(0, 16)]);
        check("0-18446744073709551615", 0..=u64::MAX, 0, &[(0, 16_000)]);
        assert_eq!(path(&"1-5".parse().unwrap(), &(1..=10), 0), "M0.0 0H800.0V24H0.0z");
    }
}
