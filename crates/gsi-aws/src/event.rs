//! What happens, while it happens. Libraries do not speak; a binary shows these.

use std::time::Duration;

use gsi_state::GsiKey;

use crate::{
    classify::ErrorClass, compare::Unused, describe::TableStatus, report::Outcome, retry::Decision,
    rollback::RollbackStep, validate::Finding,
};

/// One thing that happened to an index.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which index.
    pub key: GsiKey,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// The state said active, but the service has no such index: it is created again.
    Vanished,
    /// A setting of its definition is not sent, since the table's billing mode forbids it.
    Unused(Unused),
    /// It cannot be asked for yet. Told at every look.
    Waiting(WaitReason),
    /// It is about to be asked for; the intent is on disk.
    Requesting {
        /// Which attempt, over all runs, counted from 1.
        attempt: u32,
    },
    /// The service builds it. Told at every look.
    Building {
        /// `false`: resources are being allocated; `true`: items are being copied.
        backfilling: Option<bool>,
        /// How long this run has been at it.
        elapsed: Duration,
    },
    /// A call failed.
    Refused {
        /// The error, as it goes into the state file.
        error: String,
        /// What it means.
        class: ErrorClass,
        /// What is done about it.
        decision: Decision,
    },
    /// Nothing more will be done about it in this run.
    Settled(Outcome),
    /// It was queried to see whether it answers.
    Validated(Finding),
    /// A step of its deletion.
    Rollback(RollbackStep),
}

/// Why an index cannot be asked for yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason {
    /// DynamoDB takes one index operation per table at a time, and this other index is under way.
    OtherIndex(String),
    /// An index of the same name is being deleted.
    Deleting,
    /// The table itself is changing.
    Table(TableStatus),
}

/// Sees events as they happen. Must not block for long: the work waits.
pub trait Observer: Send + Sync {
    /// Sees one event.
    fn observe(&self, event: &Event);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: &Event) {}
}
