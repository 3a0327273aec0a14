//! What the tables of a rehearsal are like: from files, or assumed. The service's answers come by way of
//! `wire`.
//!
//! Whatever is a table description in the AWS spelling (an object with `TableName` and `KeySchema`) is
//! taken from a file, however deep it stands in it: so a `describe-table` answer, a list of them, and the
//! answer of `--plan --json` are all understood.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gsi_aws::{
    describe::{Billing, TableDescription, TableStatus},
    spec::{AttributeType, AttributeTypes, KeySchema},
};
use serde::Deserialize;
use serde_json::Value;

use crate::job::input;

/// The key of a table of which nothing is known.
const ASSUMED_KEY: &str = "pk";

/// A table of which nothing is known: empty, on demand, keyed by [`ASSUMED_KEY`].
pub(crate) fn assumed(name: &str, key_type: Option<AttributeType>) -> TableDescription {
    let mut attributes = AttributeTypes::default();
    attributes.define(ASSUMED_KEY, key_type.unwrap_or(AttributeType::String));
    TableDescription {
        name: name.to_owned(),
        status: TableStatus::Active,
        key_schema: KeySchema::new([ASSUMED_KEY], []),
        attributes,
        billing: Billing::OnDemand,
        item_count: Some(0),
        size_bytes: Some(0),
        indexes: Vec::new(),
    }
}

/// The type of the assumed key, where an index of the table uses an attribute of its name.
pub(crate) fn assumed_key_type(types: &AttributeTypes) -> Option<AttributeType> {
    types.get(ASSUMED_KEY)
}

/// Reads the descriptions in a file, or in the `.json` files of a directory.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<TableDescription>> {
    if !fs_err::metadata(path)?.is_dir() {
        return read_file(path);
    }
    let entries = fs_err::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut files: Vec<PathBuf> = entries.collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let tables: Vec<_> = files.iter().map(|file| read_file(file)).collect::<anyhow::Result<_>>()?;
    Ok(tables.into_iter().flatten().collect())
}

fn read_file(path: &Path) -> anyhow::Result<Vec<TableDescription>> {
    let bytes = input::read(path)?;
    let named = || format!("`{}` does not describe tables", path.display());
    let document: Value = serde_json::from_slice(&bytes).with_context(named)?;
    let mut found = Vec::new();
    collect(document, &mut found).with_context(named)?;
    anyhow::ensure!(!found.is_empty(), "`{}` holds no table description (`TableName`, `KeySchema`)", path.display());
    Ok(found)
}

fn collect(value: Value, found: &mut Vec<TableDescription>) -> anyhow::Result<()> {
    match value {
        Value::Array(items) => items.into_iter().try_for_each(|item| collect(item, found)),
        Value::Object(object) if object.contains_key("TableName") && object.contains_key("KeySchema") => {
            let name = object["TableName"].as_str().unwrap_or_default().to_owned();
            let table = TableDescription::deserialize(Value::Object(object));
            found.push(table.with_context(|| format!("table `{name}`"))?);
            Ok(())
        }
        Value::Object(object) => object.into_iter().try_for_each(|(_, member)| collect(member, found)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use gsi_aws::spec::Projection;
    use serde_json::json;

    fn described(document: Value) -> Vec<TableDescription> {
        let mut found = Vec::new();
        collect(document, &mut found).unwrap();
        found
    }

    fn bookings() -> Value {
        json!({
            "TableName": "bookings", "TableStatus": "ACTIVE", "ItemCount": 1200, "TableSizeBytes": 99,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"}],
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "GlobalSecondaryIndexes": [{
                "IndexName": "old", "IndexStatus": "ACTIVE", "ItemCount": 7,
                "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]},
                "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}}],
        })
    }

    #[test]
    fn a_describe_table_answer_is_understood_wherever_it_stands() {
        let check = |document: Value, count: usize| {
            let tables = described(document);
            assert_eq!(tables.len(), count);
            for table in tables {
                assert_eq!(
                    (table.name.as_str(), table.item_count, table.size_bytes),
                    ("bookings", Some(1200), Some(99))
                );
                assert_eq!(table.key_schema, KeySchema::new(["id"], ["at"]));
                assert_eq!(table.attributes.get("at"), Some(AttributeType::Number));
                assert_eq!(table.billing, Billing::OnDemand);
                assert_eq!(table.indexes[0].projection, Projection::include(["a", "b"]));
                assert_eq!(table.indexes[0].provisioned, None, "0/0 is no capacity");
            }
        };
        check(bookings(), 1);
        check(json!({ "Table": bookings() }), 1);
        check(json!([{ "Table": bookings() }, bookings()]), 2);
        check(json!({ "plan": { "tables": [{ "action": "create", "described": bookings() }] } }), 1);
        check(json!({ "Table": 3, "TableName": "x" }), 0);
    }

    #[test]
    fn without_a_billing_mode_a_table_is_provisioned() {
        let mut table = bookings();
        table["BillingModeSummary"] = Value::Null;
        table["ProvisionedThroughput"] = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 10});
        assert_eq!(described(table)[0].billing, Billing::Provisioned { read_units: 5, write_units: 10 });
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let check = |pointer: &str, expect: &str| {
            let mut table = bookings();
            *table.pointer_mut(pointer).unwrap() = json!("X");
            let error = format!("{:#}", collect(table, &mut Vec::new()).unwrap_err());
            assert_eq!(error, expect);
        };
        check("/KeySchema/0/KeyType", "table `bookings`: the key type `X` is unknown");
        check("/AttributeDefinitions/1/AttributeType", "table `bookings`: the attribute type `X` is unknown");
        check(
            "/GlobalSecondaryIndexes/0/Projection/ProjectionType",
            "table `bookings`: the projection type `X` is unknown",
        );
    }
}
