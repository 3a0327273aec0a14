//! Questions to the collections: which runs there are, and the documents of a configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use mongodb::{
    action::{Action as _, Aggregate},
    bson::{Bson, Document, RawDocumentBuf, Regex, cstr, doc, oid::ObjectId, raw::CString},
    error::{Error, ErrorKind},
    options::Hint,
};
use run_record::{RunNumber, hashes::HASHES_ENTITY, schema::SCHEMA_COLLECTION};
use serde::Deserialize;

use super::{
    bson,
    connect::Connection,
    intents::{Hidden, INTENTS, Target},
};
use crate::{
    ConfigError, DocumentProblem, RunEntry,
    document::StoredDocument,
    entry::{Gathered, STOP_TIME_ENTITY, entries, run_of, schema_entity},
    filesystem::SYSTEM_METADATA,
};

/// How many runs or ids are asked for at once.
const CHUNK: usize = 500;

/// The server's code for a document whose id another one has.
const DUPLICATE_KEY: i32 = 11000;

/// The collections that may hold runs, that of the schemas first: it is written last, so that a run whose schema was
/// seen is there as a whole when the other collections are read.
pub(super) async fn collections(connection: &Connection) -> Result<Vec<String>, ConfigError> {
    let database = connection.database().await?;
    let names = database.list_collection_names().filter(doc! { "type": "collection" });
    let mut names = connection.ask("list the collections of", names).await?;
    names.retain(|name| !name.starts_with("system.") && name != SYSTEM_METADATA && name != INTENTS);
    names.sort_by_key(|name| (name != SCHEMA_COLLECTION, name.clone()));
    Ok(names)
}

/// A configuration in one collection.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    name: Bson,
    documents: i64,
    assigned: Bson,
    hashes: bool,
    stop_time: bool,
    schemas: i64,
}

/// The configurations of the given runs, or of all, the newest of each run first.
pub(super) async fn runs(
    connection: &Connection,
    only: Option<&[RunNumber]>,
    hidden: &Hidden,
) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
    let chunks: Vec<_> = only.map_or_else(|| vec![None], |runs| runs.chunks(CHUNK).map(Some).collect());
    let mut gathered = BTreeMap::new();
    for collection in collections(connection).await? {
        for &chunk in &chunks {
            gather(connection, &collection, chunk, hidden, &mut gathered).await?;
        }
    }
    Ok(entries(gathered))
}

async fn gather(
    connection: &Connection,
    collection: &str,
    only: Option<&[RunNumber]>,
    hidden: &Hidden,
    gathered: &mut BTreeMap<(RunNumber, String), Gathered>,
) -> Result<(), ConfigError> {
    let documents = connection.database().await?.collection::<Row>(collection);
    let question = documents.aggregate(listing(collection, only, hidden)).allow_disk_use(true).with_type::<Row>();
    // Whoever reads everything is slowed down by an index.
    let natural = only.is_none().then(|| Hint::Keys(doc! { "$natural": 1 }));
    let mut cursor = connection.ask("list", question.optional(natural, Aggregate::hint)).await?;
    while connection.ask("list", cursor.advance()).await? {
        let row = cursor.deserialize_current().map_err(|error| connection.error("list", &error))?;
        // Whatever is no text is no name of ours.
        let Some(name) = row.name.as_str() else { continue };
        let Some(run) = run_of(name).filter(|run| only.is_none_or(|only| only.contains(run))) else { continue };
        let found: &mut Gathered = gathered.entry((run, name.to_owned())).or_default();
        found.documents += usize::try_from(row.documents).unwrap_or(0);
        found.schemas += usize::try_from(row.schemas).unwrap_or(0);
        found.has_hashes |= row.hashes;
        found.has_stop_time |= row.stop_time;
        // A time that is no text is none: the configuration counts as older than those that have one.
        if let Some(assigned) = row.assigned.as_str() {
            found.assigned_at(assigned);
        }
    }
    Ok(())
}

/// The pipeline that makes [`Row`]s.
fn listing(collection: &str, only: Option<&[RunNumber]>, hidden: &Hidden) -> Vec<Document> {
    let mut filter = only.map_or_else(Document::new, of_runs);
    if !hidden.of(collection).is_empty() {
        filter.insert("_id", doc! { "$nin": hidden.of(collection) });
    }
    let list = |path: &str| doc! { "$cond": [{ "$isArray": path }, path, [path]] };
    let has = |entity: &str| doc! { "$in": [entity, "$entities"] };
    let is_schema = if collection == SCHEMA_COLLECTION {
        has(schema_entity())
    } else {
        doc! { "$literal": false }
    };
    vec![
        doc! { "$match": filter },
        doc! { "$project": { "_id": 0, "configuration": "$configurations", "entities": list("$entities.name") } },
        doc! { "$unwind": "$configuration" },
        doc! { "$group": {
            "_id": "$configuration.name",
            "documents": { "$sum": 1_i64 },
            "assigned": { "$max": "$configuration.assigned" },
            "hashes": { "$max": has(HASHES_ENTITY) },
            "stop_time": { "$max": has(STOP_TIME_ENTITY) },
            "schemas": { "$sum": { "$cond": [is_schema, 1_i64, 0_i64] } },
        } },
    ]
}

/// The documents of runs, and perhaps a few others: names like `1000/demo`, and the rare ones with blanks or zeros in
/// front, which lie before `1` in an index.
pub(super) fn of_runs(runs: &[RunNumber]) -> Document {
    let mut any = String::new();
    for run in runs {
        let separator = if any.is_empty() { "" } else { "|" };
        // Writing to a text does not fail.
        let _ = write!(any, "{separator}{run}");
    }
    let prefixes: Vec<_> = runs.iter().map(|&run| prefix(run)).collect();
    let odd = doc! { "$lt": "1", "$regex": format!("^[\\s+0]*({any})/") };
    doc! { "$or": [
        { "configurations.name": { "$in": prefixes } },
        { "configurations": { "$elemMatch": { "name": odd } } },
    ] }
}

fn prefix(run: RunNumber) -> Bson {
    // Digits and a slash: no zero byte, which is all that is refused.
    let pattern = CString::try_from(format!("^{run}/")).unwrap_or_else(|_| cstr!("^/").into());
    Bson::RegularExpression(Regex { pattern, options: cstr!("").into() })
}

/// The documents of a configuration, hidden ones included, with their collections; of each collection by ascending id.
pub(super) async fn documents_of(
    connection: &Connection,
    configuration: &str,
) -> Result<Vec<(Target, StoredDocument)>, ConfigError> {
    let mut documents = Vec::new();
    for collection in collections(connection).await? {
        let filter = doc! { "configurations.name": configuration };
        documents.extend(find(connection, &collection, filter).await?);
    }
    Ok(documents)
}

/// The documents with these ids, by ascending id.
pub(super) async fn with_ids(
    connection: &Connection,
    collection: &str,
    oids: &[ObjectId],
) -> Result<Vec<(Target, StoredDocument)>, ConfigError> {
    let mut documents = Vec::new();
    for oids in oids.chunks(CHUNK) {
        documents.extend(find(connection, collection, doc! { "_id": { "$in": oids } }).await?);
    }
    Ok(documents)
}

async fn find(
    connection: &Connection,
    collection: &str,
    filter: Document,
) -> Result<Vec<(Target, StoredDocument)>, ConfigError> {
    let found = connection.database().await?.collection::<RawDocumentBuf>(collection);
    let mut cursor = connection.ask("read", found.find(filter)).await?;
    let mut documents = Vec::new();
    while connection.ask("read", cursor.advance()).await? {
        let raw = cursor.current();
        let id = raw.get_object_id("_id").map_err(|_| ConfigError::StoredDamaged {
            place: format!("{}/{collection}", connection.uri()),
            source: DocumentProblem::Member("_id"),
        })?;
        let document = bson::decode(raw).and_then(StoredDocument::from_json).map_err(|source| {
            let place = format!("{}/{collection}/{id}", connection.uri());
            ConfigError::StoredDamaged { place, source }
        })?;
        documents.push((Target { collection: collection.to_owned(), oid: id }, document));
    }
    documents.sort_by_key(|(target, _)| target.oid);
    Ok(documents)
}

/// Which of these documents are there.
pub(super) async fn existing(
    connection: &Connection,
    collection: &str,
    oids: &[ObjectId],
) -> Result<BTreeSet<Target>, ConfigError> {
    #[derive(Deserialize)]
    struct Id {
        #[serde(rename = "_id")]
        oid: ObjectId,
    }
    let documents = connection.database().await?.collection::<Id>(collection);
    let mut found = BTreeSet::new();
    for oids in oids.chunks(CHUNK) {
        let question = documents.find(doc! { "_id": { "$in": oids } }).projection(doc! { "_id": 1 });
        let mut cursor = connection.ask("read", question).await?;
        while connection.ask("read", cursor.advance()).await? {
            let id = cursor.deserialize_current().map_err(|error| connection.error("read", &error))?;
            found.insert(Target { collection: collection.to_owned(), oid: id.oid });
        }
    }
    Ok(found)
}

/// The places in the list of those documents that were not stored because their ids are taken; every other failure
/// is an error.
pub(super) fn duplicates_allowed(
    connection: &Connection,
    outcome: Result<(), Error>,
) -> Result<BTreeSet<usize>, ConfigError> {
    let Err(error) = outcome else { return Ok(BTreeSet::new()) };
    if let ErrorKind::InsertMany(failed) = &*error.kind
        && failed.write_concern_error.is_none()
        && let Some(errors) = &failed.write_errors
        && errors.iter().all(|error| error.code == DUPLICATE_KEY)
    {
        return Ok(errors.iter().map(|error| error.index).collect());
    }
    Err(connection.error("write", &error))
}
