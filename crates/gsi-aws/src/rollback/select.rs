//! Which indexes a rollback may be about. Pure.

use gsi_state::{CreationState, GsiKey, GsiState, GsiStatus, Origin};
use indexmap::IndexMap;

/// Which of the known indexes are wanted.
#[derive(Debug, Clone, Default)]
pub struct RollbackFilter {
    /// Only indexes of these tables; empty for all.
    pub tables: Vec<String>,
    /// Only indexes of these names; empty for all.
    pub indexes: Vec<String>,
    /// Also those that were found in place.
    pub includes_adopted: bool,
    /// Only those that were not seen active yet.
    pub only_unfinished: bool,
}

/// Why a known index is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeftAlone {
    /// It was there before, or somebody else made it.
    #[error("it was found in place, not created by this job")]
    Adopted,
    /// It failed after a request, and the state does not say whether an index of that name would be ours.
    #[error("it failed, and an index of that name need not be this job's work")]
    Unclear,
    /// It was never asked for.
    #[error("it was never asked for")]
    NotAskedFor,
    /// A rollback deleted it already; an index of that name is somebody else's.
    #[error("it was rolled back already; an index of that name is not this job's work")]
    Deleted,
    /// Only what is being created is to be cancelled.
    #[error("it is not being created any more")]
    Finished,
}

impl LeftAlone {
    /// Whether `--include-adopted` would include it.
    pub const fn can_be_included(self) -> bool {
        matches!(self, Self::Adopted | Self::Unclear)
    }
}

/// What a rollback is about, and what it is not.
#[derive(Debug, Clone, Default)]
pub struct RollbackSelection {
    /// To be deleted.
    pub chosen: Vec<GsiState>,
    /// Wanted by name or table, and left alone.
    pub left_alone: Vec<(GsiKey, LeftAlone)>,
}

/// Everything that a directory knows of indexes: the newest mention of each, where `current`, the state at hand, is
/// newer than every archive, and an archive is as new as its last change.
///
/// What a job found in place without ever asking for it, and the job before had made and seen active, is still the work of
/// that one: as within one job, where "still active" changes nothing.
pub fn known_indexes(current: Option<&CreationState>, archives: &[CreationState]) -> Vec<GsiState> {
    let mut by_age: Vec<&CreationState> = archives.iter().collect();
    by_age.sort_by_key(|state| state.updated_at);
    let mut known: IndexMap<GsiKey, GsiState> = IndexMap::new();
    for gsi in by_age.into_iter().chain(current).flat_map(CreationState::gsis) {
        let mut gsi = gsi.clone();
        if known.get(&gsi.key).is_some_and(|before| is_work_of(before, &gsi)) {
            gsi.origin = Some(Origin::Created);
        }
        known.insert(gsi.key.clone(), gsi);
    }
    known.into_values().collect()
}

/// Whether what a later job found in place is what an earlier one made.
fn is_work_of(before: &GsiState, found: &GsiState) -> bool {
    let was_only_found = found.origin == Some(Origin::Adopted) && found.retry_count == 0;
    let was_made = before.status == GsiStatus::Active && before.was_created_here();
    was_only_found && found.status == GsiStatus::Active && was_made
}

/// Chooses what may be deleted.
///
/// ```
/// use gsi_aws::rollback::{LeftAlone, RollbackFilter, known_indexes, select};
/// use gsi_state::{CreationState, GsiKey, GsiStatus, Origin, StatusChange};
/// # let now = chrono::DateTime::UNIX_EPOCH;
/// # let mut state = CreationState::new("job", now);
/// let (ours, theirs) = (GsiKey::new("bookings", "by-flight"), GsiKey::new("bookings", "by-status"));
/// for (key, origin) in [(&ours, Origin::Created), (&theirs, Origin::Adopted)] {
///     state.add(key.clone());
///     state.apply(&StatusChange::new(key.clone(), GsiStatus::Active).origin(origin), now)?;
/// }
/// let selection = select(known_indexes(Some(&state), &[]), &RollbackFilter::default());
/// assert_eq!(selection.chosen[0].key, ours);
/// assert_eq!(selection.left_alone, [(theirs, LeftAlone::Adopted)]);
/// # Ok::<(), gsi_state::ChangeError>(())
/// ```
pub fn select(known: impl IntoIterator<Item = GsiState>, filter: &RollbackFilter) -> RollbackSelection {
    let is_in = |wanted: &[String], name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let mut selection = RollbackSelection::default();
    for gsi in known {
        if !is_in(&filter.tables, gsi.key.table()) || !is_in(&filter.indexes, gsi.key.index()) {
            continue;
        }
        match left_alone(&gsi, filter) {
            Some(reason) => selection.left_alone.push((gsi.key, reason)),
            None => selection.chosen.push(gsi),
        }
    }
    selection
}

/// Why an index is left alone; `None` where it is not.
fn left_alone(gsi: &GsiState, filter: &RollbackFilter) -> Option<LeftAlone> {
    let foreign = match gsi.status {
        GsiStatus::Pending => return Some(LeftAlone::NotAskedFor),
        GsiStatus::Deleted => return Some(LeftAlone::Deleted),
        // Chosen by an earlier rollback, with whatever it was told.
        GsiStatus::Deleting => return None,
        GsiStatus::Active | GsiStatus::InProgress => (!gsi.was_created_here()).then_some(LeftAlone::Adopted),
        // "Created" is noted when the service accepts; an older file does not say, and a refused request made nothing.
        GsiStatus::Failed => match gsi.origin {
            Some(Origin::Created) => None,
            Some(Origin::Adopted) => Some(LeftAlone::Adopted),
            None if gsi.retry_count == 0 => return Some(LeftAlone::NotAskedFor),
            None => Some(LeftAlone::Unclear),
        },
    };
    if filter.only_unfinished && gsi.status != GsiStatus::InProgress {
        return Some(LeftAlone::Finished);
    }
    foreign.filter(|_| !filter.includes_adopted)
}

#[cfg(test)]
mod tests {
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
}
