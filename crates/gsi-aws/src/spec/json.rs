//! JSON text to a tree with positions.
//!
//! `serde_json` parses, so its messages and its notion of JSON hold; it does not report where a
//! value stands. But a [`RawValue`] borrows its bytes from the text, and the distance of two
//! addresses is the position. Each level of nesting reads its text once more; the depth is
//! bounded by `serde_json`'s recursion limit of 128 in the first pass, which checks the whole text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::tree::{Entry, Node, SyntaxError, Value, offset_of};

/// Reads `text` as one JSON value. Duplicate names are kept for the caller to judge.
pub(super) fn read(text: &str) -> Result<Node, SyntaxError> {
    // Checks what the borrowing passes below skip: escapes, number ranges, nesting.
    serde_json::from_str::<serde_json::Value>(text).map_err(|error| syntax_error(text, &error))?;
    let raw = serde_json::from_str::<&RawValue>(text).map_err(|error| syntax_error(text, &error))?;
    node(text, raw)
}

fn node(text: &str, raw: &RawValue) -> Result<Node, SyntaxError> {
    let offset = distance(text, raw);
    let inner = |error: &serde_json::Error| SyntaxError { offset, message: message(error) };
    let json = raw.get();
    let value = match json.as_bytes().first() {
        Some(b'{') => {
            let fields: Fields<'_> = serde_json::from_str(json).map_err(|error| inner(&error))?;
            Value::Object(fields.0.into_iter().map(|(name, raw)| entry(text, name, raw)).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Items<'_> = serde_json::from_str(json).map_err(|error| inner(&error))?;
            Value::List(items.0.into_iter().map(|raw| node(text, raw)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::String(serde_json::from_str(json).map_err(|error| inner(&error))?),
        Some(b'n') => Value::Null,
        Some(b't' | b'f') => Value::Bool,
        _ => json.parse().map_or(Value::Float, Value::Integer),
    };
    Ok(Node { offset, value })
}

fn entry(text: &str, name: &RawValue, raw: &RawValue) -> Result<Entry, SyntaxError> {
    let offset = distance(text, name);
    let name = serde_json::from_str(name.get()).map_err(|error| SyntaxError { offset, message: message(&error) })?;
    Ok(Entry { name, offset, node: node(text, raw)? })
}

/// How far into `text` the borrowed `raw` starts.
fn distance(text: &str, raw: &RawValue) -> usize {
    raw.get().as_ptr().addr() - text.as_ptr().addr()
}

fn syntax_error(text: &str, error: &serde_json::Error) -> SyntaxError {
    SyntaxError { offset: offset_of(text, error.line(), error.column()), message: message(error) }
}

/// `serde_json`'s words without its own " at line 1 column 2": the position is reported apart.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

/// The fields of an object, each still text.
struct Fields<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// The items of a list, each still text.
struct Items<'t>(Vec<&'t RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Items)
    }
}
