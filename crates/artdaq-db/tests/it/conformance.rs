//! The suite, on every store.

use std::sync::atomic::{AtomicUsize, Ordering};

use artdaq_db::{MemoryStore, conformance};

use crate::setup::open;

#[tokio::test]
async fn memory() {
    conformance::check(async || MemoryStore::default()).await;
}

#[tokio::test]
async fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let fresh = || directory.path().join(format!("{}/archive", count.fetch_add(1, Ordering::Relaxed)));
    conformance::check(async || open(&fresh())).await;
}
