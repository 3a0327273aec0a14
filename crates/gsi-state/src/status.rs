//! What is known about an index, and which news can follow which.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the creation of an index stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GsiStatus {
    /// Not yet attempted.
    Pending,
    /// Asked for, or about to be: what the service made of it must be looked up before asking again.
    InProgress,
    /// The service said ACTIVE for an index with the wanted keys and projection.
    Active,
    /// Given up after an error that another attempt would not cure, or after the last attempt.
    Failed,
}

impl GsiStatus {
    /// Every status, in the order of the summary.
    pub const ALL: [Self; 4] = [Self::Pending, Self::InProgress, Self::Active, Self::Failed];

    /// The name in the state file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Active => "active",
            Self::Failed => "failed",
        }
    }

    /// The status after the news `wanted`.
    ///
    /// | from \ to | pending | `in_progress` | active | failed |
    /// |---|---|---|---|---|
    /// | pending | yes | asked for | found in place | refused beforehand |
    /// | `in_progress` | – | next attempt | done | given up |
    /// | active | – | vanished at the service, asked for again | yes | found to differ |
    /// | failed | queued again | retried | found in place | failed again |
    ///
    /// # Errors
    ///
    /// [`IllegalTransition`] for the two dashes: what was asked for cannot become "not yet attempted".
    ///
    /// ```
    /// use gsi_state::GsiStatus::{Active, InProgress, Pending};
    /// assert_eq!(Pending.next(InProgress), Ok(InProgress));
    /// assert!(Active.next(Pending).is_err());
    /// ```
    pub const fn next(self, wanted: Self) -> Result<Self, IllegalTransition> {
        match (self, wanted) {
            (Self::InProgress | Self::Active, Self::Pending) => Err(IllegalTransition { from: self, to: wanted }),
            (Self::Pending | Self::Failed, _)
            | (Self::InProgress | Self::Active, Self::InProgress | Self::Active | Self::Failed) => Ok(wanted),
        }
    }
}

impl fmt::Display for GsiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status that cannot follow another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an index that is {from} cannot become {to}")]
pub struct IllegalTransition {
    /// The present status.
    pub from: GsiStatus,
    /// The refused one.
    pub to: GsiStatus,
}
