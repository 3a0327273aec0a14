//! `kill -9` at random moments: it always ends with every index active, each created once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gsi_state::{GsiStatus, StatusView};
use test_kit::{Killer, TestEnv};

use crate::support::*;

/// Kills a story; all of them in sum, unless `WAYMARK_KILLS` wants more.
const KILLS: u32 = 20;
pub(crate) const INDEXES: usize = 6;

#[test]
fn killed_at_twenty_random_moments_and_started_again() {
    let wanted = knob("WAYMARK_KILLS").unwrap_or(KILLS);
    let (mut kills, mut seed) = (0, 0);
    while kills < wanted {
        seed += 1;
        assert!(seed < 30 + u64::from(wanted), "the program ends before it can be killed");
        kills += story(seed);
    }
    eprintln!("{kills} kills in {seed} stories");
}

/// A number that makes a test longer than the suite wants it.
#[expect(clippy::disallowed_methods, reason = "the long run is on demand")]
pub(crate) fn knob(name: &str) -> Option<u32> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// One job, killed until it gets to its end; how often it was.
fn story(seed: u64) -> u32 {
    let env = env_with(PRIORITY1);
    let seen_active = RefCell::new(BTreeSet::new());
    let killer = Killer::new(seed).delays(Duration::from_millis(5)..=Duration::from_millis(300)).kills_max(KILLS);
    let report = killer.run(
        || env.plain_command(timed("100ms,200ms,50ms", &[])),
        |kill| check(&env, &mut seen_active.borrow_mut(), &format!("seed {seed}, kill {kill}")),
    );
    // Its own end comes after the archive: killed in between, it finds everything active and says so.
    assert_eq!(report.status.code(), Some(0), "seed {seed}");
    each_once(&env, INDEXES);
    let archives = archives(&env.join("s"));
    assert!(!archives.is_empty(), "seed {seed}");
    for archive in archives {
        let archive: serde_json::Value = serde_json::from_slice(&fs_err::read(archive).unwrap()).unwrap();
        assert_eq!((&archive["summary"]["total"], &archive["summary"]["active"]), (&6.into(), &6.into()));
    }
    report.kills
}

/// The state is readable, says nothing untrue, and no index was created twice.
pub(crate) fn check(env: &TestEnv, seen_active: &mut BTreeSet<String>, context: &str) {
    let created = if env.join("db.sqlite").exists() { creations(env) } else { BTreeMap::new() };
    assert!(created.values().all(|times| *times == 1), "{context}: {created:?}");
    let Some(view) = StatusView::read(&env.join("s")).unwrap() else {
        // Not begun, or archived.
        assert!(created.is_empty() || created.len() == INDEXES, "{context}");
        return;
    };
    assert_eq!(view.summary().total, INDEXES, "{context}");
    for gsi in view.state.gsis() {
        let key = gsi.key.to_string();
        let is_created = created.contains_key(&key);
        match gsi.status {
            GsiStatus::Pending => assert!(!is_created, "{context}: {key} was asked for without an intent"),
            GsiStatus::InProgress => assert!(!seen_active.contains(&key), "{context}: {key} was active"),
            GsiStatus::Active => {
                assert!(is_created, "{context}: {key}");
                seen_active.insert(key);
            }
            GsiStatus::Failed | GsiStatus::Deleting | GsiStatus::Deleted => {
                panic!("{context}: {key} is {}: {:?}", gsi.status, gsi.last_error)
            }
        }
    }
}
