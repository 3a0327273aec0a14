//! The adapter for the AWS SDK: with its folder the only place of this crate that knows it.
//!
//! The SDK's own retries are switched off. It counts `LimitExceededException` among the throttling
//! errors and would send a refused request three times, a second each, before anybody saw it.
//!
//! The SDK waits for an answer for ever; here it waits for [`ANSWER_TIMEOUT`], and then the caller
//! looks what came of the request.

#[cfg(feature = "cloudwatch")]
mod cloudwatch;
mod items;

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    types,
};

use crate::{
    api::{ApiError, CreateIndex, IndexApi, Operation},
    describe::{Billing, IndexDescription, IndexStatus, TableDescription, TableStatus},
    spec::{AttributeType, AttributeTypes, IndexSpec, KeyRole, KeySchema, Projection, ProvisionedThroughput},
};

#[cfg(feature = "cloudwatch")]
pub use self::cloudwatch::CloudWatch;

/// How long one request may take. A refusal takes the service up to 3 s, an acceptance less.
pub const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// DynamoDB through the AWS SDK.
#[derive(Debug, Clone)]
pub struct SdkIndexApi(Client);

impl SdkIndexApi {
    /// Uses the endpoint, region and credentials of `config`; its retries are switched off, and its
    /// timeouts are replaced by [`ANSWER_TIMEOUT`].
    pub fn new(config: Builder) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(ANSWER_TIMEOUT).build();
        Self(Client::from_conf(config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build()))
    }
}

#[async_trait]
impl IndexApi for SdkIndexApi {
    async fn describe_table(&self, table: &str) -> Result<TableDescription, ApiError> {
        let operation = Operation::DescribeTable;
        let answer =
            self.0.describe_table().table_name(table).send().await.map_err(|error| api_error(operation, &error))?;
        let described = answer.table.ok_or_else(|| incomplete(operation, "it describes no table"))?;
        table_description(&described).map_err(|detail| incomplete(operation, &detail))
    }

    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError> {
        let operation = Operation::UpdateTable;
        let not_sent =
            |error: aws_sdk_dynamodb::error::BuildError| ApiError::NotSent { operation, detail: error.to_string() };
        let create = create_action(request).map_err(not_sent)?;
        let update = types::GlobalSecondaryIndexUpdate::builder().create(create).build();
        let attributes = request.attributes.iter().map(|(name, kind)| {
            types::AttributeDefinition::builder().attribute_name(name).attribute_type(scalar(kind)).build()
        });
        let attributes = attributes.collect::<Result<Vec<_>, _>>().map_err(not_sent)?;
        let call = self.0.update_table().table_name(&request.spec.table).set_attribute_definitions(Some(attributes));
        call.global_secondary_index_updates(update).send().await.map_err(|error| api_error(operation, &error))?;
        Ok(())
    }

    async fn delete_index(&self, table: &str, index: &str) -> Result<(), ApiError> {
        let operation = Operation::UpdateTable;
        let delete = types::DeleteGlobalSecondaryIndexAction::builder().index_name(index).build();
        let delete = delete.map_err(|error| ApiError::NotSent { operation, detail: error.to_string() })?;
        let update = types::GlobalSecondaryIndexUpdate::builder().delete(delete).build();
        let call = self.0.update_table().table_name(table).global_secondary_index_updates(update);
        call.send().await.map_err(|error| api_error(operation, &error))?;
        Ok(())
    }
}

fn create_action(
    request: &CreateIndex<'_>,
) -> Result<types::CreateGlobalSecondaryIndexAction, aws_sdk_dynamodb::error::BuildError> {
    let spec: &IndexSpec = request.spec;
    let keys = spec.key_schema.elements().map(|(name, role)| {
        let role = match role {
            KeyRole::Hash => types::KeyType::Hash,
            KeyRole::Range => types::KeyType::Range,
        };
        types::KeySchemaElement::builder().attribute_name(name).key_type(role).build()
    });
    let throughput = request.throughput.map(|(read_units, write_units)| {
        types::ProvisionedThroughput::builder()
            .read_capacity_units(read_units)
            .write_capacity_units(write_units)
            .build()
    });
    let on_demand = request.on_demand.map(|ceiling| {
        types::OnDemandThroughput::builder()
            .set_max_read_request_units(ceiling.max_read_units)
            .set_max_write_request_units(ceiling.max_write_units)
            .build()
    });
    let warm = spec.warm.map(|warm| {
        types::WarmThroughput::builder()
            .set_read_units_per_second(warm.read_units_per_second)
            .set_write_units_per_second(warm.write_units_per_second)
            .build()
    });
    types::CreateGlobalSecondaryIndexAction::builder()
        .index_name(&spec.name)
        .set_key_schema(Some(keys.collect::<Result<_, _>>()?))
        .projection(projection_of(&spec.projection))
        .set_provisioned_throughput(throughput.transpose()?)
        .set_on_demand_throughput(on_demand)
        .set_warm_throughput(warm)
        .build()
}

fn projection_of(projection: &Projection) -> types::Projection {
    let builder = types::Projection::builder();
    match projection {
        Projection::All => builder.projection_type(types::ProjectionType::All),
        Projection::KeysOnly => builder.projection_type(types::ProjectionType::KeysOnly),
        Projection::Include(names) => builder
            .projection_type(types::ProjectionType::Include)
            .set_non_key_attributes(Some(names.iter().cloned().collect())),
    }
    .build()
}

const fn scalar(kind: AttributeType) -> types::ScalarAttributeType {
    match kind {
        AttributeType::String => types::ScalarAttributeType::S,
        AttributeType::Number => types::ScalarAttributeType::N,
        AttributeType::Binary => types::ScalarAttributeType::B,
    }
}

/// The domain form of an answer; an error says which part of it we cannot read.
fn table_description(table: &types::TableDescription) -> Result<TableDescription, String> {
    let attributes = table.attribute_definitions().iter().map(|definition| {
        let (name, kind) = (definition.attribute_name(), definition.attribute_type().as_str());
        let kind = AttributeType::from_aws(kind).ok_or_else(|| format!("attribute `{name}` has the type `{kind}`"))?;
        Ok::<_, String>((name.to_owned(), kind))
    });
    let indexes = table.global_secondary_indexes().iter().map(index_description);
    Ok(TableDescription {
        name: table.table_name().unwrap_or_default().to_owned(),
        status: TableStatus::from_aws(table.table_status().map_or("", types::TableStatus::as_str)),
        key_schema: key_schema(table.key_schema()),
        attributes: attributes.collect::<Result<AttributeTypes, _>>()?,
        billing: billing(table),
        item_count: table.item_count(),
        size_bytes: table.table_size_bytes(),
        indexes: indexes.collect::<Result<_, _>>()?,
    })
}

fn billing(table: &types::TableDescription) -> Billing {
    let mode = table.billing_mode_summary().and_then(types::BillingModeSummary::billing_mode);
    if mode == Some(&types::BillingMode::PayPerRequest) {
        return Billing::OnDemand;
    }
    let throughput = table.provisioned_throughput();
    let units =
        |read: fn(&types::ProvisionedThroughputDescription) -> Option<i64>| throughput.and_then(read).unwrap_or(0);
    Billing::Provisioned {
        read_units: units(types::ProvisionedThroughputDescription::read_capacity_units),
        write_units: units(types::ProvisionedThroughputDescription::write_capacity_units),
    }
}

fn index_description(index: &types::GlobalSecondaryIndexDescription) -> Result<IndexDescription, String> {
    let name = index.index_name().unwrap_or_default().to_owned();
    let projection = match index.projection() {
        None => return Err(format!("index `{name}` has no projection")),
        Some(projection) => match projection.projection_type() {
            Some(types::ProjectionType::All) => Projection::All,
            Some(types::ProjectionType::KeysOnly) => Projection::KeysOnly,
            Some(types::ProjectionType::Include) => Projection::include(projection.non_key_attributes()),
            other => return Err(format!("index `{name}` has the projection {other:?}")),
        },
    };
    let provisioned = index.provisioned_throughput().and_then(|throughput| {
        let (read_units, write_units) = (throughput.read_capacity_units()?, throughput.write_capacity_units()?);
        (read_units > 0 && write_units > 0).then_some(ProvisionedThroughput { read_units, write_units })
    });
    Ok(IndexDescription {
        status: IndexStatus::from_aws(index.index_status().map_or("", types::IndexStatus::as_str)),
        backfilling: index.backfilling(),
        key_schema: key_schema(index.key_schema()),
        projection,
        item_count: index.item_count(),
        size_bytes: index.index_size_bytes(),
        provisioned,
        name,
    })
}

fn key_schema(elements: &[types::KeySchemaElement]) -> KeySchema {
    let of = |role: types::KeyType| {
        elements.iter().filter(move |element| *element.key_type() == role).map(types::KeySchemaElement::attribute_name)
    };
    KeySchema::new(of(types::KeyType::Hash).collect::<Vec<_>>(), of(types::KeyType::Range).collect::<Vec<_>>())
}

fn incomplete(operation: Operation, detail: &str) -> ApiError {
    ApiError::NoAnswer { operation, detail: format!("the answer is not understood: {detail}") }
}

fn api_error<E>(operation: Operation, error: &SdkError<E>) -> ApiError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let metadata = context.err().meta();
            ApiError::Service {
                operation,
                code: metadata.code().unwrap_or("UnknownError").to_owned(),
                message: metadata.message().unwrap_or("no message").to_owned(),
                http_status: context.raw().status().as_u16(),
            }
        }
        SdkError::ConstructionFailure(_) => ApiError::NotSent { operation, detail: chain(error) },
        _ => {
            let detail = chain(error);
            // Credentials are fetched on the way to the request; the SDK reports their absence like
            // a broken connection, and hides the type of the cause.
            if detail.contains("credentials") || detail.contains("identity") {
                ApiError::NotSent { operation, detail }
            } else {
                ApiError::NoAnswer { operation, detail }
            }
        }
    }
}

/// The error and its causes, each said once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}
