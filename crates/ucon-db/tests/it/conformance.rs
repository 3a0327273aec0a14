//! The suite, on every store.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use test_kit::ucondb::{FakeUconDb, Front, Nonces, Options};
use ucon_db::{MemoryStore, conformance};

use crate::setup::{config, embedded, http};

#[tokio::test]
async fn memory() {
    conformance::check(async || MemoryStore::default()).await;
}

#[tokio::test]
async fn an_embedded_file() {
    let directory = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let fresh = || directory.path().join(format!("{}/ucondb.sqlite", count.fetch_add(1, Ordering::Relaxed)));
    conformance::check(async || embedded(&fresh())).await;
}

#[tokio::test]
async fn an_embedded_file_with_other_objects_and_folders() {
    let directory = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let path = directory.path().join("ucondb.sqlite");
    let store = async || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let (folder, object) = (format!("folder{}", number % 2), format!("object{}", number / 2));
        let clock = std::sync::Arc::new(statefile::SystemClock);
        ucon_db::EmbeddedStore::new(&path, &folder.parse().unwrap(), &object.parse().unwrap(), clock)
    };
    conformance::check(store).await;
}

async fn check_http(options: Options) {
    let servers = Mutex::new(Vec::new());
    let fresh = async || {
        let server = FakeUconDb::start(options.clone()).await.unwrap();
        let store = http(config(&server.url()));
        servers.lock().unwrap().push(server);
        store
    };
    conformance::check(fresh).await;
}

#[tokio::test]
async fn a_server_behind_its_own_http() {
    check_http(Options { front: Front::Webpie, ..Options::default() }).await;
}

#[tokio::test]
async fn a_server_behind_apache() {
    check_http(Options { front: Front::Apache, ..Options::default() }).await;
}

#[tokio::test]
async fn a_server_without_authentication() {
    check_http(Options { writers: None, ..Options::default() }).await;
}

#[tokio::test]
async fn a_server_whose_nonces_wear_out() {
    check_http(Options { front: Front::Apache, nonces: Nonces::Uses(3), ..Options::default() }).await;
}
