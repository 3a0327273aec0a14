//! The domain: one index ([`GsiState`]), all of them ([`CreationState`]), and their counts ([`Summary`]).
//!
//! Pure values: no file, no clock. Times are arguments.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use statefile::UnknownFields;

use crate::{GsiKey, GsiStatus, IllegalTransition};

/// What is known about one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GsiState {
    /// Which index.
    pub key: GsiKey,
    /// Where its creation stands.
    pub status: GsiStatus,
    /// When it first became [`InProgress`](GsiStatus::InProgress); kept on later attempts.
    pub creation_time: Option<DateTime<Utc>>,
    /// How many attempts were made, over all runs.
    pub retry_count: u32,
    /// What went wrong last; cleared by success.
    pub last_error: Option<String>,
    /// Its key in the file, given by [`CreationState::insert`].
    pub(crate) disk_key: String,
    pub(crate) unknown: UnknownFields,
}

impl GsiState {
    pub(crate) fn pending(key: GsiKey) -> Self {
        Self {
            key,
            status: GsiStatus::Pending,
            creation_time: None,
            retry_count: 0,
            last_error: None,
            disk_key: String::new(),
            unknown: UnknownFields::default(),
        }
    }
}

/// News about one index.
///
/// ```
/// use gsi_state::{GsiKey, GsiStatus, StatusChange};
/// let change = StatusChange::new(GsiKey::new("t", "i"), GsiStatus::Failed).attempt(3).error("AccessDeniedException");
/// assert_eq!(change.retry_count, Some(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Which index.
    pub key: GsiKey,
    /// Its new status.
    pub status: GsiStatus,
    /// The number of attempts so far; `None` leaves it as it is.
    pub retry_count: Option<u32>,
    /// What went wrong; `None` leaves it as it is, except that success clears it.
    pub error: Option<String>,
}

impl StatusChange {
    /// The index `key` has now the status `status`.
    pub fn new(key: GsiKey, status: GsiStatus) -> Self {
        Self { key, status, retry_count: None, error: None }
    }

    /// Says how many attempts were made so far.
    #[must_use]
    pub fn attempt(mut self, retry_count: u32) -> Self {
        self.retry_count = Some(retry_count);
        self
    }

    /// Says what went wrong.
    #[must_use]
    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }
}

/// Why news about an index was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The state has no such index.
    #[error("`{0}` is not in the state; initialize it first")]
    Unknown(GsiKey),
    /// The status cannot follow the present one.
    #[error("the status of `{key}` was not changed")]
    Illegal {
        /// Which index.
        key: GsiKey,
        /// What cannot follow what.
        #[source]
        source: IllegalTransition,
    },
}

/// The state of a whole job: every index, in the order in which it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationState {
    /// When the job began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Which program does it.
    pub script_name: String,
    pub(crate) gsis: IndexMap<GsiKey, GsiState>,
    pub(crate) unknown: UnknownFields,
    pub(crate) summary_unknown: UnknownFields,
}

impl CreationState {
    /// A job that begins `now` and has no index yet.
    pub fn new(script_name: impl Into<String>, now: DateTime<Utc>) -> Self {
        Self {
            created_at: now,
            updated_at: now,
            script_name: script_name.into(),
            gsis: IndexMap::new(),
            unknown: UnknownFields::default(),
            summary_unknown: UnknownFields::default(),
        }
    }

    /// Adds an index as pending; `false` where it is known already (it stays as it is).
    pub fn add(&mut self, key: GsiKey) -> bool {
        self.insert(GsiState::pending(key)).is_ok()
    }

    /// Adds an entry and gives it its key in the file; refuses, and gives back, a second one of a key.
    pub(crate) fn insert(&mut self, mut gsi: GsiState) -> Result<(), GsiKey> {
        if self.gsis.contains_key(&gsi.key) {
            return Err(gsi.key);
        }
        gsi.disk_key = self.free_disk_key(&gsi.key);
        self.gsis.insert(gsi.key.clone(), gsi);
        Ok(())
    }

    /// `table.index`, or the escaped form where that is taken.
    ///
    /// No two entries share one: escaped forms differ from each other, and hold a percent sign, which
    /// plain ones here never do.
    fn free_disk_key(&self, key: &GsiKey) -> String {
        let plain = key.to_string();
        let has_dot = key.table().contains('.') || key.index().contains('.');
        // Without a dot in a name, no other key displays alike: no need to search.
        let is_taken = has_dot && self.gsis.values().any(|gsi| gsi.disk_key == plain);
        if is_taken || plain.contains('%') { key.escaped() } else { plain }
    }

    /// Applies news that came at `now`.
    ///
    /// # Errors
    ///
    /// When the index is unknown or its present status does not allow the new one.
    pub fn apply(&mut self, change: &StatusChange, now: DateTime<Utc>) -> Result<(), ChangeError> {
        let gsi = self.gsis.get_mut(&change.key).ok_or_else(|| ChangeError::Unknown(change.key.clone()))?;
        gsi.status = gsi
            .status
            .next(change.status)
            .map_err(|source| ChangeError::Illegal { key: change.key.clone(), source })?;
        if gsi.status == GsiStatus::InProgress {
            gsi.creation_time.get_or_insert(now);
        }
        if let Some(retry_count) = change.retry_count {
            gsi.retry_count = retry_count;
        }
        if gsi.status == GsiStatus::Active {
            gsi.last_error = None;
        } else if let Some(error) = &change.error {
            gsi.last_error = Some(error.clone());
        }
        self.updated_at = now;
        Ok(())
    }

    /// One index.
    pub fn get(&self, key: &GsiKey) -> Option<&GsiState> {
        self.gsis.get(key)
    }

    /// Every index, in order.
    pub fn gsis(&self) -> impl ExactSizeIterator<Item = &GsiState> {
        self.gsis.values()
    }

    /// The indexes with one status, in order.
    pub fn with_status(&self, status: GsiStatus) -> impl Iterator<Item = &GsiState> {
        self.gsis().filter(move |gsi| gsi.status == status)
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        let count = |status| self.with_status(status).count();
        Summary {
            total: self.gsis.len(),
            pending: count(GsiStatus::Pending),
            in_progress: count(GsiStatus::InProgress),
            active: count(GsiStatus::Active),
            failed: count(GsiStatus::Failed),
        }
    }
}

/// How many indexes have which status. Derived from the entries, never read from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// All of them.
    pub total: usize,
    /// Not yet attempted.
    pub pending: usize,
    /// Asked for and not yet settled.
    pub in_progress: usize,
    /// Done.
    pub active: usize,
    /// Given up.
    pub failed: usize,
}

impl Summary {
    /// Nothing is left to do: there are indexes, and all are active.
    pub const fn is_complete(&self) -> bool {
        self.total > 0 && self.active == self.total
    }

    /// Nothing is pending or in progress; something may have failed.
    pub const fn is_settled(&self) -> bool {
        self.pending == 0 && self.in_progress == 0
    }
}
