//! Archives as the genuine programs may leave them, in files written for this test.

use std::{path::Path, sync::Arc};

use artdaq_db::{
    ConfigError, ConfigStore as _, ErrorClass, FilesystemStore, Inserted, Refused, RunNumber, conformance,
    filesystem::{Filter, IndexState},
};
use fs_err as fs;

use crate::setup::{open, tree};

/// An archive with the runs 100, 101 and 102.
async fn sound(root: &Path) -> FilesystemStore {
    let store = open(root);
    let batch: Vec<_> = (100..103).map(|run| conformance::sample(run, "demo", Some("stop"))).collect();
    assert!(store.insert(batch.into()).await.unwrap().iter().all(Result::is_ok));
    store
}

fn sample_stopped_again(run: u64) -> run_record::prepare::PreparedRun {
    conformance::sample(run, "demo", Some("another stop"))
}

/// The file of a document of run 101.
async fn file_of(store: &FilesystemStore, entity: &str) -> std::path::PathBuf {
    let filter = Filter { run: Some("101".to_owned()), entity: Some(entity.to_owned()), ..Filter::default() };
    let (collection, oid) = store.find(filter).await.unwrap().remove(0);
    store.root().join(collection).join(format!("{oid}.json"))
}

/// Strikes documents off an index, as a genuine process that overwrites another's index does.
fn forget(store: &FilesystemStore, document: &Path) {
    let index = document.with_file_name("index.json");
    let oid = document.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(&index).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.contains(oid)).collect();
    // The writer leaves a comma behind an element that was not the last.
    let text = lines.join("\n").replace(",\n]", "\n]");
    fs::write(&index, text).unwrap();
    assert!(store.root().exists());
}

async fn is_whole(store: &FilesystemStore, run: u64) -> bool {
    let entry = store.runs().await.unwrap().remove(&RunNumber::new(run));
    let expect = conformance::expected(&conformance::sample(run, "demo", Some("stop")));
    let export = store.export(RunNumber::new(run)).await.unwrap();
    entry.is_some_and(|entry| entry.is_complete()) && export.is_some_and(|export| conformance::flat(&export) == expect)
}

#[tokio::test]
async fn the_layout_is_that_of_the_genuine_program() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("archive");
    sound(&root).await;
    let tree = tree(&root);
    let top: Vec<_> = tree.keys().filter(|name| !name.contains('/')).cloned().collect();
    assert_eq!(top, [".waymark.lock", "RunHistory", "SystemLayout", "SystemMetadata"]);
    let (name, record) = tree.iter().find(|(name, _)| name.starts_with("SystemMetadata/")).unwrap();
    let record = String::from_utf8(record.clone().unwrap()).unwrap();
    let oid = name.trim_start_matches("SystemMetadata/").trim_end_matches(".json");
    let start =
        format!("{{\"document\":{{\"name\":\"artdaq\",\"uri\":\"filesystemdb://{}\",\"locale\":", root.display());
    assert!(record.starts_with(&start), "{record}");
    let middle = "\"create_time\":\"2026-11-21T00:37:50.675+0000\",\"create_user\":\"daq\",\"uname\":{\"sysname\":";
    assert!(record.contains(middle), "{record}");
    assert!(record.ends_with(&format!("\"database_format\":3}},\"_id\": {{ \"$oid\":\"{oid}\"}}}}")), "{record}");
    let index = String::from_utf8(tree["SystemLayout/index.json"].clone().unwrap()).unwrap();
    assert!(index.starts_with("{\n\"ouid\" : [\n\""), "{index}");
    let expect = "\"aliases.active.name\" : {\n\n},\n\"runs.name\" : {\n\"100\" : [\n";
    assert!(index.contains(expect), "{index}");
    let end = "\"configurations.assigned\" : {\n\"100/demo\" : [\n\"2026-11-21T00:37:50.675+0000\"\n],\n\"101/demo\" : [\n\
               \"2026-11-21T00:37:50.675+0000\"\n],\n\"102/demo\" : [\n\"2026-11-21T00:37:50.675+0000\"\n]\n}\n}";
    assert!(index.ends_with(end), "{index}");
}

#[tokio::test]
async fn partial_runs_are_listed_as_incomplete_and_completed() {
    // The last documents that the genuine import of run 101 did not come to.
    for lost in [&["hashes", "RunHistory2"][..], &["hashes", "RunHistory2", "boot"]] {
        let directory = tempfile::tempdir().unwrap();
        let store = sound(&directory.path().join("archive")).await;
        let mut lost_documents = 0;
        for entity in lost {
            let path = file_of(&store, entity).await;
            forget(&store, &path);
            fs::remove_file(path).unwrap();
            lost_documents += 1;
        }
        // Its second schema.
        let schema = file_of(&store, "schema").await;
        forget(&store, &schema);
        fs::remove_file(schema).unwrap();

        let store = open(store.root());
        let runs = store.runs().await.unwrap();
        assert_eq!(runs.values().map(artdaq_db::RunEntry::is_complete).collect::<Vec<_>>(), [true, false, true]);
        let outcome = store.insert(Arc::new([conformance::sample(101, "demo", Some("stop"))])).await.unwrap().remove(0);
        let Ok(Inserted::Completed { documents, kept }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(documents, lost_documents);
        assert!(kept > 0);
        assert!(store.runs().await.unwrap()[&RunNumber::new(101)].is_complete());
        let export = store.export(RunNumber::new(101)).await.unwrap().unwrap();
        let texts = |flat: std::collections::BTreeMap<_, (String, String)>| {
            flat.into_iter().map(|(key, (_, text))| (key, text)).collect::<Vec<_>>()
        };
        let expect = conformance::expected(&conformance::sample(101, "demo", Some("stop")));
        assert_eq!(texts(conformance::flat(&export)), texts(expect));
    }
}

#[tokio::test]
async fn a_partial_run_with_other_content_gets_a_greater_version() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("archive"));
    let mut partial = conformance::sample(101, "demo", None);
    partial.archive.documents.retain(|document| document.entity != "hashes");
    let other = conformance::sample(999, "demo", None);
    let component = |document: &&run_record::prepare::PreparedDocument| document.entity == "component01";
    let replacement = other.archive.documents.iter().find(component).unwrap().clone();
    *partial.archive.documents.iter_mut().find(|document| document.entity == "component01").unwrap() = replacement;
    store.insert(Arc::new([partial])).await.unwrap()[0].as_ref().unwrap();
    assert!(!store.runs().await.unwrap()[&RunNumber::new(101)].is_complete());

    let whole = conformance::sample(101, "demo", None);
    let expect = whole.archive.documents.iter().find(component).unwrap().document.to_text();
    let outcome = store.insert(Arc::new([whole])).await.unwrap().remove(0);
    assert!(matches!(outcome, Ok(Inserted::Completed { documents: 2, .. })), "{outcome:?}");
    let export = store.export(RunNumber::new(101)).await.unwrap().unwrap();
    let found = export.documents.iter().find(|document| document.entity == "component01").unwrap();
    assert_eq!((found.version.as_str(), &found.text), ("101/demov1", &expect));
}

#[tokio::test]
async fn damaged_indexes_are_named_and_repaired() {
    type Damage = (&'static str, fn(&Path), IndexState);
    let damages: [Damage; 4] = [
        ("empty", |path| fs::write(path, "").unwrap(), IndexState::Damaged),
        ("cut off", |path| fs::write(path, &fs::read(path).unwrap()[..700]).unwrap(), IndexState::Damaged),
        ("no JSON", |path| fs::write(path, "{\"ouid\":[\"x\"]}").unwrap(), IndexState::Damaged),
        ("missing", |path| fs::remove_file(path).unwrap(), IndexState::Missing),
    ];
    for collection in ["RunHistory", "SystemLayout"] {
        for (what, damage, state) in damages {
            let directory = tempfile::tempdir().unwrap();
            let store = sound(&directory.path().join("archive")).await;
            let path = store.root().join(collection).join("index.json");
            damage(&path);
            let before = tree(store.root());
            // Whether the store has seen the sound index or not.
            for store in [&store, &open(store.root())] {
                let insert = store.insert(Arc::new([conformance::sample(103, "demo", None)])).await.unwrap_err();
                for error in [store.runs().await.unwrap_err(), insert] {
                    let text = error.to_string();
                    assert!(text.contains(path.to_str().unwrap()) && text.contains("repair"), "{what}: {text}");
                    assert!(error.is_repairable() && error.class() == ErrorClass::Permanent);
                }
            }
            assert_eq!(tree(store.root()), before, "{what}: a refused insertion changes nothing");
            let survey = store.survey().await.unwrap();
            let found = survey.collections.iter().find(|found| found.name == collection).unwrap();
            assert_eq!((found.index, found.unindexed > 0), (state, true), "{what}");
            assert_eq!(store.repair().await.unwrap(), survey, "{what}");
            assert!(store.survey().await.unwrap().is_sound());
            for run in 100..103 {
                assert!(is_whole(&store, run).await, "{what} {run}");
            }
            if state == IndexState::Damaged {
                let kept = store.root().join(format!(".waymark-{collection}-index.json.before-repair"));
                assert_eq!(Some(fs::read(kept).unwrap()), before[&format!("{collection}/index.json")]);
            }
        }
    }
}

#[tokio::test]
async fn documents_that_an_index_lacks_are_found_by_a_repair() {
    let directory = tempfile::tempdir().unwrap();
    let store = sound(&directory.path().join("archive")).await;
    for entity in ["hashes", "boot", "RunHistory2", "schema"] {
        let path = file_of(&store, entity).await;
        forget(&store, &path);
    }
    let store = open(store.root());
    assert!(!store.runs().await.unwrap()[&RunNumber::new(101)].is_complete());
    let survey = store.repair().await.unwrap();
    let unindexed: Vec<_> = survey.collections.iter().map(|found| (found.name.as_str(), found.unindexed)).collect();
    assert_eq!(unindexed, [("RunHistory", 3), ("SystemLayout", 1)]);
    assert!(is_whole(&store, 101).await);
    assert!(store.repair().await.unwrap().is_sound(), "a second repair has nothing to do");
}

#[tokio::test]
async fn a_document_that_is_gone_or_damaged_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let store = sound(&directory.path().join("archive")).await;
    let path = file_of(&store, "boot").await;
    let bytes = fs::read(&path).unwrap();
    for damaged in [&b""[..], &bytes[..bytes.len() / 2], b"{\"document\":{}}"] {
        fs::write(&path, damaged).unwrap();
        let error = store.export(RunNumber::new(101)).await.unwrap_err();
        assert!(matches!(&error, ConfigError::DocumentDamaged { path: named, .. } if *named == path), "{error:?}");
        assert!(is_whole(&store, 100).await, "other runs are not affected");
    }
    // Whoever wants to add to that run is refused, with the reason.
    let outcomes = store.amend(Arc::new([sample_stopped_again(101), sample_stopped_again(102)])).await.unwrap();
    assert!(outcomes[1].is_ok());
    assert!(matches!(&outcomes[0], Err(Refused::Unreadable { problem, .. }) if problem.contains("restore")));
    fs::remove_file(&path).unwrap();
    let error = store.export(RunNumber::new(101)).await.unwrap_err();
    assert!(matches!(&error, ConfigError::DocumentMissing { path: named } if *named == path), "{error:?}");
    assert!(error.is_repairable());
    let survey = store.repair().await.unwrap();
    assert_eq!(survey.collections[0].dangling, 1);
    store.export(RunNumber::new(101)).await.unwrap().unwrap();
    // A document that was cut off before it was indexed is left alone, and told.
    fs::write(&path, &bytes[..100]).unwrap();
    let survey = store.repair().await.unwrap();
    assert_eq!(survey.unreadable.len(), 1);
    assert_eq!(survey.unreadable[0].0, path);
    assert_eq!(fs::read(&path).unwrap(), &bytes[..100]);
}

#[tokio::test]
async fn strange_things_in_an_archive_do_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let store = sound(&directory.path().join("archive")).await;
    let root = store.root();
    fs::write(root.join("notes.txt"), "plain files are ignored").unwrap();
    fs::create_dir(root.join("stray")).unwrap();
    fs::write(root.join("stray/readme"), "no document").unwrap();
    fs::create_dir(root.join("Empty")).unwrap();
    let empty = "{\"ouid\":[], \"version\":{},\"configurations.name\":{}, \"entities.name\":{},\
                 \"aliases.active.name\":{}, \"runs.name\":{},\"configurations.assigned\":{} }";
    fs::write(root.join("Empty/index.json"), empty).unwrap();
    fs::write(root.join("SystemMetadata/index.json"), empty).unwrap();
    // A live configuration of conftool, which belongs to no run.
    fs::create_dir(root.join("TPCs")).unwrap();
    let live = r#"{"ouid":["000000000000400080000001"],"version":{"demo00003-ver001":["000000000000400080000001"]},
        "configurations.name":{"demo00003":["000000000000400080000001"]},"entities.name":{},"aliases.active.name":{},
        "runs.name":{},"configurations.assigned":{"demo00003":["2026-01-01T00:00:00.000+0000"]}} trailing"#;
    fs::write(root.join("TPCs/index.json"), live).unwrap();
    let before = tree(root);
    let store = open(root);
    assert_eq!(store.runs().await.unwrap().len(), 3);
    for run in 100..103 {
        assert!(is_whole(&store, run).await);
    }
    assert_eq!(tree(root), before, "reading creates nothing");
    store.insert(Arc::new([conformance::sample(103, "demo", None)])).await.unwrap()[0].as_ref().unwrap();
    let after = tree(root);
    for path in ["stray/readme", "Empty/index.json", "TPCs/index.json", "SystemMetadata/index.json", "notes.txt"] {
        assert_eq!(after[path], before[path], "{path}");
    }
    assert!(!after.contains_key("stray/index.json"));
}

#[tokio::test]
async fn a_file_in_the_place_of_the_archive_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("archive");
    fs::write(&path, "").unwrap();
    let error = open(&path).runs().await.unwrap_err();
    assert!(matches!(error, ConfigError::NotADirectory { .. }), "{error:?}");
}

#[tokio::test]
async fn a_second_writer_is_told_who_writes() {
    let directory = tempfile::tempdir().unwrap();
    let store = sound(&directory.path().join("archive")).await;
    let owner = statefile::Owner::current(&statefile::SystemClock);
    let held = statefile::Lock::acquire(store.root().join(".waymark.lock"), &owner).unwrap();
    let error = store.insert(Arc::new([conformance::sample(103, "demo", None)])).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(&format!("process {}", std::process::id())), "{cause}");
    assert_eq!(store.runs().await.unwrap().len(), 3, "readers need no lock");
    drop(held);
    store.insert(Arc::new([conformance::sample(103, "demo", None)])).await.unwrap()[0].as_ref().unwrap();
}

#[tokio::test]
async fn two_stores_of_one_archive_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let ours = sound(&directory.path().join("archive")).await;
    let surroundings =
        artdaq_db::Surroundings { oids: Arc::new(artdaq_db::RandomOids), ..crate::setup::surroundings() };
    let theirs = FilesystemStore::new(&crate::setup::uri(ours.root()), surroundings);
    for run in 103..109 {
        let store = if run % 2 == 0 { &ours } else { &theirs };
        store.insert(Arc::new([conformance::sample(run, "demo", Some("stop"))])).await.unwrap()[0].as_ref().unwrap();
    }
    for store in [&ours, &theirs] {
        assert_eq!(store.runs().await.unwrap().len(), 9);
        assert!(store.survey().await.unwrap().is_sound());
    }
}
