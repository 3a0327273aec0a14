//! What a rollback may delete, by rows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use chrono::{DateTime, Utc};
use gsi_state::{GsiStatus as S, StatusChange};

use super::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// A state last changed at a second, with one index that went through some statuses.
fn state(second: i64, index: &str, way: &[S], attempts: u32, origin: Option<Origin>) -> CreationState {
    let mut state = CreationState::new("test", at(second));
    let key = GsiKey::new("t", index);
    state.add(key.clone());
    for status in way {
        let mut change = StatusChange::new(key.clone(), *status);
        change.retry_count = Some(attempts);
        change.origin = origin;
        state.apply(&change, at(second)).unwrap();
    }
    state
}

#[test]
fn only_what_is_ours_is_chosen() {
    use LeftAlone::{Adopted, Deleted, Finished, NotAskedFor, Unclear};
    // How it got there, attempts, origin; why it is left alone by a rollback, with the adopted, by a cancellation.
    let check = |way: &[S], attempts: u32, origin: Option<Origin>, expect: [Option<LeftAlone>; 3]| {
        let filters = [
            RollbackFilter::default(),
            RollbackFilter { includes_adopted: true, ..RollbackFilter::default() },
            RollbackFilter { only_unfinished: true, ..RollbackFilter::default() },
        ];
        let found = filters.each_ref().map(|filter| {
            let known = known_indexes(Some(&state(1, "i", way, attempts, origin)), &[]);
            let selection = select(known, filter);
            assert_eq!(selection.chosen.len() + selection.left_alone.len(), 1);
            selection.left_alone.first().map(|(_, reason)| *reason)
        });
        assert_eq!(found, expect, "{way:?}, {attempts}, {origin:?}");
    };
    let (created, adopted) = (Some(Origin::Created), Some(Origin::Adopted));
    check(&[], 0, None, [Some(NotAskedFor); 3]);
    check(&[S::InProgress], 1, created, [None; 3]);
    check(&[S::InProgress], 1, adopted, [Some(Adopted), None, Some(Adopted)]);
    check(&[S::InProgress, S::Active], 1, created, [None, None, Some(Finished)]);
    check(&[S::Active], 0, adopted, [Some(Adopted), None, Some(Finished)]);
    // Older files do not say whose it is: what was asked for is.
    check(&[S::InProgress, S::Active], 1, None, [None, None, Some(Finished)]);
    check(&[S::Active], 0, None, [Some(Adopted), None, Some(Finished)]);
    // What failed may be there all the same, or another one may be.
    check(&[S::InProgress, S::Failed], 1, created, [None, None, Some(Finished)]);
    check(&[S::InProgress, S::Failed], 1, adopted, [Some(Adopted), None, Some(Finished)]);
    check(&[S::InProgress, S::Failed], 1, None, [Some(Unclear), None, Some(Finished)]);
    check(&[S::Failed], 0, None, [Some(NotAskedFor); 3]);
    // What a rollback began, the next one finishes; what it ended is not ours any more.
    check(&[S::InProgress, S::Deleting], 1, created, [None; 3]);
    check(&[S::Active, S::Deleting], 0, adopted, [None; 3]);
    check(&[S::InProgress, S::Deleting, S::Deleted], 1, created, [Some(Deleted); 3]);
}

#[test]
fn the_newest_mention_wins() {
    let created = Some(Origin::Created);
    let old = state(1, "i", &[S::InProgress, S::Active], 1, created);
    let deleted = state(2, "i", &[S::InProgress, S::Deleting, S::Deleted], 1, created);
    let again = state(3, "i", &[S::InProgress, S::Active], 2, created);
    let other = state(9, "j", &[S::InProgress], 1, created);
    let check = |current: Option<&CreationState>, archives: &[&CreationState], expect: S| {
        let archives: Vec<_> = archives.iter().map(|state| (*state).clone()).collect();
        let known = known_indexes(current, &archives);
        let gsi = known.iter().find(|gsi| gsi.key.index() == "i").unwrap();
        assert_eq!(gsi.status, expect);
    };
    check(None, &[&old, &deleted], S::Deleted);
    check(None, &[&deleted, &old], S::Deleted); // whatever their names
    check(None, &[&deleted, &again, &old], S::Active);
    check(Some(&deleted), &[&again], S::Deleted);
    check(Some(&other), &[&old], S::Active);
}

#[test]
fn what_a_later_job_found_in_place_is_still_the_earlier_ones() {
    let (created, adopted) = (Some(Origin::Created), Some(Origin::Adopted));
    let made = || state(1, "i", &[S::InProgress, S::Active], 1, created);
    let deleted = || state(2, "i", &[S::InProgress, S::Deleting, S::Deleted], 1, created);
    let found = |second| state(second, "i", &[S::Active], 0, adopted);
    let check = |states: &[CreationState], expect: Option<Origin>| {
        let origins = known_indexes(None, states).iter().map(|gsi| gsi.origin).collect::<Vec<_>>();
        assert_eq!(origins, [expect]);
    };
    check(&[made(), found(2)], created);
    check(&[made(), found(2), found(3)], created);
    check(&[found(1)], adopted);
    // It was gone in between: this job's own rollback, or the later job asked for it and was refused.
    check(&[made(), deleted(), found(3)], adopted);
    check(&[made(), state(2, "i", &[S::InProgress, S::Active], 1, adopted)], adopted);
    check(&[made(), state(2, "i", &[S::Failed], 0, adopted)], adopted);
}

#[test]
fn what_was_made_here_and_differs_now_is_disputed() {
    let (created, adopted) = (Some(Origin::Created), Some(Origin::Adopted));
    let made = || state(1, "i", &[S::InProgress, S::Active], 1, created);
    let differs = |way: &[S], attempts: u32, origin| {
        let mut state = state(2, "i", way, attempts, origin);
        let mut change = StatusChange::new(GsiKey::new("t", "i"), S::Failed).error(format!("{DIFFERS}: key schema"));
        change.origin = origin;
        state.apply(&change, at(2)).unwrap();
        state
    };
    let check = |archives: &[CreationState], current: &CreationState, expect: Option<LeftAlone>| {
        let known = || known_indexes(Some(current), archives);
        let reasons = select(known(), &RollbackFilter::default()).left_alone;
        assert_eq!(reasons.first().map(|(_, reason)| *reason), expect);
        let filter = RollbackFilter { includes_adopted: true, ..RollbackFilter::default() };
        assert_eq!(select(known(), &filter).chosen.len(), 1);
    };
    let found = || differs(&[], 0, adopted);
    check(&[made()], &found(), Some(LeftAlone::Disputed));
    check(&[], &differs(&[S::InProgress, S::Active], 1, created), Some(LeftAlone::Disputed));
    // Nothing says that it was ever ours, or something says that it is not any more.
    check(&[], &found(), Some(LeftAlone::Adopted));
    check(&[made()], &differs(&[S::InProgress], 1, adopted), Some(LeftAlone::Adopted));
    let deleted = state(1, "i", &[S::InProgress, S::Deleting, S::Deleted], 1, created);
    check(&[deleted], &found(), Some(LeftAlone::Adopted));
}

#[test]
fn names_limit_it() {
    let check = |tables: &[&str], indexes: &[&str], expect: usize| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let filter = RollbackFilter { tables: owned(tables), indexes: owned(indexes), ..RollbackFilter::default() };
        let known = known_indexes(Some(&state(1, "i", &[S::InProgress], 1, Some(Origin::Created))), &[]);
        let selection = select(known, &filter);
        assert_eq!((selection.chosen.len(), selection.left_alone.len()), (expect, 0), "{filter:?}");
    };
    check(&[], &[], 1);
    check(&["t"], &["i"], 1);
    check(&["t"], &["j"], 0);
    check(&["T"], &[], 0);
}
