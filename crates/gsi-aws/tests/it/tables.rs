//! What the table has a say in: billing, types, the number of indexes.

use gsi_aws::{
    EventKind, IndexSpec, Outcome,
    describe::Billing,
    spec::{AttributeType, OnDemandThroughput, ProvisionedThroughput},
};
use gsi_state::GsiStatus;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_provisioned_table_gives_its_index_throughput() {
    let own = ProvisionedThroughput { read_units: 7, write_units: 8 };
    let ceiling = OnDemandThroughput { max_read_units: Some(9), max_write_units: None };
    let check = async |wanted: IndexSpec, expect: ProvisionedThroughput, unused: usize| {
        let world = World::new();
        world.provisioned_table("one").await;
        assert!(matches!(world.settle(&wanted).await, Outcome::Created { .. }));
        let table = world.describe("one").await;
        assert_eq!(table.billing, Billing::Provisioned { read_units: 3, write_units: 4 });
        assert_eq!(table.index("aaa").unwrap().provisioned, Some(expect));
        assert_eq!(world.events.count(|kind| matches!(kind, EventKind::Unused(_))), unused);
    };
    let table = ProvisionedThroughput { read_units: 3, write_units: 4 };
    check(spec("one", "aaa"), table, 0).await;
    check(IndexSpec { provisioned: Some(own), ..spec("one", "aaa") }, own, 0).await;
    check(IndexSpec { on_demand: Some(ceiling), ..spec("one", "aaa") }, table, 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_on_demand_table_gives_its_index_none() {
    let own = ProvisionedThroughput { read_units: 7, write_units: 8 };
    let world = World::new().tables(&["one"]).await;
    let wanted = IndexSpec { provisioned: Some(own), ..spec("one", "aaa") };
    assert!(matches!(world.settle(&wanted).await, Outcome::Created { .. }));
    assert_eq!(world.describe("one").await.index("aaa").unwrap().provisioned, None);
    assert_eq!(world.events.count(|kind| matches!(kind, EventKind::Unused(_))), 1, "and says so");
}

#[tokio::test(start_paused = true)]
async fn a_number_key_becomes_a_number_key() {
    let world = World::new().tables(&["passengers"]).await;
    let wanted = keyed_by("passengers", "tier", "frequent_flyer_tier_id", AttributeType::Number);
    assert!(matches!(world.settle(&wanted).await, Outcome::Created { .. }));
    let table = world.describe("passengers").await;
    assert_eq!(table.attributes.get("frequent_flyer_tier_id"), Some(AttributeType::Number));
    assert_eq!(world.settle(&wanted).await, Outcome::StillActive);
}

#[tokio::test(start_paused = true)]
async fn a_type_that_contradicts_the_table_is_refused_before_any_update() {
    let check = async |world: &World, wanted: IndexSpec, theirs: usize, expect: &str| {
        let outcome = world.settle(&wanted).await;
        assert_eq!(error_of(&outcome), expect);
        assert_eq!(world.requests("UpdateTable").len(), theirs);
        assert_eq!(world.entry(&wanted).status, GsiStatus::Failed);
    };
    // The table's own key.
    let world = World::new().tables(&["one"]).await;
    check(
        &world,
        keyed_by("one", "aaa", "id", AttributeType::Number),
        0,
        "attribute `id` is S in table `one` and N in the definition; DynamoDB would silently keep S",
    )
    .await;
    // The key of another index.
    world.foreign_create(&keyed_by("one", "theirs", "by", AttributeType::Binary)).await;
    pass(600).await;
    check(
        &world,
        spec("one", "bbb"),
        1,
        "attribute `by` is B in table `one` and S in the definition; DynamoDB would silently keep B",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_hopeless_is_refused_before_anything_is_asked_for() {
    let world = World::new().tables(&["one"]).await;
    let (good, bad) = (spec("one", "aaa"), keyed_by("one", "bbb", "id", AttributeType::Number));
    let report = world.run(&[good.clone(), bad.clone()]).await;
    assert!(report.outcomes[&good.key()].is_active());
    let refused = world.events.position(&bad, |kind| matches!(kind, EventKind::Settled(Outcome::Failed { .. })));
    let asked = world.events.position(&good, |kind| matches!(kind, EventKind::Requesting { .. }));
    assert!(refused.unwrap() < asked.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_twenty_first_index_is_refused_before_any_update() {
    let world = World::with("", dynamo_embedded::Times::INSTANT).tables(&["one"]).await;
    for n in 1..=20 {
        world.foreign_create(&spec("one", &format!("theirs-{n}"))).await;
    }
    let outcome = world.settle(&spec("one", "aaa")).await;
    assert_eq!(error_of(&outcome), "table `one` has 20 global secondary indexes, as many as it can have");
    assert_eq!(world.requests("UpdateTable").len(), 20, "theirs");
    // One of those twenty is no further one.
    assert_eq!(world.settle(&spec("one", "theirs-7")).await, Outcome::Adopted);
}
