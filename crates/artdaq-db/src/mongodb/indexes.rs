//! The indexes that make searches for runs quick. The genuine programs make none, and profit from these.

use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};
use run_record::schema::SCHEMA_COLLECTION;

use super::{connect::Connection, query};
use crate::ConfigError;

/// The collection of almost every rule of a schema.
const RUN_HISTORY: &str = "RunHistory";

/// What all searches for a run begin with.
const KEY: &str = "configurations.name";

const NAME: &str = "waymark_configurations_name";

/// What became of the index of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedIndex {
    /// The collection.
    pub collection: String,
    /// Whether the index was made now; otherwise it was there.
    pub is_new: bool,
}

/// Makes the indexes of all collections that are there, and of the two that every archive gets.
pub(super) async fn create(connection: &Connection) -> Result<Vec<CreatedIndex>, ConfigError> {
    let mut collections = query::collections(connection).await?;
    for wanted in [RUN_HISTORY, SCHEMA_COLLECTION] {
        if !collections.iter().any(|collection| collection == wanted) {
            collections.push(wanted.to_owned());
        }
    }
    collections.sort();
    let mut created = Vec::new();
    for collection in collections {
        let documents = connection.database().await?.collection::<Document>(&collection);
        let is_new = !has_index(connection, &collection).await?;
        if is_new {
            let options = IndexOptions::builder().name(NAME.to_owned()).build();
            let model = IndexModel::builder().keys(doc! { KEY: 1 }).options(options).build();
            connection.ask("create an index in", documents.create_index(model)).await?;
        }
        created.push(CreatedIndex { collection, is_new });
    }
    Ok(created)
}

/// Whether there is an index, by whatever name, that begins with what we search for.
async fn has_index(connection: &Connection, collection: &str) -> Result<bool, ConfigError> {
    let documents = connection.database().await?.collection::<Document>(collection);
    // A collection that is not there has no indexes, which some servers call an error.
    let database = connection.database().await?;
    let names = database.list_collection_names().filter(doc! { "name": collection });
    if connection.ask("list the collections of", names).await?.is_empty() {
        return Ok(false);
    }
    let mut cursor = connection.ask("list the indexes of", documents.list_indexes()).await?;
    let mut found = false;
    while connection.ask("list the indexes of", cursor.advance()).await? {
        let index = cursor.deserialize_current().map_err(|error| connection.error("list the indexes of", &error))?;
        found |= index.keys.keys().next().is_some_and(|key| key == KEY);
    }
    Ok(found)
}
