//! A run directory to the documents that artdaqDB is to store.
//!
//! Two passes, as in the genuine importer: the first stores all files, the second, for a run that has
//! a start or stop time, `RunHistory2` and the schema again.

use std::collections::{BTreeMap, BTreeSet};

use crate::RunNumber;
use crate::convert::{self, Converter, Fhiclize};
use crate::directory::RunDirectory;
use crate::fhicl::{Document, Extension, ParseError};
use crate::hashes::{self, HASHES_ENTITY};
use crate::schema::{DEFAULT_COLLECTION, Place, SCHEMA_COLLECTION, SCHEMA_FILE, Schema, SchemaError};

/// A run, ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedRun {
    /// The run.
    pub run: RunNumber,
    /// The configuration's name without the run: `demo`.
    pub configuration: String,
    /// What the first pass stores.
    pub archive: Pass,
    /// What the second pass stores; `None` for a run without start and stop time.
    pub update: Option<Pass>,
    /// Files of the directory that are not archived, sorted.
    pub skipped: Vec<String>,
}

impl PreparedRun {
    /// The name under which artdaqDB knows the configuration: `1000/demo`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.run, self.configuration)
    }
}

/// One pass of storing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pass {
    /// The FHiCL files by relative path: what the genuine tools would be given.
    pub files: BTreeMap<String, String>,
    /// The documents, each entity once.
    pub documents: Vec<PreparedDocument>,
}

/// One document to store.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedDocument {
    /// The entity.
    pub entity: String,
    /// The collection.
    pub collection: String,
    /// The FHiCL text.
    pub text: String,
    /// The text, parsed.
    pub document: Document,
    /// What the genuine program would refuse or destroy; empty for almost every text.
    pub extensions: BTreeSet<Extension>,
}

/// Why a run cannot be prepared; nothing of it is to be stored.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A file is not FHiCL.
    #[error("a FHiCL file is malformed")]
    Malformed(#[source] ParseError),
    /// The schema's rules cannot be applied.
    #[error("the schema cannot be applied to `{file}`")]
    Schema {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: SchemaError,
    },
}

/// Converts, generates and parses everything that is to be stored of a run.
///
/// ```
/// use std::collections::BTreeMap;
/// use run_record::RunNumber;
/// use run_record::convert::Fhiclize;
/// use run_record::directory::RunDirectory;
/// use run_record::prepare::prepare;
/// use run_record::schema::Schema;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = BTreeMap::from([("metadata.txt".to_owned(), "Config name: demo\n".to_owned())]);
/// let record = RunDirectory { run: RunNumber::new(7), files, skipped: Vec::new() };
/// let prepared = prepare(&record, &Schema::parse("schema.fcl", "run_history: []")?, &Fhiclize::default())?;
/// assert_eq!(prepared.full_name(), "7/demo");
/// let entities: Vec<_> = prepared.archive.documents.iter().map(|document| document.entity.as_str()).collect();
/// assert_eq!(entities, ["RunHistory", "metadata", "schema", "hashes"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`PrepareError`] for the first file that is malformed.
pub fn prepare(record: &RunDirectory, schema: &Schema, selection: &Fhiclize) -> Result<PreparedRun, PrepareError> {
    let metadata = record.files.get("metadata.txt").map(String::as_str);
    let mut skipped = record.skipped.clone();
    let mut files = BTreeMap::new();
    for (path, text) in &record.files {
        let Some(stem) = path.strip_suffix(".txt") else {
            files.entry(path.clone()).or_insert_with(|| text.clone());
            continue;
        };
        match Converter::from_name(stem).filter(|converter| selection.converters.contains(converter)) {
            // Takes the place of a file `NAME.fcl` that lies beside `NAME.txt`.
            Some(converter) => drop(files.insert(format!("{stem}.fcl"), converter.convert(text))),
            None => skipped.push(path.clone()),
        }
    }
    if let Some(metadata) = metadata.filter(|_| selection.run_history) {
        files.insert("RunHistory.fcl".to_owned(), convert::run_history(record.run, metadata));
    }
    // The schema in use and the generated hashes take the places of files of these names.
    let replaced = [SCHEMA_FILE.to_owned(), format!("{HASHES_ENTITY}.fcl")];
    skipped.extend(replaced.into_iter().filter(|name| files.remove(name).is_some()));
    skipped.sort();

    let mut archive = pass(files, schema)?;
    let hashes =
        hashes::text(archive.documents.iter().map(|document| (document.entity.as_str(), document.text.as_str())));
    let place = Place { collection: DEFAULT_COLLECTION.to_owned(), entity: HASHES_ENTITY.to_owned() };
    archive.documents.push(document(HASHES_ENTITY, place, hashes)?);

    let times = metadata.filter(|_| selection.run_history2).and_then(convert::run_history2);
    let update =
        times.map(|times| pass(BTreeMap::from([("RunHistory2.fcl".to_owned(), times)]), schema)).transpose()?;
    Ok(PreparedRun { run: record.run, configuration: convert::configuration_name(metadata), archive, update, skipped })
}

/// The documents of a pass; the schema is added to the files.
fn pass(mut files: BTreeMap<String, String>, schema: &Schema) -> Result<Pass, PrepareError> {
    files.insert(SCHEMA_FILE.to_owned(), schema.text().to_owned());
    // Files at the top first, so that they keep their entity if one below has the same.
    let mut in_order: Vec<_> = files.iter().collect();
    in_order.sort_by_key(|(path, _)| path.matches('/').count());
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    let mut documents: Vec<PreparedDocument> = Vec::with_capacity(files.len());
    for (path, text) in in_order {
        for mut place in places(schema, path)? {
            match owners.get(&place.entity) {
                Some(&owner) if owner == path => documents.retain(|document| document.entity != place.entity),
                Some(_) => place.entity = free_entity(&owners, path),
                None => {}
            }
            owners.insert(place.entity.clone(), path);
            documents.push(document(path, place, text.clone())?);
        }
    }
    Ok(Pass { files, documents })
}

fn places(schema: &Schema, path: &str) -> Result<Vec<Place>, PrepareError> {
    let stem = path.strip_suffix(".fcl").unwrap_or(path);
    let entity = stem.rsplit('/').next().unwrap_or(stem).to_owned();
    if path == SCHEMA_FILE {
        return Ok(vec![Place { collection: SCHEMA_COLLECTION.to_owned(), entity }]);
    }
    let mut places = schema.places(path).map_err(|source| PrepareError::Schema { file: path.to_owned(), source })?;
    places.retain(|place| !place.entity.is_empty());
    if places.is_empty() {
        places.push(Place { collection: DEFAULT_COLLECTION.to_owned(), entity });
    }
    Ok(places)
}

/// A name for a file in a sub-directory whose own name is taken: its path with underscores.
fn free_entity(owners: &BTreeMap<String, &str>, path: &str) -> String {
    let mut entity = path.strip_suffix(".fcl").unwrap_or(path).replace('/', "_");
    while owners.contains_key(&entity) {
        entity.push('_');
    }
    entity
}

fn document(file: &str, place: Place, text: String) -> Result<PreparedDocument, PrepareError> {
    let parsed = Document::parse_reporting(file, &text).map_err(PrepareError::Malformed)?;
    let Place { collection, entity } = place;
    Ok(PreparedDocument { entity, collection, text, document: parsed.document, extensions: parsed.extensions })
}
