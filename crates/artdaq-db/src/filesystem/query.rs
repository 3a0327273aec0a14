//! Questions to the indexes: which runs there are, and which document of an entity counts.

use std::{collections::BTreeMap, path::Path};

use run_record::{RunNumber, hashes::HASHES_ENTITY, schema::SCHEMA_COLLECTION};

use super::{
    Oid,
    archive::{Archive, Snapshot},
    dialect, document_path,
    index::Filter,
};
use crate::{
    ConfigError, Configuration, Export, ExportedDocument, RunEntry,
    document::StoredDocument,
    entry::{Gathered, STOP_TIME_ENTITY, entries, schema_entity},
    error::DocumentProblem,
    newest::Newest,
};

/// The configurations of all runs, or of one, the newest of each run first.
pub(super) fn runs(snapshot: &Snapshot, only: Option<RunNumber>) -> BTreeMap<RunNumber, RunEntry> {
    let mut gathered: BTreeMap<(RunNumber, String), Gathered> = BTreeMap::new();
    for (collection, index) in &snapshot.indexes {
        let schemas = if collection == SCHEMA_COLLECTION { index.entity(schema_entity()) } else { &[] };
        let hashes = index.entity(HASHES_ENTITY);
        let stop_times = index.entity(STOP_TIME_ENTITY);
        for (run, name, oids) in index.configurations(only) {
            let visible = || oids.iter().filter(|oid| !snapshot.hidden.contains(*oid));
            let documents = visible().count();
            if documents == 0 {
                continue;
            }
            let found = gathered.entry((run, name.to_owned())).or_default();
            found.documents += documents;
            found.schemas += visible().filter(|oid| schemas.binary_search(oid).is_ok()).count();
            found.has_hashes |= visible().any(|oid| hashes.binary_search(oid).is_ok());
            found.has_stop_time |= visible().any(|oid| stop_times.binary_search(oid).is_ok());
            found.assigned_at(index.last_assigned(name));
        }
    }
    entries(gathered)
}

/// Reads documents, given by collection and id, and keeps of each entity the newest.
pub(super) fn newest(root: &Path, documents: Vec<(String, Oid)>) -> Result<Newest, ConfigError> {
    let mut newest = Newest::default();
    for (collection, oid) in documents {
        let document = read(&document_path(root, &collection, &oid))?;
        newest.add(collection, document);
    }
    Ok(newest)
}

/// Reads the file `path`.
pub(super) fn read(path: &Path) -> Result<StoredDocument, ConfigError> {
    let bytes = match statefile::read(path, u64::MAX) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(ConfigError::DocumentMissing { path: path.to_owned() });
        }
        Err(source) => return Err(ConfigError::Io { operation: "read", path: path.to_owned(), source }),
    };
    let json = dialect::parse(&String::from_utf8_lossy(&bytes)).map_err(DocumentProblem::from);
    json.and_then(StoredDocument::from_json)
        .map_err(|source| ConfigError::DocumentDamaged { path: path.to_owned(), source })
}

/// The documents of a configuration, by collection and id.
pub(super) fn documents_of(snapshot: &Snapshot, configuration: &str) -> Vec<(String, Oid)> {
    snapshot.find(&Filter { configuration: Some(configuration.to_owned()), ..Filter::default() })
}

/// A configuration, and the collections and ids of its documents.
type Located = (Configuration, Vec<(String, Oid)>);

/// A run's newest configuration and where its documents are.
pub(super) fn locate(archive: &mut Archive, run: RunNumber) -> Result<Option<Located>, ConfigError> {
    let snapshot = archive.snapshot()?;
    let newest = runs(&snapshot, Some(run)).remove(&run).and_then(|entry| entry.configurations.into_iter().next());
    Ok(newest.map(|configuration| {
        let documents = documents_of(&snapshot, &configuration.name);
        (configuration, documents)
    }))
}

/// Reads what [`locate`] has found. Needs no archive: what is indexed is never changed or removed.
pub(super) fn export(
    root: &Path,
    configuration: Configuration,
    documents: Vec<(String, Oid)>,
) -> Result<Export, ConfigError> {
    let mut exported = Vec::new();
    for ((entity, collection), document) in newest(root, documents)?.documents {
        let text = document.export().map_err(|source| ConfigError::DocumentDamaged {
            path: document_path(root, &collection, &document.entry.oid),
            source,
        })?;
        exported.push(ExportedDocument { entity, collection, version: document.version().to_owned(), text });
    }
    Ok(Export { configuration, documents: exported })
}
