//! Where the files of a stage lie, and what the small ones hold.

use std::path::{Path, PathBuf};

use run_state::{FailureLog, RunSet};
use serde::{Deserialize, Serialize};
use statefile::{DecodeError, Document, Version};

use crate::event::Stage;

/// Where the state of one stage lies. All names but the first two follow from the first, so that nothing
/// that the Python archiver knows is touched.
///
/// ```
/// use run_pipeline::{Stage, StagePaths};
/// let paths = StagePaths {
///     stage: Stage::Import,
///     state: "work/importer_state.json".into(),
///     failure_log: "work/import_failures.log".into(),
/// };
/// assert_eq!(paths.journal().to_str(), Some("work/imported.jsonl"));
/// assert_eq!(paths.in_flight().to_str(), Some("work/importer_state.json.in_flight"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagePaths {
    /// Whose state it is.
    pub stage: Stage,
    /// The marks: `importer_state.json` or `migrator_state.json`.
    pub state: PathBuf,
    /// The failure log: `import_failures.log` or `migrate_failures.log`.
    pub failure_log: PathBuf,
}

impl StagePaths {
    /// The journal: `imported.jsonl` or `migrated.jsonl` beside the state.
    pub fn journal(&self) -> PathBuf {
        self.state.with_file_name(match self.stage {
            Stage::Import => "imported.jsonl",
            Stage::Migrate => "migrated.jsonl",
        })
    }

    /// The runs in flight: `<state>.in_flight`.
    pub fn in_flight(&self) -> PathBuf {
        with_suffix(&self.state, ".in_flight")
    }

    /// The runs that the last execution held back: `<state>.held`.
    pub fn held(&self) -> PathBuf {
        with_suffix(&self.state, ".held")
    }

    /// Import only: the newest runs that were imported without a stop time: `<state>.unfinished`.
    pub fn unfinished(&self) -> PathBuf {
        with_suffix(&self.state, ".unfinished")
    }

    /// Import only: runs whose record in artdaqDB has changed since it was imported, until the migration has
    /// seen to them: `<state>.amended`.
    pub fn amended(&self) -> PathBuf {
        with_suffix(&self.state, ".amended")
    }

    /// The last known counts: `<state>.counts`. May be removed: the next start then knows none and
    /// accepts any listing.
    pub fn counts(&self) -> PathBuf {
        with_suffix(&self.state, ".counts")
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Runs, one number a line: the form of the failure log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RunList(pub(crate) RunSet);

impl Document for RunList {
    const KIND: &'static str = "list of runs";
    /// As the failure log, whose form it shares.
    const VERSION: Option<Version> = None;

    fn decode(text: &str) -> Result<Self, DecodeError> {
        FailureLog::decode(text).map(|log| Self(log.runs))
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        FailureLog { runs: self.0.clone() }.encode()
    }
}

/// How many runs the last good listings found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    version: Version,
    /// In the source of the stage.
    pub source_runs: u64,
    /// In its destination, half-archived ones included.
    pub destination_runs: u64,
}

impl Counts {
    /// Counts as found now.
    pub fn new(source_runs: u64, destination_runs: u64) -> Self {
        Self { version: COUNTS_VERSION, source_runs, destination_runs }
    }
}

/// 1.0: first.
const COUNTS_VERSION: Version = Version::new(1, 0);

impl Document for Counts {
    const KIND: &'static str = "record of run counts";
    const VERSION: Option<Version> = Some(COUNTS_VERSION);

    fn decode(text: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(text)?)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
