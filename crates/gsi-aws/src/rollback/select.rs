//! Which indexes a rollback may be about. Pure.

use gsi_state::{CreationState, GsiKey, GsiState, GsiStatus, Origin};
use indexmap::IndexMap;

use crate::words::DIFFERS;

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
    /// It was created here, and a later run met an index of that name that differs from the definition: either the
    /// definition was changed, or the index was replaced. No state keeps what was asked for, so nothing tells.
    #[error(
        "one of that name was created here, but the one that was seen last differs from the definition, \
         so it may be somebody else's"
    )]
    Disputed,
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
        matches!(self, Self::Adopted | Self::Unclear | Self::Disputed)
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
/// that one: as within one job, where "still active" changes nothing. Where the later job found another one than it
/// wanted, it is [disputed](LeftAlone::Disputed).
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
    was_only_found && was_made && (found.status == GsiStatus::Active || has_differed(found))
}

/// Whether another index than the wanted one was seen under the name.
fn has_differed(gsi: &GsiState) -> bool {
    gsi.status == GsiStatus::Failed && gsi.last_error.as_ref().is_some_and(|error| error.starts_with(DIFFERS))
}

/// Whether the index was created here, and what was seen last under its name is another one than is wanted.
pub(crate) fn is_disputed(gsi: &GsiState) -> bool {
    gsi.origin == Some(Origin::Created) && has_differed(gsi)
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
            Some(Origin::Created) => is_disputed(gsi).then_some(LeftAlone::Disputed),
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
mod tests;
