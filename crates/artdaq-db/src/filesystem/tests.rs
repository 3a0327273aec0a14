//! An insertion is stopped before each of its steps in turn; the next start finds each run whole or absent.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use statefile::ManualClock;

use super::*;
use crate::conformance::{self, expected, flat};

fn surroundings() -> Surroundings {
    let clock = Arc::new(ManualClock::at("2026-11-21T00:37:50.675Z".parse().unwrap()));
    Surroundings { clock, oids: Arc::new(RandomOids), user: "daq".to_owned() }
}

/// A run with so few documents that every step can be tried.
fn sample(run: u64, configuration: &str, stop: Option<&str>) -> PreparedRun {
    let mut prepared = conformance::sample(run, configuration, stop);
    prepared.archive.documents.retain(|document| ["boot", "hashes", "schema"].contains(&document.entity.as_str()));
    prepared
}

fn open(root: &Path) -> FilesystemStore {
    FilesystemStore::of(Archive::new(root.to_owned(), format!("filesystemdb://{}", root.display()), surroundings()))
}

/// A store whose process dies before its step number `deadly`; tells how many steps were asked for.
fn dying(root: &Path, deadly: usize) -> (FilesystemStore, Arc<AtomicUsize>) {
    let store = open(root);
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&steps);
    let failpoint: disk::Failpoint = Arc::new(move |_, _| {
        let step = counted.fetch_add(1, Ordering::Relaxed);
        if step < deadly { Ok(()) } else { Err(io::Error::other("the process is dead")) }
    });
    store.archive.lock().unwrap().disk.failpoint = Some(failpoint);
    (store, steps)
}

fn batch() -> Arc<[PreparedRun]> {
    Arc::new([sample(100, "demo", Some("stop")), sample(101, "demo", None)])
}

/// Checks that the runs which are there are whole, and returns them.
async fn whole_runs(store: &FilesystemStore, what: &str) -> Vec<u64> {
    let runs = store.runs().await.unwrap();
    for (run, entry) in &runs {
        let stop = (run.get() != 101).then_some("stop");
        let export = store.export(*run).await.unwrap().unwrap();
        let expect = expected(&sample(run.get(), "demo", stop));
        assert!(entry.is_complete(), "{what}: {run}");
        assert_eq!(flat(&export), expect, "{what}: {run}");
    }
    runs.into_keys().map(RunNumber::get).collect()
}

fn leftovers(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for directory in [root.to_owned(), root.join("RunHistory"), root.join("SystemLayout"), root.join("SystemMetadata")]
    {
        let Ok(entries) = fs_err::read_dir(directory) else { continue };
        names.extend(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    }
    names.retain(|name| name.contains(".tmp") || name.contains("intent"));
    names
}

/// How the archive is brought in order after the death.
#[derive(Debug, Clone, Copy)]
enum Next {
    Insert,
    Repair,
    /// A writer that dies, too, at a step of its own, and then another.
    DieAgain(usize),
}

async fn die_and_go_on(has_earlier_run: bool, deadly: usize, next: Next) -> bool {
    let what = format!("earlier run: {has_earlier_run}, step {deadly}, then {next:?}");
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("archive");
    if has_earlier_run {
        open(&root).insert(Arc::new([sample(99, "demo", Some("stop"))])).await.unwrap()[0].as_ref().unwrap();
    }
    let (store, steps) = dying(&root, deadly);
    let outcome = store.insert(batch()).await;
    assert_eq!(outcome.is_err(), steps.load(Ordering::Relaxed) > deadly, "{what}");
    drop(store);

    let survivors = whole_runs(&open(&root), &what).await;
    assert_eq!(survivors.contains(&99), has_earlier_run, "{what}");
    if outcome.is_ok() {
        assert!(survivors.ends_with(&[100, 101]), "{what}");
    }
    match next {
        Next::Insert => {}
        Next::Repair => drop(open(&root).repair().await.unwrap()),
        Next::DieAgain(step) => {
            drop(dying(&root, step).0.insert(batch()).await);
            let now = whole_runs(&open(&root), &what).await;
            assert!(survivors.iter().all(|run| now.contains(run)), "{what}: {survivors:?} {now:?}");
        }
    }
    let store = open(&root);
    if matches!(next, Next::Repair) && root.exists() {
        whole_runs(&store, &what).await;
        assert!(store.survey().await.unwrap().is_sound(), "{what}");
        assert_eq!(leftovers(&root), Vec::<String>::new(), "{what}");
    }
    store.insert(batch()).await.unwrap().into_iter().for_each(|outcome| drop(outcome.unwrap()));
    let expect: &[u64] = if has_earlier_run { &[99, 100, 101] } else { &[100, 101] };
    assert_eq!(whole_runs(&store, &what).await, expect, "{what}");
    let survey = store.survey().await.unwrap();
    assert!(survey.is_sound(), "{what}: {survey:?}");
    assert_eq!(leftovers(&root), Vec::<String>::new(), "{what}");
    for (run, entry) in store.runs().await.unwrap() {
        let prepared = sample(run.get(), "demo", (run.get() != 101).then_some("stop"));
        let passes = prepared.archive.documents.len() + prepared.update.map_or(0, |pass| pass.documents.len());
        assert_eq!(entry.newest().unwrap().documents, passes, "{what}: {run} is stored once");
    }
    outcome.is_err()
}

#[tokio::test]
async fn death_at_any_step_leaves_whole_runs() {
    for (has_earlier_run, next) in [(false, Next::Insert), (true, Next::Insert), (true, Next::Repair)] {
        let mut step = 0;
        while die_and_go_on(has_earlier_run, step, next).await {
            step += 1;
        }
        assert!(step > 20, "only {step} steps");
    }
}

#[tokio::test]
async fn death_during_recovery_leaves_whole_runs() {
    // Steps of the first death: some documents written, some renamed, one index written, intent not removed.
    for first in [5, 12, 20, 22, 24] {
        for second in 0..8 {
            die_and_go_on(true, first, Next::DieAgain(second)).await;
        }
    }
}

#[tokio::test]
async fn an_error_that_passes_leaves_nothing_behind() {
    // The disk is full for one step, not for ever: the store puts the archive in order by itself.
    let mut step = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("archive");
        open(&root).insert(Arc::new([sample(99, "demo", Some("stop"))])).await.unwrap()[0].as_ref().unwrap();
        let store = open(&root);
        let steps = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&steps);
        store.archive.lock().unwrap().disk.failpoint = Some(Arc::new(move |_, _| {
            let is_full = counted.fetch_add(1, Ordering::Relaxed) == step;
            if is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }));
        let outcome = store.insert(batch()).await;
        if let Err(error) = &outcome {
            assert_eq!(error.class(), crate::ErrorClass::Transient);
        }
        whole_runs(&store, &format!("step {step}")).await;
        if outcome.is_err() {
            store.insert(batch()).await.unwrap();
        }
        assert_eq!(whole_runs(&store, &format!("step {step}")).await, [99, 100, 101]);
        assert!(store.survey().await.unwrap().is_sound(), "step {step}");
        assert_eq!(leftovers(&root), Vec::<String>::new(), "step {step}");
        if outcome.is_ok() {
            break;
        }
        step += 1;
    }
    assert!(step > 20, "only {step} steps");
}

#[test]
fn ids_that_are_taken_are_not_used() {
    /// Gives each id three times.
    struct Stuttering(AtomicUsize);
    impl OidSource for Stuttering {
        fn next(&self) -> io::Result<Oid> {
            let number = u8::try_from(self.0.fetch_add(1, Ordering::Relaxed) / 3).unwrap();
            Ok(Oid::from_random([number; 12]))
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("archive");
    // A document of somebody else, which no index names.
    let taken = document_path(&root, "RunHistory", &Oid::from_random([2; 12]));
    fs_err::create_dir_all(taken.parent().unwrap()).unwrap();
    fs_err::write(taken.with_file_name("index.json"), index::Index::default().to_bytes()).unwrap();
    fs_err::write(&taken, "somebody else's").unwrap();
    let surroundings = Surroundings { oids: Arc::new(Stuttering(AtomicUsize::new(0))), ..surroundings() };
    let mut archive = Archive::new(root, "filesystemdb:///x".to_owned(), surroundings);
    let prepared = [sample(100, "demo", None), sample(101, "demo", None)];
    let outcomes = store(&mut archive, &prepared, insert_all).unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(fs_err::read_to_string(taken).unwrap(), "somebody else's");
    assert_eq!(query::runs(&archive.snapshot().unwrap(), None).len(), 2);
}
