//! Stores and servers as the tests want them.

use std::{fmt::Write as _, path::Path, sync::Arc};

use statefile::SystemClock;
use test_kit::ucondb::{FakeUconDb, Front, Options};
use ucon_db::{BlobError, EmbeddedStore, HttpConfig, HttpStore, RunNumber, ServerUrl, Timeouts, Tls};

pub(crate) const PASSWORD: &str = "secret";
pub(crate) const FOLDER: &str = "public.test01";
pub(crate) const OBJECT: &str = "configuration";

pub(crate) fn run(number: u64) -> RunNumber {
    RunNumber::new(number)
}

pub(crate) fn config(url: &str) -> HttpConfig {
    let ServerUrl::Http(server) = url.parse().unwrap() else { panic!("`{url}` is not a server") };
    HttpConfig {
        server,
        folder: "test01".parse().unwrap(),
        object: OBJECT.parse().unwrap(),
        user: "writer".to_owned(),
        password: PASSWORD.to_owned().into(),
        timeouts: Timeouts::default(),
        tls: Tls::default(),
        response_bytes_max: HttpConfig::RESPONSE_BYTES_MAX,
    }
}

pub(crate) fn http(config: HttpConfig) -> HttpStore {
    HttpStore::new(config).unwrap()
}

pub(crate) async fn server(front: Front) -> FakeUconDb {
    FakeUconDb::start(Options { front, ..Options::default() }).await.unwrap()
}

/// A store that has its challenge already, on a server whose ledger is empty.
pub(crate) async fn warm(front: Front) -> (FakeUconDb, HttpStore) {
    let server = server(front).await;
    let store = http(config(&server.url()));
    ucon_db::BlobStore::put(&store, run(1), b"warm-up").await.unwrap();
    server.clear_ledger();
    (server, store)
}

pub(crate) fn embedded(path: &Path) -> EmbeddedStore {
    EmbeddedStore::new(path, &"test01".parse().unwrap(), &OBJECT.parse().unwrap(), Arc::new(SystemClock))
}

/// An error and all its causes, as a person would see them.
pub(crate) fn told(error: &BlobError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text
}

/// The requests of a ledger, one line each: method, path, body, status.
pub(crate) fn requests(server: &FakeUconDb) -> Vec<String> {
    let line = |seen: test_kit::ucondb::Seen| {
        let status = seen.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let auth = if seen.authorized { " auth" } else { "" };
        format!("{} {} {}B{auth} {status}", seen.method, seen.path, seen.body_bytes)
    };
    server.ledger().into_iter().map(line).collect()
}
