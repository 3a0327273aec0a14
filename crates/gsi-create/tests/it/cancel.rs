//! Undoing only what is still being created.

use gsi_state::GsiStatus;

use crate::{
    rollback::{at_the_service, once, timed_undo, undo},
    support::*,
};

#[test]
fn what_is_being_created_is_cancelled_and_what_is_active_stays() {
    let env = env();
    run(&env, &["--table", "crew"]).success();
    env.command(timed("50ms,1h,20ms", &["--table", "bookings", "--no-wait"])).assert().code(4);
    assert_eq!(statuses(&env)["bookings.by-flight"], GsiStatus::InProgress);
    let answer = json_of(&env.command(timed_undo("50ms,1h,20ms", &["--cancel", "--json"])).assert().success());
    assert_eq!(answer["indexes"][0]["outcome"], "deleted", "{answer:#}");
    assert_eq!(answer["indexes"].as_array().unwrap().len(), 1);
    assert_eq!(at_the_service(&env), (vec!["crew.by-date".to_owned()], once(&["bookings.by-flight"])));
    assert_eq!(statuses(&env)["bookings.by-status"], GsiStatus::Pending);
    // The job itself can go on.
    run(&env, &[]).success();
    assert_eq!(at_the_service(&env).0.len(), 3);
}

#[test]
fn a_cancel_does_not_touch_what_became_active_meanwhile() {
    let env = env();
    run(&env, &["--table", "crew", "--no-wait"]).code(4);
    let is_active = || run(&env, &["--table", "crew", "--check-status"]).get_output().status.success();
    assert!((0..1000).any(|_| is_active()), "it becomes active");
    let assert = env.command(undo(&["--cancel", "--yes"])).assert().success();
    assert!(stderr(&assert).contains("it is active by now; `--rollback` deletes it"), "{}", stderr(&assert));
    assert_eq!(at_the_service(&env).0, ["crew.by-date"]);
}
