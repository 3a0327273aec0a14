//! The tree as artdaqDB stores it: `document.data`, `document.metadata` and `comments`.
//!
//! # Two bindings of one name
//!
//! The genuine writer stores both, as equal keys in one JSON object; its export looks every type up
//! under the first of them, so that a second table, whose members the first does not have, comes out
//! empty, and a second sequence that is longer than the first is cut. We store both as well, and add
//! to the first one's `children` those of the later ones. So the genuine export finds every member
//! and prints all of them. Reading back we pair the n-th value of a name with the n-th type of that
//! name, so for us nothing is ambiguous.

use std::collections::HashMap;

use super::{AtomKind, Comment, Document, Entry, Item, Protection, Table, Value};
use crate::json::Json;

/// What a document without comments has in the place of its comments.
const NO_COMMENTS: &str = "No comments";

/// A stored document whose `data`, `metadata` or `comments` have another shape than they must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stored document has no valid `{path}`: {problem}")]
pub struct StoredError {
    /// Where, as in `document.data.main.a`.
    pub path: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl Document {
    /// `document.data`: the values.
    ///
    /// ```
    /// use run_record::fhicl::Document;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let document = Document::parse("x.fcl", "a: 1 a: [0x1F, \"two\"]")?;
    /// let stored = serde_json::to_string(&document.to_data())?;
    /// assert_eq!(stored, r#"{"prolog":{},"main":{"a":"1","a":["0x1F","two"]}}"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_data(&self) -> Json {
        object([("prolog", table_data(&self.prolog)), ("main", table_data(&self.main))])
    }

    /// `document.metadata`: types, comments, annotations, protections.
    pub fn to_metadata(&self) -> Json {
        let part = |name: &str, table: &Table| {
            let comment = Json::String(format!("#{name}"));
            object([("type", Json::from("table")), ("comment", comment), ("children", table_metadata(table))])
        };
        object([("prolog", part("prolog", &self.prolog)), ("main", part("main", &self.main))])
    }

    /// `comments`: every comment with its line.
    pub fn to_comments(&self) -> Json {
        let comment = |line: u64, text: &str| {
            object([("linenum", Json::Integer(i64::try_from(line).unwrap_or(i64::MAX))), ("value", Json::from(text))])
        };
        if self.comments.is_empty() {
            return Json::Array(vec![comment(0, NO_COMMENTS)]);
        }
        Json::Array(self.comments.iter().map(|stored| comment(stored.line, &stored.text)).collect())
    }

    /// The document from its stored `document.data`, `document.metadata` and `comments`.
    ///
    /// A type that is missing is taken from the value's shape, so that no value is lost.
    ///
    /// # Errors
    ///
    /// [`StoredError`] if a part has not the shape that the genuine program writes.
    pub fn from_stored(data: &Json, metadata: &Json, comments: &Json) -> Result<Self, StoredError> {
        let part = |name: &str| {
            let path = format!("document.data.{name}");
            let Some(Json::Object(values)) = data.get(name) else {
                return Err(StoredError { path, problem: "not an object" });
            };
            let children = metadata.get(name).and_then(|part| part.get("children"));
            read_table(values, children, &path)
        };
        Ok(Self { prolog: part("prolog")?, main: part("main")?, comments: read_comments(comments)? })
    }
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn table_data(table: &Table) -> Json {
    Json::Object(table.entries.iter().map(|entry| (entry.key.clone(), value_data(&entry.item.value))).collect())
}

fn value_data(value: &Value) -> Json {
    match value {
        Value::Atom { text, .. } => Json::String(text.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(|item| value_data(&item.value)).collect()),
        Value::Table(table) => table_data(table),
    }
}

fn table_metadata(table: &Table) -> Json {
    let mut members: Vec<(String, Json)> = Vec::with_capacity(table.entries.len());
    let mut first_of: HashMap<&str, usize> = HashMap::with_capacity(table.entries.len());
    for entry in &table.entries {
        let metadata = item_metadata(&entry.item);
        match first_of.get(entry.key.as_str()) {
            Some(&first) => add_children(&mut members[first].1, &metadata),
            None => {
                first_of.insert(&entry.key, members.len());
            }
        }
        members.push((entry.key.clone(), metadata));
    }
    Json::Object(members)
}

/// Adds to the type of a table or sequence those children of another that it lacks, at every depth.
fn add_children(to: &mut Json, from: &Json) {
    if to.get("type") != from.get("type") {
        return;
    }
    let (Json::Object(to), Some(Json::Object(new))) = (to, from.get("children")) else { return };
    let Some((_, Json::Object(children))) = to.iter_mut().find(|(key, _)| key == "children") else { return };
    let known: HashMap<String, usize> = children.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
    for (key, child) in new {
        match known.get(key) {
            Some(&at) => add_children(&mut children[at].1, child),
            None => children.push((key.clone(), child.clone())),
        }
    }
}

fn item_metadata(item: &Item) -> Json {
    let (kind, children) = match &item.value {
        Value::Atom { kind, .. } => (kind.type_name(), None),
        Value::Sequence(items) => {
            let child = |(position, item): (usize, &Item)| (position.to_string(), item_metadata(item));
            ("sequence", Some(Json::Object(items.iter().enumerate().map(child).collect())))
        }
        Value::Table(table) => ("table", Some(table_metadata(table))),
    };
    let mut members =
        vec![("type".to_owned(), Json::from(kind)), ("comment".to_owned(), Json::from(item.comment.as_str()))];
    let mut add = |key: &str, value: Option<Json>| members.extend(value.map(|value| (key.to_owned(), value)));
    add("annotation", item.annotation.as_deref().map(Json::from));
    add("protection", item.protection.modifier().map(Json::from));
    add("children", children);
    Json::Object(members)
}

impl AtomKind {
    const NAMES: [(AtomKind, &str); 9] = [
        (AtomKind::Nil, "nil"),
        (AtomKind::Bool, "bool"),
        (AtomKind::Number, "number"),
        (AtomKind::Complex, "complex"),
        (AtomKind::Unquoted, "string_unquoted"),
        (AtomKind::SingleQuoted, "string_singlequoted"),
        (AtomKind::DoubleQuoted, "string_doublequoted"),
        (AtomKind::String, "string"),
        (AtomKind::TableId, "tableid"),
    ];

    /// The member `type` of the stored metadata.
    pub fn type_name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("string", |(_, name)| name)
    }

    fn from_type_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(_, known)| *known == name).map_or(AtomKind::String, |(kind, _)| *kind)
    }
}

fn read_table(values: &[(String, Json)], children: Option<&Json>, path: &str) -> Result<Table, StoredError> {
    let mut types: HashMap<&str, Vec<&Json>> = HashMap::new();
    for (key, metadata) in children.and_then(Json::as_object).unwrap_or_default() {
        types.entry(key).or_default().push(metadata);
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut entries = Vec::with_capacity(values.len());
    for (key, value) in values {
        let nth = seen.entry(key).or_default();
        let metadata = types.get(key.as_str()).and_then(|found| found.get(*nth).or_else(|| found.first()));
        *nth += 1;
        let item = read_item(value, metadata.copied(), &format!("{path}.{key}"))?;
        entries.push(Entry { key: key.clone(), item });
    }
    Ok(Table { entries })
}

fn read_item(value: &Json, metadata: Option<&Json>, path: &str) -> Result<Item, StoredError> {
    let member = |key: &str| metadata.and_then(|metadata| metadata.get(key)).and_then(Json::as_str);
    let type_name = member("type");
    let children = metadata.and_then(|metadata| metadata.get("children"));
    let mut annotation = member("annotation").map(str::to_owned);
    let value = match value {
        Json::Object(values) => Value::Table(read_table(values, children, path)?),
        Json::Array(items) => {
            annotation.get_or_insert_default();
            Value::Sequence(read_sequence(items, children, path)?)
        }
        atom => {
            // A string in the place of a table is printed without annotation by the genuine export.
            if type_name != Some("table") {
                annotation.get_or_insert_default();
            }
            let kind = type_name.map_or(AtomKind::DoubleQuoted, AtomKind::from_type_name);
            Value::Atom { kind, text: read_atom(atom, path)? }
        }
    };
    let protection = match member("protection") {
        Some("@protect_ignore") => Protection::Ignore,
        Some("@protect_error") => Protection::Error,
        _ => Protection::None,
    };
    Ok(Item { value, comment: member("comment").unwrap_or_default().to_owned(), annotation, protection })
}

fn read_sequence(items: &[Json], children: Option<&Json>, path: &str) -> Result<Vec<Item>, StoredError> {
    let types = children.and_then(Json::as_object).unwrap_or_default();
    let read = |(position, item): (usize, &Json)| {
        let key = position.to_string();
        // The types stand in the order of the elements; only a foreign document needs the search.
        let in_place = types.get(position).filter(|(name, _)| *name == key).map(|(_, metadata)| metadata);
        let metadata = in_place.or_else(|| children.and_then(|children| children.get(&key)));
        read_item(item, metadata, &format!("{path}[{position}]"))
    };
    items.iter().enumerate().map(read).collect()
}

fn read_atom(atom: &Json, path: &str) -> Result<String, StoredError> {
    match atom {
        Json::String(text) => Ok(text.clone()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Integer(value) => Ok(value.to_string()),
        Json::Decimal(value) => Ok(value.to_string()),
        _ => Err(StoredError { path: path.to_owned(), problem: "neither text nor number" }),
    }
}

fn read_comments(comments: &Json) -> Result<Vec<Comment>, StoredError> {
    let refuse = |problem| StoredError { path: "comments".to_owned(), problem };
    let Json::Array(comments) = comments else { return Err(refuse("not an array")) };
    let mut read = Vec::with_capacity(comments.len());
    for comment in comments {
        let (Some(Json::Integer(line)), Some(text)) =
            (comment.get("linenum"), comment.get("value").and_then(Json::as_str))
        else {
            return Err(refuse("a comment needs `linenum` and `value`"));
        };
        let line = u64::try_from(*line).map_err(|_| refuse("a line number is negative"))?;
        if line > 0 {
            read.push(Comment { line, text: text.to_owned() });
        }
    }
    Ok(read)
}
