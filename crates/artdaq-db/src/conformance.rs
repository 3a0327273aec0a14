//! What every [`ConfigStore`] must do, as a function that panics where one does not.
//!
//! For tests: an implementation makes an empty store and hands it over.

use std::{collections::BTreeMap, sync::Arc};

use run_record::{
    RunNumber,
    convert::Fhiclize,
    directory::RunDirectory,
    prepare::{PreparedRun, prepare},
    schema::Schema,
};

use crate::{Amended, ConfigError, ConfigStore, Export, Inserted, Refused};

/// What a store can do beyond what every store must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// It keeps later versions of a document beside earlier ones, and says so in the version.
    pub has_versions: bool,
    /// It stores what the genuine parser refuses, and names that a shell would misread.
    pub takes_all_texts: bool,
}

impl Abilities {
    /// Those of every store but the genuine tools.
    pub const ALL: Self = Self { has_versions: true, takes_all_texts: true };

    /// Those of the genuine tools: one version for all, and only what they read without destroying it.
    pub const TOOLS: Self = Self { has_versions: false, takes_all_texts: false };

    fn sample(self, run: u64, configuration: &str, stop: Option<&str>) -> PreparedRun {
        if self.takes_all_texts { sample(run, configuration, stop) } else { plain_sample(run, configuration, stop) }
    }

    /// What an export must be.
    fn expected(self, prepared: &PreparedRun) -> BTreeMap<(String, String), (String, String)> {
        let mut expected = expected(prepared);
        if !self.has_versions {
            for (version, _) in expected.values_mut() {
                *version = prepared.full_name();
            }
        }
        expected
    }

    /// How many documents are stored of a run. The second schema of one version would be the same document twice.
    fn documents(self, prepared: &PreparedRun) -> usize {
        let of_pass = |pass: &run_record::prepare::Pass| pass.documents.len();
        let second = prepared.update.as_ref().map_or(0, of_pass);
        of_pass(&prepared.archive) + if self.has_versions { second } else { second.saturating_sub(1) }
    }
}

/// Runs the whole suite on stores that `empty_store` makes; each must be empty and independent of the others.
///
/// # Panics
///
/// Where a store breaks a promise of [`ConfigStore`].
pub async fn check<S: ConfigStore + 'static>(empty_store: impl AsyncFn() -> S) {
    check_with(Abilities::ALL, empty_store).await;
}

/// Runs the suite as far as the abilities of a store go.
///
/// # Panics
///
/// Where a store breaks a promise of [`ConfigStore`] that it can keep.
pub async fn check_with<S: ConfigStore + 'static>(abilities: Abilities, empty_store: impl AsyncFn() -> S) {
    an_empty_store_has_nothing(&empty_store().await, abilities).await;
    documents_come_back(&empty_store().await, abilities).await;
    nothing_is_stored_twice(&empty_store().await, abilities).await;
    a_refused_run_does_not_hold_up_the_others(&empty_store().await, abilities).await;
    runs_are_kept_apart(&empty_store().await, abilities).await;
    the_stop_time_pass_may_come_later(&empty_store().await, abilities).await;
    if abilities.has_versions {
        the_greatest_version_counts(&empty_store().await).await;
    }
    one_of_many_writers_stores(Arc::new(empty_store().await), abilities).await;
}

/// A run with a few documents; with a stop-time pass if `stop` is given.
///
/// # Panics
///
/// Never: its files are well-formed.
pub fn sample(run: u64, configuration: &str, stop: Option<&str>) -> PreparedRun {
    let label = "BEGIN_PROLOG\np: { a: 1 }\nEND_PROLOG\nlabel: \"µ \\\"q\\\" \\\\ x\" # note\n";
    sample_with(run, configuration, stop, label)
}

/// The same with nothing that the genuine programs refuse or destroy.
///
/// # Panics
///
/// Never: its files are well-formed.
pub fn plain_sample(run: u64, configuration: &str, stop: Option<&str>) -> PreparedRun {
    let label = "BEGIN_PROLOG\np: { a: 1 }\nEND_PROLOG\nlabel: \"plain \\\"q\\\" x\" # note\n";
    sample_with(run, configuration, stop, label)
}

fn sample_with(run: u64, configuration: &str, stop: Option<&str>, label: &str) -> PreparedRun {
    let stop = stop.map(|stop| format!("DAQInterface stop time: {stop}\n")).unwrap_or_default();
    let metadata = format!("Config name: {configuration}\nComponent #0: component01\n{stop}");
    let files = [
        ("metadata.txt", metadata),
        ("boot.txt", "EventBuilder host: localhost\nEventBuilder port: 5235\n\nDataLogger host: daq02\n".to_owned()),
        ("component01.fcl", format!("# board of run {run}\nserial: {run} gain: [1, 2.5, {{ fine: 0x1F }}]\n")),
        ("EventBuilder1.fcl", label.to_owned()),
        ("unruled.fcl", "x: @local::p\n".to_owned()),
    ];
    let record = RunDirectory {
        run: RunNumber::new(run),
        files: files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        skipped: Vec::new(),
    };
    let rules = r"run_history: [{collection: RunHistory pattern: '(.*/)((?!schema|unruled)[^/]+)(\.fcl$)'}]
        system_layout: [{collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)'}]";
    match Schema::parse("schema.fcl", rules).map(|schema| prepare(&record, &schema, &Fhiclize::default())) {
        Ok(Ok(prepared)) => prepared,
        other => panic!("the sample is malformed: {other:?}"),
    }
}

fn batch(runs: impl IntoIterator<Item = PreparedRun>) -> Arc<[PreparedRun]> {
    runs.into_iter().collect()
}

fn fine<T>(outcome: Result<T, ConfigError>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error:?}"),
    }
}

fn one<T>(mut outcomes: Vec<T>) -> T {
    assert_eq!(outcomes.len(), 1);
    match outcomes.pop() {
        Some(outcome) => outcome,
        None => panic!("no outcome"),
    }
}

/// What an export of a prepared run must be: entity, collection, version, text.
pub fn expected(prepared: &PreparedRun) -> BTreeMap<(String, String), (String, String)> {
    let passes = [(Some(&prepared.archive), ""), (prepared.update.as_ref(), "v1")];
    let passes = passes.into_iter().filter_map(|(pass, suffix)| Some((pass?, suffix)));
    passes
        .flat_map(|(pass, suffix)| {
            let version = format!("{}{suffix}", prepared.full_name());
            pass.documents.iter().map(move |document| {
                let key = (document.entity.clone(), document.collection.clone());
                (key, (version.clone(), document.document.to_text()))
            })
        })
        .collect()
}

/// An export in the same form.
pub fn flat(export: &Export) -> BTreeMap<(String, String), (String, String)> {
    let documents = export.documents.iter().cloned();
    documents.map(|document| ((document.entity, document.collection), (document.version, document.text))).collect()
}

async fn exported(store: &dyn ConfigStore, run: u64) -> Export {
    match fine(store.export(RunNumber::new(run)).await) {
        Some(export) => export,
        None => panic!("run {run} is not there"),
    }
}

async fn an_empty_store_has_nothing(store: &dyn ConfigStore, abilities: Abilities) {
    let sample = |run, name: &str, stop: Option<&str>| abilities.sample(run, name, stop);
    assert!(fine(store.runs().await).is_empty());
    assert_eq!(fine(store.export(RunNumber::new(100)).await), None);
    assert_eq!(fine(store.insert(batch([])).await), []);
    let prepared = sample(100, "demo", Some("now"));
    let refused = Refused::NotArchived { run: RunNumber::new(100), configuration: "100/demo".to_owned() };
    assert_eq!(fine(store.amend(batch([prepared])).await), [Err(refused)]);
    assert!(fine(store.runs().await).is_empty());
}

async fn documents_come_back(store: &dyn ConfigStore, abilities: Abilities) {
    let sample = |run, name: &str, stop: Option<&str>| abilities.sample(run, name, stop);
    for (run, stop) in [(100, None), (101, Some("Sat Nov 21 00:37:50 UTC 2026"))] {
        let prepared = sample(run, "demo", stop);
        let expect = abilities.expected(&prepared);
        let documents = abilities.documents(&prepared);
        assert_eq!(fine(store.insert(batch([prepared])).await), [Ok(Inserted::Stored { documents })]);
        let export = exported(store, run).await;
        assert_eq!(flat(&export), expect, "run {run}");
        assert!(export.documents.is_sorted(), "by entity, then by collection");
        let entry = fine(store.runs().await).remove(&RunNumber::new(run));
        assert_eq!(entry.as_ref().and_then(|entry| entry.newest()), Some(&export.configuration));
        let configuration = export.configuration;
        assert_eq!(configuration.name, format!("{run}/demo"));
        assert_eq!(configuration.documents, documents);
        assert!(configuration.complete);
        assert_eq!(configuration.amended, stop.is_some());
    }
}

async fn nothing_is_stored_twice(store: &dyn ConfigStore, abilities: Abilities) {
    let sample = |run, name: &str, stop: Option<&str>| abilities.sample(run, name, stop);
    let prepared = || sample(100, "demo", None);
    let outcomes = fine(store.insert(batch([prepared(), prepared()])).await);
    let there = Inserted::AlreadyThere { configuration: "100/demo".to_owned() };
    assert!(matches!(&outcomes[0], Ok(Inserted::Stored { .. })), "{outcomes:?}");
    assert_eq!(outcomes[1], Ok(there.clone()));
    let before = fine(store.runs().await);
    assert_eq!(fine(store.insert(batch([prepared()])).await), [Ok(there.clone())]);
    assert_eq!(fine(store.insert(batch([sample(100, "other", Some("now"))])).await), [Ok(there)]);
    assert_eq!(fine(store.runs().await), before);
}

async fn a_refused_run_does_not_hold_up_the_others(store: &dyn ConfigStore, abilities: Abilities) {
    let sample = |run, name: &str, stop: Option<&str>| abilities.sample(run, name, stop);
    for collection in ["", "..", "../x", "a/b", "SystemMetadata", ".hidden"] {
        let mut prepared = sample(100, "demo", None);
        collection.clone_into(&mut prepared.archive.documents[1].collection);
        let entity = prepared.archive.documents[1].entity.clone();
        let refused = Refused::Collection { collection: collection.to_owned(), entity };
        assert_eq!(fine(store.insert(batch([prepared])).await), [Err(refused)]);
    }
    let mut bad = sample(100, "demo", None);
    "../x".clone_into(&mut bad.archive.documents[0].collection);
    let outcomes = fine(store.insert(batch([sample(99, "demo", None), bad, sample(101, "demo", None)])).await);
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let runs: Vec<_> = fine(store.runs().await).into_keys().collect();
    assert_eq!(runs, [RunNumber::new(99), RunNumber::new(101)]);
}

async fn runs_are_kept_apart(store: &dyn ConfigStore, abilities: Abilities) {
    let sample = |run, name: &str, stop: Option<&str>| abilities.sample(run, name, stop);
    // Names that start like each other, and like the genuine suffixes of versions.
    let mut samples = vec![(1, "demo"), (10, "demo"), (100, "demo2"), (1000, "demov1"), (1002, "7"), (u64::MAX, "a_b")];
    samples.extend(abilities.takes_all_texts.then_some((1001, "two words")));
    let prepared: Vec<_> = samples.iter().map(|&(run, name)| sample(run, name, Some("stop"))).collect();
    let expect: Vec<_> = prepared.iter().map(|prepared| abilities.expected(prepared)).collect();
    assert!(fine(store.insert(batch(prepared)).await).iter().all(Result::is_ok));
    for ((run, _), expect) in samples.iter().zip(expect) {
        assert_eq!(flat(&exported(store, *run).await), expect, "run {run}");
    }
    assert_eq!(fine(store.runs().await).len(), samples.len());
    assert_eq!(fine(store.export(RunNumber::new(101)).await), None);
}

async fn the_stop_time_pass_may_come_later(store: &dyn ConfigStore, abilities: Abilities) {
    let sample = |run, name: &str, stop: Option<&str>| abilities.sample(run, name, stop);
    fine(store.insert(batch([sample(100, "demo", None)])).await);
    let amend = async |prepared| one(fine(store.amend(batch([prepared])).await));
    assert_eq!(amend(sample(100, "demo", None)).await, Ok(Amended::NothingToStore));
    let refused = Refused::NotArchived { run: RunNumber::new(100), configuration: "100/other".to_owned() };
    assert_eq!(amend(sample(100, "other", Some("stop"))).await, Err(refused));
    assert!(!fine(store.runs().await)[&RunNumber::new(100)].is_amended());

    let version = if abilities.has_versions { "100/demov1" } else { "100/demo" };
    let stopped = || sample(100, "demo", Some("stop"));
    assert_eq!(amend(stopped()).await, Ok(Amended::Stored { version: version.to_owned() }));
    assert_eq!(amend(stopped()).await, Ok(Amended::AlreadyThere));
    let entry = fine(store.runs().await).remove(&RunNumber::new(100));
    assert!(entry.is_some_and(|entry| entry.is_complete() && entry.is_amended()));
    let export = flat(&exported(store, 100).await);
    let entity = ("RunHistory2".to_owned(), "RunHistory".to_owned());
    assert_eq!(export.get(&entity), abilities.expected(&stopped()).get(&entity));
}

async fn the_greatest_version_counts(store: &dyn ConfigStore) {
    fine(store.insert(batch([sample(100, "demo", Some("stop 1"))])).await);
    for number in 2..=11 {
        let outcome = one(fine(store.amend(batch([sample(100, "demo", Some(&format!("stop {number}")))])).await));
        assert_eq!(outcome, Ok(Amended::Stored { version: format!("100/demov{number}") }));
        let export = exported(store, 100).await;
        let newest = export.documents.iter().find(|document| document.entity == "RunHistory2");
        let newest =
            newest.map(|document| (document.version.as_str(), document.text.contains(&format!("stop {number}\""))));
        assert_eq!(newest, Some((format!("100/demov{number}").as_str(), true)));
    }
}

async fn one_of_many_writers_stores(store: Arc<dyn ConfigStore>, abilities: Abilities) {
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.insert(batch([abilities.sample(100, "demo", None)])).await })
        })
        .collect();
    let mut stored = 0;
    for task in writers {
        match task.await {
            Ok(Ok(outcomes)) => stored += usize::from(matches!(one(outcomes), Ok(Inserted::Stored { .. }))),
            other => panic!("a writer must store or be told that the run is there, not {other:?}"),
        }
    }
    assert_eq!(stored, 1);
    assert_eq!(flat(&exported(&*store, 100).await), abilities.expected(&abilities.sample(100, "demo", None)));
}
