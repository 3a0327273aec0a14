//! Writes what is planned, so that a crash at any moment leaves each run whole or hidden.
//!
//! The order: the intents; every document but the schemas; the schemas; then the insertion is counted as finished, and
//! the intents are removed. Each step is on the disks of the majority before the next one begins.

use std::collections::{BTreeMap, BTreeSet};

use mongodb::bson::RawDocumentBuf;

use super::{
    connect::Connection,
    intents::{self, Hidden, Target},
    plan::Planned,
    query,
};
use crate::ConfigError;

/// How writing a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Written {
    /// How many documents were stored by this very call.
    pub(super) stored: usize,
    /// Another process has stored a document of the same name with other content: the run is to be planned again.
    pub(super) is_contended: bool,
}

/// Stores the planned documents; answers in the order of the plans.
pub(super) async fn commit(
    connection: &Connection,
    planned: &[Planned<'_>],
    hidden: &Hidden,
) -> Result<Vec<Written>, ConfigError> {
    if planned.is_empty() {
        return Ok(Vec::new());
    }
    let intents: Vec<_> = planned.iter().map(|planned| &planned.intent).collect();
    intents::record(connection, &intents).await?;
    let mut written = vec![Written::default(); planned.len()];
    for is_last in [false, true] {
        write(connection, planned, is_last, &mut written).await?;
    }
    let mut done = hidden.finished.clone();
    for (planned, _) in planned.iter().zip(&written).filter(|(_, written)| !written.is_contended) {
        done.extend(planned.replaces.iter().cloned());
        done.insert(planned.intent.id.clone());
    }
    intents::finish(connection, &done).await?;
    Ok(written)
}

/// Writes the documents of one step, one request a collection.
async fn write(
    connection: &Connection,
    planned: &[Planned<'_>],
    is_last: bool,
    written: &mut [Written],
) -> Result<(), ConfigError> {
    let mut by_collection: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (run, planned) in planned.iter().enumerate().filter(|&(run, _)| !written[run].is_contended) {
        for (number, write) in planned.writes.iter().enumerate().filter(|(_, write)| write.is_last() == is_last) {
            by_collection.entry(&write.target.collection).or_default().push((run, number));
        }
    }
    for (collection, places) in by_collection {
        let documents: Vec<_> = places.iter().map(|&(run, number)| &planned[run].writes[number].bson).collect();
        let taken = insert(connection, collection, documents).await?;
        for (place, &(run, _)) in places.iter().enumerate() {
            written[run].stored += usize::from(!taken.contains(&place));
        }
        let taken: Vec<_> = taken.into_iter().filter_map(|place| places.get(place).copied()).collect();
        for run in contended(connection, collection, planned, &taken).await? {
            written[run].is_contended = true;
        }
    }
    Ok(())
}

/// Inserts documents; returns the places of those whose ids are taken.
async fn insert(
    connection: &Connection,
    collection: &str,
    documents: Vec<&RawDocumentBuf>,
) -> Result<BTreeSet<usize>, ConfigError> {
    let target = connection.database().await?.collection::<RawDocumentBuf>(collection);
    let outcome = connection.ask_raw("write", target.insert_many(documents).ordered(false)).await?;
    query::duplicates_allowed(connection, outcome.map(drop))
}

/// The runs of which a document is there with other content than planned.
async fn contended(
    connection: &Connection,
    collection: &str,
    planned: &[Planned<'_>],
    taken: &[(usize, usize)],
) -> Result<BTreeSet<usize>, ConfigError> {
    if taken.is_empty() {
        return Ok(BTreeSet::new());
    }
    let target = |&(run, number): &(usize, usize)| &planned[run].writes[number].target;
    let oids: Vec<_> = taken.iter().map(|place| target(place).oid).collect();
    let there: BTreeMap<Target, _> = query::with_ids(connection, collection, &oids).await?.into_iter().collect();
    let differs = |place: &&(usize, usize)| {
        let content = planned[place.0].writes[place.1].content;
        !there.get(target(place)).is_some_and(|stored| stored.holds(content))
    };
    Ok(taken.iter().filter(differs).map(|&(run, _)| run).collect())
}
