//! The documents of a run as texts.

use run_record::RunNumber;

use super::{
    connect::Connection,
    intents::{Pending, Target},
    listing, query,
};
use crate::{ConfigError, Configuration, Export, ExportedDocument, document::StoredDocument, newest::Newest};

/// How often a run is read again while somebody adds to it.
const ATTEMPTS: u32 = 20;

/// The newest configuration of a run.
pub(super) async fn export(connection: &Connection, run: RunNumber) -> Result<Option<Export>, ConfigError> {
    let mut attempt = 1;
    loop {
        let entry = listing::runs(connection, Some(run)).await?.remove(&run);
        let Some(mut configuration) = entry.and_then(|entry| entry.configurations.into_iter().next()) else {
            return Ok(None);
        };
        let documents = visible(connection, &configuration.name).await?;
        // Nothing is ever removed: as many documents are the same ones.
        if documents.len() == configuration.documents || attempt == ATTEMPTS {
            configuration.documents = documents.len();
            return print(connection, configuration, documents).map(Some);
        }
        attempt += 1;
    }
}

/// The documents of a configuration without those of open insertions.
async fn visible(connection: &Connection, name: &str) -> Result<Vec<(Target, StoredDocument)>, ConfigError> {
    let hidden = Pending::read(connection).await?.hidden(connection).await?;
    let mut documents = query::documents_of(connection, name).await?;
    documents.retain(|(target, _)| !hidden.contains(target));
    Ok(documents)
}

/// The newest documents as texts, by entity and then collection.
fn print(
    connection: &Connection,
    configuration: Configuration,
    found: Vec<(Target, StoredDocument)>,
) -> Result<Export, ConfigError> {
    let mut newest = Newest::default();
    for (target, document) in found {
        newest.add(target.collection, document);
    }
    let documents = newest.documents.into_iter().map(|((entity, collection), document)| {
        let text = document.export().map_err(|source| {
            let place = format!("{}/{collection}/{}", connection.uri(), document.entry.oid);
            ConfigError::StoredDamaged { place, source }
        })?;
        Ok::<_, ConfigError>(ExportedDocument { entity, collection, version: document.version().to_owned(), text })
    });
    Ok(Export { configuration, documents: documents.collect::<Result<_, _>>()? })
}
