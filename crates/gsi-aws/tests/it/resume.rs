//! What an earlier run left, settled against the service.

use gsi_aws::{EventKind, Outcome};
use gsi_state::GsiStatus;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn every_status_meets_every_truth() {
    use GsiStatus::{Active, Failed, InProgress, Pending};
    // What the state said, how old the index at the service is (absent: there is none),
    // what comes of it, how many requests that took, and the attempts in the state afterwards.
    let check = async |found: GsiStatus, age: Option<u64>, expect: &str, requests: usize, attempts: u32| {
        let world = World::new().tables(&["one"]).await;
        let spec = spec("one", "aaa");
        let theirs = usize::from(age.is_some());
        if let Some(age) = age {
            world.foreign_create(&spec).await;
            pass(age).await;
        }
        world.left_by_earlier_run(&spec, found, 2);
        let outcome = format!("{:?}", world.settle(&spec).await);
        assert!(outcome.starts_with(expect), "{found}, {age:?}: {outcome}");
        assert_eq!(world.requests("UpdateTable").len() - theirs, requests, "{found}, {age:?}");
        assert_eq!(world.creations(&spec), 1, "{found}, {age:?}");
        let entry = world.entry(&spec);
        assert_eq!((entry.status, entry.retry_count), (GsiStatus::Active, attempts), "{found}, {age:?}");
        assert_eq!(entry.last_error, None, "{found}, {age:?}: success clears it");
        let vanished = world.events.count(|kind| matches!(kind, EventKind::Vanished));
        assert_eq!(vanished, usize::from(found == GsiStatus::Active && age.is_none()), "{found}, {age:?}");
    };
    let (missing, allocating, backfilling, done) = (None, Some(0), Some(100), Some(600));
    check(Pending, missing, "Created", 1, 1).await;
    check(Pending, allocating, "Adopted", 0, 0).await; // nobody here asked for it
    check(Pending, done, "Adopted", 0, 0).await;
    check(InProgress, missing, "Created", 1, 3).await; // killed between intent and effect
    check(InProgress, allocating, "Created", 0, 2).await;
    check(InProgress, backfilling, "Created", 0, 2).await;
    check(InProgress, done, "Created", 0, 2).await; // became active while nobody looked
    check(Failed, missing, "Created", 1, 3).await;
    check(Failed, backfilling, "Adopted", 0, 2).await;
    check(Failed, done, "Adopted", 0, 2).await;
    check(Active, missing, "Created", 1, 3).await; // vanished, and is made again
    // What was active is never built again: this one was made by somebody else.
    check(Active, backfilling, "Adopted", 0, 2).await;
    check(Active, done, "StillActive", 0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_comes_before_what_is_not() {
    let world = World::new().tables(&["one"]).await;
    let (first, second) = (spec("one", "first"), spec("one", "second"));
    world.foreign_create(&second).await;
    world.left_by_earlier_run(&second, GsiStatus::InProgress, 1);
    let report = world.run(&[first.clone(), second.clone()]).await;
    assert_eq!(report.count(|outcome| matches!(outcome, Outcome::Created { .. })), 2);
    // The second is recorded as soon as it is active, not after the first was built.
    let recorded = world.events.position(&second, |kind| matches!(kind, EventKind::Settled(_)));
    let asked = world.events.position(&first, |kind| matches!(kind, EventKind::Requesting { .. }));
    assert!(recorded.unwrap() < asked.unwrap());
    assert!(report.outcomes.keys().eq([first.key(), second.key()].iter()), "reported in the order of the file");
    assert_eq!(world.requests("UpdateTable").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn five_more_attempts_after_five_failed_ones() {
    let world = World::with_faults("UpdateTable#1..7=InternalServerError").tables(&["one"]).await;
    let spec = spec("one", "aaa");
    assert!(matches!(world.settle(&spec).await, Outcome::Failed { .. }));
    assert_eq!(world.entry(&spec).retry_count, 5);
    assert!(matches!(world.settle(&spec).await, Outcome::Created { .. }));
    assert_eq!(world.entry(&spec).retry_count, 8, "counted over all runs");
    assert_eq!(world.creations(&spec), 1);
}
