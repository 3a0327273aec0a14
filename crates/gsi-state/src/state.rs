//! The domain: one index ([`GsiState`]), and all of them ([`CreationState`]).
//!
//! Pure values: no file, no clock. Times are arguments.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use statefile::UnknownFields;

use crate::{ChangeError, GsiKey, GsiStatus, StatusChange, Summary};

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
    /// Whose work the index is; `None` before that is known, and in files of older programs.
    pub origin: Option<Origin>,
    /// What the last validation found.
    pub validation: Option<Validation>,
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
            origin: None,
            validation: None,
            disk_key: String::new(),
            unknown: UnknownFields::default(),
        }
    }
}

impl GsiState {
    /// Whether the index is known to be the work of this job, so that a rollback may delete it.
    ///
    /// Older files do not say: there, what was asked for and counted as an attempt is.
    pub fn was_created_here(&self) -> bool {
        match self.origin {
            Some(origin) => origin == Origin::Created,
            None => self.creation_time.is_some() && self.retry_count > 0,
        }
    }
}

/// Whose work an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// This job asked for it, and the service did not refuse.
    Created,
    /// It was there, or somebody else asked for it.
    Adopted,
}

/// What a validation found: whether the index answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The verdict.
    pub verdict: Verdict,
    /// When.
    pub at: DateTime<Utc>,
    /// What was seen, in words.
    pub detail: String,
}

/// Whether an index answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A query was answered by the index, and its definition is as wanted.
    Functional,
    /// The index exists and does not do what it should.
    NonFunctional,
    /// The query was answered, but not from the index.
    NotUsed,
    /// It could not be found out.
    ValidationError,
}

impl Verdict {
    /// The name in the state file and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Functional => "functional",
            Self::NonFunctional => "non-functional",
            Self::NotUsed => "not-used",
            Self::ValidationError => "validation-error",
        }
    }
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

    /// Adds what an archive of the job knew of an index; `false` where it is known already (it stays as it is).
    pub fn restore(&mut self, gsi: GsiState) -> bool {
        self.insert(gsi).is_ok()
    }

    /// Takes an index out, and gives what was known of it.
    pub fn forget(&mut self, key: &GsiKey) -> Option<GsiState> {
        self.gsis.shift_remove(key)
    }

    /// Sets a status whatever the present one is: for a person who knows better.
    ///
    /// # Errors
    ///
    /// When the index is unknown.
    pub fn force(&mut self, key: &GsiKey, status: GsiStatus, now: DateTime<Utc>) -> Result<(), ChangeError> {
        let gsi = self.gsis.get_mut(key).ok_or_else(|| ChangeError::Unknown(key.clone()))?;
        gsi.status = status;
        if matches!(status, GsiStatus::Active | GsiStatus::Deleted) {
            gsi.last_error = None;
        }
        if status != GsiStatus::Active {
            gsi.validation = None;
        }
        self.updated_at = now;
        Ok(())
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
        if let Some(origin) = change.origin {
            gsi.origin = Some(origin);
        }
        match (&change.validation, gsi.status) {
            (Some(validation), _) => gsi.validation = Some(validation.clone()),
            (None, GsiStatus::Active) => {}
            (None, _) => gsi.validation = None,
        }
        if matches!(gsi.status, GsiStatus::Active | GsiStatus::Deleted) {
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
            deleting: count(GsiStatus::Deleting),
            deleted: count(GsiStatus::Deleted),
        }
    }
}
