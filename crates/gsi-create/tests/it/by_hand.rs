//! Changes of the state by hand: a backup, a line in the history, and nothing else touched.

use std::path::PathBuf;

use gsi_state::{GsiStatus, HistoryEvent, StatusView, read_history};
use test_kit::{TestEnv, files_of};

use crate::{damage::python_state, support::*};

fn with_state() -> TestEnv {
    let env = env();
    let entries = [("bookings", "by-flight", "active", 1), ("bookings", "by-status", "failed", 5)];
    env.write(STATE, python_state(&entries));
    env
}

fn by_hand(env: &TestEnv, args: &[&str]) -> assert_cmd::assert::Assert {
    env.command([args, &["--state-dir", "s"]].concat()).assert()
}

fn backups(env: &TestEnv) -> Vec<Vec<u8>> {
    let files = files_of(&env.join("s"));
    let is_backup = |name: &PathBuf| name.to_string_lossy().contains("_backup_");
    files.into_keys().filter(is_backup).map(|name| fs_err::read(env.join("s").join(name)).unwrap()).collect()
}

#[test]
fn an_index_is_forgotten_with_a_backup_and_a_trace() {
    let env = with_state();
    let before = fs_err::read(env.join(STATE)).unwrap();
    let said = stdout(&by_hand(&env, &["--forget", "bookings.by-status"]).success());
    assert!(said.contains("bookings.by-status is forgotten (it was failed)"), "{said}");
    assert_eq!(statuses(&env).into_keys().collect::<Vec<_>>(), ["bookings.by-flight"]);
    assert_eq!(backups(&env), [before]);
    let history = read_history(&env.join("s")).unwrap();
    let [HistoryEvent::ByHand { action, from, to: None, .. }] =
        &history.iter().map(|entry| &entry.event).collect::<Vec<_>>()[..]
    else {
        panic!("{history:?}")
    };
    assert_eq!((action.as_str(), *from), ("forget", Some(GsiStatus::Failed)));
}

#[test]
fn an_index_is_marked_and_the_next_run_takes_it_from_there() {
    let env = with_state();
    by_hand(&env, &["--mark", "bookings/by-flight", "pending"]).success();
    assert_eq!(statuses(&env)["bookings.by-flight"], GsiStatus::Pending);
    assert_eq!(backups(&env).len(), 1);
    let view = StatusView::read(&env.join("s")).unwrap().unwrap();
    assert_eq!(view.state.with_status(GsiStatus::Failed).count(), 1, "the other one is as it was");
}

#[test]
fn what_is_not_there_or_not_a_status_changes_nothing() {
    let env = with_state();
    let before = files_of(env.path());
    refused(by_hand(&env, &["--forget", "bookings.by-statu"]), 64, &["did you mean `bookings.by-status`?"]);
    refused(by_hand(&env, &["--mark", "bookings.by-status", "done"]), 64, &["`done` is not a status", "in_progress"]);
    refused(
        env.command(["--forget", "x.y", "--state-dir", "nowhere"]).assert(),
        66,
        &["there is no index-creation state"],
    );
    refused(by_hand(&env, &["--forget", "bookings.by-status", "--status"]), 64, &["cannot be used with"]);
    assert_eq!(files_of(env.path()), before);
}

#[test]
fn a_lock_is_broken_only_where_that_is_safe_or_insisted_on() {
    let env = with_state();
    let said = stdout(&by_hand(&env, &["--unlock"]).success());
    assert!(said.contains("nobody ever locked"), "{said}");

    let holder = gsi_state::GsiStateManager::open("other", env.join("s")).unwrap();
    let before = files_of(env.path());
    refused(by_hand(&env, &["--unlock"]), 75, &["which may be alive", "kill -INT", "--yes"]);
    assert_eq!(files_of(env.path()), before);
    let said = stdout(&by_hand(&env, &["--unlock", "--yes"]).success());
    assert!(said.contains("is broken; its file is kept as s/.gsi_creation_state.json.lock.broken"), "{said}");
    drop(holder);
    let said = stdout(&by_hand(&env, &["--unlock"]).success());
    assert!(said.contains("nobody holds the lock"), "{said}");
}

#[test]
fn every_answer_is_json_where_that_is_wanted() {
    let env = with_state();
    let answer = json_of(&by_hand(&env, &["--mark", "bookings.by-status", "pending", "--json"]).success());
    assert_eq!((&answer["action"], &answer["exit_code"]), (&"mark".into(), &0.into()));
    assert_eq!((&answer["table"], &answer["index"]), (&"bookings".into(), &"by-status".into()));
    assert_eq!((&answer["from"], &answer["to"]), (&"failed".into(), &"pending".into()));
    assert!(answer["backup"].as_str().unwrap().starts_with("s/.gsi_creation_state_backup_"), "{answer:#}");
    let answer = json_of(&by_hand(&env, &["--forget", "bookings.by-status", "--json"]).success());
    assert_eq!((&answer["action"], &answer["to"]), (&"forget".into(), &serde_json::Value::Null));
    let answer = json_of(&by_hand(&env, &["--unlock", "--json"]).success());
    assert_eq!((&answer["action"], &answer["is_broken"]), (&"unlock".into(), &false.into()));
    let holder = gsi_state::GsiStateManager::open("other", env.join("s")).unwrap();
    let answer = json_of(&by_hand(&env, &["--unlock", "--yes", "--json"]).success());
    assert_eq!(answer["is_broken"], true);
    assert!(answer["set_aside"].as_str().unwrap().contains(".lock.broken"), "{answer:#}");
    drop(holder);
}
