//! What a listing says of a run, gathered from the collections in which its documents are.

use std::collections::BTreeMap;

use run_record::{RunNumber, schema::SCHEMA_FILE};

use crate::{Configuration, RunEntry};

/// The entity of the stop-time pass.
pub(crate) const STOP_TIME_ENTITY: &str = "RunHistory2";

/// The entity of the schema.
pub(crate) fn schema_entity() -> &'static str {
    SCHEMA_FILE.trim_end_matches(".fcl")
}

/// The run of a configuration's full name: `1000/demo` is one of run 1000.
pub(crate) fn run_of(configuration: &str) -> Option<RunNumber> {
    let (run, _) = configuration.trim_start().split_once('/')?;
    run.parse().ok()
}

/// What is gathered of a configuration over the collections.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) documents: usize,
    pub(crate) schemas: usize,
    pub(crate) has_hashes: bool,
    pub(crate) has_stop_time: bool,
    /// To the second, which is as far as the genuine program looks.
    assigned: String,
}

impl Gathered {
    /// Notes when a document was given to the configuration; the last time counts.
    pub(crate) fn assigned_at(&mut self, time: &str) {
        let seconds: String = time.chars().take("2026-11-21T00:37:50".len()).collect();
        self.assigned = seconds.max(std::mem::take(&mut self.assigned));
    }

    fn finish(self, name: String) -> (String, Configuration) {
        let amended = self.has_stop_time || self.schemas > 1;
        let complete = self.schemas > 0 && (self.has_hashes || amended);
        (self.assigned, Configuration { name, complete, amended, documents: self.documents })
    }
}

/// The configurations of each run, the newest first.
pub(crate) fn entries(gathered: BTreeMap<(RunNumber, String), Gathered>) -> BTreeMap<RunNumber, RunEntry> {
    let mut runs: BTreeMap<RunNumber, Vec<(String, Configuration)>> = BTreeMap::new();
    for ((run, name), found) in gathered {
        runs.entry(run).or_default().push(found.finish(name));
    }
    let newest_first = |mut dated: Vec<(String, Configuration)>| {
        // Stable: of equal times the names stay in their order.
        dated.sort_by(|(a, _), (b, _)| b.cmp(a));
        RunEntry { configurations: dated.into_iter().map(|(_, configuration)| configuration).collect() }
    };
    runs.into_iter().map(|(run, dated)| (run, newest_first(dated))).collect()
}
