//! Leaves out of a new index what the service leaves out.
//!
//! The engine's backfill indexes every item that has the key attributes. The service skips, without
//! a word, items whose key has the wrong type, is empty, or is longer than 2048 bytes (partition)
//! or 1024 bytes (sort) \[D3\]. Later writes of such keys are refused by the engine itself.

use rusqlite::Connection;
use serde_json::Value;

use crate::engine::index_rows_table;

const PARTITION_KEY_BYTES_MAX: usize = 2048;
const SORT_KEY_BYTES_MAX: usize = 1024;

/// One key attribute of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyPart {
    name: String,
    /// `S`, `N` or `B`.
    kind: String,
    bytes_max: usize,
}

impl KeyPart {
    /// Whether the service would index `item` by this attribute.
    fn admits(&self, item: &Value) -> bool {
        let Some(value) = item[&self.name][&self.kind].as_str() else {
            return false;
        };
        let length = match self.kind.as_str() {
            "N" => return true,
            "B" => decoded_length(value),
            _ => value.len(),
        };
        (1..=self.bytes_max).contains(&length)
    }
}

/// The length of what a padded base64 text encodes.
fn decoded_length(base64: &str) -> usize {
    let digits = base64.trim_end_matches('=').len();
    digits * 3 / 4
}

/// Removes the violating rows of a freshly backfilled index; returns how many there were.
///
/// Runs within the caller's transaction.
pub(crate) fn remove(
    connection: &Connection,
    table: &str,
    index: &str,
    key_schema: &Value,
    attributes: &Value,
) -> rusqlite::Result<usize> {
    let key = key_parts(key_schema, attributes);
    let rows = index_rows_table(table, index).replace('"', "\"\"");
    let violating: Vec<i64> = connection
        .prepare(&format!(r#"SELECT rowid, item_json FROM "{rows}""#))?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?
        .filter_map(|row| match row {
            Ok((id, item)) => {
                let item = serde_json::from_str(&item).unwrap_or(Value::Null);
                (!key.iter().all(|part| part.admits(&item))).then_some(Ok(id))
            }
            Err(error) => Some(Err(error)),
        })
        .collect::<rusqlite::Result<_>>()?;
    let mut delete = connection.prepare(&format!(r#"DELETE FROM "{rows}" WHERE rowid = ?1"#))?;
    for id in &violating {
        delete.execute([id])?;
    }
    Ok(violating.len())
}

fn key_parts(key_schema: &Value, attributes: &Value) -> Vec<KeyPart> {
    let kind = |name: &Value| {
        let all = attributes.as_array().into_iter().flatten();
        let mut same = all.filter(|attribute| attribute["AttributeName"] == *name);
        same.next().and_then(|attribute| attribute["AttributeType"].as_str())
    };
    key_schema
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|element| {
            Some(KeyPart {
                name: element["AttributeName"].as_str()?.to_owned(),
                kind: kind(&element["AttributeName"])?.to_owned(),
                bytes_max: match element["KeyType"].as_str() {
                    Some("RANGE") => SORT_KEY_BYTES_MAX,
                    _ => PARTITION_KEY_BYTES_MAX,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_that_the_service_indexes() {
        let check = |kind: &str, value: Value, expect: bool| {
            let part = KeyPart { name: "k".to_owned(), kind: kind.to_owned(), bytes_max: 4 };
            assert_eq!(part.admits(&json!({ "k": value })), expect, "{kind} {value}");
        };
        check("S", json!({"S": "abcd"}), true);
        check("S", json!({"S": "abcde"}), false); // too long
        check("S", json!({"S": "ää"}), true); // bytes, not characters
        check("S", json!({"S": "äää"}), false);
        check("S", json!({"S": ""}), false);
        check("S", json!({"N": "1"}), false); // wrong type
        check("S", json!({"SS": ["a"]}), false);
        check("N", json!({"N": "123456"}), true);
        check("N", json!({"S": "1"}), false);
        check("B", json!({"B": "AAAA"}), true); // 3 bytes
        check("B", json!({"B": "AAAAAA=="}), true); // 4 bytes
        check("B", json!({"B": "AAAAAAA="}), false); // 5 bytes
        check("B", json!({"B": ""}), false);
    }
}
