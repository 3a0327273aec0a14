//! Whether indexes answer: a query each, answered by the index itself, and the items that should be in it.
//!
//! | verdict | means |
//! |---|---|
//! | functional | the definition is as wanted, a query on all HASH attributes was answered, the consumed capacity names the index, and every sampled item was found in it |
//! | non-functional | the index is missing or differs, refuses the query, or lacks an item of the table |
//! | not-used | the query was answered, but the consumed capacity does not name the index: at AWS that does not happen; services that imitate it may answer from the table |
//! | validation-error | it could not be found out: no permission to query, or no answer |
//!
//! An index that is not ACTIVE gets no verdict.
//!
//! What it costs: a `DescribeTable` a table; per index a `Scan` of up to [`ValidationOptions::sample_pages`] times
//! [`ValidationOptions::sample_limit`] items, and a few `Query` and `GetItem`. Items that DynamoDB leaves out of an index
//! by its rules (a key of another type, empty, or too long) are not missed.

mod probe;

use std::{sync::Arc, time::Duration};

use gsi_state::{GsiKey, Verdict};
use indexmap::IndexMap;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::probe::Probe;
use crate::{
    api::IndexApi,
    event::{Event, EventKind, Observer},
    items::ItemApi,
    spec::IndexSpec,
};

/// How thoroughly indexes are looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationOptions {
    /// Items of the table that are looked up in an index; 3.
    pub samples_max: usize,
    /// Items of a page that is scanned for them; 25.
    pub sample_limit: u32,
    /// Pages that are scanned until there is one; 4.
    pub sample_pages: u32,
    /// Tries of each call, and looks for an item that is not in the index yet: an index lags behind its table; 5.
    pub tries_max: u32,
    /// Pause before the second try; each later one is twice as long; 0.5 s.
    pub pause: Duration,
    /// Tables worked on at once; 8. At least 1.
    pub tables_parallel_max: usize,
}

impl Default for ValidationOptions {
    fn default() -> Self {
        Self {
            samples_max: 3,
            sample_limit: 25,
            sample_pages: 4,
            tries_max: 5,
            pause: Duration::from_millis(500),
            tables_parallel_max: 8,
        }
    }
}

/// What was found out about one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen, in words.
    pub detail: String,
}

impl Finding {
    fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { verdict, detail: detail.into() }
    }
}

/// What came of a validation.
#[derive(Debug, Clone, Default)]
pub struct ValidationReport {
    /// Each index in the order of the definitions; `None` where it has no verdict, since it is not ACTIVE.
    pub findings: IndexMap<GsiKey, Option<Finding>>,
    /// The run was asked to stop, and did: indexes are missing above.
    pub is_interrupted: bool,
}

impl ValidationReport {
    /// How many indexes have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.values().flatten().filter(|finding| finding.verdict == verdict).count()
    }

    /// How many indexes are not ACTIVE.
    pub fn not_active(&self) -> usize {
        self.findings.values().filter(|finding| finding.is_none()).count()
    }
}

/// Looks into the indexes `specs`, those of one table one after the other, tables side by side.
///
/// Each finding goes to `keep` as soon as it is there, in this task.
///
/// # Errors
///
/// What `keep` says; nothing more is looked into then.
pub async fn validate<E>(
    api: Arc<dyn IndexApi>,
    items: Arc<dyn ItemApi>,
    specs: Vec<IndexSpec>,
    options: ValidationOptions,
    observer: &dyn Observer,
    cancel: &CancellationToken,
    mut keep: impl FnMut(&GsiKey, &Finding) -> Result<(), E>,
) -> Result<ValidationReport, E> {
    let order: Vec<GsiKey> = specs.iter().map(IndexSpec::key).collect();
    let mut tables: IndexMap<String, Vec<IndexSpec>> = IndexMap::new();
    for spec in specs {
        tables.entry(spec.table.clone()).or_default().push(spec);
    }
    let places = Arc::new(Semaphore::new(options.tables_parallel_max.max(1)));
    // The findings of a table come one by one.
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for specs in tables.into_values() {
        let probe = Probe { api: Arc::clone(&api), items: Arc::clone(&items), options: options.clone() };
        let (places, tell, cancel) = (Arc::clone(&places), tell.clone(), cancel.clone());
        workers.spawn(async move {
            // The semaphore is never closed, so waiting for a place ends with one. Reading may be broken off anywhere.
            cancel
                .run_until_cancelled(async {
                    let _place = places.acquire_owned().await;
                    probe.table(&specs, &tell).await;
                })
                .await;
        });
    }
    drop(tell);
    let mut findings = IndexMap::new();
    while let Some((key, finding)) = told.recv().await {
        if let Some(finding) = &finding {
            keep(&key, finding)?;
            observer.observe(&Event { key: key.clone(), kind: EventKind::Validated(finding.clone()) });
        }
        findings.insert(key, finding);
    }
    while let Some(finished) = workers.join_next().await {
        if let Err(error) = finished {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    let is_interrupted = findings.len() < order.len();
    let findings = order.into_iter().filter_map(|key| findings.swap_remove_entry(&key)).collect();
    Ok(ValidationReport { findings, is_interrupted })
}
