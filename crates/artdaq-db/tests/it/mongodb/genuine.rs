//! Against the traffic that the genuine programs made, and with documents as they store them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use artdaq_db::{ConfigStore as _, Inserted, RunNumber};
use mongodb::bson::{Bson, Document, doc};
use run_record::{
    convert::Fhiclize,
    directory::{Limits, RunDirectory, list_runs},
    prepare::{PreparedRun, prepare},
    schema::Schema,
};

use super::{Scratch, insert};

/// The documents of the inserts in the recorded traffic, by collection, entity and version.
fn recorded() -> Option<Vec<(String, Document)>> {
    let golden = crate::genuine::golden()?;
    let text = fs_err::read_to_string(golden.join("mongo_wire.jsonl")).unwrap();
    let mut documents = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("{\"insert\"")) {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let Bson::Document(command) = bson(json) else { panic!("{line}") };
        let collection = command.get_str("insert").unwrap().to_owned();
        for document in command.get_array("documents").unwrap() {
            documents.push((collection.clone(), document.as_document().unwrap().clone()));
        }
    }
    Some(documents)
}

/// What the recording means: `{"$oid": …}` is an id, and whole numbers are Int32, as libbson makes them.
fn bson(json: serde_json::Value) -> Bson {
    match json {
        serde_json::Value::Null => Bson::Null,
        serde_json::Value::Bool(value) => Bson::Boolean(value),
        serde_json::Value::Number(number) => Bson::Int32(number.as_i64().unwrap().try_into().unwrap()),
        serde_json::Value::String(text) => Bson::String(text),
        serde_json::Value::Array(items) => Bson::Array(items.into_iter().map(bson).collect()),
        serde_json::Value::Object(members) => match members.get("$oid") {
            Some(oid) => Bson::ObjectId(oid.as_str().unwrap().parse().unwrap()),
            None => Bson::Document(members.into_iter().map(|(key, value)| (key, bson(value))).collect()),
        },
    }
}

fn prepared(set: &Path) -> Vec<PreparedRun> {
    let schema = fs_err::read_to_string(set.join("schema.fcl")).unwrap();
    let schema = Schema::parse("schema.fcl", &schema).unwrap();
    let runs = list_runs(&set.join("records")).unwrap();
    let read = |path: &std::path::PathBuf| RunDirectory::read(path, &Limits::default()).unwrap();
    runs.values().map(|path| prepare(&read(path), &schema, &Fhiclize::default()).unwrap()).collect()
}

fn entity(document: &Document) -> String {
    let entities = document.get_array("entities").unwrap();
    entities[0].as_document().unwrap().get_str("name").unwrap().to_owned()
}

/// A document without what differs from one storing to the next: id and times.
fn timeless(value: &Bson) -> Bson {
    match value {
        Bson::Document(document) => {
            let member = |(key, value): (&String, &Bson)| {
                let is_time = ["timestamp", "created", "assigned"].contains(&key.as_str()) && value.as_str().is_some();
                (key.clone(), if is_time { Bson::Null } else { timeless(value) })
            };
            let members = document.iter().filter(|(key, _)| *key != "_id").map(member);
            Bson::Document(members.collect())
        }
        Bson::Array(items) => Bson::Array(items.iter().map(timeless).collect()),
        other => other.clone(),
    }
}

async fn stored(scratch: &Scratch) -> Vec<(String, Document)> {
    let mut documents = Vec::new();
    for collection in ["RunHistory", "SystemLayout"] {
        let mut cursor = scratch.database.collection::<Document>(collection).find(doc! {}).await.unwrap();
        while cursor.advance().await.unwrap() {
            documents.push((collection.to_owned(), cursor.deserialize_current().unwrap()));
        }
    }
    documents
}

#[tokio::test]
async fn documents_are_those_that_the_genuine_program_sent() {
    let (Some(scratch), Some(recorded)) = (Scratch::new().await, recorded()) else { return };
    let golden = crate::genuine::golden().unwrap();
    insert(&scratch.store(), prepared(&golden.join("one"))).await;
    let ours: BTreeMap<_, _> = stored(&scratch)
        .await
        .into_iter()
        .filter(|(_, document)| document.get_str("version").is_ok_and(|version| version == "1000/demo"))
        .map(|(collection, document)| ((collection, entity(&document)), document))
        .collect();
    let mut compared = 0;
    for (collection, genuine) in recorded.iter().filter(|(collection, _)| collection != "SystemMetadata") {
        let Some(ours) = ours.get(&(collection.clone(), entity(genuine))) else { continue };
        if timeless(&genuine["document"]) != timeless(&ours["document"]) {
            continue; // A document of the same name in another scene of the recording.
        }
        let (ours, genuine) = (timeless(&ours.into()), timeless(&genuine.into()));
        // The texts show order and types as well as values.
        assert_eq!(format!("{ours:?}"), format!("{genuine:?}"));
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} documents were found in both");
    scratch.drop_database().await;
}

#[tokio::test]
async fn runs_that_the_genuine_program_stored_are_listed_completed_and_exported() {
    let (Some(scratch), Some(recorded)) = (Scratch::new().await, recorded()) else { return };
    for (collection, document) in recorded {
        scratch.database.collection::<Document>(&collection).insert_one(document).await.unwrap();
    }
    let store = scratch.store();
    let runs = store.runs().await.unwrap();
    assert!(runs.contains_key(&RunNumber::new(1000)), "{runs:?}");
    let before = stored(&scratch).await;
    let golden = crate::genuine::golden().unwrap();
    let prepared = prepared(&golden.join("one")).remove(0);
    let was_complete = runs[&RunNumber::new(1000)].is_complete();
    let outcome = store.insert(Arc::new([prepared.clone()])).await.unwrap().remove(0).unwrap();
    assert_eq!(matches!(outcome, Inserted::AlreadyThere { .. }), was_complete, "{outcome:?}");
    let after = stored(&scratch).await;
    let is_kept = |(collection, document): &(String, Document)| {
        after.iter().any(|(place, found)| place == collection && found.get("_id") == document.get("_id"))
    };
    assert!(before.iter().all(is_kept), "nothing is removed");
    let entry = store.runs().await.unwrap().remove(&RunNumber::new(1000)).unwrap();
    assert!(entry.is_complete());
    let export = store.export(RunNumber::new(1000)).await.unwrap().unwrap();
    for document in prepared.archive.documents {
        let found = export.documents.iter().find(|found| found.entity == document.entity);
        assert!(found.is_some(), "{}", document.entity);
    }
    scratch.drop_database().await;
}
