//! Looks into one index after the other.

use std::{sync::Arc, time::Duration};

use gsi_state::{GsiKey, Verdict};
use tokio::sync::mpsc::UnboundedSender;

use super::{Finding, ValidationOptions};
use crate::{
    api::{ApiError, IndexApi},
    classify::{ErrorClass, classify},
    compare::{Comparison, compare},
    describe::{IndexStatus, TableDescription},
    items::{AttributeValue, Item, ItemApi, QueryIndex, ScanPage},
    spec::{AttributeType, IndexSpec, KeyRole},
};

/// Longest value of a HASH key, and of a RANGE key, in bytes: items beyond are left out of the index.
const HASH_BYTES_MAX: usize = 2048;
const RANGE_BYTES_MAX: usize = 1024;

/// An item is looked for among this many that share its key, in pages of that many.
const PRESENCE_PAGES: u32 = 3;
const PRESENCE_LIMIT: u32 = 1000;

pub(super) struct Probe {
    pub(super) api: Arc<dyn IndexApi>,
    pub(super) items: Arc<dyn ItemApi>,
    pub(super) options: ValidationOptions,
}

/// Whether an item is in the index.
enum Presence {
    Present,
    Absent,
    /// Too many items share its key.
    Unknown,
}

impl Probe {
    /// Looks into the indexes of one table.
    pub(super) async fn table(&self, specs: &[IndexSpec], tell: &UnboundedSender<(GsiKey, Option<Finding>)>) {
        let Some(first) = specs.first() else { return };
        let table = self.retried(|| self.api.describe_table(&first.table)).await;
        for spec in specs {
            let finding = match &table {
                Ok(table) => self.index(spec, table).await,
                Err(error) => {
                    let verdict = match classify(error) {
                        ErrorClass::TableMissing => Verdict::NonFunctional,
                        _ => Verdict::ValidationError,
                    };
                    Some(Finding::new(verdict, format!("the table could not be described: {error}")))
                }
            };
            // A receiver that went away wants to hear no more.
            drop(tell.send((spec.key(), finding)));
        }
    }

    async fn index(&self, spec: &IndexSpec, table: &TableDescription) -> Option<Finding> {
        match compare(spec, table) {
            Comparison::Missing => Some(Finding::new(Verdict::NonFunctional, "the table has no index of this name")),
            Comparison::Different { differences, .. } => {
                let text = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                Some(Finding::new(Verdict::NonFunctional, format!("it differs: {text}")))
            }
            // One whose capacity changes is read as before.
            Comparison::Same { status: IndexStatus::Active | IndexStatus::Updating, .. } => {
                Some(self.query(spec, table).await)
            }
            Comparison::Same { .. } => None,
        }
    }

    async fn query(&self, spec: &IndexSpec, table: &TableDescription) -> Finding {
        let (samples, unsampled) = match self.samples(spec, table).await {
            Ok(samples) => (samples, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let synthetic = synthetic(spec);
        let item = samples.first().unwrap_or(&synthetic);
        let keys = equalities(&spec.key_schema.hash, item);
        let request =
            QueryIndex { table: &spec.table, index: &spec.name, keys: &keys, filter: &[], limit: 1, start_key: None };
        let answer = match self.retried(|| self.items.query_index(&request)).await {
            Ok(answer) => answer,
            Err(error) => return refused(&error),
        };
        if answer.consumed.index.is_none() {
            let detail = "the query was answered, but the consumed capacity does not name the index";
            return Finding::new(Verdict::NotUsed, detail);
        }
        if samples.is_empty() {
            let why = unsampled.map_or("no item that was looked at has its key".to_owned(), |error| {
                format!("no item could be sampled: {error}")
            });
            return Finding::new(Verdict::Functional, format!("it answers a query for a made-up key; {why}"));
        }
        self.presence(spec, table, &samples).await
    }

    /// Looks the sampled items up in the index.
    async fn presence(&self, spec: &IndexSpec, table: &TableDescription, samples: &[Item]) -> Finding {
        let mut found = 0;
        for item in samples {
            match self.is_present(spec, table, item).await {
                Ok(Presence::Present) => found += 1,
                Ok(Presence::Unknown) => {}
                Ok(Presence::Absent) => {
                    let key = shown(&part(item, table.key_schema.elements()));
                    return Finding::new(Verdict::NonFunctional, format!("the item {key} is not in the index"));
                }
                Err(error) => return refused(&error),
            }
        }
        let of = samples.len();
        Finding::new(Verdict::Functional, format!("it answers, and has {found} of {of} sampled items"))
    }

    /// Whether the index has the item; an index lags behind its table, so a few looks are taken.
    async fn is_present(&self, spec: &IndexSpec, table: &TableDescription, item: &Item) -> Result<Presence, ApiError> {
        let mut pause = self.options.pause;
        for attempt in 1.. {
            match self.look_up(spec, table, item).await? {
                Presence::Absent if attempt < self.options.tries_max => {}
                Presence::Absent => break,
                known => return Ok(known),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        // It may have been changed or deleted since it was sampled.
        let key = part(item, table.key_schema.elements());
        let names: Vec<&str> = item.keys().map(String::as_str).collect();
        let now = self.retried(|| self.items.get_item(&spec.table, &key, &names)).await?;
        Ok(if now.as_ref() == Some(item) { Presence::Absent } else { Presence::Unknown })
    }

    async fn look_up(&self, spec: &IndexSpec, table: &TableDescription, item: &Item) -> Result<Presence, ApiError> {
        let keys: Vec<_> = spec.key_schema.elements().filter_map(|(name, _)| Some((name, item.get(name)?))).collect();
        let is_index_key = |name: &str| spec.key_schema.contains(name);
        // A filter may not name keys of the index; those are in the condition already.
        let filter = table.key_schema.elements().map(|(name, _)| name).filter(|name| !is_index_key(name));
        let filter: Vec<_> = filter.filter_map(|name| Some((name, item.get(name)?))).collect();
        let mut start_key = None;
        for _ in 0..PRESENCE_PAGES {
            let request = QueryIndex {
                table: &spec.table,
                index: &spec.name,
                keys: &keys,
                filter: &filter,
                limit: PRESENCE_LIMIT,
                start_key: start_key.as_ref(),
            };
            let answer = self.retried(|| self.items.query_index(&request)).await?;
            if answer.count > 0 {
                return Ok(Presence::Present);
            }
            start_key = match answer.next_key {
                None => return Ok(Presence::Absent),
                next => next,
            };
        }
        Ok(Presence::Unknown)
    }

    /// Items that should be in the index: with its key attributes, of the right types, and within its limits.
    async fn samples(&self, spec: &IndexSpec, table: &TableDescription) -> Result<Vec<Item>, ApiError> {
        let having: Vec<_> =
            spec.key_schema.elements().filter_map(|(name, _)| Some((name, spec.attributes.get(name)?))).collect();
        let mut projection: Vec<&str> = table.key_schema.elements().map(|(name, _)| name).collect();
        projection.extend(having.iter().map(|(name, _)| *name).filter(|name| !table.key_schema.contains(name)));
        let mut samples = Vec::new();
        let mut start_key = None;
        for _ in 0..self.options.sample_pages {
            let request = ScanPage {
                start_key: start_key.as_ref(),
                limit: Some(self.options.sample_limit),
                projection: &projection,
                having: &having,
                ..ScanPage::of(&spec.table)
            };
            let page = self.retried(|| self.items.scan_page(&request)).await?;
            samples.extend(page.items.into_iter().filter(|item| is_indexable(item, spec)));
            start_key = page.next_key;
            if !samples.is_empty() || start_key.is_none() {
                break;
            }
        }
        samples.truncate(self.options.samples_max);
        Ok(samples)
    }

    /// Asks again where an error may pass.
    async fn retried<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let mut pause = self.options.pause;
        for _ in 1..self.options.tries_max {
            match call().await {
                // Reading does no harm twice.
                Err(error) if classify(&error).passes() => {}
                done => return done,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
        call().await
    }
}

/// What a query says that was not answered.
fn refused(error: &ApiError) -> Finding {
    let verdict = match classify(error) {
        ErrorClass::Invalid | ErrorClass::IndexNotReady | ErrorClass::IndexMissing | ErrorClass::TableMissing => {
            Verdict::NonFunctional
        }
        _ => Verdict::ValidationError,
    };
    Finding::new(verdict, format!("the query failed: {error}"))
}

/// The HASH attributes of an item, as a condition.
fn equalities<'a>(names: &'a [String], item: &'a Item) -> Vec<(&'a str, &'a AttributeValue)> {
    names.iter().filter_map(|name| Some((name.as_str(), item.get(name)?))).collect()
}

/// A value of each key attribute's type that probably no item has.
fn synthetic(spec: &IndexSpec) -> Item {
    let value = |kind: AttributeType| match kind {
        AttributeType::String => AttributeValue::String("gsi-create validation".to_owned()),
        AttributeType::Number => AttributeValue::Number("-99999999999".to_owned()),
        AttributeType::Binary => AttributeValue::Binary(b"gsi-create validation".to_vec()),
    };
    spec.attributes.iter().map(|(name, kind)| (name.to_owned(), value(kind))).collect()
}

/// Whether DynamoDB takes the item into the index.
fn is_indexable(item: &Item, spec: &IndexSpec) -> bool {
    spec.key_schema.elements().all(|(name, role)| {
        let bytes_max = if role == KeyRole::Hash { HASH_BYTES_MAX } else { RANGE_BYTES_MAX };
        let fits = |length: usize| (1..=bytes_max).contains(&length);
        match item.get(name) {
            Some(AttributeValue::String(text)) => fits(text.len()),
            Some(AttributeValue::Binary(bytes)) => fits(bytes.len()),
            Some(AttributeValue::Number(_)) => true,
            Some(AttributeValue::Other(_)) | None => false,
        }
    })
}

fn part<'a>(item: &Item, names: impl Iterator<Item = (&'a str, KeyRole)>) -> Item {
    names.filter_map(|(name, _)| Some((name.to_owned(), item.get(name)?.clone()))).collect()
}

/// A key for people.
fn shown(key: &Item) -> String {
    let parts: Vec<_> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join(", ")
}
