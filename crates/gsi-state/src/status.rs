//! Where an index stands, and which news can follow which.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an index stands: its creation, or the undoing of it.
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
    /// To be deleted, or being deleted, by a rollback: it is finished before anything else is done about it.
    Deleting,
    /// Gone, by a rollback.
    Deleted,
}

impl GsiStatus {
    /// Every status, in the order of the summary.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::InProgress, Self::Active, Self::Failed, Self::Deleting, Self::Deleted];

    /// The name in the state file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// The status after the news `wanted`.
    ///
    /// | from \ to | pending | `in_progress` | active | failed | deleting | deleted |
    /// |---|---|---|---|---|---|---|
    /// | pending | yes | asked for | found in place | refused beforehand | – | – |
    /// | `in_progress` | – | next attempt | done | given up | cancelled | – |
    /// | active | – | vanished at the service, asked for again | yes | found to differ | rolled back | – |
    /// | failed | queued again | retried | found in place | failed again | rolled back | – |
    /// | deleting | – | – | the rollback was called off | – | tried again | gone |
    /// | deleted | queued again | asked for again | found in place | refused beforehand | somebody made it again | yes |
    ///
    /// # Errors
    ///
    /// [`IllegalTransition`] for the dashes: what was asked for cannot become "not yet attempted", and
    /// nothing is deleted without the intent to.
    ///
    /// ```
    /// use gsi_state::GsiStatus::{Active, InProgress, Pending};
    /// assert_eq!(Pending.next(InProgress), Ok(InProgress));
    /// assert!(Active.next(Pending).is_err());
    /// ```
    pub const fn next(self, wanted: Self) -> Result<Self, IllegalTransition> {
        use GsiStatus::{Active, Deleted, Deleting, Failed, InProgress, Pending};
        match (self, wanted) {
            (Pending | Failed | Deleted, Pending | InProgress | Active | Failed)
            | (InProgress | Active, InProgress | Active | Failed)
            | (InProgress | Active | Failed | Deleting | Deleted, Deleting)
            | (Deleting, Active | Deleted)
            | (Deleted, Deleted) => Ok(wanted),
            (InProgress | Active | Deleting, Pending)
            | (Pending, Deleting)
            | (Pending | InProgress | Active | Failed, Deleted)
            | (Deleting, InProgress | Failed) => Err(IllegalTransition { from: self, to: wanted }),
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
