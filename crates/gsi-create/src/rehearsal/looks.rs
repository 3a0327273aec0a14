//! Looks at a table in which nothing has changed are answered from the look before.
//!
//! A rehearsal of many tables is tens of thousands of looks, nearly all of which see what the one before
//! saw. The embedded DynamoDB knows when a table changes by itself; what the run asks for comes by here.
//! A look that the fault plan strikes is really made, and so counts as a real run would count it.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use dynamo_embedded::EmbeddedDynamo;
use gsi_aws::{ApiError, CreateIndex, IndexApi, describe::TableDescription, sdk::SdkIndexApi};
use statefile::Clock;

use crate::wire::RunClock;

/// An [`SdkIndexApi`] on an embedded DynamoDB, without most of its looks.
#[derive(Debug)]
pub(crate) struct QuickLooks {
    api: SdkIndexApi,
    dynamo: EmbeddedDynamo,
    clock: RunClock,
    seen: Mutex<HashMap<String, Seen>>,
    looks: AtomicUsize,
}

#[derive(Debug)]
struct Seen {
    table: TableDescription,
    /// `None`: it stays as it is.
    until: Option<SystemTime>,
}

impl QuickLooks {
    pub(crate) fn new(api: SdkIndexApi, dynamo: EmbeddedDynamo, clock: RunClock) -> Self {
        Self { api, dynamo, clock, seen: Mutex::default(), looks: AtomicUsize::new(0) }
    }

    /// Looks so far, quick or not.
    pub(crate) fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        // Held for one operation on the map.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unchanged(&self, table: &str) -> Option<TableDescription> {
        let now = SystemTime::from(self.clock.now());
        let seen = self.seen();
        let seen = seen.get(table).filter(|seen| seen.until.is_none_or(|until| now < until))?;
        self.dynamo.pass_unchanged_look(table).then(|| seen.table.clone())
    }
}

#[async_trait]
impl IndexApi for QuickLooks {
    async fn describe_table(&self, table: &str) -> Result<TableDescription, ApiError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if let Some(table) = self.unchanged(table) {
            return Ok(table);
        }
        let seen = self.api.describe_table(table).await?;
        // Without knowing until when, the next look is a real one.
        if let Ok(until) = self.dynamo.next_change(table) {
            self.seen().insert(table.to_owned(), Seen { table: seen.clone(), until });
        }
        Ok(seen)
    }

    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError> {
        let answer = self.api.create_index(request).await;
        self.seen().remove(&request.spec.table);
        answer
    }

    async fn delete_index(&self, table: &str, index: &str) -> Result<(), ApiError> {
        let answer = self.api.delete_index(table, index).await;
        self.seen().remove(table);
        answer
    }
}
