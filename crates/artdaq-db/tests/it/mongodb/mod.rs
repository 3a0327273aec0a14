//! The store in a MongoDB server: on a real one, which `cargo xtask servers mongod` starts.

mod crash;
mod genuine;
mod shape;
mod trouble;
mod x509;

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use artdaq_db::{Certificates, ConfigStore, MongoStore, MongoUri, conformance};
use mongodb::{Client, Database};
use run_record::prepare::PreparedRun;

use crate::setup::surroundings;

/// Where the server is.
const URI: &str = "WAYMARK_TEST_MONGODB_URI";

/// A database of one test; dropped with [`Scratch::drop_database`].
pub(super) struct Scratch {
    pub(super) uri: String,
    pub(super) database: Database,
}

impl Scratch {
    /// A new, empty database, or `None`, said aloud, where there is no server.
    pub(super) async fn new() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let server = server()?;
        let name = format!("waymark_test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let scratch = Self::at(&in_database(&server, &name)).await;
        scratch.drop_database().await;
        Some(scratch)
    }

    /// The database at `uri`, as it is.
    pub(super) async fn at(uri: &str) -> Self {
        let client = Client::with_uri_str(uri).await.unwrap();
        Self { uri: uri.to_owned(), database: client.default_database().unwrap() }
    }

    pub(super) fn store(&self) -> MongoStore {
        MongoStore::new(MongoUri::parse(&self.uri).unwrap(), Certificates::default(), surroundings())
    }

    pub(super) async fn drop_database(&self) {
        self.database.drop().await.unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "how tests are told of a server")]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn server() -> Option<String> {
    let uri = std::env::var(URI).ok();
    if uri.is_none() {
        eprintln!("SKIPPED: `{URI}` is not set; enable with `cargo xtask servers mongod -- COMMAND`");
    }
    uri
}

/// The address with another database.
fn in_database(uri: &str, name: &str) -> String {
    let (place, options) = uri.split_once('?').unwrap_or((uri, ""));
    let servers = place.strip_prefix("mongodb://").unwrap().split('/').next().unwrap();
    format!("mongodb://{servers}/{name}?{options}")
}

pub(super) async fn insert(store: &MongoStore, runs: impl IntoIterator<Item = PreparedRun>) {
    let batch: Arc<[PreparedRun]> = runs.into_iter().collect();
    for outcome in store.insert(batch).await.unwrap() {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn the_suite() {
    if server().is_none() {
        return;
    }
    let used = std::sync::Mutex::new(Vec::new());
    conformance::check(async || {
        let scratch = Scratch::new().await.unwrap();
        let store = scratch.store();
        used.lock().unwrap().push(scratch);
        store
    })
    .await;
    for scratch in used.into_inner().unwrap() {
        scratch.drop_database().await;
    }
}
