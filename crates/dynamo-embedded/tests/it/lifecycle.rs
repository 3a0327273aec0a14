//! The phases of an index, on a clock moved by hand.

use aws_sdk_dynamodb::types::{BillingMode, GlobalSecondaryIndex, ProjectionType};

use crate::support::*;

const ONE: &str = "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted \
                   simultaneously per table";

#[tokio::test]
async fn creating_allocates_then_backfills_then_is_active() {
    let w = World::new();
    w.table("tab").await;
    // The answer itself: table UPDATING, index CREATING, Backfilling=false. D1, Q148
    let answer = w.create("tab", "idx").send().await.unwrap();
    assert_eq!(picture(answer.table_description().unwrap()), "UPDATING idx:CREATING/false");
    let rows = [
        (0, "UPDATING idx:CREATING/false"), // Q148
        (29, "UPDATING idx:CREATING/false"),
        (1, "ACTIVE idx:CREATING/true"), // table ACTIVE while CREATING. D1, Q148, Q458
        (499, "ACTIVE idx:CREATING/true"),
        (1, "ACTIVE idx:ACTIVE"), // Backfilling absent. Q138
        (100_000, "ACTIVE idx:ACTIVE"),
    ];
    for (seconds, expect) in rows {
        w.hands.advance(seconds);
        assert_eq!(w.describe("tab").await, expect, "after {seconds} s more");
    }
}

#[tokio::test]
async fn an_index_made_with_its_table_has_no_phases() {
    let w = World::new();
    let index = GlobalSecondaryIndex::builder()
        .index_name("idx")
        .key_schema(key("by", "HASH"))
        .projection(projection(ProjectionType::All, None));
    let create = w.client.create_table().table_name("tab").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(attribute("id", "S")).attribute_definitions(attribute("by", "S"));
    let create = create.key_schema(key("id", "HASH")).global_secondary_indexes(index.build().unwrap());
    create.send().await.unwrap();
    assert_eq!(w.describe("tab").await, "ACTIVE idx:ACTIVE"); // Backfilling absent. Q138
    assert_eq!(w.scan("tab", "idx").await, "");
}

#[tokio::test]
async fn deleting_holds_the_table_and_prunes_at_the_end() {
    let w = World::new();
    w.table("tab").await;
    w.create("tab", "idx").send().await.unwrap();
    w.hands.advance(530);
    let definitions = async || {
        let answer = w.client.describe_table().table_name("tab").send().await.unwrap();
        answer.table().unwrap().attribute_definitions().len()
    };
    assert_eq!(definitions().await, 2);
    let answer = w.delete("tab", "idx").send().await.unwrap();
    assert_eq!(picture(answer.table_description().unwrap()), "UPDATING idx:DELETING"); // Q148
    w.hands.advance(4);
    assert_eq!(w.describe("tab").await, "UPDATING idx:DELETING"); // Q148
    assert_eq!(definitions().await, 2);
    assert_eq!(outcome(w.create("tab", "other").send().await), ONE); // while DELETING. Q159
    assert_eq!(outcome(w.delete("tab", "idx").send().await), ONE);
    w.hands.advance(1);
    assert_eq!(w.describe("tab").await, "ACTIVE");
    assert_eq!(definitions().await, 1); // pruned. Q151
    // The same name is free once the index is gone, with another key even. Q166, Q357
    assert_eq!(outcome(w.create("tab", "idx").send().await), "ok");
    assert_eq!(w.describe("tab").await, "UPDATING idx:CREATING/false");
}

#[tokio::test]
async fn one_online_operation_a_table() {
    let w = World::new();
    w.table("tab").await;
    w.table("other").await;
    w.create("tab", "aaa").send().await.unwrap();
    w.hands.advance(530);
    w.create("tab", "bbb").send().await.unwrap();
    for phase in ["allocation", "backfill"] {
        assert_eq!(outcome(w.create("tab", "ccc").send().await), ONE, "{phase}"); // Q159
        assert_eq!(outcome(w.delete("tab", "aaa").send().await), ONE, "{phase}"); // Q159
        w.hands.advance(30);
    }
    // Other tables build at the same time. Q168
    assert_eq!(outcome(w.create("other", "aaa").send().await), "ok");
    w.hands.advance(470);
    assert_eq!(outcome(w.create("tab", "ccc").send().await), "ok");
}

#[tokio::test]
async fn a_creating_index_can_be_deleted_in_its_backfill_only() {
    let w = World::new();
    w.table("tab").await;
    w.create("tab", "idx").send().await.unwrap();
    let refused = "ResourceInUseException: Attempt to change a resource which is still in use: Index creation is in \
                   resource allocation phase. Retry deletion during backfilling phase or when the index is active. \
                   Table: tab Index: idx"; // S, Q149
    assert_eq!(outcome(w.delete("tab", "idx").send().await), refused);
    w.hands.advance(30);
    assert_eq!(outcome(w.delete("tab", "idx").send().await), "ok"); // S, Q149
    assert_eq!(w.describe("tab").await, "UPDATING idx:DELETING");
    w.hands.advance(5);
    assert_eq!(w.describe("tab").await, "ACTIVE");
}

#[tokio::test]
async fn an_index_is_read_only_when_active() {
    let w = World::new();
    w.table("tab").await;
    assert_eq!(w.put("tab", "1", Some(s("x"))).await, "ok");
    w.create("tab", "idx").send().await.unwrap();
    let refused = "ValidationException: Cannot read from backfilling global secondary index: idx"; // D1
    let query = async || {
        let query = w.client.query().table_name("tab").index_name("idx").key_condition_expression("#by = :by");
        let query = query.expression_attribute_names("#by", "by").expression_attribute_values(":by", s("x"));
        outcome(query.send().await)
    };
    for phase in ["allocation", "backfill"] {
        assert_eq!(query().await, refused, "{phase}");
        assert_eq!(w.scan("tab", "idx").await, refused, "{phase}");
        assert_eq!(w.put("tab", phase, Some(s("x"))).await, "ok"); // the table is writable throughout. D1
        w.hands.advance(30);
    }
    w.hands.advance(470);
    assert_eq!(query().await, "ok");
    assert_eq!(w.scan("tab", "idx").await, "1 allocation backfill"); // what was written meanwhile, too
}

#[tokio::test]
async fn a_table_with_a_busy_index_stays() {
    let w = World::new();
    w.table("tab").await;
    w.create("tab", "idx").send().await.unwrap();
    let refused = "ResourceInUseException: Attempt to change a resource which is still in use: Cannot delete table \
                   while indexes are being created, updated, or deleted."; // Q150
    let drop = async || outcome(w.client.delete_table().table_name("tab").send().await);
    assert_eq!(drop().await, refused); // allocation
    w.hands.advance(30);
    assert_eq!(drop().await, refused); // backfill, though the table is ACTIVE
    w.delete("tab", "idx").send().await.unwrap();
    assert_eq!(drop().await, refused); // deletion
    w.hands.advance(5);
    assert_eq!(drop().await, "ok");
    // A table of the same name knows nothing of the old one's indexes.
    w.table("tab").await;
    assert_eq!(w.describe("tab").await, "ACTIVE");
    assert_eq!(outcome(w.create("tab", "idx").send().await), "ok");
}

#[tokio::test]
async fn capacity_is_answered_as_asked() {
    let w = World::new();
    w.table("demand").await;
    w.provisioned_table("fixed").await;
    let limits = aws_sdk_dynamodb::types::OnDemandThroughput::builder().max_read_request_units(7).build();
    let mut index = new_index("idx");
    index.on_demand_throughput = Some(limits);
    let update = w.client.update_table().table_name("demand").attribute_definitions(attribute("by", "S"));
    update.global_secondary_index_updates(creation(index)).send().await.unwrap();
    let mut index = new_index("idx");
    index.provisioned_throughput = Some(throughput());
    let update = w.client.update_table().table_name("fixed").attribute_definitions(attribute("by", "S"));
    update.global_secondary_index_updates(creation(index)).send().await.unwrap();

    let describe = async |table: &str| {
        let answer = w.client.describe_table().table_name(table).send().await.unwrap();
        answer.table().unwrap().global_secondary_indexes()[0].clone()
    };
    let units = |index: &aws_sdk_dynamodb::types::GlobalSecondaryIndexDescription| {
        let throughput = index.provisioned_throughput().unwrap();
        (throughput.read_capacity_units().unwrap(), throughput.write_capacity_units().unwrap())
    };
    let demand = describe("demand").await;
    assert_eq!(units(&demand), (0, 0)); // Q133, Q134
    assert_eq!(demand.on_demand_throughput().unwrap().max_read_request_units(), Some(7)); // S
    let warm = demand.warm_throughput().unwrap();
    assert_eq!((warm.read_units_per_second(), warm.write_units_per_second()), (Some(12_000), Some(4_000))); // Q134
    assert_eq!(units(&describe("fixed").await), (3, 4)); // S
    w.hands.advance(530);
    assert_eq!(units(&describe("fixed").await), (3, 4));
}

#[tokio::test]
async fn the_times_may_be_nothing() {
    let hands = Hands::new();
    let w = World::open(&hands, dynamo_embedded::EmbeddedDynamo::builder().times(dynamo_embedded::Times::INSTANT));
    w.table("tab").await;
    w.create("tab", "idx").send().await.unwrap();
    assert_eq!(w.describe("tab").await, "ACTIVE idx:ACTIVE");
    w.delete("tab", "idx").send().await.unwrap();
    assert_eq!(w.describe("tab").await, "ACTIVE");
    w.create("tab", "idx").send().await.unwrap();
    assert_eq!(w.describe("tab").await, "ACTIVE idx:ACTIVE");
}

#[tokio::test]
async fn a_table_is_as_old_as_the_clock_says() {
    let w = World::new();
    w.table("tab").await;
    w.hands.advance(1000);
    let answer = w.client.describe_table().table_name("tab").send().await.unwrap();
    assert_eq!(answer.table().unwrap().creation_date_time().unwrap().secs(), 1_800_000_000);
}
