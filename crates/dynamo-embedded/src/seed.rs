//! A table that is taken for another: its size, and how long its indexes take. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::times::Times;

/// What descriptions say of a table, whatever is in it, and how long its indexes take: for the
/// rehearsal of work on a table of a billion items without a billion items.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use aws_sdk_dynamodb::types::*;
/// use dynamo_embedded::{EmbeddedDynamo, Seed};
///
/// let dynamo = EmbeddedDynamo::builder().open()?;
/// dynamo.seed("bookings", Seed { item_count: Some(1_000_000_000), ..Seed::default() }
///     .with_times("by-flight", "40s,3h,4s".parse()?));
/// # let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?;
/// # let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build()?;
/// # dynamo.client().create_table().table_name("bookings").billing_mode(BillingMode::PayPerRequest)
/// #     .key_schema(key).attribute_definitions(id).send().await?;
/// let described = dynamo.client().describe_table().table_name("bookings").send().await?;
/// assert_eq!(described.table().and_then(|table| table.item_count()), Some(1_000_000_000));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seed {
    /// `ItemCount` of the table, and of each of its indexes that is ACTIVE.
    pub item_count: Option<u64>,
    /// `TableSizeBytes`, and `IndexSizeBytes` of each index that is ACTIVE.
    pub size_bytes: Option<u64>,
    /// How long operations on an index take, where not as long as on all others.
    pub times: BTreeMap<String, Times>,
}

impl Seed {
    /// Adds how long operations on the index `index` take.
    #[must_use]
    pub fn with_times(mut self, index: impl Into<String>, times: Times) -> Self {
        self.times.insert(index.into(), times);
        self
    }

    /// Rewrites a table description that the life cycle has been applied to.
    pub(crate) fn describe(&self, table: &mut Map<String, Value>) {
        set(table, ["ItemCount", "TableSizeBytes"], self);
        let indexes = table.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut);
        for index in indexes.into_iter().flatten().filter_map(Value::as_object_mut) {
            if index.get("IndexStatus").is_some_and(|status| status == "ACTIVE") {
                set(index, ["ItemCount", "IndexSizeBytes"], self);
            }
        }
    }
}

fn set(description: &mut Map<String, Value>, names: [&str; 2], seed: &Seed) {
    for (name, value) in names.into_iter().zip([seed.item_count, seed.size_bytes]) {
        if let Some(value) = value {
            description.insert(name.to_owned(), json!(value));
        }
    }
}
