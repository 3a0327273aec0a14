//! News about one index, and why it may be refused.

use crate::{GsiKey, GsiStatus, IllegalTransition, Origin, Validation};

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
    /// Whose work it is; `None` leaves it as it is.
    pub origin: Option<Origin>,
    /// What a validation found; `None` leaves it as it is, except that what is asked for again, or deleted,
    /// has none.
    pub validation: Option<Validation>,
}

impl StatusChange {
    /// The index `key` has now the status `status`.
    pub fn new(key: GsiKey, status: GsiStatus) -> Self {
        Self { key, status, retry_count: None, error: None, origin: None, validation: None }
    }

    /// Says whose work it is.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Says what a validation found.
    #[must_use]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = Some(validation);
        self
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
