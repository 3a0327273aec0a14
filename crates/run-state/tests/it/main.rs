//! Marks, sets and logs against the guide's numbers and a naive oracle.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use run_state::{Acknowledgement, Acknowledgements, FailureLog, Marks, RunNumber, RunSet};
use statefile::Document;

fn set(text: &str) -> RunSet {
    text.parse().unwrap()
}

fn marks(text: &str) -> Marks {
    let (contiguous, attempted) = text.split_once('/').unwrap();
    Marks::new(contiguous.parse().unwrap(), attempted.parse().unwrap())
}

#[test]
fn marks_advance_over_contiguous_runs_only() {
    let check = |before: &str, archived: &str, attempted: u64, after: &str| {
        let mut marks = marks(before);
        marks.advance(&set(archived), attempted.into());
        assert_eq!(marks.to_string(), after, "{before} with {archived}, attempted {attempted}");
    };
    // before   archived               attempted  after
    check("0/0", "100-105", 105, "105/105"); // the guide's examples 1 to 3
    check("0/0", "100-102, 105-107", 107, "102/107");
    check("0/0", "100-101, 103-104, 106-107", 107, "101/107");
    check("100/100", "100-102, 104-105", 105, "102/105"); // 103 failed
    check("102/105", "100-105", 103, "105/105"); // the gap is filled: all runs behind it are passed
    check("12100/12150", "12000-12150", 12107, "12150/12150");
    check("107/107", "100-101", 101, "107/107"); // a mark never moves backwards
    check("107/107", "50, 100-107", 50, "107/107"); // a late run below everything
    check("5/7", "none", 0, "5/7");
    check("0/0", "1, 2026020110", 2_026_020_110, "1/2026020110"); // far apart costs nothing
}

#[test]
fn recovery_may_move_marks_backwards() {
    assert_eq!(marks("107/109").recovered(&set("100-102, 105"), &set("none")).to_string(), "102/105");
    assert_eq!(marks("107/109").recovered(&set("none"), &set("none")).to_string(), "0/0");
    assert_eq!(marks("0/0").recovered(&set("100-102, 105"), &set("103-104")).to_string(), "105/105");
}

#[test]
fn the_state_file_is_the_guides() {
    let text = "{\n  \"last_contiguous_run\": 12500,\n  \"last_attempted_run\": 12550\n}";
    let read = Marks::decode(text).unwrap();
    assert_eq!((read.to_string().as_str(), read.encode().unwrap().as_str()), ("12500/12550", text));
    let kept = Marks::decode("{\"note\": [1.50], \"last_attempted_run\": 3}").unwrap();
    assert_eq!(
        kept.encode().unwrap(),
        "{\n  \"last_contiguous_run\": 0,\n  \"last_attempted_run\": 3,\n  \"note\": [1.50]\n}"
    );
    for bad in ["", "[]", "{corrupted data", "{\"last_contiguous_run\": -1}", "{\"last_contiguous_run\": \"7\"}"] {
        assert!(Marks::decode(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_failure_log_is_sorted_and_says_where_it_is_wrong() {
    let check = |text: &str, expect: &str| assert_eq!(FailureLog::decode(text).unwrap().encode().unwrap(), expect);
    check("", "");
    check("12345\r\n\n 7 \n12345", "7\n12345\n");
    let error = FailureLog::decode("1\n2\nx3\n").unwrap_err();
    assert_eq!(error.to_string(), "line 3: `x3` is not a run number");
}

#[test]
fn run_sets_are_read_or_refused() {
    let check = |text: &str, expect: Option<&str>| {
        assert_eq!(text.parse::<RunSet>().ok().map(|set| set.to_string()).as_deref(), expect, "{text}");
    };
    check("100-105,107", Some("100-105, 107"));
    check("3, 1-2 , 9 - 9", Some("1-3, 9"));
    check("0-18446744073709551615", Some("0-18446744073709551615"));
    check("none", Some("none"));
    check("", None);
    check("5-3", None);
    check("+5", None);
    check("18446744073709551616", None);
}

#[test]
fn the_contiguous_mark_passes_what_is_acknowledged() {
    let check = |before: &str, archived: &str, acknowledged: &str, after: &str| {
        let mut marks = marks(before);
        marks.advance_over(&set(archived), &set(acknowledged), set(archived).last().unwrap_or_default());
        assert_eq!(marks.to_string(), after, "{before} with {archived} over {acknowledged}");
    };
    // before   archived        acknowledged    after
    check("102/107", "100-102, 105-107", "103-104", "107/107");
    check("102/107", "100-102, 105-107", "103", "102/107"); // one of the two is still missing
    check("0/0", "100-102", "103-200", "102/102"); // nothing behind the gap: what comes is not late
    check("0/0", "100-102", "50-60", "102/102"); // the sequence begins with what is archived
    check("0/0", "100-102", "98-99", "102/102");
    check("0/0", "none", "1-5", "0/0");
    check("107/107", "100-107", "none", "107/107");
}

#[test]
fn acknowledgements_expire_are_withdrawn_and_keep_what_they_do_not_know() {
    let time = |text: &str| text.parse().unwrap();
    let text = r#"{
  "version": "1.0",
  "acknowledgements": [
    {
      "runs": "103-104",
      "reason": "detector off",
      "person": "ada",
      "at": "2026-11-21T06:40:00Z",
      "until": "2027-01-01",
      "ticket": 1.50
    },
    {
      "runs": "200",
      "reason": "",
      "person": "",
      "at": "2026-11-22T00:00:00Z"
    }
  ],
  "note": {"b": 1, "a": 2}
}"#;
    let mut gaps = Acknowledgements::decode(text).unwrap();
    assert_eq!(gaps.encode().unwrap(), text);
    assert_eq!(gaps.active(time("2027-01-01T23:59:59Z")).to_string(), "103-104, 200");
    assert_eq!(gaps.active(time("2027-01-02T00:00:00Z")).to_string(), "200");
    assert_eq!(gaps.of(104.into(), time("2026-12-01T00:00:00Z")).unwrap().reason, "detector off");
    assert!(gaps.of(104.into(), time("2027-12-01T00:00:00Z")).is_none());
    assert_eq!(gaps.withdraw(&set("104-300")).to_string(), "104, 200");
    assert_eq!(gaps.list().len(), 1);
    gaps.add(Acknowledgement::new(set("103"), "again", "bob", time("2026-11-23T00:00:00Z"), None));
    assert_eq!(gaps.of(103.into(), time("2026-12-01T00:00:00Z")).unwrap().person, "bob");
    for bad in
        ["", "[]", "{}", r#"{"version": "1.0", "acknowledgements": [{"runs": "5-3", "at": "2026-11-21T06:40:00Z"}]}"#]
    {
        assert!(Acknowledgements::decode(bad).is_err(), "{bad}");
    }
}

proptest! {
    /// Everything that a set answers equals what a plain set of numbers answers.
    #[test]
    fn sets_agree_with_plain_sets(a in proptest::collection::btree_set(0_u64..40, 0..25), b in proptest::collection::btree_set(0_u64..40, 0..25)) {
        let of = |plain: &BTreeSet<u64>| plain.iter().copied().map(RunNumber::new).collect::<RunSet>();
        let back = |set: &RunSet| set.iter().map(RunNumber::get).collect::<BTreeSet<u64>>();
        let (x, y) = (of(&a), of(&b));
        prop_assert_eq!(back(&x.union(&y)), &a | &b);
        prop_assert_eq!(back(&x.difference(&y)), &a - &b);
        prop_assert_eq!(back(&x.intersection(&y)), &a & &b);
        prop_assert_eq!(back(&x.up_to(20.into())), a.range(..=20).copied().collect::<BTreeSet<_>>());
        let mut both = x.clone();
        both.extend(y.iter());
        prop_assert_eq!(back(&both), &a | &b);
        let removed: BTreeSet<u64> = b.iter().copied().filter(|run| both.remove((*run).into())).collect();
        prop_assert_eq!(&removed, &b);
        prop_assert_eq!(b.iter().filter(|run| both.remove((**run).into())).count(), 0);
        prop_assert_eq!(back(&both), &a - &b);
        let span = || a.first().copied().zip(a.last().copied()).map_or(0..0, |(first, last)| first..last + 1);
        prop_assert_eq!(back(&x.gaps()), span().filter(|run| !a.contains(run)).collect::<BTreeSet<_>>());
        // The guide's algorithm, step by step.
        let mut last = a.first().copied();
        for run in a.iter().skip(1) {
            if Some(*run) == last.map(|last| last + 1) { last = Some(*run) } else { break }
        }
        prop_assert_eq!(x.contiguous_end().map(RunNumber::get), last);
        prop_assert_eq!(x.to_string().parse::<RunSet>().unwrap(), x);
    }

    /// Whatever order runs are archived in, the contiguous mark ends where the guide's rule says, and
    /// never moves backwards on the way.
    #[test]
    fn marks_only_depend_on_what_is_archived(order in proptest::collection::vec(1_u64..30, 1..60)) {
        let (mut marks, mut archived) = (Marks::default(), RunSet::new());
        let mut highest = RunNumber::default();
        for run in order.into_iter().map(RunNumber::new) {
            archived.insert(run);
            let before = marks.clone();
            marks.advance(&archived, run);
            highest = highest.max(archived.contiguous_end().unwrap_or_default());
            prop_assert!(marks.last_contiguous_run >= before.last_contiguous_run);
            prop_assert_eq!(marks.last_contiguous_run, highest);
            prop_assert_eq!(marks.last_attempted_run, archived.last().unwrap());
        }
    }
}
