//! What a rehearsal saw, as a schedule: when each index begins and ends, and which table ends last.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gsi_aws::{Event, EventKind, Observer, Outcome, RunReport};
use gsi_state::GsiKey;
use tokio::time::Instant;

/// One thing that a run said, and when; what it says at every look is left out.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Since the run began, in its own time.
    pub(crate) at: Duration,
    pub(crate) event: Event,
}

/// Writes down what a run says, and passes it on.
pub(crate) struct Witness {
    began: Instant,
    told: Mutex<Vec<Told>>,
    next: Arc<dyn Observer>,
}

impl Witness {
    /// Begins now, by the clock of the runtime that this is called in.
    pub(crate) fn new(next: Arc<dyn Observer>) -> Self {
        Self { began: Instant::now(), told: Mutex::default(), next }
    }

    /// What was said so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Told>> {
        // Held for one push, which leaves the list whole.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Witness {
    fn observe(&self, event: &Event) {
        // What is told at every look would fill the memory with what nobody asks for.
        if !matches!(event.kind, EventKind::Building { .. } | EventKind::Waiting(_)) {
            self.locked().push(Told { at: self.began.elapsed(), event: event.clone() });
        }
        self.next.observe(event);
    }
}

/// The schedule of all tables.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// The one that ends last comes first.
    pub(crate) tables: Vec<TableSchedule>,
    pub(crate) total: Duration,
}

/// The schedule of one table.
#[derive(Debug)]
pub(crate) struct TableSchedule {
    pub(crate) name: String,
    /// In the order in which they are worked on.
    pub(crate) indexes: Vec<IndexSchedule>,
    /// When its last index is settled.
    pub(crate) end: Duration,
}

/// The schedule of one index.
#[derive(Debug)]
pub(crate) struct IndexSchedule {
    pub(crate) key: GsiKey,
    /// When it was asked for, the time that succeeded; `None` where it never was.
    pub(crate) start: Option<Duration>,
    pub(crate) end: Duration,
    pub(crate) outcome: Outcome,
}

impl Schedule {
    /// The schedule of a run that told `told` and came to `report`.
    pub(crate) fn of(told: &[Told], report: &RunReport) -> Self {
        let mut tables: Vec<TableSchedule> = Vec::new();
        for (key, outcome) in &report.outcomes {
            let of_it = || told.iter().filter(|told| told.event.key == *key);
            let request = of_it().rfind(|told| matches!(told.event.kind, EventKind::Requesting { .. }));
            let settled = of_it().rfind(|told| matches!(told.event.kind, EventKind::Settled(_)));
            let index = IndexSchedule {
                key: key.clone(),
                start: request.map(|told| told.at),
                end: settled.map_or(report.elapsed, |told| told.at),
                outcome: outcome.clone(),
            };
            match tables.iter_mut().find(|table| table.name == key.table()) {
                Some(table) => table.indexes.push(index),
                None => {
                    tables.push(TableSchedule {
                        name: key.table().to_owned(),
                        indexes: vec![index],
                        end: Duration::ZERO,
                    });
                }
            }
        }
        for table in &mut tables {
            table.indexes.sort_by_key(|index| (index.end, index.start));
            table.end = table.indexes.iter().map(|index| index.end).max().unwrap_or_default();
        }
        tables.sort_by_key(|table| std::cmp::Reverse(table.end));
        Self { tables, total: report.elapsed }
    }

    /// The table that the total time depends on.
    pub(crate) fn critical(&self) -> Option<&TableSchedule> {
        self.tables.first()
    }
}
