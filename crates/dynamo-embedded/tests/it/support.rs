//! A database with a clock that stands still, and short spellings for requests and answers.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::update_table::builders::UpdateTableFluentBuilder,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, CreateGlobalSecondaryIndexAction,
        DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection,
        ProjectionType, ProvisionedThroughput, ScalarAttributeType, UpdateGlobalSecondaryIndexAction,
    },
};
use dynamo_embedded::{Builder, EmbeddedDynamo, Times};

/// Allocation 30 s, backfill 500 s, delete 5 s: the real service's order of magnitude.
pub(crate) const TIMES: Times =
    Times { allocation: Duration::from_secs(30), backfill: Duration::from_secs(500), delete: Duration::from_secs(5) };

#[derive(Clone)]
pub(crate) struct Hands(Arc<Mutex<SystemTime>>);

impl Hands {
    pub(crate) fn new() -> Self {
        Hands(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000))))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }

    pub(crate) fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    pub(crate) fn on(&self, builder: Builder) -> Builder {
        let time = Arc::clone(&self.0);
        builder.clock(Arc::new(move || *time.lock().unwrap()))
    }
}

pub(crate) struct World {
    pub(crate) dynamo: EmbeddedDynamo,
    pub(crate) client: Client,
    pub(crate) hands: Hands,
}

impl World {
    /// In memory, with [`TIMES`].
    pub(crate) fn new() -> Self {
        World::open(&Hands::new(), EmbeddedDynamo::builder().times(TIMES))
    }

    pub(crate) fn open(hands: &Hands, builder: Builder) -> Self {
        let dynamo = hands.on(builder).open().unwrap();
        World { client: dynamo.client(), dynamo, hands: hands.clone() }
    }

    /// An on-demand table keyed by `id` (S).
    pub(crate) async fn table(&self, name: &str) {
        let create = self.client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        create.attribute_definitions(attribute("id", "S")).key_schema(key("id", "HASH")).send().await.unwrap();
    }

    /// A provisioned table keyed by `id` (S).
    pub(crate) async fn provisioned_table(&self, name: &str) {
        let create = self.client.create_table().table_name(name).provisioned_throughput(throughput());
        create.attribute_definitions(attribute("id", "S")).key_schema(key("id", "HASH")).send().await.unwrap();
    }

    /// UpdateTable with one Create, keyed by `by` (S), projecting everything.
    pub(crate) fn create(&self, table: &str, index: &str) -> UpdateTableFluentBuilder {
        self.client
            .update_table()
            .table_name(table)
            .attribute_definitions(attribute("by", "S"))
            .global_secondary_index_updates(creation(new_index(index)))
    }

    /// UpdateTable with one Delete.
    pub(crate) fn delete(&self, table: &str, index: &str) -> UpdateTableFluentBuilder {
        self.client.update_table().table_name(table).global_secondary_index_updates(deletion(index))
    }

    /// The table in one line: `ACTIVE i:CREATING/true j:ACTIVE`, or the refusal.
    pub(crate) async fn describe(&self, table: &str) -> String {
        let table = match self.client.describe_table().table_name(table).send().await {
            Ok(answer) => answer.table.unwrap(),
            Err(error) => return refusal(&error),
        };
        picture(&table)
    }

    pub(crate) async fn put(&self, table: &str, id: &str, by: Option<AttributeValue>) -> String {
        let put = self.client.put_item().table_name(table).item("id", AttributeValue::S(id.to_owned()));
        outcome(
            put.set_item(
                by.map(|by| [("id".to_owned(), s(id)), ("by".to_owned(), by)].into())
                    .or_else(|| Some([("id".to_owned(), s(id))].into())),
            )
            .send()
            .await,
        )
    }

    /// The ids in an index, sorted, or the refusal.
    pub(crate) async fn scan(&self, table: &str, index: &str) -> String {
        match self.client.scan().table_name(table).index_name(index).send().await {
            Ok(answer) => {
                let mut ids: Vec<_> = answer.items().iter().map(|i| i["id"].as_s().unwrap().clone()).collect();
                ids.sort();
                ids.join(" ")
            }
            Err(error) => refusal(&error),
        }
    }

    /// The ledger without ids of calls that only read.
    pub(crate) fn ledger(&self) -> Vec<String> {
        let calls = self.dynamo.calls().unwrap();
        let lines = calls.iter().filter(|c| c.operation != "DescribeTable").map(ToString::to_string);
        lines.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }
}

pub(crate) fn picture(table: &aws_sdk_dynamodb::types::TableDescription) -> String {
    let mut line = table.table_status().unwrap().to_string();
    for index in table.global_secondary_indexes() {
        let status = index.index_status().unwrap();
        write!(line, " {}:{status}", index.index_name().unwrap()).unwrap();
        if let Some(backfilling) = index.backfilling() {
            write!(line, "/{backfilling}").unwrap();
        }
    }
    line
}

/// `ok`, or the refusal.
pub(crate) fn outcome<T, E, R>(result: Result<T, SdkError<E, R>>) -> String
where
    E: ProvideErrorMetadata,
    SdkError<E, R>: ProvideErrorMetadata,
{
    result.map_or_else(|error| refusal(&error), |_| "ok".to_owned())
}

/// `CODE: text` of a service error, or what became of the connection.
pub(crate) fn refusal<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(e) => {
            format!("{}: {}", e.err().code().unwrap_or("?"), e.err().message().unwrap_or(""))
        }
        SdkError::DispatchFailure(e) if e.is_io() => "connection broken".to_owned(),
        SdkError::DispatchFailure(_) => "dispatch failure".to_owned(),
        SdkError::TimeoutError(_) => "timeout".to_owned(),
        SdkError::ConstructionFailure(_) => "construction failure".to_owned(),
        _ => "unreadable response".to_owned(),
    }
}

pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn n(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

pub(crate) fn attribute(name: &str, kind: &str) -> AttributeDefinition {
    let kind = ScalarAttributeType::from(kind);
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
}

pub(crate) fn key(name: &str, kind: &str) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(KeyType::from(kind)).build().unwrap()
}

pub(crate) fn throughput() -> ProvisionedThroughput {
    ProvisionedThroughput::builder().read_capacity_units(3).write_capacity_units(4).build().unwrap()
}

pub(crate) fn projection(kind: ProjectionType, attributes: Option<Vec<String>>) -> Projection {
    Projection::builder().projection_type(kind).set_non_key_attributes(attributes).build()
}

/// Keyed by `by`, projecting everything.
pub(crate) fn new_index(name: &str) -> CreateGlobalSecondaryIndexAction {
    CreateGlobalSecondaryIndexAction::builder()
        .index_name(name)
        .key_schema(key("by", "HASH"))
        .projection(projection(ProjectionType::All, None))
        .build()
        .unwrap()
}

pub(crate) fn creation(action: CreateGlobalSecondaryIndexAction) -> GlobalSecondaryIndexUpdate {
    GlobalSecondaryIndexUpdate::builder().create(action).build()
}

pub(crate) fn deletion(index: &str) -> GlobalSecondaryIndexUpdate {
    let action = DeleteGlobalSecondaryIndexAction::builder().index_name(index).build().unwrap();
    GlobalSecondaryIndexUpdate::builder().delete(action).build()
}

pub(crate) fn change(index: &str) -> GlobalSecondaryIndexUpdate {
    let action = UpdateGlobalSecondaryIndexAction::builder().index_name(index).provisioned_throughput(throughput());
    GlobalSecondaryIndexUpdate::builder().update(action.build().unwrap()).build()
}
