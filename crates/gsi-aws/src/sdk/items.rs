//! Reading items through the AWS SDK.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{primitives::Blob, types};

use super::{SdkIndexApi, api_error};
use crate::{
    api::{ApiError, Operation},
    items::{AttributeValue, Consumed, Item, ItemApi, Page, QueryAnswer, QueryIndex, ScanPage},
};

#[async_trait]
impl ItemApi for SdkIndexApi {
    async fn scan_page(&self, request: &ScanPage<'_>) -> Result<Page, ApiError> {
        let operation = Operation::Scan;
        let mut placeholders = Placeholders::default();
        let projection: Vec<_> = request.projection.iter().map(|name| placeholders.name(name)).collect();
        let having: Vec<_> = request
            .having
            .iter()
            .map(|(name, kind)| {
                let kind = types::AttributeValue::S(kind.as_str().to_owned());
                format!("attribute_type({}, {})", placeholders.name(name), placeholders.value(kind))
            })
            .collect();
        let (names, values) = placeholders.into_parts();
        let answer = self
            .0
            .scan()
            .table_name(request.table)
            .set_segment(request.segment.map(|(number, _)| signed(number)))
            .set_total_segments(request.segment.map(|(_, count)| signed(count)))
            .set_exclusive_start_key(request.start_key.map(to_sdk))
            .set_limit(request.limit.map(signed))
            .set_projection_expression(joined(&projection, ", "))
            .set_filter_expression(joined(&having, " AND "))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_consumed_capacity(types::ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| api_error(operation, &error))?;
        Ok(Page {
            items: answer.items().iter().map(from_sdk).collect(),
            scanned: unsigned(answer.scanned_count()),
            read_units: answer.consumed_capacity().and_then(types::ConsumedCapacity::capacity_units),
            next_key: next_key(answer.last_evaluated_key()),
        })
    }

    async fn get_item(&self, table: &str, key: &Item, projection: &[&str]) -> Result<Option<Item>, ApiError> {
        let operation = Operation::GetItem;
        let mut placeholders = Placeholders::default();
        let projection: Vec<_> = projection.iter().map(|name| placeholders.name(name)).collect();
        let (names, _) = placeholders.into_parts();
        let answer = self
            .0
            .get_item()
            .table_name(table)
            .set_key(Some(to_sdk(key)))
            .consistent_read(true)
            .set_projection_expression(joined(&projection, ", "))
            .set_expression_attribute_names(names)
            .send()
            .await
            .map_err(|error| api_error(operation, &error))?;
        Ok(answer.item().map(from_sdk))
    }

    async fn query_index(&self, request: &QueryIndex<'_>) -> Result<QueryAnswer, ApiError> {
        let operation = Operation::Query;
        let mut placeholders = Placeholders::default();
        let keys = placeholders.equalities(request.keys);
        let filter = placeholders.equalities(request.filter);
        let (names, values) = placeholders.into_parts();
        let answer = self
            .0
            .query()
            .table_name(request.table)
            .index_name(request.index)
            .select(types::Select::Count)
            .set_key_condition_expression(joined(&keys, " AND "))
            .set_filter_expression(joined(&filter, " AND "))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_exclusive_start_key(request.start_key.map(to_sdk))
            .limit(signed(request.limit))
            .return_consumed_capacity(types::ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .map_err(|error| api_error(operation, &error))?;
        let consumed = answer.consumed_capacity().map(|capacity| Consumed {
            index: capacity
                .global_secondary_indexes()
                .and_then(|indexes| indexes.get(request.index))
                .map(|index| index.capacity_units().unwrap_or(0.0)),
            table: capacity.table().and_then(types::Capacity::capacity_units),
        });
        Ok(QueryAnswer {
            count: unsigned(answer.count()),
            scanned: unsigned(answer.scanned_count()),
            next_key: next_key(answer.last_evaluated_key()),
            consumed: consumed.unwrap_or_default(),
        })
    }
}

/// An item as the SDK has it.
type Attributes = HashMap<String, types::AttributeValue>;

/// Names and values of an expression, each under a placeholder of its own: no name is too odd, and no word reserved.
#[derive(Default)]
struct Placeholders {
    names: Vec<String>,
    values: Vec<types::AttributeValue>,
}

impl Placeholders {
    fn name(&mut self, name: &str) -> String {
        let position = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#n{position}")
    }

    fn value(&mut self, value: types::AttributeValue) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }

    fn equalities(&mut self, conditions: &[(&str, &AttributeValue)]) -> Vec<String> {
        let equality = |(name, value): &(&str, &AttributeValue)| {
            format!("{} = {}", self.name(name), self.value(value_to_sdk(value)))
        };
        conditions.iter().map(equality).collect()
    }

    /// What goes into the request: the service refuses empty maps.
    fn into_parts(self) -> (Option<HashMap<String, String>>, Option<Attributes>) {
        let numbered = |prefix: &'static str| (0_usize..).map(move |n| format!("{prefix}{n}"));
        let names: HashMap<_, _> = numbered("#n").zip(self.names).collect();
        let values: HashMap<_, _> = numbered(":v").zip(self.values).collect();
        ((!names.is_empty()).then_some(names), (!values.is_empty()).then_some(values))
    }
}

fn joined(parts: &[String], separator: &str) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join(separator))
}

fn next_key(key: Option<&Attributes>) -> Option<Item> {
    key.filter(|key| !key.is_empty()).map(from_sdk)
}

fn to_sdk(item: &Item) -> Attributes {
    item.iter().map(|(name, value)| (name.clone(), value_to_sdk(value))).collect()
}

fn value_to_sdk(value: &AttributeValue) -> types::AttributeValue {
    match value {
        AttributeValue::String(text) => types::AttributeValue::S(text.clone()),
        AttributeValue::Number(digits) => types::AttributeValue::N(digits.clone()),
        AttributeValue::Binary(bytes) => types::AttributeValue::B(Blob::new(bytes.clone())),
        // Never the value of a key, and nothing else is sent.
        AttributeValue::Other(_) => types::AttributeValue::Null(true),
    }
}

fn from_sdk(item: &Attributes) -> Item {
    item.iter().map(|(name, value)| (name.clone(), value_from_sdk(value))).collect()
}

fn value_from_sdk(value: &types::AttributeValue) -> AttributeValue {
    use types::AttributeValue as V;
    match value {
        V::S(text) => AttributeValue::String(text.clone()),
        V::N(digits) => AttributeValue::Number(digits.clone()),
        V::B(bytes) => AttributeValue::Binary(bytes.as_ref().to_vec()),
        V::Bool(_) => AttributeValue::Other("BOOL"),
        V::Null(_) => AttributeValue::Other("NULL"),
        V::L(_) => AttributeValue::Other("L"),
        V::M(_) => AttributeValue::Other("M"),
        V::Ss(_) => AttributeValue::Other("SS"),
        V::Ns(_) => AttributeValue::Other("NS"),
        V::Bs(_) => AttributeValue::Other("BS"),
        _ => AttributeValue::Other("unknown"),
    }
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn unsigned(number: i32) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
