//! What is refused, with which code and text; and what is not refused, though one might expect it.

use aws_sdk_dynamodb::{
    operation::update_table::builders::UpdateTableFluentBuilder,
    types::{
        BillingMode, GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, ProjectionType,
        ProjectionType::{All, Include, KeysOnly},
        StreamSpecification, TableClass,
    },
};

use crate::support::*;

const INVALID: &str = "ValidationException: One or more parameter values were invalid:";

/// A world with the tables `demand` and `fixed` (provisioned), each with the ACTIVE index `idx`.
async fn world() -> World {
    let w = World::new();
    w.table("demand").await;
    w.provisioned_table("fixed").await;
    w.create("demand", "idx").send().await.unwrap();
    let mut index = new_index("idx");
    index.provisioned_throughput = Some(throughput());
    update(&w, "fixed", creation(index)).send().await.unwrap();
    w.hands.advance(530);
    w
}

fn update(w: &World, table: &str, action: GlobalSecondaryIndexUpdate) -> UpdateTableFluentBuilder {
    let update = w.client.update_table().table_name(table).attribute_definitions(attribute("by", "S"));
    update.global_secondary_index_updates(action)
}

#[tokio::test]
async fn update_table() {
    let w = world().await;
    let check = async |request: UpdateTableFluentBuilder, expect: &str| {
        let before = [w.describe("demand").await, w.describe("fixed").await];
        assert_eq!(outcome(request.send().await), expect);
        assert_eq!([w.describe("demand").await, w.describe("fixed").await], before, "a refusal changes nothing");
    };
    let one = "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted \
               simultaneously per table";
    let create = |name: &str| creation(new_index(name));
    let bare = |table: &str| w.client.update_table().table_name(table);

    // The same name, same schema or another: before the schema is looked at. Q442
    let exists = "ValidationException: Attempting to create an index which already exists";
    check(w.create("demand", "idx"), exists).await;
    check(bare("demand").global_secondary_index_updates(create("idx")), exists).await;
    // More than one create or delete in a call. S, Q159
    check(w.create("demand", "new").global_secondary_index_updates(create("newer")), one).await;
    check(w.create("demand", "new").global_secondary_index_updates(deletion("idx")), one).await;
    check(w.delete("demand", "idx").global_secondary_index_updates(deletion("nope")), one).await;
    // Shapes, before anything else. Q442
    let shape = |constraint: &str| format!("ValidationException: 1 validation error detected: {constraint}");
    let at = "at 'globalSecondaryIndexUpdates.1.member.create.indexName' failed to satisfy constraint: Member must";
    let text = shape(&format!("Value 'ab' {at} have length greater than or equal to 3"));
    check(w.create("nowhere", "ab"), &text).await;
    let text = shape(&format!("Value 'a b' {at} satisfy regular expression pattern: [a-zA-Z0-9_.-]+"));
    check(w.create("demand", "a b"), &text).await;
    let long = "x".repeat(256);
    let text = shape(&format!("Value '{long}' {at} have length less than or equal to 255"));
    check(w.create("demand", &long), &text).await;
    // Actions per object. Q442
    let none = GlobalSecondaryIndexUpdate::builder().build();
    let text = format!(
        "{INVALID} One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
         GlobalSecondaryIndexUpdate.Delete must not be null"
    );
    check(bare("demand").global_secondary_index_updates(none), &text).await;
    let mut both = create("new");
    both.delete = deletion("idx").delete;
    let text =
        format!("{INVALID} Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object");
    check(update(&w, "demand", both), &text).await;
    // Definitions: none at all (Q442); some, but not this key's (Q442, CreateTable's text).
    let text = format!("{INVALID} AttributeDefinitions is not specified for index: new");
    check(bare("demand").global_secondary_index_updates(create("new")), &text).await;
    let text = format!(
        "{INVALID} Some index key attributes are not defined in AttributeDefinitions. Keys: [by], \
         AttributeDefinitions: [id]"
    );
    let request = bare("demand").attribute_definitions(attribute("id", "S"));
    check(request.global_secondary_index_updates(create("new")), &text).await;
    // Throughput against the billing mode. Q152, Q442
    let text = format!("{INVALID} Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: new");
    check(w.create("fixed", "new"), &text).await;
    let mut index = new_index("new");
    index.provisioned_throughput = Some(throughput());
    let demand_text = |index: &str| {
        format!(
            "{INVALID} Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {index} when \
             BillingMode is PAY_PER_REQUEST"
        )
    };
    check(update(&w, "demand", creation(index)), &demand_text("new")).await;
    check(bare("demand").global_secondary_index_updates(change("idx")), &demand_text("idx")).await;
    // Two actions on one index. Q442
    let text =
        format!("{INVALID} Only one global secondary index update per index is allowed simultaneously. Index: idx");
    let request = bare("fixed").global_secondary_index_updates(change("idx"));
    check(request.clone().global_secondary_index_updates(change("idx")), &text).await;
    check(request.global_secondary_index_updates(deletion("idx")), &text).await;
    // Unknown names.
    let text = "ResourceNotFoundException: Requested resource not found: Index nope for table demand";
    check(w.delete("demand", "nope"), text).await;
    let text = "ResourceNotFoundException: Requested resource not found: Table: nowhere not found";
    check(w.create("nowhere", "new"), text).await;
    check(w.delete("nowhere", "new"), text).await;
}

#[tokio::test]
async fn projections() {
    let w = world().await;
    let check = async |kind: ProjectionType, attributes: Option<usize>, expect: &str| {
        let mut index = new_index("new");
        let names = attributes.map(|count| (1..=count).map(|n| format!("a{n:02}")).collect());
        index.projection = Some(projection(kind, names));
        assert_eq!(outcome(update(&w, "demand", creation(index)).send().await), expect);
    };
    let text = |text| format!("{INVALID} {text}");
    // Q126, Q442
    check(Include, None, &text("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")).await;
    check(All, Some(1), &text("ProjectionType is ALL, but NonKeyAttributes is specified")).await;
    check(KeysOnly, Some(1), &text("ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified")).await;
    let names: Vec<String> = (1..=21).map(|n| format!("a{n:02}")).collect();
    let long = format!(
        "ValidationException: 1 validation error detected: Value '[{}]' at \
         'globalSecondaryIndexUpdates.1.member.create.projection.nonKeyAttributes' failed to satisfy constraint: \
         Member must have length less than or equal to 20",
        names.join(", ")
    );
    check(Include, Some(21), &long).await;
    check(Include, Some(20), "ok").await;
}

#[tokio::test]
async fn company_of_a_create() {
    let w = world().await;
    let create = || {
        let mut index = new_index("new");
        index.provisioned_throughput = Some(throughput());
        update(&w, "fixed", creation(index))
    };
    let check = async |request: UpdateTableFluentBuilder, expect: &str| {
        assert_eq!(outcome(request.send().await), expect);
    };
    let text = |text: &str| format!("{INVALID} {text}");
    // Q174, all rows
    let iops = "You cannot create or delete index while updating table IOPS";
    check(create().provisioned_throughput(throughput()), &text(iops)).await;
    let stream = StreamSpecification::builder().stream_enabled(true).build().unwrap();
    let changing = "You cannot create or delete index while changing stream status";
    check(create().stream_specification(stream), &text(changing)).await;
    let only = |what| text(&format!("{what} modification must be the only operation in the request"));
    check(create().deletion_protection_enabled(true), &only("DeletionProtection")).await;
    check(create().table_class(TableClass::StandardInfrequentAccess), &only("TableClass")).await;
    let sse = aws_sdk_dynamodb::types::SseSpecification::builder().enabled(true).build();
    check(create().sse_specification(sse), &only("Server-Side Encryption")).await;
    let warm = aws_sdk_dynamodb::types::WarmThroughput::builder().read_units_per_second(1).build();
    let warming = "Create global secondary index cannot be specified when updating WarmThroughput";
    check(create().warm_throughput(warm), &text(warming)).await;
    // Welcome company: updates of other indexes, a change of the billing mode. Q159, Q174
    check(create().global_secondary_index_updates(change("idx")), "ok").await;
    w.hands.advance(530);
    let request = w.create("fixed", "third").billing_mode(BillingMode::PayPerRequest);
    check(request, "ok").await;
}

#[tokio::test]
async fn twenty_indexes_and_no_more() {
    let hands = Hands::new();
    let w = World::open(&hands, dynamo_embedded::EmbeddedDynamo::builder().times(dynamo_embedded::Times::INSTANT));
    w.table("tab").await;
    for position in 1..=20 {
        assert_eq!(outcome(w.create("tab", &format!("index-{position}")).send().await), "ok");
    }
    // By UpdateTable. D2, Q169
    assert_eq!(
        outcome(w.create("tab", "index-21").send().await),
        "LimitExceededException: Subscriber limit exceeded: Number of global secondary indexes exceeds per-table \
         limit of 20"
    );
    // By CreateTable. Q169, Q442
    let create = w.client.create_table().table_name("other").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(attribute("id", "S")).attribute_definitions(attribute("by", "S"));
    let create = (1..=21).fold(create.key_schema(key("id", "HASH")), |create, position| {
        create.global_secondary_indexes(table_index(&format!("index-{position}"), false))
    });
    assert_eq!(
        outcome(create.send().await),
        format!("{INVALID} GlobalSecondaryIndex count exceeds the per-table limit of 20")
    );
}

fn table_index(name: &str, provisioned: bool) -> GlobalSecondaryIndex {
    let index = GlobalSecondaryIndex::builder().index_name(name).key_schema(key("by", "HASH"));
    let index = index.projection(projection(ProjectionType::All, None));
    index.set_provisioned_throughput(provisioned.then(throughput)).build().unwrap()
}

#[tokio::test]
async fn create_table() {
    let w = World::new();
    let check = async |on_demand: bool, index: GlobalSecondaryIndex, expect: &str| {
        let create = w.client.create_table().table_name("tab");
        let create = if on_demand {
            create.billing_mode(BillingMode::PayPerRequest)
        } else {
            create.provisioned_throughput(throughput())
        };
        let create = create.attribute_definitions(attribute("id", "S")).attribute_definitions(attribute("by", "S"));
        let create = create.key_schema(key("id", "HASH")).global_secondary_indexes(index);
        assert_eq!(outcome(create.send().await), expect);
    };
    // Q442
    let text = "ProvisionedThroughput should not be specified for index: idx when BillingMode is PAY_PER_REQUEST";
    check(true, table_index("idx", true), &format!("{INVALID} {text}")).await;
    let text = "ProvisionedThroughput is not specified for index: idx";
    check(false, table_index("idx", false), &format!("{INVALID} {text}")).await;
    let mut index = table_index("idx", false);
    index.projection = Some(projection(ProjectionType::Include, None));
    let text = "ProjectionType is INCLUDE, but NonKeyAttributes is not specified";
    check(true, index, &format!("{INVALID} {text}")).await;
    check(false, table_index("idx", true), "ok").await;
    check(false, table_index("idx", true), "ResourceInUseException: Table already exists: tab").await;
}

#[tokio::test]
async fn key_schemas_of_four_and_four() {
    // S, Q123, D5
    let w = world().await;
    let check = async |hashes: usize, ranges: usize, expect: &str| {
        let names: Vec<String> = (1..=hashes + ranges).map(|n| format!("k{n}")).collect();
        let kinds = std::iter::repeat_n("HASH", hashes).chain(std::iter::repeat_n("RANGE", ranges));
        let mut index = new_index("wide");
        index.key_schema = names.iter().zip(kinds).map(|(name, kind)| key(name, kind)).collect();
        let definitions = names.iter().map(|name| attribute(name, "S")).collect();
        let request = w.client.update_table().table_name("demand").set_attribute_definitions(Some(definitions));
        assert_eq!(outcome(request.global_secondary_index_updates(creation(index)).send().await), expect);
    };
    let text = |kind| format!("{INVALID} The KeySchema exceeds the maximum allowed number of {kind} key attributes");
    check(5, 0, &text("HASH")).await;
    check(1, 5, &text("RANGE")).await;
    check(4, 4, "ok").await;
}

#[tokio::test]
async fn a_type_conflict_is_silent() {
    // The existing type wins without a word: paritysuite #78, Q162.
    let w = World::new();
    w.table("tab").await;
    let mut index = new_index("idx");
    index.key_schema = vec![key("id", "HASH")];
    let request = w.client.update_table().table_name("tab").attribute_definitions(attribute("id", "N"));
    assert_eq!(outcome(request.global_secondary_index_updates(creation(index)).send().await), "ok");
    let answer = w.client.describe_table().table_name("tab").send().await.unwrap();
    let definitions = answer.table().unwrap().attribute_definitions();
    assert_eq!(definitions, [attribute("id", "S")]);
}

#[tokio::test]
async fn unknown_operations() {
    // The service's code for an operation that it does not have.
    let w = World::new();
    assert_eq!(outcome(w.client.list_backups().send().await), "UnknownOperationException: ");
    assert_eq!(w.ledger(), ["ListBackups UnknownOperationException"]);
    let limits = w.client.describe_limits().send().await.unwrap();
    assert_eq!(limits.table_max_read_capacity_units(), Some(40_000));
}
