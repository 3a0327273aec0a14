//! How long the work ahead is expected to take: from a look at the table, by the formula of [`crate::plan`].
//!
//! Who has the most work ahead goes first, and the reports compare what was foreseen with what it took. No call is made
//! for it: each worker looks at its table anyway. Only where more tables wait than there are places, they are looked at
//! first, since their order matters then.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gsi_state::GsiKey;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    describe::TableDescription,
    plan::{Span, time_ahead},
    run::Run,
    spec::IndexSpec,
};

/// What an index takes where nothing is known: the usual time of an empty table (facts, section 4).
const TYPICAL_BUILD: Duration = Duration::from_secs(530);

/// Describes at once: reading is cheap, and accounts allow far more.
const LOOKS_PARALLEL_MAX: usize = 10;

/// What was foreseen when the tables were seen first: nothing but zeros where nothing is to be built.
#[derive(Debug, Default)]
pub(crate) struct Foreseen(Mutex<HashMap<GsiKey, Span>>);

impl Foreseen {
    /// Takes note of what a table looks like before anything is done about `specs`.
    pub(crate) fn note(&self, specs: &[IndexSpec], table: &TableDescription) {
        let mut known = self.locked();
        for spec in specs {
            known.entry(spec.key()).or_insert_with(|| time_ahead(spec, table).unwrap_or_default());
        }
    }

    /// What is expected to be ahead of an index; `None` where nobody has looked.
    fn ahead(&self, key: &GsiKey) -> Option<Span> {
        self.locked().get(key).copied()
    }

    /// The builds that were foreseen.
    pub(crate) fn builds(&self) -> HashMap<GsiKey, Span> {
        let known = self.locked();
        known.iter().filter(|(_, span)| **span != Span::default()).map(|(key, span)| (key.clone(), *span)).collect()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<GsiKey, Span>> {
        // Held for single steps that leave the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// How long an index is expected to take from here.
    pub(crate) fn expected(&self, key: &GsiKey) -> Duration {
        match (self.foreseen.ahead(key), self.options.expected.get(key)) {
            (Some(ahead), _) if ahead == Span::default() => Duration::ZERO,
            (_, Some(expected)) => *expected,
            (Some(ahead), None) => ahead.middle(),
            (None, None) => TYPICAL_BUILD,
        }
    }
}

/// Looks at all tables, and puts those with the most work ahead first. A look that fails is the worker's to deal with.
pub(crate) async fn longest_first(run: &Arc<Run>, mut tables: Vec<Vec<IndexSpec>>) -> Vec<Vec<IndexSpec>> {
    let places = Arc::new(Semaphore::new(LOOKS_PARALLEL_MAX));
    let mut looks = JoinSet::new();
    for specs in &tables {
        let (run, places, specs) = (Arc::clone(run), Arc::clone(&places), specs.clone());
        looks.spawn(async move {
            // The semaphore is never closed, so waiting for a place ends with one.
            let _place = places.acquire_owned().await;
            let Some(first) = specs.first() else { return };
            if let Some(Ok(table)) = run.look(&first.table).await {
                run.foreseen.note(&specs, &table);
            }
        });
    }
    while let Some(finished) = looks.join_next().await {
        if let Err(error) = finished {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    tables.sort_by_cached_key(|specs| Reverse(specs.iter().map(|spec| run.expected(&spec.key())).sum::<Duration>()));
    tables
}
