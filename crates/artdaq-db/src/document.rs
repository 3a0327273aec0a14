//! A stored document: written in the genuine order of members, read in any.
//!
//! Times are those of the injected clock in UTC (`+0000`); the genuine program writes the local zone, and ignores it
//! when it reads. All times of one document are the same.

use chrono::{DateTime, Utc};
use run_record::{RunNumber, fhicl::Document, json::Json};

use crate::{Oid, error::DocumentProblem, filesystem::IndexEntry};

/// A time as the genuine program writes it: `2026-11-21T00:37:50.675+0000`.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.format("%FT%T%.3f+0000").to_string()
}

/// A document that is about to be stored.
#[derive(Debug)]
pub(crate) struct NewDocument<'a> {
    pub(crate) oid: Oid,
    pub(crate) collection: &'a str,
    pub(crate) entity: &'a str,
    pub(crate) version: &'a str,
    pub(crate) configuration: &'a str,
    pub(crate) run: RunNumber,
    pub(crate) time: &'a str,
    pub(crate) content: &'a Document,
}

/// An object with these members.
pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn empty() -> Json {
    Json::Array(Vec::new())
}

impl NewDocument<'_> {
    /// What the index says of it.
    pub(crate) fn index_entry(&self) -> IndexEntry {
        IndexEntry {
            oid: self.oid,
            version: Some(self.version.to_owned()),
            configurations: vec![(self.configuration.to_owned(), self.time.to_owned())],
            entities: vec![self.entity.to_owned()],
            aliases: Vec::new(),
            runs: vec![self.run.to_string()],
        }
    }

    /// Its members in the genuine order.
    pub(crate) fn to_json(&self) -> Json {
        let time = || Json::from(self.time);
        let assigned = |name: &str| object([("name", Json::from(name)), ("assigned", time())]);
        let event = |event: &str, name: &str| {
            object([("event", Json::from(event)), ("timestamp", time()), ("value", assigned(name))])
        };
        let run = self.run.to_string();
        let updates = vec![
            event("addConfiguration", self.configuration),
            event("setVersion", self.version),
            event("setCollection", self.collection),
            event("addEntity", self.entity),
            event("addRun", &run),
        ];
        let document =
            object([("data", self.content.to_data()), ("metadata", self.content.to_metadata()), ("search", empty())]);
        let origin = object([
            ("format", Json::from("fhicl")),
            ("name", Json::from(self.entity)),
            ("source", Json::from("fhicl_to_json")),
            ("timestamp", time()),
            ("created", time()),
            ("rawdata", empty()),
        ]);
        let bookkeeping = object([
            ("isdeleted", Json::Bool(false)),
            ("isreadonly", Json::Bool(false)),
            ("updates", Json::Array(updates)),
            ("created", time()),
        ]);
        object([
            ("document", document),
            ("comments", self.content.to_comments()),
            ("origin", origin),
            ("version", Json::from(self.version)),
            ("entities", Json::Array(vec![assigned(self.entity)])),
            ("configurations", Json::Array(vec![assigned(self.configuration)])),
            ("changelog", Json::from("notprovided")),
            ("bookkeeping", bookkeeping),
            ("_id", object([("$oid", Json::from(self.oid.as_str()))])),
            ("collection", Json::from(self.collection)),
            ("aliases", object([("active", empty()), ("history", empty())])),
            ("runs", Json::Array(vec![assigned(&run)])),
            ("attachments", empty()),
            ("configtype", Json::from("notprovided")),
        ])
    }
}

/// A document as an archive holds it.
#[derive(Debug)]
pub(crate) struct StoredDocument {
    json: Json,
    pub(crate) entry: IndexEntry,
}

impl StoredDocument {
    /// Finds the parts that a search asks for.
    pub(crate) fn from_json(json: Json) -> Result<Self, DocumentProblem> {
        let oid = json.get("_id").and_then(|id| id.get("$oid")).and_then(Json::as_str);
        let oid = oid.and_then(|oid| oid.parse().ok()).ok_or(DocumentProblem::Member("_id"))?;
        let names = |list: Option<&Json>| -> Vec<String> { pairs(list).into_iter().map(|(name, _)| name).collect() };
        let entry = IndexEntry {
            oid,
            version: json.get("version").and_then(Json::as_str).map(str::to_owned),
            configurations: pairs(json.get("configurations")),
            entities: names(json.get("entities")),
            aliases: names(json.get("aliases").and_then(|aliases| aliases.get("active"))),
            runs: names(json.get("runs")),
        };
        Ok(Self { json, entry })
    }

    /// The version, or the empty text.
    pub(crate) fn version(&self) -> &str {
        self.entry.version.as_deref().unwrap_or_default()
    }

    /// The entity, or the empty text.
    pub(crate) fn entity(&self) -> &str {
        self.entry.entities.first().map_or("", String::as_str)
    }

    fn part(&self, name: &'static str) -> Result<&Json, DocumentProblem> {
        let part =
            if name == "comments" { self.json.get(name) } else { self.json.get("document").and_then(|d| d.get(name)) };
        part.ok_or(DocumentProblem::Member(name))
    }

    /// Whether it holds the same values, types and comments as `content`.
    pub(crate) fn holds(&self, content: &Document) -> bool {
        let same = |name, ours: Json| self.part(name).is_ok_and(|theirs| *theirs == ours);
        same("data", content.to_data())
            && same("metadata", content.to_metadata())
            && same("comments", content.to_comments())
    }

    /// Its FHiCL text.
    pub(crate) fn export(&self) -> Result<String, DocumentProblem> {
        let document = Document::from_stored(self.part("data")?, self.part("metadata")?, self.part("comments")?)?;
        Ok(document.to_text())
    }
}

/// The members `name` and `assigned` of a list, up to the first element that has no name, as the genuine indexer does.
fn pairs(list: Option<&Json>) -> Vec<(String, String)> {
    let Some(Json::Array(items)) = list else { return Vec::new() };
    let text = |item: &Json, key| item.get(key).and_then(Json::as_str).map(str::to_owned);
    items.iter().map_while(|item| Some((text(item, "name")?, text(item, "assigned").unwrap_or_default()))).collect()
}
