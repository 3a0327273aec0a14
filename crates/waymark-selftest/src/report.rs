//! What a self-test says of a mount.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde::{Serialize, Serializer};

use crate::Mount;

/// What a mount must do for a state file to keep its word, one trial each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// A reader sees the old document or the new one.
    Replacement,
    /// After a writer was killed: the last acknowledged document, or the next.
    Kill,
    /// After a writer was killed: every acknowledged record, and the next whole or not at all.
    Journal,
    /// One writer on this host; the lock of a dead holder is free; the holder is named.
    Lock,
    /// One writer among all hosts that have the file system.
    LockAcrossHosts,
    /// What was acknowledged outlives a loss of power.
    Durability,
    /// Renames replace, or do not, as asked for; links are kept and followed.
    Rename,
    /// Names and permissions are kept, and what is made is listed at once.
    Names,
    /// A writer that gets no more room reports it, or dies of it, and loses nothing.
    Room,
}

impl Promise {
    /// A short name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Replacement => "atomic replacement",
            Self::Kill => "document after kill -9",
            Self::Journal => "journal after kill -9",
            Self::Lock => "lock on this host",
            Self::LockAcrossHosts => "lock across hosts",
            Self::Durability => "durability",
            Self::Rename => "renames and links",
            Self::Names => "names and permissions",
            Self::Room => "no more room",
        }
    }
}

/// What came of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Tried, and kept.
    Kept,
    /// Not to be found out here; the detail says why.
    Unknown,
    /// Tried, and not kept; or certain not to hold on such a file system.
    Broken,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Unknown => "unknown",
            Self::Broken => "BROKEN",
        })
    }
}

/// One promise, tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Which one.
    pub promise: Promise,
    /// What came of it.
    pub verdict: Verdict,
    /// What was done and seen, or why nothing could be found out.
    pub detail: String,
    /// What to do about it, where the promise is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Figures, by name; the unit stands last in the name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<&'static str, f64>,
}

/// What was found out about a mount.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The directory that was asked about.
    pub dir: PathBuf,
    /// What the system says of its file system.
    pub mount: Mount,
    /// A trial for each [`Promise`], in that order.
    pub trials: Vec<Trial>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

impl Report {
    /// The gravest verdict of all.
    pub fn verdict(&self) -> Verdict {
        self.trials.iter().map(|trial| trial.verdict).max().unwrap_or(Verdict::Unknown)
    }

    /// The conclusion, as a sentence.
    pub fn conclusion(&self) -> &'static str {
        match self.verdict() {
            Verdict::Kept => "this mount can hold state",
            Verdict::Unknown => "nothing is broken; whether this mount can hold state depends on what is unknown",
            Verdict::Broken => "do not keep state on this mount",
        }
    }
}

fn seconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 1e3).round() / 1e3)
}
