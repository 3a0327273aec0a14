//! The DynamoDB in this process, with the tables that the definitions speak of.

use std::path::Path;

use aws_sdk_dynamodb::{
    Client,
    config::Builder,
    error::ProvideErrorMetadata,
    types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use dynamo_embedded::EmbeddedDynamo;
use gsi_aws::spec::{AttributeType, AttributeTypes, Definitions};

use super::clock::RunClock;
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
};

/// Opens the embedded DynamoDB, in the file `path` or in memory, and makes the tables it lacks; `announce`
/// is told of each.
pub(super) async fn open(
    cli: &Cli,
    path: Option<&Path>,
    definitions: &Definitions,
    clock: &RunClock,
    announce: &dyn Fn(&str),
) -> Result<Builder, Failure> {
    let failure =
        |error: anyhow::Error| Failure::new(Exit::Configuration, error.context("could not open the embedded DynamoDB"));
    let mut builder = EmbeddedDynamo::builder().times(cli.embedded.times).clock(clock.for_service());
    if let Some(path) = path {
        builder = builder.file(path);
    }
    if let Some(faults) = &cli.embedded.faults {
        builder = builder.faults(faults.clone());
    }
    let dynamo = builder.open().map_err(|error| failure(error.into()))?;
    if clock.is_virtual()
        && let Some(last) = dynamo.calls().map_err(|error| failure(error.into()))?.last()
    {
        clock.not_before(last.at);
    }
    let client = dynamo.client();
    for (table, _) in definitions.tables() {
        let types = definitions.attribute_types(table);
        if create_table(&client, table, &types).await.map_err(failure)? {
            add_items(&client, table, &types).await.map_err(failure)?;
            announce(table);
        }
    }
    Ok(dynamo.config())
}

/// Enough that an index has something to hold, few enough to be made in no time.
pub(super) const ITEMS: u32 = 5;

/// The table's own key; not the name of an index key, unless somebody names one so.
const TABLE_KEY: &str = "pk";

/// Makes a table; `false` where it exists.
async fn create_table(client: &Client, table: &str, types: &AttributeTypes) -> anyhow::Result<bool> {
    let key_type = scalar(types.get(TABLE_KEY).unwrap_or(AttributeType::String));
    let key = KeySchemaElement::builder().attribute_name(TABLE_KEY).key_type(KeyType::Hash).build()?;
    let attribute = AttributeDefinition::builder().attribute_name(TABLE_KEY).attribute_type(key_type).build()?;
    let request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key)
        .attribute_definitions(attribute);
    match request.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn add_items(client: &Client, table: &str, types: &AttributeTypes) -> anyhow::Result<()> {
    for n in 1..=ITEMS {
        let mut put = client.put_item().table_name(table);
        if types.get(TABLE_KEY).is_none() {
            put = put.item(TABLE_KEY, AttributeValue::S(format!("sample-{n}")));
        }
        for (name, kind) in types.iter() {
            put = put.item(name, sample(kind, n));
        }
        put.send().await?;
    }
    Ok(())
}

fn sample(kind: AttributeType, n: u32) -> AttributeValue {
    match kind {
        AttributeType::String => AttributeValue::S(format!("sample-{n}")),
        AttributeType::Number => AttributeValue::N(n.to_string()),
        AttributeType::Binary => AttributeValue::B(n.to_be_bytes().to_vec().into()),
    }
}

pub(super) const fn scalar(kind: AttributeType) -> ScalarAttributeType {
    match kind {
        AttributeType::String => ScalarAttributeType::S,
        AttributeType::Number => ScalarAttributeType::N,
        AttributeType::Binary => ScalarAttributeType::B,
    }
}
