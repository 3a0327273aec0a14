//! Servers that are not there or refuse, documents that no server takes, and what a dead process has left.

use std::sync::Arc;

use artdaq_db::{
    Certificates, ConfigError, ConfigStore as _, DocumentProblem, ErrorClass, Inserted, MongoStore, MongoUri, Refused,
    RunNumber, conformance,
};
use mongodb::bson::{Document, doc};

use super::{Scratch, insert};
use crate::setup::surroundings;

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error} {error:?}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn an_absent_server_is_a_transient_error_without_the_password() {
    let uri = MongoUri::parse("mongodb://daq:hunter2@127.0.0.1:1/db?serverSelectionTimeoutMS=50").unwrap();
    let store = MongoStore::new(uri, Certificates::default(), surroundings());
    let error = store.runs().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    let batch = Arc::new([conformance::sample(1, "demo", None)]);
    let text = format!("{} {} {store:?}", chain(&error), chain(&store.insert(batch).await.unwrap_err()));
    assert!(text.contains("127.0.0.1:1") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn options_that_the_client_does_not_understand_are_a_permanent_error_without_the_password() {
    for options in ["authMechanism=hunter2", "connectTimeoutMS=hunter2", "tls=hunter2"] {
        let uri = MongoUri::parse(&format!("mongodb://daq:hunter2@127.0.0.1:1/db?{options}")).unwrap();
        let store = MongoStore::new(uri, Certificates::default(), surroundings());
        let error = store.runs().await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains("understand") && !text.contains("hunter2"), "{text}");
        assert_eq!(error.class(), ErrorClass::Permanent, "{text}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_an_error() {
    let uri = MongoUri::parse("mongodb://127.0.0.1:1/db?serverSelectionTimeoutMS=50").unwrap();
    let certificates = Certificates { client: Some("/nowhere/client.pem".into()), authorities: None };
    let store = MongoStore::new(uri, certificates, surroundings());
    assert!(store.runs().await.is_err());
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_shown() {
    let Some(scratch) = Scratch::new().await else { return };
    let uri = scratch.uri.replacen("mongodb://", "mongodb://daq:hunter2@", 1);
    let store = MongoStore::new(MongoUri::parse(&uri).unwrap(), Certificates::default(), surroundings());
    let error = store.runs().await.unwrap_err();
    let text = chain(&error);
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(error.class(), ErrorClass::Permanent, "{text}");
    scratch.drop_database().await;
}

#[tokio::test]
async fn a_run_that_no_server_takes_does_not_hold_up_the_others() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    let mut large = conformance::sample(2, "demo", None);
    let text = format!("x: \"{}\"\n", "y".repeat(17 << 20));
    large.archive.documents[0].document = run_record::fhicl::Document::parse("boot", &text).unwrap();
    let named = |name: &str| {
        let mut named = conformance::sample(3, "demo", None);
        name.clone_into(&mut named.archive.documents[0].collection);
        named
    };
    let batch = [conformance::sample(1, "demo", None), large, named("a$b"), named("system.x"), named("WaymarkIntents")];
    let outcomes = store.insert(batch.to_vec().into()).await.unwrap();
    assert!(matches!(&outcomes[0], Ok(Inserted::Stored { .. })), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Err(Refused::Unstorable { .. })), "{outcomes:?}");
    for outcome in &outcomes[2..] {
        assert!(matches!(outcome, Err(Refused::Collection { .. })), "{outcomes:?}");
    }
    assert_eq!(store.runs().await.unwrap().into_keys().collect::<Vec<_>>(), [RunNumber::new(1)]);
    scratch.drop_database().await;
}

#[tokio::test]
async fn the_deepest_document_that_can_be_prepared_is_taken() {
    let Some(scratch) = Scratch::new().await else { return };
    let mut nested = conformance::sample(1, "demo", None);
    let boot = nested.archive.documents.iter_mut().find(|document| document.entity == "boot").unwrap();
    let text = |levels: usize| format!("{}b: 1{}\n", "a: { ".repeat(levels), " }".repeat(levels));
    let deepest =
        (1..1000).find(|&levels| run_record::fhicl::Document::parse("boot", &text(levels)).is_err()).unwrap() - 1;
    boot.document = run_record::fhicl::Document::parse("boot", &text(deepest)).unwrap();
    insert(&scratch.store(), [nested.clone()]).await;
    let export = scratch.store().export(RunNumber::new(1)).await.unwrap().unwrap();
    assert_eq!(conformance::flat(&export), conformance::expected(&nested), "{deepest} levels");
    scratch.drop_database().await;
}

/// Removes a document, and puts the intent back that the insertion had while it was missing.
async fn break_off(scratch: &Scratch, run: u64, entity: &str) {
    let configuration = format!("{run}/demo");
    let mut targets = Vec::new();
    for collection in ["RunHistory", "SystemLayout"] {
        let documents = scratch.database.collection::<Document>(collection);
        let mut cursor = documents.find(doc! { "configurations.name": &configuration }).await.unwrap();
        while cursor.advance().await.unwrap() {
            let oid = cursor.deserialize_current().unwrap().get_object_id("_id").unwrap();
            targets.push(doc! { "collection": collection, "oid": oid });
        }
        documents.delete_one(doc! { "configurations.name": &configuration, "entities.name": entity }).await.unwrap();
    }
    let intent = doc! { "_id": format!("{configuration}#dead"), "configuration": configuration, "run": run.to_string(), "documents": targets };
    scratch.database.collection::<Document>("WaymarkIntents").insert_one(intent).await.unwrap();
}

#[tokio::test]
async fn an_unfinished_run_is_hidden_and_completed_by_its_next_insertion() {
    for entity in ["boot", "hashes", "schema", "RunHistory2"] {
        let Some(scratch) = Scratch::new().await else { return };
        let store = scratch.store();
        let prepared = || conformance::sample(7, "demo", Some("stop"));
        insert(&store, [prepared(), conformance::sample(8, "demo", None)]).await;
        let documents = store.runs().await.unwrap()[&RunNumber::new(7)].newest().unwrap().documents;
        break_off(&scratch, 7, entity).await;
        assert_eq!(store.runs().await.unwrap().into_keys().collect::<Vec<_>>(), [RunNumber::new(8)], "{entity}");
        assert_eq!(store.export(RunNumber::new(7)).await.unwrap(), None, "{entity}");

        let outcome = store.insert(Arc::new([prepared()])).await.unwrap().remove(0);
        let missing = 1;
        assert_eq!(outcome, Ok(Inserted::Completed { documents: missing, kept: documents - missing }), "{entity}");
        let entry = store.runs().await.unwrap().remove(&RunNumber::new(7)).unwrap();
        assert!(entry.is_complete() && entry.is_amended());
        assert_eq!(entry.newest().unwrap().documents, documents, "{entity}: nothing twice");
        let export = store.export(RunNumber::new(7)).await.unwrap().unwrap();
        assert_eq!(conformance::flat(&export), conformance::expected(&prepared()));
        let left = scratch.database.collection::<Document>("WaymarkIntents");
        assert_eq!(left.count_documents(doc! { "configuration": "7/demo" }).await.unwrap(), 0, "{entity}");
        scratch.drop_database().await;
    }
}

#[tokio::test]
async fn an_unfinished_run_whose_record_has_changed_gets_a_greater_version() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    insert(&store, [conformance::sample(7, "demo", None)]).await;
    break_off(&scratch, 7, "schema").await;
    let mut changed = conformance::sample(7, "demo", None);
    let boot = changed.archive.documents.iter_mut().find(|document| document.entity == "boot").unwrap();
    boot.document = run_record::fhicl::Document::parse("boot", "changed: 1\n").unwrap();
    let outcome = store.insert(Arc::new([changed])).await.unwrap().remove(0).unwrap();
    assert!(matches!(outcome, Inserted::Completed { documents: 2, .. }), "{outcome:?}");
    let export = store.export(RunNumber::new(7)).await.unwrap().unwrap();
    assert!(export.configuration.complete);
    let boot = export.documents.iter().find(|document| document.entity == "boot").unwrap();
    assert_eq!((boot.version.as_str(), boot.text.contains("changed")), ("7/demov1", true));
    scratch.drop_database().await;
}

#[tokio::test]
async fn partial_runs_of_the_genuine_programs_are_listed_as_incomplete_and_completed() {
    for entity in ["boot", "hashes", "schema"] {
        let Some(scratch) = Scratch::new().await else { return };
        let store = scratch.store();
        insert(&store, [conformance::sample(7, "demo", None)]).await;
        for collection in ["RunHistory", "SystemLayout"] {
            let documents = scratch.database.collection::<Document>(collection);
            documents.delete_one(doc! { "entities.name": entity }).await.unwrap();
        }
        let before = store.runs().await.unwrap().remove(&RunNumber::new(7)).unwrap();
        // Whoever has removed another document has removed it; the run counts as imported to the end.
        assert_eq!(before.is_complete(), entity == "boot");
        let outcome = store.insert(Arc::new([conformance::sample(7, "demo", None)])).await.unwrap().remove(0).unwrap();
        assert_eq!(matches!(outcome, Inserted::Completed { documents: 1, .. }), entity != "boot", "{outcome:?}");
        assert!(store.runs().await.unwrap()[&RunNumber::new(7)].is_complete());
        scratch.drop_database().await;
    }
}

#[tokio::test]
async fn a_document_whose_id_is_none_of_ours_is_damage() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    insert(&store, [conformance::sample(7, "demo", None)]).await;
    let history = scratch.database.collection::<Document>("RunHistory");
    let mut document = history.find_one_and_delete(doc! { "entities.name": "boot" }).await.unwrap().unwrap();
    document.insert("_id", "seven");
    history.insert_one(document).await.unwrap();
    let error = store.export(RunNumber::new(7)).await.unwrap_err();
    assert!(matches!(&error, ConfigError::StoredDamaged { source: DocumentProblem::Member("_id"), .. }), "{error:?}");
    scratch.drop_database().await;
}

#[tokio::test]
async fn odd_names_and_foreign_documents_do_no_harm() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    insert(&store, [conformance::sample(7, "demo", None)]).await;
    let history = scratch.database.collection::<Document>("RunHistory");
    let foreign = [
        doc! {},
        doc! { "configurations": "no list", "entities": 5 },
        doc! { "configurations": [{ "name": "demo00001" }, { "assigned": 5 }], "entities": { "name": "boot" } },
    ];
    history.insert_many(foreign).await.unwrap();
    scratch.database.collection::<Document>("Other").insert_one(doc! { "a": 1 }).await.unwrap();
    for name in [" 0008/odd", "009/odd"] {
        let document = doc! { "configurations": [{ "name": name, "assigned": "2026" }], "version": "x" };
        history.insert_one(document).await.unwrap();
    }
    let runs = store.runs().await.unwrap();
    assert_eq!(runs.keys().map(|run| run.get()).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(runs[&RunNumber::new(8)].newest().unwrap().name, " 0008/odd");
    // A run is found by the names by which it is listed.
    for run in [8, 9] {
        assert!(store.export(RunNumber::new(run)).await.is_err(), "there, though no document");
    }
    assert_eq!(store.export(RunNumber::new(10)).await.unwrap(), None);
    scratch.drop_database().await;
}
