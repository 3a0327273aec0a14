//! The history of a job: what was done about each index, when, and what came of it.
//!
//! Kept in the journal `.gsi_creation_history.jsonl` beside the state file, over all jobs of the directory.
//! It explains; it decides nothing. The state file is the truth, so where a crash fell between the two, the
//! history lacks its last line.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use statefile::{OpenError, Record, Version, read_journal};

use crate::{GsiKey, GsiStatus, Origin, Verdict};

/// The name of the history in the state directory.
pub const HISTORY_FILE_NAME: &str = ".gsi_creation_history.jsonl";

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// The table.
    pub table: String,
    /// The index.
    pub index: String,
    /// What happened.
    #[serde(flatten)]
    pub event: HistoryEvent,
}

impl HistoryEntry {
    /// Whether the entry is about the index `key`.
    pub fn is_about(&self, key: &GsiKey) -> bool {
        self.table == key.table() && self.index == key.index()
    }
}

/// What happened to an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HistoryEvent {
    /// It was about to be asked for.
    Requested {
        /// Which attempt, over all runs, counted from 1.
        attempt: u32,
    },
    /// A call about it failed.
    Refused {
        /// DynamoDB's name of the call.
        operation: String,
        /// Which attempt, over all runs; 0 before the first.
        attempt: u32,
        /// The class of the error: `throttled`, `table-busy` …
        class: String,
        /// The service's code and words.
        message: String,
        /// What was done about it, in words.
        strategy: String,
        /// How long until the next look or request, in seconds; absent where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_delay_seconds: Option<f64>,
    },
    /// The service was seen at work on it: told when the phase changes.
    Building {
        /// `allocating` or `backfilling`.
        phase: String,
    },
    /// It could not be asked for yet: told when the reason changes.
    Waiting {
        /// Why.
        reason: String,
    },
    /// Its status changed for good, as far as one run goes.
    Settled {
        /// The status now.
        status: GsiStatus,
        /// Whose work it is, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
        /// How long this run was at it, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elapsed_seconds: Option<f64>,
        /// Why it failed, or what is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// It was queried to see whether it answers.
    Validated {
        /// The verdict.
        verdict: Verdict,
        /// What was seen.
        detail: String,
    },
    /// Its deletion was about to be asked for.
    DeletionRequested,
    /// A person changed the state by hand.
    ByHand {
        /// `forget` or `mark`.
        action: String,
        /// Who.
        person: String,
        /// The status before.
        from: Option<GsiStatus>,
        /// The status after; absent where it was forgotten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<GsiStatus>,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Record for HistoryEntry {
    const KIND: &'static str = "history of index creation";
    /// 1.0: first.
    const VERSION: Version = Version::new(1, 0);
}

/// Reads the history in the state directory `dir`, oldest first; empty where there is none. Needs no lock.
///
/// # Errors
///
/// When it is unreadable, damaged before its last line, or of a newer major version.
pub fn read_history(dir: &Path) -> Result<Vec<HistoryEntry>, OpenError> {
    read_journal(&dir.join(HISTORY_FILE_NAME))
}
