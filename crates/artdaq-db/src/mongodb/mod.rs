//! artdaqDB in a MongoDB server, as the genuine `artdaq_database` 1.10 keeps it, read and written natively.
//!
//! ```text
//! DATABASE
//!   SystemMetadata     one record, which describes the archive
//!   RunHistory, …      the documents; the collection is the one of the schema's rule
//!   SystemLayout       schema.fcl, stored with every pass
//!   WaymarkIntents     only our own: what insertions are writing, and a count of those that were finished
//! ```
//!
//! A document has the members of a file of the [`filesystem`](crate::filesystem) format in the same order, strings
//! unescaped, integers as Int32, times as strings, `_id` as an `ObjectId`. The server puts `_id` first.
//!
//! # Promises
//!
//! 1. What this module writes, the genuine programs read, and the reverse.
//! 2. No transactions are needed: a single server without a replica set will do. A run is hidden from our readers
//!    until all of its documents are there, because an intent in `WaymarkIntents` names them. Genuine programs see the
//!    documents as they come; the schema, which they ask whether a run is there, comes last.
//! 3. Every write is acknowledged by the majority of the servers, from their journals; everything that is read is as
//!    durable. An address cannot weaken this.
//! 4. Nothing is stored twice: a document's id follows from its collection, configuration, version and entity, and no
//!    server has two documents of one id. This holds between processes and machines, without locks and without indexes
//!    of ours. What a dead process has left is completed by the next insertion of the same run.
//! 5. Nothing but the records in `WaymarkIntents` is ever changed or removed.
//! 6. Indexes are made by [`MongoStore::create_indexes`] and by nothing else. Without them each search reads its
//!    collections as a whole, as with the genuine programs.
//! 7. No error shows a password.
//!
//! # Limits
//!
//! - Genuine programs give random ids and lock nothing: while one of them imports a run that we import too, both sets
//!   of documents are stored. Nothing is lost, and the greatest version is exported.
//! - A run that others write again and again while it is read may be listed as incomplete after twenty attempts, but
//!   never as complete.
//! - Two processes that import one run with *different* content at the same moment store both, as two versions.
//!   Two that import it under different configuration names store both configurations.
//! - If a run vanishes from the disk after a crash in the middle of its insertion, what was written of it stays, hidden.

mod bson;
mod commit;
mod connect;
mod export;
mod indexes;
mod intents;
mod listing;
mod plan;
mod query;
mod store;
mod system;

pub use connect::Certificates;
pub use indexes::CreatedIndex;
pub use store::MongoStore;

/// The filter by which the documents of a run are found; for tests of its cost.
#[doc(hidden)]
pub fn filter_of_run(run: crate::RunNumber) -> ::mongodb::bson::Document {
    query::of_runs(&[run])
}

/// Removes the database of a test; for the tests of other crates.
///
/// # Panics
///
/// If it is not named like one (`waymark_test…`), or the server refuses.
#[doc(hidden)]
pub async fn drop_test_database(uri: &crate::MongoUri) {
    assert!(uri.database().starts_with("waymark_test"), "{uri} is no database of a test");
    let connection = connect::Connection::new(uri.clone(), Certificates::default());
    match connection.database().await {
        Ok(database) => connection.ask("drop", database.drop()).await.unwrap_or_else(|error| panic!("{error:?}")),
        Err(error) => panic!("{error:?}"),
    }
}
