//! The ledger: what every process that used the database asked, and what came of it.

use std::{fmt, time::SystemTime};

/// What an UpdateTable call asked of a global secondary index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IndexAction {
    /// `GlobalSecondaryIndexUpdates[].Create`.
    Create,
    /// `GlobalSecondaryIndexUpdates[].Delete`.
    Delete,
    /// `GlobalSecondaryIndexUpdates[].Update`.
    Update,
}

impl IndexAction {
    pub(crate) const ALL: [IndexAction; 3] = [IndexAction::Create, IndexAction::Delete, IndexAction::Update];

    /// The member's name in the service's API.
    pub fn as_str(self) -> &'static str {
        match self {
            IndexAction::Create => "Create",
            IndexAction::Delete => "Delete",
            IndexAction::Update => "Update",
        }
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It took effect (or was read) and was answered.
    Ok,
    /// It was refused and had no effect.
    Refused {
        /// The service's code without namespace, such as `LimitExceededException`.
        code: String,
    },
    /// It took effect, and the answer was lost by a scripted fault.
    Lost,
    /// A scripted fault kept it from the service: no effect, no answer.
    Unreachable,
}

impl Outcome {
    /// Whether the call took effect, answered or not.
    pub fn took_effect(&self) -> bool {
        matches!(self, Outcome::Ok | Outcome::Lost)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ok => f.write_str("ok"),
            Outcome::Refused { code } => f.write_str(code),
            Outcome::Lost => f.write_str("lost"),
            Outcome::Unreachable => f.write_str("unreachable"),
        }
    }
}

/// One call in the ledger.
///
/// The row of a call that changes something is written in the transaction of the change, so the
/// ledger says `Ok` or `Lost` exactly for what took effect, however the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Position in the ledger; grows by commit order over all processes, gaps are possible.
    pub sequence: u64,
    /// When the call arrived, by the clock of the process that made it; whole microseconds.
    pub at: SystemTime,
    /// The operation, such as `UpdateTable`.
    pub operation: String,
    /// The table that the request names, if it names exactly one.
    pub table: Option<String>,
    /// The index that the request names.
    pub index: Option<String>,
    /// For `UpdateTable` on an index: which of the three actions.
    pub action: Option<IndexAction>,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Call {
    /// One line: `12 UpdateTable bookings/by-date Create ok`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sequence, self.operation)?;
        if let Some(table) = &self.table {
            write!(f, " {table}")?;
        }
        if let Some(index) = &self.index {
            write!(f, "/{index}")?;
        }
        if let Some(action) = self.action {
            write!(f, " {}", action.as_str())?;
        }
        write!(f, " {}", self.outcome)
    }
}
