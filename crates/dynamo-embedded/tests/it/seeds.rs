//! Tables that are taken for others, and faults that begin later.

use dynamo_embedded::{FaultPlan, Seed};

use crate::support::*;

#[tokio::test]
async fn a_seeded_table_has_the_size_and_the_times_that_it_is_given() {
    let world = World::new();
    let seed = Seed { item_count: Some(3_000_000_000), size_bytes: Some(7), ..Seed::default() };
    world.dynamo.seed("bookings", seed.with_times("slow", "60s,2h,5s".parse().unwrap()));
    world.table("bookings").await;
    world.table("crew").await;
    let sizes = async |table: &str| {
        let answer = world.client.describe_table().table_name(table).send().await.unwrap().table.unwrap();
        let indexes = answer.global_secondary_indexes().iter().map(|i| (i.item_count(), i.index_size_bytes()));
        (answer.item_count(), answer.table_size_bytes(), indexes.collect::<Vec<_>>())
    };
    assert_eq!(sizes("bookings").await, (Some(3_000_000_000), Some(7), vec![]));
    assert_eq!(sizes("crew").await, (Some(0), Some(0), vec![]), "only the one that was named");

    world.create("bookings", "slow").send().await.unwrap();
    assert_eq!(sizes("bookings").await.2, [(Some(0), Some(0))], "nothing is said of an index that is being built");
    world.hands.advance(59);
    assert_eq!(world.describe("bookings").await, "UPDATING slow:CREATING/false");
    world.hands.advance(1 + 7199);
    assert_eq!(world.describe("bookings").await, "ACTIVE slow:CREATING/true");
    world.hands.advance(1);
    assert_eq!(world.describe("bookings").await, "ACTIVE slow:ACTIVE");
    assert_eq!(sizes("bookings").await.2, [(Some(3_000_000_000), Some(7))]);

    // The others take as long as ever.
    world.create("bookings", "usual").send().await.unwrap();
    world.hands.advance(530);
    assert_eq!(world.describe("bookings").await, "ACTIVE slow:ACTIVE usual:ACTIVE");
}

#[tokio::test]
async fn the_next_change_is_when_the_description_changes() {
    let world = World::new();
    world.table("bookings").await;
    assert_eq!(world.dynamo.next_change("bookings").unwrap(), None);
    world.create("bookings", "idx").send().await.unwrap();
    let mut before = world.describe("bookings").await;
    let mut changes = Vec::new();
    for second in 1..=540 {
        let next = world.dynamo.next_change("bookings").unwrap();
        world.hands.advance(1);
        let after = world.describe("bookings").await;
        assert_eq!(before != after, next == Some(world.hands.now()), "{second}: {after}");
        if before != after {
            changes.push(second);
        }
        before = after;
    }
    assert_eq!(changes, [30, 530]);
    world.delete("bookings", "idx").send().await.unwrap();
    let gone_at = world.dynamo.next_change("bookings").unwrap();
    world.hands.advance(5);
    assert_eq!(gone_at, Some(world.hands.now()));
    assert_eq!(world.dynamo.next_change("bookings").unwrap(), None);
}

#[tokio::test]
async fn faults_that_begin_later_count_from_there() {
    let world = World::new();
    world.table("bookings").await;
    world.dynamo.set_faults("DescribeTable#2=ThrottlingException; PutItem#9=lost".parse().unwrap());
    assert_eq!(world.describe("bookings").await, "ACTIVE");
    assert!(world.describe("bookings").await.starts_with("ThrottlingException"));
    let strikes = world.dynamo.strikes();
    assert_eq!(strikes, [("DescribeTable#2=ThrottlingException".to_owned(), 1), ("PutItem#9=lost".to_owned(), 0)]);
    world.dynamo.set_faults(FaultPlan::none());
    assert_eq!(world.describe("bookings").await, "ACTIVE");
}
