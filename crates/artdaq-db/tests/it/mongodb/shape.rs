//! What lies in the database: collections, members, their order and types, indexes.

use artdaq_db::{ConfigStore as _, RunNumber, conformance};
use mongodb::bson::{Bson, Document, doc};

use super::{Scratch, insert};

async fn all(scratch: &Scratch, collection: &str) -> Vec<Document> {
    let mut cursor = scratch.database.collection::<Document>(collection).find(doc! {}).await.unwrap();
    let mut documents = Vec::new();
    while cursor.advance().await.unwrap() {
        documents.push(cursor.deserialize_current().unwrap());
    }
    documents
}

fn keys(document: &Document) -> Vec<&str> {
    document.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn documents_have_the_members_of_the_genuine_ones_in_their_order() {
    let Some(scratch) = Scratch::new().await else { return };
    insert(&scratch.store(), [conformance::sample(1000, "demo", Some("stop"))]).await;
    let history = all(&scratch, "RunHistory").await;
    let component = history.iter().find(|document| {
        let origin = document.get_document("origin").unwrap();
        origin.get_str("name").unwrap() == "component01"
    });
    let document = component.unwrap();
    // The server puts `_id` first; the rest is in the order in which the genuine program sends it.
    let members = [
        "_id",
        "document",
        "comments",
        "origin",
        "version",
        "entities",
        "configurations",
        "changelog",
        "bookkeeping",
        "collection",
        "aliases",
        "runs",
        "attachments",
        "configtype",
    ];
    assert_eq!(keys(document), members);
    assert_eq!(keys(document.get_document("document").unwrap()), ["data", "metadata", "search"]);
    let origin = document.get_document("origin").unwrap();
    assert_eq!(keys(origin), ["format", "name", "source", "timestamp", "created", "rawdata"]);
    assert_eq!(origin.get_str("timestamp").unwrap(), "2026-11-21T00:37:50.675+0000");
    let oid = document.get_object_id("_id").unwrap().to_hex();
    assert!(&oid[12..13] == "4" && "89ab".contains(&oid[16..17]), "the form of the genuine ids: {oid}");

    let time = "2026-11-21T00:37:50.675+0000";
    let named = |name: &str| doc! { "name": name, "assigned": time };
    let event = |event: &str, name: &str| doc! { "event": event, "timestamp": time, "value": named(name) };
    assert_eq!(document.get_str("version").unwrap(), "1000/demo");
    assert_eq!(document.get("entities"), Some(&Bson::from(vec![named("component01")])));
    assert_eq!(document.get("configurations"), Some(&Bson::from(vec![named("1000/demo")])));
    assert_eq!(document.get("runs"), Some(&Bson::from(vec![named("1000")])));
    let bookkeeping = doc! {
        "isdeleted": false,
        "isreadonly": false,
        "updates": [
            event("addConfiguration", "1000/demo"), event("setVersion", "1000/demo"),
            event("setCollection", "RunHistory"), event("addEntity", "component01"), event("addRun", "1000"),
        ],
        "created": time,
    };
    assert_eq!(document.get_document("bookkeeping").unwrap(), &bookkeeping);
    let comments = doc! { "c": [{ "linenum": 1_i32, "value": "# board of run 1000" }] };
    assert_eq!(document.get("comments"), comments.get("c"));
    let data = document.get_document("document").unwrap().get_document("data").unwrap();
    let main = doc! { "serial": "1000", "gain": ["1", "2.5", { "fine": "0x1F" }] };
    assert_eq!(data, &doc! { "prolog": {}, "main": main });

    assert_eq!(all(&scratch, "SystemLayout").await.len(), 2);
    let stop = history.iter().filter(|document| document.get_str("version").unwrap() == "1000/demov1");
    assert_eq!(stop.count(), 1);
    scratch.drop_database().await;
}

#[tokio::test]
async fn the_archive_is_described_once_and_without_a_password() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    store.runs().await.unwrap();
    store.export(RunNumber::new(1)).await.unwrap();
    assert_eq!(
        scratch.database.list_collection_names().await.unwrap(),
        Vec::<String>::new(),
        "reading creates nothing"
    );
    insert(&store, [conformance::sample(1, "demo", None)]).await;
    insert(&scratch.store(), [conformance::sample(2, "demo", None)]).await;
    let records = all(&scratch, "SystemMetadata").await;
    assert_eq!(records.len(), 1);
    assert_eq!(keys(&records[0]), ["_id", "document"]);
    let record = records[0].get_document("document").unwrap();
    let members = ["name", "uri", "locale", "create_time", "create_user", "uname", "database_format"];
    assert_eq!(keys(record), members);
    assert_eq!(record.get("database_format"), Some(&Bson::Int32(3)));
    assert_eq!(record.get_str("create_user").unwrap(), "daq");
    let uri = record.get_str("uri").unwrap();
    assert!(uri.starts_with("mongodb://") && !uri.contains(['?', '@']), "{uri}");
    let members = ["sysname", "nodename", "release", "version", "machine"];
    assert_eq!(keys(record.get_document("uname").unwrap()), members);
    scratch.drop_database().await;
}

#[tokio::test]
async fn indexes_are_made_on_demand_only_and_used() {
    let Some(scratch) = Scratch::new().await else { return };
    let store = scratch.store();
    insert(&store, (1..=300).map(|run| conformance::sample(run, "demo", None))).await;
    let indexes = async |collection: &str| {
        scratch.database.collection::<Document>(collection).list_index_names().await.unwrap().len()
    };
    assert_eq!((indexes("RunHistory").await, indexes("SystemLayout").await), (1, 1));
    for is_new in [true, false] {
        let created = store.create_indexes().await.unwrap();
        let created: Vec<_> = created.iter().map(|index| (index.collection.as_str(), index.is_new)).collect();
        assert_eq!(created, [("RunHistory", is_new), ("SystemLayout", is_new)]);
    }
    assert_eq!((indexes("RunHistory").await, indexes("SystemLayout").await), (2, 2));

    // Both questions about a run look at its own documents, and at a handful of keys.
    let listing = artdaq_db::mongodb::filter_of_run(RunNumber::new(150));
    for filter in [listing, doc! { "configurations.name": "150/demo" }] {
        let explain = doc! { "explain": { "find": "RunHistory", "filter": &filter }, "verbosity": "executionStats" };
        let answer = scratch.database.run_command(explain).await.unwrap();
        let stats = answer.get_document("executionStats").unwrap();
        assert!(stats.get_i32("nReturned").unwrap() >= 5, "{filter}: {stats}");
        assert!(stats.get_i32("totalDocsExamined").unwrap() <= 10, "{filter}: {stats}");
        assert!(stats.get_i32("totalKeysExamined").unwrap() <= 20, "{filter}: {stats}");
    }
    assert_eq!(store.runs().await.unwrap().len(), 300);
    assert!(store.export(RunNumber::new(150)).await.unwrap().is_some());
    scratch.drop_database().await;
}
