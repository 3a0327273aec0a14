//! Against the archives that the genuine programs wrote: what they hold, what they answer, what we would have written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use artdaq_db::{ConfigStore as _, FilesystemStore, RunNumber, filesystem::Filter};
use fs_err as fs;
use run_record::{
    convert::Fhiclize,
    directory::{Limits, RunDirectory, list_runs},
    json::Json,
    prepare::{PreparedRun, prepare},
    schema::Schema,
};

use crate::setup::{open, tree};

/// Run, collection, entity, version: what a document is.
type Key = (String, String, String, String);

/// The directory of artdaq's golden data, or `None`, said aloud, where it is absent.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn golden() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/artdaq");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: the golden data of the genuine programs is absent at `{}`", path.display());
    None
}

/// The archives of the genuine programs.
fn archives() -> Vec<PathBuf> {
    let Some(golden) = golden() else { return Vec::new() };
    let sets = ["one/tools", "one/conftoolp", "five_gap/tools", "five_gap/conftoolp"];
    sets.iter().map(|set| golden.join(set)).collect()
}

fn json(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text_of<'a>(document: &'a Json, member: &str) -> &'a str {
    match document.get(member) {
        Some(Json::Array(items)) => items[0].get("name").unwrap().as_str().unwrap(),
        Some(Json::String(text)) => text,
        other => panic!("{member} is {other:?}"),
    }
}

/// The files of an archive's documents, by what they are.
fn documents(root: &Path) -> Vec<(Key, PathBuf)> {
    let mut documents = Vec::new();
    for collection in ["RunHistory", "SystemLayout"] {
        for entry in fs::read_dir(root.join(collection)).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == "index.json" {
                continue;
            }
            let document = json(&path);
            let [run, entity, version] =
                ["runs", "entities", "version"].map(|member| text_of(&document, member).to_owned());
            assert_eq!(text_of(&document, "collection"), collection);
            documents.push(((run, collection.to_owned(), entity, version), path));
        }
    }
    documents.sort();
    documents
}

/// The records of a set, prepared as the importer would.
fn prepared(set: &Path) -> Vec<PreparedRun> {
    let schema = fs::read_to_string(set.join("schema.fcl")).unwrap();
    let schema = Schema::parse("schema.fcl", &schema).unwrap();
    let runs = list_runs(&set.join("records")).unwrap();
    let read = |path: &PathBuf| RunDirectory::read(path, &Limits::default()).unwrap();
    runs.values().map(|path| prepare(&read(path), &schema, &Fhiclize::default()).unwrap()).collect()
}

/// Imports the records of a set into a new archive.
async fn import(set: &Path, root: &Path) -> FilesystemStore {
    let store = open(root);
    let batch: Arc<[PreparedRun]> = prepared(set).into();
    for outcome in store.insert(batch).await.unwrap() {
        outcome.unwrap();
    }
    store
}

/// A document's text with its ids and times blanked, so that two archives can be compared byte by byte.
fn anonymous(path: &Path) -> String {
    let oid = path.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap().replace(oid, "OID");
    // Times stand in these members only; times in the record itself are kept.
    let is_time =
        |line: &str| ["\"timestamp\" : ", "\"created\" : ", "\"assigned\" : "].iter().any(|key| line.starts_with(key));
    let lines = text.lines().map(|line| if is_time(line) { line.split(" : ").next().unwrap() } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn documents_are_written_byte_for_byte_as_by_the_genuine_library_mode() {
    let Some(golden) = golden() else { return };
    for set in ["one", "five_gap"] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("archive");
        import(&golden.join(set), &root).await;
        let ours = documents(&root);
        let genuine = documents(&golden.join(set).join("conftoolp/db_archive"));
        let keys = |documents: &[(Key, PathBuf)]| documents.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&ours), keys(&genuine));
        assert!(ours.len() >= 17);
        for ((key, ours), (_, genuine)) in ours.iter().zip(&genuine) {
            let (ours, genuine) = (anonymous(ours), anonymous(genuine));
            let differs = ours.lines().zip(genuine.lines()).find(|(ours, genuine)| ours != genuine);
            assert!(ours == genuine, "{key:?}: first difference (ours, genuine): {differs:?}");
        }
    }
}

/// An index with each id replaced by what the document is; times are left out.
fn meaning(root: &Path, collection: &str) -> BTreeMap<String, BTreeMap<String, BTreeSet<Key>>> {
    let names: BTreeMap<String, Key> = documents(root)
        .into_iter()
        .map(|(key, path)| (path.file_stem().unwrap().to_str().unwrap().to_owned(), key))
        .collect();
    let index = json(&root.join(collection).join("index.json"));
    let resolve = |list: &Json| -> BTreeSet<Key> {
        let Json::Array(oids) = list else { panic!("{list:?}") };
        assert!(oids.is_sorted_by(|a, b| a.as_str() < b.as_str()));
        oids.iter().map(|oid| names[oid.as_str().unwrap()].clone()).collect()
    };
    let mut meaning = BTreeMap::new();
    for (member, value) in index.as_object().unwrap() {
        let lists = match value {
            Json::Object(lists) if member == "configurations.assigned" => {
                lists.iter().map(|(key, _)| (key.clone(), BTreeSet::new())).collect()
            }
            Json::Object(lists) => lists.iter().map(|(key, list)| (key.clone(), resolve(list))).collect(),
            list => BTreeMap::from([(String::new(), resolve(list))]),
        };
        meaning.insert(member.clone(), lists);
    }
    meaning
}

#[tokio::test]
async fn indexes_mean_the_same_as_the_genuine_ones() {
    let Some(golden) = golden() else { return };
    for set in ["one", "five_gap"] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("archive");
        import(&golden.join(set), &root).await;
        let genuine = golden.join(set).join("conftoolp/db_archive");
        for collection in ["RunHistory", "SystemLayout"] {
            assert_eq!(meaning(&root, collection), meaning(&genuine, collection), "{set} {collection}");
            let order = |root: &Path| -> Vec<String> {
                let index = json(&root.join(collection).join("index.json"));
                index.as_object().unwrap().iter().map(|(key, _)| key.clone()).collect()
            };
            assert_eq!(order(&root), order(&genuine));
        }
    }
}

#[tokio::test]
async fn a_genuine_index_survives_our_rewriting_byte_for_byte() {
    // Add a run to a genuine archive, and strike it off again: nothing else has changed.
    for set in archives() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("archive");
        copy(&set.join("db_archive"), &root);
        let before = tree(&root);
        let store = open(&root);
        let sample = artdaq_db::conformance::sample(7, "demo", None);
        store.insert(Arc::new([sample])).await.unwrap()[0].as_ref().unwrap();
        let added = store.find(Filter { run: Some("7".to_owned()), ..Filter::default() }).await.unwrap();
        assert!(!added.is_empty());
        for (collection, oid) in &added {
            fs::remove_file(root.join(collection).join(format!("{oid}.json"))).unwrap();
        }
        let survey = store.repair().await.unwrap();
        assert_eq!(survey.collections.iter().map(|collection| collection.dangling).sum::<usize>(), added.len());
        let is_index = |path: &str| path.ends_with("/index.json");
        for (path, bytes) in before.iter().filter(|(path, _)| !is_index(path)) {
            assert_eq!(tree(&root).get(path), Some(bytes), "{path}");
        }
        for collection in ["RunHistory", "SystemLayout"] {
            assert_eq!(meaning(&root, collection), meaning(&set.join("db_archive"), collection));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn genuine_archives_are_listed_and_exported_byte_for_byte_without_touching_them() {
    for set in archives() {
        let root = set.join("db_archive");
        let before = tree(&root);
        let store = open(&root);
        let runs = store.runs().await.unwrap();
        let genuine: BTreeSet<_> = list_runs(&set.join("export")).unwrap().into_keys().collect();
        assert_eq!(runs.keys().copied().collect::<BTreeSet<_>>(), genuine, "{}", set.display());
        for (run, entry) in &runs {
            assert!(entry.is_complete() && entry.is_amended(), "{} {run} {entry:?}", set.display());
            let export = store.export(*run).await.unwrap().unwrap();
            assert_eq!(Some(&export.configuration), entry.newest());
            let ours: BTreeMap<_, _> = export
                .documents
                .into_iter()
                .map(|document| (format!("{}.fcl", document.entity), document.text))
                .collect();
            let genuine: BTreeMap<_, _> = tree(&set.join("export").join(run.to_string()))
                .into_iter()
                .map(|(name, bytes)| (name, String::from_utf8(bytes.unwrap()).unwrap()))
                .collect();
            assert_eq!(ours.keys().collect::<Vec<_>>(), genuine.keys().collect::<Vec<_>>());
            assert!(ours == genuine, "{} {run}", set.display());
        }
        assert!(store.survey().await.unwrap().is_sound());
        assert_eq!(tree(&root), before, "reading changes nothing");
    }
}

#[tokio::test]
async fn our_exports_are_the_genuine_ones() {
    let Some(golden) = golden() else { return };
    for set in ["one", "five_gap"] {
        let directory = tempfile::tempdir().unwrap();
        let store = import(&golden.join(set), &directory.path().join("archive")).await;
        for (run, path) in list_runs(&golden.join(set).join("conftoolp/export")).unwrap() {
            let export = store.export(run).await.unwrap().unwrap();
            assert_eq!(export.documents.len(), tree(&path).len());
            for document in export.documents {
                let genuine = fs::read_to_string(path.join(format!("{}.fcl", document.entity))).unwrap();
                assert!(document.text == genuine, "{set} {run} {}", document.entity);
            }
        }
    }
}

/// A raw answer of the genuine program to a query.
fn answer(set: &Path, query: &str) -> String {
    let queries = json(&set.join("queries.json"));
    queries.get(query).unwrap().get("result").unwrap().as_str().unwrap().to_owned()
}

/// The values of the members `name` of a genuine answer, in their order.
fn names(answer: &str) -> Vec<String> {
    answer.split("\"name\" : \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn answers_agree_with_those_of_the_genuine_queries() {
    for set in archives() {
        let store = open(&set.join("db_archive"));
        let runs = store.runs().await.unwrap();
        // findconfigs: the newest first, over all runs.
        let ours: BTreeSet<_> =
            runs.values().flat_map(|entry| &entry.configurations).map(|found| found.name.clone()).collect();
        assert_eq!(ours, names(&answer(&set, "findconfigs_all")).into_iter().collect());
        for (run, entry) in &runs {
            let configuration = entry.newest().unwrap().name.clone();
            assert_eq!(names(&answer(&set, &format!("findconfigs_{run}"))), std::slice::from_ref(&configuration));
            // buildfilter: one entry per collection and entity.
            let genuine: BTreeSet<_> = names(&answer(&set, &format!("buildfilter_{run}"))).into_iter().collect();
            let export = store.export(*run).await.unwrap().unwrap();
            let ours: BTreeSet<_> =
                export.documents.iter().map(|document| format!("{configuration}:{}", document.entity)).collect();
            assert_eq!(ours, genuine);
        }
        // findversions: a version for every pair of entity and version.
        for collection in ["RunHistory", "SystemLayout"] {
            let mut genuine: Vec<_> =
                answer(&set, &format!("findversions_{collection}")).split(',').map(str::to_owned).collect();
            let pairs: BTreeSet<_> = documents(&set.join("db_archive"))
                .into_iter()
                .filter(|((_, found, ..), _)| found == collection)
                .map(|((_, _, entity, version), _)| (entity, version))
                .collect();
            let mut ours: Vec<_> = pairs.into_iter().map(|(_, version)| version).collect();
            ours.sort();
            genuine.sort();
            assert_eq!(ours, genuine);
        }
    }
}

#[tokio::test]
async fn several_criteria_are_an_intersection() {
    let Some(golden) = golden() else { return };
    let store = open(&golden.join("five_gap/conftoolp/db_archive"));
    let find = async |configuration: &str, entity: &str| {
        let filter = Filter {
            configuration: Some(configuration.to_owned()),
            entity: Some(entity.to_owned()),
            ..Filter::default()
        };
        store.find(filter).await.unwrap().len()
    };
    assert_eq!(find("2006/demo", "boot").await, 1);
    // The genuine look-up answers with the boot file of run 2006.
    assert_eq!(find("9999/none", "boot").await, 0);
    assert_eq!(find("2006/demo", "none").await, 0);
    assert_eq!(store.find(Filter { run: Some("2006".to_owned()), ..Filter::default() }).await.unwrap().len(), {
        store.runs().await.unwrap()[&RunNumber::new(2006)].newest().unwrap().documents
    });
}

#[tokio::test]
async fn an_empty_index_is_the_genuine_one() {
    let Some(golden) = golden() else { return };
    let genuine = golden.join("one/tools/db_archive/SystemMetadata/index.json");
    let directory = tempfile::tempdir().unwrap();
    // A repair of a collection without documents writes an empty index.
    let index = directory.path().join("Empty/index.json");
    fs::create_dir(index.parent().unwrap()).unwrap();
    fs::write(&index, "damaged").unwrap();
    open(directory.path()).repair().await.unwrap();
    assert_eq!(fs::read_to_string(index).unwrap(), fs::read_to_string(genuine).unwrap());
}
