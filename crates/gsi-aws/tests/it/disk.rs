//! A state that cannot be saved: nothing is asked for, and the run says why.

use std::error::Error;

use gsi_state::GsiStatus;
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// Removes the state directory at the `n`-th call of the port.
fn lose_directory_at(world: &World, n: usize) {
    let path = world.dir.path().to_owned();
    let mut calls = 0;
    *world.spy.before.lock().unwrap() = Some(Box::new(move || {
        calls += 1;
        if calls == n {
            fs_err::remove_dir_all(&path).unwrap();
        }
    }));
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test(start_paused = true)]
async fn without_a_durable_intent_nothing_is_asked_for() {
    let world = World::new().tables(&["one", "two"]).await;
    lose_directory_at(&world, 1);
    let specs = [spec("one", "aaa"), spec("one", "bbb"), spec("two", "ccc")];
    let error = world.try_run(&specs, CancellationToken::new()).await.unwrap_err();
    let text = chain(&error);
    assert!(text.starts_with("the state could not be saved: could not write `"), "{text}");
    assert!(text.contains(".gsi_creation_state.json"), "{text}");
    assert_eq!(world.requests("UpdateTable"), []);
}

#[tokio::test(start_paused = true)]
async fn a_disk_lost_in_the_middle_stops_every_table() {
    let world = World::new().tables(&["one", "two"]).await;
    // The 5th call is a look at an index that is being built.
    lose_directory_at(&world, 5);
    let specs = [spec("one", "aaa"), spec("one", "bbb"), spec("two", "ccc"), spec("two", "ddd")];
    world.try_run(&specs, CancellationToken::new()).await.unwrap_err();
    let asked = world.requests("UpdateTable");
    assert_eq!(asked, [(0, "ok".to_owned()), (0, "ok".to_owned())], "the two whose intent was on disk");
}

#[tokio::test(start_paused = true)]
async fn after_a_repair_the_next_run_finds_what_the_service_made_of_it() {
    let world = World::new().tables(&["one"]).await;
    let spec = spec("one", "aaa");
    lose_directory_at(&world, 4);
    world.try_run(std::slice::from_ref(&spec), CancellationToken::new()).await.unwrap_err();
    *world.spy.before.lock().unwrap() = None;
    fs_err::create_dir_all(world.dir.path()).unwrap();
    assert!(world.settle(&spec).await.is_active());
    assert_eq!(world.creations(&spec), 1);
    assert_eq!(world.entry(&spec).status, GsiStatus::Active);
}
