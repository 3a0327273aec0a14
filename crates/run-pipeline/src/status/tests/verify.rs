//! A verification of every byte meets stores in trouble.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use run_state::{RunNumber, RunSet};
use ucon_db::{BlobError, BlobInfo, BlobStore, EmbeddedError, ErrorClass, MemoryStore, Receipt, VersionInfo};

use super::super::{Digest, Verification, verify_full};

/// An archive whose blobs of some runs have rotted, and that does not answer about others.
#[derive(Debug)]
struct Troubled {
    store: MemoryStore,
    rotten: RunSet,
    silent: RunSet,
}

#[async_trait]
impl BlobStore for Troubled {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError> {
        self.store.runs().await
    }

    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        self.store.put(run, bytes).await
    }

    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        self.store.put_version(run, bytes).await
    }

    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        if self.rotten.contains(run) {
            return Err(EmbeddedError::Damaged { path: "ucondb.sqlite".into(), run }.into());
        }
        if self.silent.contains(run) {
            return Err(BlobError::Rehearsed { reason: "no answer".to_owned(), class: ErrorClass::Transient });
        }
        self.store.get(run).await
    }

    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError> {
        self.store.versions(run).await
    }
}

async fn verified(rotten: &str, silent: &str) -> Verification {
    let blobs =
        Troubled { store: MemoryStore::default(), rotten: rotten.parse().unwrap(), silent: silent.parse().unwrap() };
    let runs: RunSet = "100-119".parse().unwrap();
    let mut digests = BTreeMap::new();
    for run in runs.iter() {
        blobs.put(run, b"a record").await.unwrap();
        digests.insert(run, Digest::of(b"a record"));
    }
    let configs = Arc::new(artdaq_db::MemoryStore::default());
    verify_full(Arc::new(blobs), configs, &runs, &digests, 1, Arc::new(|_| {})).await
}

#[tokio::test]
async fn what_has_rotted_is_named_and_everything_else_compared() {
    let found = verified("100, 104, 108-112", "none").await;
    assert_eq!(found.differing().to_string(), "100, 104, 108-112");
    assert_eq!((found.good.len(), found.stopped), (13, None));
    assert!(found.differences[0].found.contains("does not have its checksum any more"), "{:?}", found.differences[0]);
}

#[tokio::test]
async fn an_answer_now_and_then_that_is_missing_does_not_end_it() {
    let found = verified("none", "101, 104, 107, 110, 113").await;
    assert_eq!(found.good.len(), 15);
    let reason = found.stopped.unwrap().0;
    assert_eq!(reason, "5 runs not compared: 101, 104, 107, 110, 113; run 101: no answer");
}

#[tokio::test]
async fn a_store_that_is_gone_ends_it() {
    let found = verified("none", "105-119").await;
    assert_eq!(found.good.to_string(), "100-104");
    let reason = found.stopped.unwrap().0;
    assert_eq!(reason, "15 runs not compared: 105-114 and more; run 105: no answer");
}
