//! A process that is killed at any moment leaves each run whole or absent.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use artdaq_db::{ConfigStore as _, FilesystemStore, RandomOids, RunNumber, conformance};

use crate::setup::{open, surroundings, uri};

/// Tells the child where to write.
const ROOT: &str = "WAYMARK_TEST_KILL_ROOT";

const RUNS_A_BATCH: u64 = 3;

/// Not a test by itself: the process that is killed.
#[tokio::test]
#[ignore = "started by killed_insertions_leave_whole_runs"]
#[expect(clippy::print_stdout, reason = "tells the parent how far it is")]
async fn child() {
    #[expect(clippy::disallowed_methods, reason = "how the parent reaches its child")]
    let Ok(root) = std::env::var(ROOT) else { return };
    let surroundings = artdaq_db::Surroundings { oids: Arc::new(RandomOids), ..surroundings() };
    let store = FilesystemStore::new(&uri(root.as_ref()), surroundings);
    let first = store.runs().await.unwrap().keys().last().map_or(100, |run| run.get() + 1);
    for start in (first..).step_by(3) {
        let batch: Vec<_> =
            (start..start + RUNS_A_BATCH).map(|run| conformance::sample(run, "demo", Some("stop"))).collect();
        store.insert(batch.into()).await.unwrap();
        println!("stored up to {}", start + RUNS_A_BATCH - 1);
    }
}

/// Runs a child until it has said `lines` lines, waits `more`, kills it, and returns the last run that it reported.
fn kill_after(root: &Path, lines: usize, more: Duration) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--ignored", "--nocapture"])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let reported = |line: &str| line.rsplit_once("stored up to ").map(|(_, run)| run.parse().unwrap());
    let mut last = output.by_ref().filter_map(|line| reported(&line)).nth(lines - 1);
    let from = Instant::now();
    while from.elapsed() < more {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    last = output.filter_map(|line| reported(&line)).last().or(last);
    last
}

#[tokio::test]
async fn killed_insertions_leave_whole_runs() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("archive");
    for round in 0..20_u32 {
        let reported = kill_after(&root, 1 + round as usize % 3, Duration::from_micros(u64::from(round) * 1_733));
        let store = open(&root);
        let runs = store.runs().await.unwrap();
        let last = reported.unwrap();
        assert!(
            (100..=last).all(|run| runs.contains_key(&RunNumber::new(run))),
            "round {round}: reported up to {last}"
        );
        for (run, entry) in &runs {
            assert!(entry.is_complete() && entry.is_amended(), "round {round}: {run} {entry:?}");
        }
        for (run, _) in runs.iter().rev().take(6) {
            let export = store.export(*run).await.unwrap().unwrap();
            let expect = conformance::expected(&conformance::sample(run.get(), "demo", Some("stop")));
            assert_eq!(conformance::flat(&export), expect, "round {round}: run {run}");
        }
    }
    // The next writer settles what the last child left; then index and directory agree to the document.
    let store =
        FilesystemStore::new(&uri(&root), artdaq_db::Surroundings { oids: Arc::new(RandomOids), ..surroundings() });
    store.insert(Arc::new([conformance::sample(7, "demo", None)])).await.unwrap()[0].as_ref().unwrap();
    let survey = store.survey().await.unwrap();
    assert!(survey.is_sound(), "{survey:?}");
    let leftovers: Vec<_> = crate::setup::tree(&root).into_keys().filter(|name| name.contains("tmp")).collect();
    assert_eq!(leftovers, Vec::<String>::new());
    for (run, entry) in store.runs().await.unwrap() {
        let documents = conformance::sample(run.get(), "demo", Some("stop"));
        let expect = documents.archive.documents.len()
            + if run.get() == 7 { 0 } else { documents.update.unwrap().documents.len() };
        assert_eq!(entry.newest().unwrap().documents, expect, "run {run} is stored exactly once");
    }
}
