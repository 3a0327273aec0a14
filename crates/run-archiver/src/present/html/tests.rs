//! The page: what it holds, how large it is, and that no text gets out of its place.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod browser;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use run_pipeline::{
    Counts, Stage, StageSnapshot,
    status::{Activity, Facts, FailureStory, Imported, StageFacts, StageHistory, Survey, Unreadable, analyse},
};
use run_state::{Marks, RunNumber, RunSet};

use super::{Picture, page};
use crate::cli::Report;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_795_000_000 + seconds)
}

fn picture(facts: Facts) -> Picture {
    let analysis = analyse(&facts, None);
    Picture {
        config: "/etc/run-archiver/config.yaml".into(),
        taken_at: at(3_600),
        report: Report { has_stores: true, has_states: true, html: None, verify: None },
        locations: [
            "/daq/run_records",
            "filesystemdb:///daq/artdaqdb",
            "https://dbdata:9443/icarus/app, folder f, object o",
        ]
        .map(str::to_owned),
        state_files: ["/var/lib/importer_state.json".into(), "/var/lib/migrator_state.json".into()],
        rows: analysis.gap_rows(&facts),
        survey: Survey {
            facts,
            blobs: BTreeMap::new(),
            digests: BTreeMap::new(),
            acknowledgements: run_state::Acknowledgements::default(),
        },
        analysis,
        verification: None,
    }
}

fn without(first: u64, last: u64, missing: impl Fn(u64) -> bool) -> RunSet {
    (first..=last).filter(|run| !missing(*run)).map(RunNumber::new).collect()
}

fn failures(stage: Stage, runs: &RunSet) -> StageHistory {
    let reason = |run: RunNumber| match run.get() % 3 {
        0 => "`/daq/run_records/board.fcl` is not valid FHiCL: line 12, column 4: expected a value after `:`",
        1 => "could not read `/daq/run_records/metadata.txt`: Permission denied (os error 13)",
        _ => "UconDB answered 503 Service Unavailable; the server says: <html><b>maintenance & backup</b></html>",
    };
    let story = |run: RunNumber| FailureStory {
        times: 1 + run.get() % 4,
        last_reason: reason(run).to_owned(),
        last_at: at(-60),
    };
    let activity = |run: RunNumber| Activity {
        at: at(-i64::try_from(run.get() % 600).unwrap()),
        stage,
        run,
        what: "failed",
        text: reason(run).to_owned(),
    };
    StageHistory {
        failures: runs.iter().map(|run| (run, story(run))).collect(),
        recent: runs.iter().take(20).map(activity).collect(),
        ..StageHistory::default()
    }
}

/// A hundred thousand runs with about three hundred gaps of every sort.
fn large() -> Facts {
    let (first, last) = (10_001, 110_000);
    let never = |run: u64| run % 787 < 3 || (60_000..61_200).contains(&run);
    let disk = without(first, last, |run| never(run) || run < 14_000);
    let import_failed = without(first, last, |run| never(run) || run % 997 != 5 || run < 14_000);
    let migrate_failed =
        without(first, last, |run| never(run) || run % 1_511 != 7 || import_failed.contains(run.into()));
    let complete = without(first, last - 300, never).difference(&import_failed);
    let vanished: RunSet = "88001-88420".parse().unwrap();
    let ucon = complete.difference(&migrate_failed).difference(&vanished).up_to((last - 700).into());
    let state = |contiguous: u64, attempted: u64, failed: &RunSet| StageSnapshot {
        marks: Marks::new(contiguous.into(), attempted.into()),
        failed: failed.clone(),
        counts: Some(Counts::new(disk.len(), complete.len())),
        ..StageSnapshot::default()
    };
    Facts {
        import: StageFacts {
            state: Ok(state(10_090, last - 300, &import_failed)),
            history: Ok(failures(Stage::Import, &import_failed)),
        },
        migrate: StageFacts {
            state: Ok(StageSnapshot { counts: None, ..state(10_090, last - 700, &migrate_failed) }),
            history: Ok(StageHistory { archived: vanished, ..failures(Stage::Migrate, &migrate_failed) }),
        },
        records: Ok(disk),
        artdaq: Ok(Imported { complete, partial: RunSet::new() }),
        ucon: Ok(ucon),
        acknowledged: Ok("60000-61199".parse().unwrap()),
        ..Facts::default()
    }
}

#[test]
fn a_hundred_thousand_runs_make_a_small_page() {
    let picture = picture(large());
    assert!(picture.rows.len() > 300, "{}", picture.rows.len());
    let html = page(&picture).unwrap();
    assert!(html.len() < 2_000_000, "{}", html.len());
    // Even where nothing is in order at all.
    let odd: RunSet = (0..50_000).map(|half| RunNumber::new(half * 2 + 1)).collect();
    let worst = page(&super::tests::picture(Facts { records: Ok(odd), ..Facts::default() })).unwrap();
    assert!(worst.len() < 2_000_000, "{}", worst.len());
}

#[test]
fn no_text_gets_out_of_its_place() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u{1b}[2J\u{202e}\"'&";
    let mut facts = Facts { records: Ok("100-103".parse().unwrap()), ..Facts::default() };
    facts.import.state.as_mut().unwrap().failed = "101".parse().unwrap();
    let story = FailureStory { times: 1, last_reason: evil.to_owned(), last_at: at(0) };
    facts.import.history.as_mut().unwrap().failures.insert(101.into(), story);
    facts.ucon = Err(Unreadable(evil.to_owned()));
    let mut picture = picture(facts);
    picture.config = evil.into();
    picture.locations = [evil; 3].map(str::to_owned);
    let html = page(&picture).unwrap();
    assert_eq!(html.matches("<script").count(), 2, "the page's own two");
    assert_eq!(html.matches("</script").count(), 2);
    for bad in ["<img", "onerror=alert(2)>", "\u{1b}", "\u{202e}"] {
        assert!(!html.contains(bad), "{bad:?}");
    }
    for (name, value) in [("src=", ""), ("href=", ""), ("url(", "")] {
        let uses = html.match_indices(name).map(|(place, _)| &html[place + name.len()..]);
        let mut outside = uses.filter(|rest| !["\"#", "\"data:,", "x onerror"].iter().any(|own| rest.starts_with(own)));
        assert_eq!(outside.next().map(|rest| &rest[..20.min(rest.len())]), None, "{name}{value}");
    }
}

#[test]
fn an_empty_archive_has_a_page_too() {
    let html = page(&picture(Facts::default())).unwrap();
    assert!(html.contains("Nothing is missing") && !html.contains("<script"), "{html}");
}
