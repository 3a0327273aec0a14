//! How far the full scans have come, on disk, so that one that is killed goes on where it was.
//!
//! The file lies beside the state and shares its lock. It may be removed at any time: the scan begins
//! anew then. A scan is not gone on with when it is older than a day, or when other keys are asked about.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use statefile::{CommitError, DecodeError, Document, Lock, OpenError, StateFile, Version};

use super::findings::IndexFindings;
use crate::{
    items::{AttributeValue, Item},
    spec::IndexSpec,
};

/// The name of the file in the state directory.
pub const PROGRESS_FILE_NAME: &str = ".gsi_preflight.json";

/// How old a scan may be that is gone on with, or whose result still counts.
const AGE_MAX: TimeDelta = TimeDelta::days(1);

/// The file.
#[derive(Debug, Clone)]
pub struct ProgressFile(Arc<Mutex<StateFile<Scans>>>);

/// The document: the scans of all tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scans {
    version: Version,
    tables: BTreeMap<String, TableScan>,
}

/// The scan of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TableScan {
    pub(super) began_at: DateTime<Utc>,
    /// The questions: another set of them needs another scan.
    pub(super) keys: String,
    pub(super) segments: Vec<SegmentScan>,
}

/// The scan of one part of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SegmentScan {
    /// Where it goes on; missing before the first page and after the last.
    pub(super) next_key: Option<BTreeMap<String, DiskValue>>,
    pub(super) is_finished: bool,
    pub(super) scanned: u64,
    pub(super) read_units: f64,
    pub(super) indexes: BTreeMap<String, IndexFindings>,
}

/// A value of a table's key, in the AWS spelling; bytes as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum DiskValue {
    S(String),
    N(String),
    B(String),
}

impl Document for Scans {
    const KIND: &'static str = "pre-flight progress file";
    const VERSION: Option<Version> = Some(Version::new(1, 0));

    fn decode(text: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(text)?)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl ProgressFile {
    /// Opens the file of the state directory `dir`, or starts one; `lock` is the lock of the state.
    ///
    /// # Errors
    ///
    /// When it is unreadable, damaged or newer.
    pub fn open(dir: &Path, lock: &Arc<Lock>) -> Result<Self, OpenError> {
        let fresh = || Scans { version: Version::new(1, 0), tables: BTreeMap::new() };
        let file = StateFile::open(dir.join(PROGRESS_FILE_NAME), Arc::clone(lock), fresh)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// The scan of a table that can be gone on with at the time `now`.
    pub(super) fn usable(&self, table: &str, keys: &str, now: DateTime<Utc>) -> Option<TableScan> {
        let file = self.locked();
        let scan = file.document().tables.get(table)?;
        let age = now - scan.began_at;
        // A scan of the future was made under a clock that was set back since.
        let is_young = (TimeDelta::zero()..AGE_MAX).contains(&age);
        (is_young && scan.keys == keys && !scan.segments.is_empty()).then(|| scan.clone())
    }

    /// Saves how far the scan of a table has come; `None` forgets it.
    pub(super) async fn save(&self, table: String, scan: Option<TableScan>) -> Result<(), CommitError> {
        let file = self.clone();
        // Flushing blocks, so it happens on a thread for it.
        let saved = tokio::task::spawn_blocking(move || {
            let mut file = file.locked();
            if scan.is_none() && !file.document().tables.contains_key(&table) {
                return Ok(());
            }
            file.update(|scans| match scan {
                Some(scan) => drop(scans.tables.insert(table, scan)),
                None => drop(scans.tables.remove(&table)),
            })
        });
        match saved.await {
            Ok(saved) => saved,
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    fn locked(&self) -> MutexGuard<'_, StateFile<Scans>> {
        // After a panic within an update the file itself refuses further ones.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a scan asks, as text that changes when the question does.
pub(super) fn question(specs: &[&IndexSpec]) -> String {
    let of = |spec: &&IndexSpec| {
        let keys = spec.key_schema.elements().map(|(name, role)| {
            let kind = spec.attributes.get(name).map_or("?", |kind| kind.as_str());
            format!("{name:?} {role} {kind}")
        });
        format!("{:?}: {}", spec.name, keys.collect::<Vec<_>>().join(", "))
    };
    let mut all: Vec<String> = specs.iter().map(of).collect();
    all.sort();
    all.join("; ")
}

/// The disk form of a key; `None` for a value that cannot be in a key, which the service does not send.
pub(super) fn to_disk(key: &Item) -> Option<BTreeMap<String, DiskValue>> {
    let value = |value: &AttributeValue| {
        Some(match value {
            AttributeValue::String(text) => DiskValue::S(text.clone()),
            AttributeValue::Number(digits) => DiskValue::N(digits.clone()),
            AttributeValue::Binary(bytes) => DiskValue::B(hexadecimal(bytes)),
            AttributeValue::Other(_) => return None,
        })
    };
    key.iter().map(|(name, of)| Some((name.clone(), value(of)?))).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // Writing to a String does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The key of a disk form; `None` where somebody has changed it.
pub(super) fn from_disk(key: &BTreeMap<String, DiskValue>) -> Option<Item> {
    let value = |value: &DiskValue| {
        Some(match value {
            DiskValue::S(text) => AttributeValue::String(text.clone()),
            DiskValue::N(digits) => AttributeValue::Number(digits.clone()),
            DiskValue::B(digits) => AttributeValue::Binary(bytes(digits)?),
        })
    };
    key.iter().map(|(name, of)| Some((name.clone(), value(of)?))).collect()
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}
