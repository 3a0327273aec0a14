//! An embedded DynamoDB that looks like the real one: the same tables, without their items.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction,
        GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection as AwsProjection,
        ProjectionType, ProvisionedThroughput as AwsThroughput,
    },
};
use dynamo_embedded::{EmbeddedDynamo, FaultPlan, Seed};
use gsi_aws::{
    describe::{Billing, IndexDescription, IndexStatus, TableDescription},
    sdk::SdkIndexApi,
    spec::{Definitions, KeyRole, KeySchema, Projection},
};

use super::{RunClock, embedded::scalar};
use crate::rehearsal::times;

/// A DynamoDB to rehearse on.
#[derive(Debug)]
pub(crate) struct RehearsalStage {
    dynamo: EmbeddedDynamo,
}

impl RehearsalStage {
    /// Makes the tables, with all their indexes, and gives those to come the times that `seed` draws.
    /// `faults` begin when everything is in place.
    pub(crate) async fn open(
        tables: &[TableDescription],
        definitions: &Definitions,
        seed: u64,
        faults: FaultPlan,
        clock: &RunClock,
    ) -> anyhow::Result<Self> {
        let dynamo = EmbeddedDynamo::builder().clock(clock.for_service()).open()?;
        let client = dynamo.client();
        for table in tables {
            let size = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
            let mut pretended =
                Seed { item_count: size(table.item_count), size_bytes: size(table.size_bytes), ..Seed::default() };
            let wanted = definitions.table(&table.name).unwrap_or_default().iter().cloned();
            // What is there may be made, or be gone, in the course of the rehearsal.
            for spec in table.definitions().chain(wanted) {
                pretended = pretended.with_times(spec.name.as_str(), times::draw(seed, table, &spec));
            }
            dynamo.seed(&table.name, pretended);
            make(&client, table)
                .await
                .map_err(|error| error.context(format!("could not make a table like `{}`", table.name)))?;
        }
        dynamo.set_faults(faults);
        Ok(Self { dynamo })
    }

    /// The way to it for the run.
    pub(crate) fn api(&self) -> SdkIndexApi {
        SdkIndexApi::new(self.dynamo.config())
    }

    /// The database.
    pub(crate) fn dynamo(&self) -> &EmbeddedDynamo {
        &self.dynamo
    }
}

async fn make(client: &Client, table: &TableDescription) -> anyhow::Result<()> {
    let (later, at_once): (Vec<_>, Vec<_>) =
        table.indexes.iter().partition(|index| index.status == IndexStatus::Creating);
    let mut request = client
        .create_table()
        .table_name(&table.name)
        .set_key_schema(Some(keys(&table.key_schema)?))
        .set_attribute_definitions(Some(attributes(table, at_once.iter().copied())?));
    request = match table.billing {
        Billing::OnDemand => request.billing_mode(BillingMode::PayPerRequest),
        Billing::Provisioned { .. } => {
            request.billing_mode(BillingMode::Provisioned).set_provisioned_throughput(throughput(table, None)?)
        }
    };
    for index in at_once.iter().copied() {
        let builder = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(keys(&index.key_schema)?))
            .projection(projection(&index.projection))
            .set_provisioned_throughput(throughput(table, Some(index))?);
        request = request.global_secondary_indexes(builder.build()?);
    }
    request.send().await?;
    // What the real table is busy with begins with the rehearsal.
    for index in at_once.into_iter().filter(|index| index.status == IndexStatus::Deleting) {
        let delete = DeleteGlobalSecondaryIndexAction::builder().index_name(&index.name).build()?;
        let update = GlobalSecondaryIndexUpdate::builder().delete(delete).build();
        client.update_table().table_name(&table.name).global_secondary_index_updates(update).send().await?;
    }
    for index in later {
        let create = CreateGlobalSecondaryIndexAction::builder()
            .index_name(&index.name)
            .set_key_schema(Some(keys(&index.key_schema)?))
            .projection(projection(&index.projection))
            .set_provisioned_throughput(throughput(table, Some(index))?);
        let update = GlobalSecondaryIndexUpdate::builder().create(create.build()?).build();
        let request = client.update_table().table_name(&table.name).global_secondary_index_updates(update);
        request.set_attribute_definitions(Some(attributes(table, [index])?)).send().await?;
    }
    Ok(())
}

fn keys(schema: &KeySchema) -> anyhow::Result<Vec<KeySchemaElement>> {
    let element = |(name, role): (&str, KeyRole)| {
        let kind = match role {
            KeyRole::Hash => KeyType::Hash,
            KeyRole::Range => KeyType::Range,
        };
        Ok(KeySchemaElement::builder().attribute_name(name).key_type(kind).build()?)
    };
    schema.elements().map(element).collect()
}

/// The definitions of the keys of a table and of some of its indexes: a request with more is refused, and
/// the rest belongs to local indexes, which are not made.
fn attributes<'a>(
    table: &TableDescription,
    indexes: impl IntoIterator<Item = &'a IndexDescription>,
) -> anyhow::Result<Vec<AttributeDefinition>> {
    let schemas: Vec<_> = indexes.into_iter().map(|index| &index.key_schema).chain([&table.key_schema]).collect();
    let used = table.attributes.iter().filter(|(name, _)| schemas.iter().any(|schema| schema.contains(name)));
    let definition =
        |(name, kind)| Ok(AttributeDefinition::builder().attribute_name(name).attribute_type(scalar(kind)).build()?);
    used.map(definition).collect()
}

fn projection(projection: &Projection) -> AwsProjection {
    let builder = AwsProjection::builder();
    match projection {
        Projection::All => builder.projection_type(ProjectionType::All),
        Projection::KeysOnly => builder.projection_type(ProjectionType::KeysOnly),
        Projection::Include(names) => builder
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(names.iter().cloned().collect())),
    }
    .build()
}

/// The throughput of a table or of an index of it; an index without its own has the table's.
fn throughput(table: &TableDescription, index: Option<&IndexDescription>) -> anyhow::Result<Option<AwsThroughput>> {
    let Billing::Provisioned { read_units, write_units } = table.billing else { return Ok(None) };
    let own = index.and_then(|index| index.provisioned).map(|own| (own.read_units, own.write_units));
    let (read_units, write_units) = own.unwrap_or((read_units, write_units));
    let builder = AwsThroughput::builder().read_capacity_units(read_units.max(1));
    Ok(Some(builder.write_capacity_units(write_units.max(1)).build()?))
}
