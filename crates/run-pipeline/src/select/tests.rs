//! Rows and properties of the selection.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use run_state::Marks;

use super::*;

fn runs(text: &str) -> RunSet {
    text.parse().unwrap()
}

/// `contiguous/attempted`
fn marks(text: &str) -> Marks {
    let (contiguous, attempted) = text.split_once('/').unwrap();
    Marks::new(contiguous.parse().unwrap(), attempted.parse().unwrap())
}

#[test]
fn modes_and_marks() {
    // marks, log, in flight | available, complete | mode | work, late, interrupted
    #[rustfmt::skip]
    let rows = [
        ("0/0", "none", "none",           "100-105", "none",    Mode::Full,        "100-105",  "none", "none"),
        ("0/0", "none", "none",           "none",    "none",    Mode::Full,        "none",     "none", "none"),
        ("0/0", "none", "none",           "100-109", "none",    Mode::Incremental, "100-104",  "none", "none"),
        ("102/107", "none", "none",       "100-108", "100-107", Mode::Incremental, "108",      "none", "none"),
        // The mark alone decides, whatever the destination holds above it.
        ("102/107", "103", "none",        "100-108", "100-102, 104-107", Mode::Incremental, "108", "none", "none"),
        ("100/100", "none", "none",       "100-103", "100, 102", Mode::Incremental, "101, 103", "none", "none"),
        // Late: on disk, below the mark, nowhere else.
        ("102/107", "none", "none",       "100-107", "100-102, 104-107", Mode::Incremental, "none", "103", "none"),
        ("102/107", "none", "none",       "100-107", "100-102, 104-107", Mode::Full, "103", "103", "none"),
        ("102/107", "none", "none",       "100-107", "100-102, 104-107", Mode::RetryFailed, "103", "103", "none"),
        ("105/0", "none", "none",         "99-105",  "100-105", Mode::Incremental, "none", "99", "none"),
        // Interrupted: tried again at once, and below the mark from now on.
        ("102/102", "none", "103-104",    "100-105", "100-102", Mode::Incremental, "103-105", "none", "103-104"),
        ("102/102", "none", "103-104",    "100-105", "100-103", Mode::Incremental, "103-105", "none", "104"),
        ("102/102", "103", "103",         "100-105", "100-102", Mode::Incremental, "103-105", "none", "103"),
        // What lies below it and was never attempted (held back then, or nobody's wish) is as fresh as ever.
        ("102/102", "none", "104",        "100-105", "100-102", Mode::Incremental, "103-105", "none", "104"),
        ("102/102", "none", "104",        "100-103", "100-102", Mode::Incremental, "103-104", "none", "104"),
        // What failed above the mark, since the mark waits for a run below it, is not tried again by itself.
        ("102/102", "105", "none",        "100-106", "100-102, 104", Mode::Incremental, "103, 106", "none", "none"),
        ("102/102", "105", "none",        "100-106", "100-102, 104", Mode::Refresh, "none", "none", "none"),
        // What is in the log is not taken for archived.
        ("102/104", "103", "none",        "100-104", "100-104", Mode::Incremental, "none", "none", "none"),
        ("102/104", "103", "none",        "100-104", "100-104", Mode::RetryFailed, "103", "none", "none"),
        ("102/104", "103", "none",        "100-104", "100-104", Mode::Full, "103", "none", "none"),
        ("102/104", "103, 200", "none",   "100-104", "100-102", Mode::RetryFailed, "103-104, 200", "104", "none"),
    ];
    for (mark, failed, in_flight, available, complete, mode, work, late, interrupted) in rows {
        let state = StageSnapshot {
            marks: marks(mark),
            failed: runs(failed),
            in_flight: runs(in_flight),
            ..StageSnapshot::default()
        };
        let holdings = Holdings { available: runs(available), complete: runs(complete) };
        let found = select(&state, &holdings, &Request::new(mode, 5));
        let found = (found.work, found.late, found.interrupted);
        assert_eq!(found, (runs(work), runs(late), runs(interrupted)), "{state:?} {holdings:?} {mode:?}");
    }
}

#[test]
fn runs_are_held_back_or_not_asked_for_without_being_forgotten() {
    // marks, log | available, complete | held, only | work, beyond, fresh, attempted
    #[rustfmt::skip]
    let rows = [
        ("102/102", "none", "100-106", "100-102", "103", "none", "104-106", "none", "103-106", 102),
        ("102/102", "none", "100-106", "100-102, 104-105", "103", "none", "106", "none", "103, 106", 102),
        ("102/102", "104", "100-106", "100-102, 105", "106", "none", "103", "none", "103, 106", 102),
        ("102/102", "103-104", "100-106", "100-102, 105", "106", "none", "none", "none", "106", 105),
        ("102/102", "none", "100-120", "100-102", "none", "110-116, 200", "110-114", "115-116", "103-120", 102),
        ("102/102", "none", "100-120", "100-102, 110", "none", "110-111", "111", "none", "103-109, 111-120", 102),
        ("102/105", "104", "100-106", "100-103, 105", "none", "104", "none", "none", "106", 105),
    ];
    for (mark, failed, available, complete, held, only, work, beyond_limit, fresh, attempted) in rows {
        let state = StageSnapshot { marks: marks(mark), failed: runs(failed), ..StageSnapshot::default() };
        let holdings = Holdings { available: runs(available), complete: runs(complete) };
        let only = Some(runs(only)).filter(|only| !only.is_empty());
        let request = Request { held: runs(held), only, ..Request::new(Mode::Incremental, 5) };
        let found = select(&state, &holdings, &request);
        let found = (found.work, found.beyond_limit, found.fresh, found.attempted.get());
        assert_eq!(
            found,
            (runs(work), runs(beyond_limit), runs(fresh), attempted),
            "{state:?} {holdings:?} {request:?}"
        );
    }
}

#[test]
fn runs_that_always_fail_do_not_keep_full_mode_from_new_ones() {
    let state = StageSnapshot { marks: marks("0/60"), failed: runs("1-60"), ..StageSnapshot::default() };
    let holdings = Holdings { available: runs("1-70"), complete: RunSet::new() };
    let selection = select(&state, &holdings, &Request::new(Mode::Full, 5));
    assert_eq!((selection.work, selection.beyond_limit), (runs("1-40, 61-70"), runs("41-60")));
}

#[test]
fn of_failed_runs_those_come_first_that_wait_longest() {
    let state = StageSnapshot { marks: marks("0/60"), failed: runs("1-60"), ..StageSnapshot::default() };
    let holdings = Holdings { available: runs("1-60"), complete: RunSet::new() };
    // 1 to 20 were tried last, 60 before them, and of 58 nobody knows.
    let turn = |run: u64| Turn { last_attempt: if run <= 20 { 1000 + run } else { 100 - run }, concerns_store: false };
    let turns: BTreeMap<_, _> = (1..=60).filter(|run| *run != 58).map(|run| (run.into(), turn(run))).collect();
    for mode in [Mode::RetryFailed, Mode::Full] {
        let request = Request { turns: turns.clone(), ..Request::new(mode, 1) };
        let selection = select(&state, &holdings, &request);
        assert_eq!((selection.work, selection.beyond_limit), (runs("51-60"), runs("1-50")), "{mode:?}");
    }
}

fn some_runs() -> impl Strategy<Value = RunSet> {
    prop::collection::btree_set(1..40_u64, 0..20).prop_map(|runs| runs.into_iter().map(RunNumber::new).collect())
}

proptest! {
    #[test]
    fn no_run_is_forgotten(
        (available, complete, failed, in_flight) in (some_runs(), some_runs(), some_runs(), some_runs()),
        (contiguous, attempted) in (0..40_u64, 0..40_u64),
        mode in prop_oneof![Just(Mode::Full), Just(Mode::Incremental), Just(Mode::RetryFailed)],
        batch_size in 0..8_u64,
        (held, only) in (some_runs(), prop::option::of(some_runs())),
    ) {
        let marks = Marks::new(contiguous.into(), attempted.into());
        let state = StageSnapshot { marks, failed, in_flight, ..StageSnapshot::default() };
        let holdings = Holdings { available, complete };
        let request = Request { only, held, ..Request::new(mode, batch_size) };
        let selection = select(&state, &holdings, &request);
        let log = state.failed.union(&selection.late).union(&selection.interrupted);
        let cared_for = selection.verified.union(&log).union(&selection.unconfirmed).union(&selection.fresh);
        prop_assert!(holdings.available.difference(&cared_for).is_empty());
        // What is fresh is above everything that incremental mode will ever skip.
        let start = state.marks.incremental_start().max(selection.attempted);
        prop_assert!(selection.fresh.up_to(start).is_empty());
        prop_assert!(selection.work.len() <= mode.limit(batch_size));
        prop_assert!(selection.work.intersection(&selection.verified).is_empty());
        prop_assert_eq!(request.without(&selection.work), selection.work.clone());
        // Whatever is held back or not asked for, marks and notices are the same.
        let all = select(&state, &holdings, &Request::new(mode, batch_size));
        prop_assert_eq!((all.late, all.interrupted, all.attempted), (selection.late.clone(), selection.interrupted.clone(), selection.attempted));
        prop_assert!(selection.work.intersection(&selection.beyond_limit).is_empty());
        // Of the fresh runs the lowest are taken, but for those whose work was cut off.
        let taken = selection.work.intersection(&selection.fresh).difference(&state.in_flight);
        let left = request.without(&selection.fresh).difference(&selection.work);
        prop_assert!(left.is_empty() || taken.last() < left.first());
    }
}
