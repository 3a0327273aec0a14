//! Processes that are killed, and processes that import the same runs at the same time.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use artdaq_db::{ConfigStore as _, RunNumber, conformance};
use mongodb::bson::{Document, doc};
use run_record::prepare::PreparedRun;

use super::Scratch;

/// Tells the child where to write.
const TARGET: &str = "WAYMARK_TEST_MONGODB_TARGET";

/// Tells it where to stop; without it goes on for ever, above what is there.
const LAST: &str = "WAYMARK_TEST_MONGODB_LAST";

const RUNS_A_BATCH: u64 = 3;

/// Not a test by itself: the process that is killed, or that races.
#[tokio::test]
#[ignore = "started by the other tests of this file"]
#[expect(clippy::print_stdout, reason = "tells the parent how far it is")]
#[expect(clippy::disallowed_methods, reason = "how the parent reaches its child")]
async fn child() {
    let Ok(uri) = std::env::var(TARGET) else { return };
    let last: Option<u64> = std::env::var(LAST).ok().map(|last| last.parse().unwrap());
    let store = Scratch::at(&uri).await.store();
    let first = match last {
        Some(_) => 100,
        None => store.runs().await.unwrap().keys().last().map_or(100, |run| run.get() + 1),
    };
    println!("ready");
    for start in (first..=last.unwrap_or(u64::MAX - RUNS_A_BATCH)).step_by(3) {
        let batch: Arc<[PreparedRun]> =
            (start..start + RUNS_A_BATCH).map(|run| conformance::sample(run, "demo", Some("stop"))).collect();
        for outcome in store.insert(batch).await.unwrap() {
            outcome.unwrap();
        }
        println!("stored up to {}", start + RUNS_A_BATCH - 1);
    }
}

fn start(uri: &str, last: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "mongodb::crash::child", "--ignored", "--nocapture"]).env(TARGET, uri);
    if let Some(last) = last {
        command.env(LAST, last.to_string());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// When a child is killed, after some lines.
enum Moment {
    /// This much later.
    After(Duration),
    /// As soon as a document of the next batch is seen.
    InTheMiddle,
}

/// Runs a child until it has said `lines` lines and the moment has come, kills it, and returns the last run that it
/// reported.
async fn kill(scratch: &Scratch, lines: usize, moment: Moment) -> Option<u64> {
    let mut child = start(&scratch.uri, None);
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let reported = |line: &str| line.rsplit_once("stored up to ").map(|(_, run)| run.parse().unwrap());
    let mut last: Option<u64> = output.by_ref().filter_map(|line| reported(&line)).nth(lines - 1);
    match moment {
        Moment::After(time) => {
            let from = Instant::now();
            while from.elapsed() < time {
                std::hint::spin_loop();
            }
        }
        Moment::InTheMiddle => {
            let history = scratch.database.collection::<Document>("RunHistory");
            // Runs of one batch become visible together; what is seen of a later one is of a batch under way.
            let next = (last.unwrap() + 1).to_string();
            while history.find_one(doc! { "runs.name": &next }).await.unwrap().is_none() {}
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    last = output.filter_map(|line| reported(&line)).last().or(last);
    last
}

/// How long a child takes from one line to the next.
fn time_of_a_batch(uri: &str) -> Duration {
    const BATCHES: u32 = 10;
    let mut child = start(uri, None);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut times = lines.by_ref().filter(|line| line.contains("stored up to")).map(|_| Instant::now());
    let first = times.next().unwrap();
    let last = times.nth(BATCHES as usize - 1).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    last.duration_since(first) / BATCHES
}

/// How many documents a run has, whoever looks.
async fn documents(scratch: &Scratch, run: u64) -> u64 {
    let mut count = 0;
    for collection in ["RunHistory", "SystemLayout"] {
        let found = scratch.database.collection::<Document>(collection);
        count += found.count_documents(doc! { "runs.name": run.to_string() }).await.unwrap();
    }
    count
}

fn expected_documents(run: u64) -> u64 {
    let sample = conformance::sample(run, "demo", Some("stop"));
    (sample.archive.documents.len() + sample.update.unwrap().documents.len()).try_into().unwrap()
}

#[tokio::test]
async fn killed_insertions_leave_whole_runs() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    let one_batch = time_of_a_batch(&scratch.uri);
    let mut broken_off = 0;
    for round in 0..20_u32 {
        let moment = if round % 2 == 0 { Moment::After(one_batch * round / 20) } else { Moment::InTheMiddle };
        let last = kill(&scratch, 1 + round as usize % 3, moment).await.unwrap();
        let runs = store.runs().await.unwrap();
        assert!((100..=last).all(|run| runs.contains_key(&RunNumber::new(run))), "round {round}: up to {last}");
        for (run, entry) in &runs {
            assert!(entry.is_complete() && entry.is_amended(), "round {round}: {run} {entry:?}");
            assert_eq!(entry.newest().unwrap().documents as u64, expected_documents(run.get()), "round {round}: {run}");
        }
        for (run, _) in runs.iter().rev().take(6) {
            let export = store.export(*run).await.unwrap().unwrap();
            let expect = conformance::expected(&conformance::sample(run.get(), "demo", Some("stop")));
            assert_eq!(conformance::flat(&export), expect, "round {round}: run {run}");
        }
        let newest = runs.keys().last().unwrap().get();
        for run in newest + 1..newest + 1 + RUNS_A_BATCH {
            broken_off += u32::from((1..expected_documents(run)).contains(&documents(&scratch, run).await));
        }
    }
    // The same runs once more: what is there is kept, what was broken off is completed, nothing is there twice.
    let last = store.runs().await.unwrap().keys().last().unwrap().get() + RUNS_A_BATCH;
    let batch: Arc<[PreparedRun]> = (100..=last).map(|run| conformance::sample(run, "demo", Some("stop"))).collect();
    for outcome in store.insert(batch).await.unwrap() {
        outcome.unwrap();
    }
    for run in 100..=last {
        assert_eq!(documents(&scratch, run).await, expected_documents(run), "run {run} is stored exactly once");
    }
    let left = scratch.database.collection::<Document>("WaymarkIntents");
    assert_eq!(left.count_documents(doc! { "documents": { "$exists": true } }).await.unwrap(), 0);
    // Otherwise no kill has hit the middle of an insertion, and this test has shown nothing.
    assert!(broken_off > 0, "a batch takes {one_batch:?}");
    scratch.drop_database().await;
}

#[tokio::test]
async fn processes_that_import_the_same_runs_store_each_document_once() {
    let Some(scratch) = Scratch::new().await else { return };
    let last = 100 + 20 * RUNS_A_BATCH - 1;
    let mut racers: Vec<_> = (0..3).map(|_| start(&scratch.uri, Some(last))).collect();
    let store = scratch.store();
    // Whoever looks meanwhile sees whole runs.
    while racers.iter_mut().any(|racer| racer.try_wait().unwrap().is_none()) {
        for (run, entry) in store.runs().await.unwrap() {
            assert!(entry.is_complete() && entry.is_amended(), "{run} {entry:?}");
        }
    }
    for mut racer in racers {
        assert!(racer.wait().unwrap().success());
    }
    for run in 100..=last {
        assert_eq!(documents(&scratch, run).await, expected_documents(run), "run {run}");
        let export = store.export(RunNumber::new(run)).await.unwrap().unwrap();
        let expect = conformance::expected(&conformance::sample(run, "demo", Some("stop")));
        assert_eq!(conformance::flat(&export), expect, "run {run}");
    }
    scratch.drop_database().await;
}
