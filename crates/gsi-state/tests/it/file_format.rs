//! The layout of the file, to the byte, and what survives a rewrite.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use gsi_state::{CreationState, GsiKey, GsiStatus, Origin, StatusChange, Validation, Verdict};
use proptest::prelude::*;
use statefile::Document;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn a_new_file_looks_as_the_documents_show_it() {
    let mut state = CreationState::new("create_priority1_gsis", at("2026-02-01T10:30:00Z"));
    let key = GsiKey::new("bookings", "passenger-flight-index");
    state.add(key.clone());
    state.add(GsiKey::new("Baggage", "location-status-index"));
    state.apply(&StatusChange::new(key, GsiStatus::InProgress).attempt(1), at("2026-02-01T10:31:00.9Z")).unwrap();
    let expect = r#"{
  "version": "1.0",
  "created_at": "2026-02-01T10:30:00Z",
  "updated_at": "2026-02-01T10:31:00Z",
  "script_name": "create_priority1_gsis",
  "gsis": {
    "bookings.passenger-flight-index": {
      "table_name": "bookings",
      "index_name": "passenger-flight-index",
      "status": "in_progress",
      "creation_time": "2026-02-01T10:31:00Z",
      "retry_count": 1,
      "last_error": null
    },
    "Baggage.location-status-index": {
      "table_name": "Baggage",
      "index_name": "location-status-index",
      "status": "pending",
      "creation_time": null,
      "retry_count": 0,
      "last_error": null
    }
  },
  "summary": {
    "total": 2,
    "pending": 1,
    "in_progress": 1,
    "active": 0,
    "failed": 0
  }
}"#;
    assert_eq!(state.encode().unwrap(), expect);
}

#[test]
fn unknown_fields_survive_at_every_level_to_the_letter() {
    let text = r#"{
  "version": "1.0",
  "created_at": "2026-02-01T10:30:00Z",
  "updated_at": "2026-02-01T10:30:00Z",
  "script_name": "s",
  "gsis": {
    "t.i": {
      "table_name": "t",
      "index_name": "i",
      "status": "active",
      "creation_time": null,
      "retry_count": 0,
      "last_error": null,
      "item_count": 123456789012345678901234567890,
      "verdict": {"b": 1.50, "a": [null, 1e400]}
    }
  },
  "summary": {
    "total": 1,
    "pending": 0,
    "in_progress": 0,
    "active": 1,
    "failed": 0,
    "archived": 7
  },
  "operator": "Ana\u00efs"
}"#;
    let mut state = CreationState::decode(text).unwrap();
    assert_eq!(state.encode().unwrap(), text);
    state.add(GsiKey::new("t", "j"));
    let changed = state.encode().unwrap();
    for kept in
        ["123456789012345678901234567890", r#"{"b": 1.50, "a": [null, 1e400]}"#, r#""archived": 7"#, "Ana\\u00efs"]
    {
        assert!(changed.contains(kept), "{kept} is lost in {changed}");
    }
    assert!(changed.contains(r#""pending": 1"#), "the summary is derived, not kept: {changed}");
}

#[test]
fn keys_that_read_alike_stay_two() {
    let mut state = CreationState::new("s", at("2026-02-01T10:30:00Z"));
    let (one, two) = (GsiKey::new("a.b", "c"), GsiKey::new("a", "b.c"));
    assert!(state.add(one.clone()) && state.add(two.clone()));
    state.apply(&StatusChange::new(two.clone(), GsiStatus::Failed).error("no"), state.created_at).unwrap();
    let text = state.encode().unwrap();
    assert!(text.contains(r#""a.b.c": {"#) && text.contains(r#""a.b%2Ec": {"#), "{text}");
    let read = CreationState::decode(&text).unwrap();
    assert_eq!(read.get(&one).unwrap().status, GsiStatus::Pending);
    assert_eq!(read.get(&two).unwrap().status, GsiStatus::Failed);
    assert_eq!(read, state);
}

#[test]
fn an_escaped_key_does_not_collide_with_a_name_that_looks_like_one() {
    let keys = [GsiKey::new("a", "b.c"), GsiKey::new("a%2Eb", "c"), GsiKey::new("a.b", "c")];
    let mut state = CreationState::new("s", at("2026-02-01T10:30:00Z"));
    for key in &keys {
        assert!(state.add(key.clone()));
    }
    assert_eq!(CreationState::decode(&state.encode().unwrap()).unwrap(), state);
}

/// A file with one entry, and something else in place of one of its texts.
fn file_with(old: &str, new: &str) -> String {
    let good = r#"{"version": "1.0", "created_at": "2026-02-01T10:30:00Z", "updated_at": "2026-02-01T10:30:00Z", "script_name": "s", "gsis": {"t.i": {"table_name": "t", "index_name": "i", "status": "failed", "creation_time": null, "retry_count": 1, "last_error": "x"}}, "summary": {"total": 9}}"#;
    assert!(good.contains(old));
    good.replace(old, new)
}

#[test]
fn what_python_may_have_written_is_read() {
    let check = |old: &str, new: &str, expect: &str| {
        let written = CreationState::decode(&file_with(old, new)).unwrap().encode().unwrap();
        assert!(written.contains(expect), "{written}");
    };
    check("\"x\"", r#""caf\udce9""#, r#""last_error": "caf\ufffd"#); // a byte that was no UTF-8
    check(r#"{"total": 9}"#, "3", "\"total\": 1,"); // derived, never read back
    check(r#", "summary""#, r#", "note": 1, "note": 2, "summary""#, "\"note\": 1,\n  \"note\": 2"); // nothing lost
    check("\"retry_count\": 1", "\"retry_count\": 1, \"deep\": [[[1e400]]]", "[[[1e400]]]");
}

fn name() -> impl Strategy<Value = String> {
    "(a|b|[.]|-|%2E|%25|%){1,4}"
}

proptest! {
    #[test]
    fn any_state_reads_back_as_it_was(
        keys in proptest::collection::vec((name(), name()), 0..12),
        changes in proptest::collection::vec(
            (0_usize..12, 0_usize..6, any::<Option<u8>>(), any::<Option<String>>(), 0_u8..4), 0..30),
    ) {
        let start = at("2026-02-01T10:30:00Z");
        let mut state = CreationState::new("s", start);
        let keys: Vec<GsiKey> = keys.into_iter().map(|(table, index)| GsiKey::new(table, index)).collect();
        for key in &keys {
            state.add(key.clone());
        }
        for (at, status, retry_count, error, more) in changes {
            let Some(key) = keys.get(at) else { continue };
            let before = state.clone();
            let mut change = StatusChange::new(key.clone(), GsiStatus::ALL[status]);
            (change.retry_count, change.error) = (retry_count.map(u32::from), error);
            change.origin = [None, Some(Origin::Created), Some(Origin::Adopted), None][usize::from(more)];
            change.validation = (more == 3).then(|| Validation {
                verdict: Verdict::NotUsed, at: start, detail: "looked\nat".to_owned(),
            });
            if state.apply(&change, start + chrono::TimeDelta::seconds(1)).is_err() {
                prop_assert_eq!(&state, &before, "a refused change changed something");
            }
        }
        let distinct: BTreeSet<&GsiKey> = keys.iter().collect();
        let text = state.encode().unwrap();
        let summary = state.summary();
        let version = if summary.deleting + summary.deleted > 0 { "1.1" } else { "1.0" };
        let wanted = format!("{{\n  \"version\": \"{version}\"");
        prop_assert!(text.starts_with(&wanted));
        let read = CreationState::decode(&text).unwrap();
        prop_assert_eq!(read.summary().total, distinct.len());
        prop_assert_eq!(read, state);
    }
}
