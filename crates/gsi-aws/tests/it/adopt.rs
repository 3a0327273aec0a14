//! An index that is there already: compared, and adopted, waited for, or refused.

use gsi_aws::{
    EventKind, IndexSpec, Outcome, WaitReason,
    spec::{AttributeType, KeySchema, Projection},
};
use gsi_state::{GsiStatus, Origin};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn the_same_and_active_is_adopted() {
    let world = World::new().tables(&["one"]).await;
    let wanted = IndexSpec { projection: Projection::include(["b", "a"]), ..spec("one", "aaa") };
    // Non-key attributes are a set; the service sorts them.
    world.foreign_create(&IndexSpec { projection: Projection::include(["a", "b"]), ..wanted.clone() }).await;
    pass(600).await;
    assert_eq!(world.settle(&wanted).await, Outcome::Adopted);
    assert_eq!(world.entry(&wanted).status, GsiStatus::Active);
    assert_eq!(world.entry(&wanted).retry_count, 0);
    assert_eq!(world.requests("UpdateTable").len(), 1, "theirs");
    assert_eq!(world.settle(&wanted).await, Outcome::StillActive);
}

#[tokio::test(start_paused = true)]
async fn the_same_and_creating_is_waited_for() {
    let wanted = spec("one", "aaa");
    for (asked_at, since) in [(0, "allocation"), (100, "backfill")] {
        let world = World::new().tables(&["one"]).await;
        world.foreign_create(&wanted).await;
        pass(asked_at).await;
        assert_eq!(world.settle(&wanted).await, Outcome::Adopted, "{since}");
        assert_eq!(world.entry(&wanted).origin, Some(Origin::Adopted), "{since}: theirs");
        assert!((530..560).contains(&world.seconds()), "{since}: {}", world.seconds());
        assert_eq!(world.requests("UpdateTable").len(), 1, "{since}: theirs");
    }
    // Without waiting, it is known to be under way.
    let mut world = World::new().tables(&["one"]).await;
    world.options.is_waiting = false;
    world.foreign_create(&wanted).await;
    assert_eq!(world.settle(&wanted).await, Outcome::StillBuilding);
    assert_eq!(world.entry(&wanted).status, GsiStatus::InProgress);
}

#[tokio::test(start_paused = true)]
async fn a_different_one_fails_with_the_difference_shown_and_nothing_asked() {
    let there = spec("one", "aaa");
    let check = async |wanted: IndexSpec, expect: &str| {
        for age in [0, 600] {
            let world = World::new().tables(&["one"]).await;
            world.foreign_create(&there).await;
            pass(age).await;
            let outcome = world.settle(&wanted).await;
            let error = format!("an index of this name exists and differs: {expect}");
            assert_eq!(outcome, Outcome::Failed { error: error.clone() });
            assert_eq!(world.entry(&wanted).status, GsiStatus::Failed);
            assert_eq!(world.entry(&wanted).last_error, Some(error));
            assert_eq!(world.requests("UpdateTable").len(), 1, "theirs");
        }
    };
    check(keyed_by("one", "aaa", "other", AttributeType::String), "key schema: is by HASH; wanted other HASH").await;
    check(keyed_by("one", "aaa", "by", AttributeType::Number), "attribute `by`: is S, wanted N").await;
    check(IndexSpec { projection: Projection::KeysOnly, ..there.clone() }, "projection: is ALL, wanted KEYS_ONLY")
        .await;
    let with_range = IndexSpec {
        key_schema: KeySchema::new(["by"], ["at"]),
        attributes: [("by".to_owned(), AttributeType::String), ("at".to_owned(), AttributeType::Number)]
            .into_iter()
            .collect(),
        projection: Projection::include(["x"]),
        ..there.clone()
    };
    check(with_range, "key schema: is by HASH; wanted by HASH, at RANGE; projection: is ALL, wanted INCLUDE (x)").await;
}

#[tokio::test(start_paused = true)]
async fn one_under_deletion_is_waited_out_and_then_made() {
    let world = World::new().tables(&["one"]).await;
    let there = spec("one", "aaa");
    world.foreign_create(&there).await;
    pass(600).await;
    world.foreign_delete("one", "aaa").await;
    // Whether it was the same does not matter.
    let wanted = keyed_by("one", "aaa", "other", AttributeType::Number);
    assert!(matches!(world.settle(&wanted).await, Outcome::Created { .. }));
    let asked = world.requests("UpdateTable");
    assert_eq!(asked.len(), 3, "their create and delete, our create: {asked:?}");
    assert!((605..607).contains(&asked[2].0), "{asked:?}");
    let waits = world.events.count(|kind| matches!(kind, EventKind::Waiting(WaitReason::Deleting)));
    assert!(waits >= 1, "told at every look");
    assert_eq!(world.entry(&wanted).retry_count, 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_on_the_table_is_waited_out() {
    let world = World::new().tables(&["one"]).await;
    world.foreign_create(&spec("one", "old")).await;
    pass(600).await;
    world.foreign_delete("one", "old").await;
    assert!(matches!(world.settle(&spec("one", "aaa")).await, Outcome::Created { .. }));
    assert!(world.requests("UpdateTable").iter().all(|(_, outcome)| outcome == "ok"));
}
