//! Single cases: marks and logs against reality.

use run_state::{Marks, RunSet};

use super::super::{Advice, Cause, Facts, Imported, MarkCheck, StageFacts, Store, Unreadable, Weight, analyse};
use crate::{Counts, Stage, StageSnapshot};

fn runs(text: &str) -> RunSet {
    text.parse().unwrap()
}

/// Facts of an import whose runs are all migrated.
fn facts(marks: &str, failed: &str, disk: &str, artdaq: &str) -> Facts {
    let (contiguous, attempted) = marks.split_once('/').unwrap();
    let number = |text: &str| text.parse().unwrap();
    let state = |failed| StageSnapshot {
        marks: Marks::new(number(contiguous), number(attempted)),
        failed,
        ..StageSnapshot::default()
    };
    Facts {
        records: Ok(runs(disk)),
        artdaq: Ok(Imported { complete: runs(artdaq), ..Imported::default() }),
        ucon: Ok(runs(artdaq)),
        import: StageFacts { state: Ok(state(runs(failed))), ..StageFacts::default() },
        migrate: StageFacts { state: Ok(state(RunSet::new())), ..StageFacts::default() },
        ..Facts::default()
    }
}

#[test]
fn marks_are_compared_with_reality() {
    use MarkCheck::{Ahead, Behind, PastGaps, Right};
    #[rustfmt::skip]
    let rows = [
        // marks       log         on disk             archived            contiguous attempted
        ("105/105",    "none",     "100-105",          "100-105",          Right,     Right),
        ("0/0",        "none",     "none",             "none",             Right,     Right),
        ("0/0",        "none",     "100-105",          "none",             Right,     Right),
        ("0/0",        "none",     "100-105",          "100-105",          Behind,    Behind),   // scenario 1
        ("12100/12150", "12101, 12103, 12107", "12000-12150", "12000-12100, 12102, 12104-12106, 12108-12150", Right, Right), // scenario 3
        ("102/105",    "103",      "100-105",          "100-105",          Right,     Right),    // present and not verified
        ("102/105",    "none",     "100-105",          "100-105",          Behind,    Right),    // the gap was filled by hand
        ("102/105",    "none",     "100-109",          "100-109",          Behind,    Behind),
        ("107/107",    "none",     "100-107",          "100-102, 105-107", Ahead,     Right),    // 103 and 104 are lost
        ("107/107",    "none",     "100-102, 105-107", "100-102, 105-107", PastGaps,  Right),
        ("105/105",    "95",       "90, 95, 100-105",  "90, 100-105",      PastGaps,  Right),    // late and low
        ("950/950",    "none",     "100-105",          "100-105",          Ahead,     Ahead),
        ("105/950",    "none",     "100-105",          "100-105",          Right,     Ahead),
        ("105/106",    "106",      "100-106",          "100-105",          Right,     Right),
        ("105/105",    "none",     "100-105",          "none",             Ahead,     Right),    // everything is lost
    ];
    for (marks, failed, disk, artdaq, contiguous, attempted) in rows {
        let analysis = analyse(&facts(marks, failed, disk, artdaq), None);
        let state = &analysis.states[0];
        assert_eq!((state.contiguous, state.attempted), (contiguous, attempted), "{marks} {failed} {disk} {artdaq}");
        let wants = [contiguous, attempted].iter().any(|check| matches!(check, Ahead | Behind));
        assert_eq!(
            analysis.advice.contains(&Advice::Recover(Stage::Import)),
            wants,
            "{marks} {failed} {disk} {artdaq}"
        );
    }
}

#[test]
fn the_failure_log_is_compared_both_ways() {
    let mut facts = facts("102/108", "104-106, 108", "100-108", "100-102, 104, 107");
    facts.records = Ok(runs("100-105, 107-108"));
    facts.migrate.state.as_mut().unwrap().marks = Marks::new(102.into(), 107.into());
    let analysis = analyse(&facts, None);
    let state = &analysis.states[0];
    assert_eq!(state.logged_and_present.to_string(), "104");
    assert_eq!(state.logged_without_source.to_string(), "106");
    assert_eq!(state.not_logged.to_string(), "103");
    assert_eq!(state.logged_runs, 4);
    assert_eq!(analysis.weight, Weight::Work);
}

#[test]
fn nothing_is_concluded_from_what_could_not_be_read() {
    let unreadable = || Unreadable("no route to host".to_owned());
    let sound = facts("105/105", "none", "100-105", "100-105");
    for store in Store::ALL {
        let mut facts = sound.clone();
        match store {
            Store::Records => facts.records = Err(unreadable()),
            Store::Artdaq => facts.artdaq = Err(unreadable()),
            Store::Ucon => facts.ucon = Err(unreadable()),
        }
        let analysis = analyse(&facts, None);
        assert_eq!((analysis.weight, analysis.groups.len()), (Weight::Wrong, 0), "{store}");
        assert_eq!(analysis.advice, [Advice::LookAt(store)]);
    }
    let mut facts = sound.clone();
    facts.import.state = Err(unreadable());
    let analysis = analyse(&facts, None);
    assert_eq!((analysis.weight, analysis.groups.len()), (Weight::Wrong, 0));
    assert_eq!(analysis.advice, [Advice::RebuildState(Stage::Import)]);
    assert_eq!(analyse(&sound, None).weight, Weight::Fine);
}

#[test]
fn a_listing_that_shrank_is_not_believed() {
    let mut facts = facts("199/199", "none", "100-199", "100-189");
    let counts = |ucon| StageFacts {
        state: Ok(StageSnapshot { counts: Some(Counts::new(100, ucon)), ..StageSnapshot::default() }),
        ..StageFacts::default()
    };
    facts.migrate = counts(100);
    assert_eq!(facts.shrunk(Store::Ucon), None, "ten per cent are plausible");
    facts.migrate = counts(101);
    assert_eq!(facts.shrunk(Store::Ucon), Some((101, 90)));
}

#[test]
fn a_stray_directory_is_no_gap() {
    let facts = facts("105/105", "none", "100-105, 2026020110", "100-105");
    let analysis = analyse(&facts, None);
    assert_eq!(analysis.stores[0].strays.to_string(), "2026020110");
    assert_eq!(analysis.stores[0].gaps(), RunSet::new());
    assert_eq!(analysis.advice, [Advice::MoveAway(runs("2026020110"))]);
    assert_eq!(analysis.states[0].new, RunSet::new());
}

/// Whoever acknowledges more than is missing must not hide what is to be done.
#[test]
fn what_the_next_execution_takes_is_not_acknowledged_away() {
    let mut facts = facts("105/110", "110", "100-103, 107, 110-112", "100-103");
    facts.acknowledged = Ok(runs("104-200"));
    let analysis = analyse(&facts, None);
    let of = |cause| analysis.runs_of(cause).to_string();
    assert_eq!(of(Cause::Acknowledged), "104-110");
    assert_eq!(of(Cause::Waiting), "111-112");
    assert_eq!(analysis.weight, Weight::Work);
}
