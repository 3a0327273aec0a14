//! What a pre-flight is asked, what it says on the way, and what it answers.

use std::collections::BTreeMap;

use statefile::CommitError;

use super::findings::IndexFindings;
use crate::{api::ApiError, describe::TableDescription, spec::KeySchema};

/// How much of a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// About so many items, from all parts of the table.
    Sample {
        /// How many, over all segments.
        items: u64,
    },
    /// All of it.
    Full,
}

/// How a pre-flight goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct PreflightOptions {
    /// How much is read; a sample of 1,000 items.
    pub extent: Extent,
    /// Read units a second, over all segments; `None` is as fast as possible.
    pub read_units_per_second: Option<f64>,
    /// Parts of a table that are read side by side; 4. At least 1.
    pub segments: u32,
}

impl Default for PreflightOptions {
    fn default() -> Self {
        Self { extent: Extent::Sample { items: 1000 }, read_units_per_second: None, segments: 4 }
    }
}

/// What a scan needs to know of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedTable {
    /// Its name.
    pub name: String,
    /// Its own keys, by which examples are shown.
    pub key_schema: KeySchema,
    /// Its items, as the service last counted them.
    pub item_count: Option<u64>,
    /// Its bytes, likewise.
    pub size_bytes: Option<u64>,
}

impl From<&TableDescription> for ScannedTable {
    fn from(table: &TableDescription) -> Self {
        let count = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
        Self {
            name: table.name.clone(),
            key_schema: table.key_schema.clone(),
            item_count: count(table.item_count),
            size_bytes: count(table.size_bytes),
        }
    }
}

/// What the scan of one table found.
#[derive(Clone, Debug, PartialEq)]
pub struct TableFindings {
    /// The table.
    pub table: String,
    /// Items that were looked at, those of an earlier run included.
    pub scanned: u64,
    /// Items there are, as the service last counted them.
    pub item_count: Option<u64>,
    /// Every item was looked at.
    pub is_whole: bool,
    /// Of [`scanned`](Self::scanned), those that an earlier run had looked at.
    pub scanned_earlier: u64,
    /// Read units used, those of an earlier run included.
    pub read_units: f64,
    /// What was found, by index.
    pub indexes: BTreeMap<String, IndexFindings>,
}

/// One page more of a scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanStep<'a> {
    /// The table.
    pub table: &'a str,
    /// Items that were looked at so far.
    pub scanned: u64,
    /// Items there are, as the service last counted them.
    pub item_count: Option<u64>,
    /// Read units used so far.
    pub read_units: f64,
}

/// Why a table could not be scanned.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// The service refused, or did not answer any more.
    #[error("could not scan the table `{table}`")]
    Scan {
        /// The table.
        table: String,
        /// The service's words.
        #[source]
        source: ApiError,
    },
    /// The progress could not be saved.
    #[error(transparent)]
    Progress(#[from] CommitError),
}
