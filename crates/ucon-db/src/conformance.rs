//! What every [`BlobStore`] must do, as a function that panics where one does not.
//!
//! For tests: an implementation makes an empty store and hands it over.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Archived, BlobError, BlobInfo, BlobStore, ErrorClass, Md5Digest, RunNumber, Verify, adler32, archive, renew,
};

/// Runs the whole suite on stores that `empty_store` makes; each must be empty and independent of the others.
///
/// # Panics
///
/// Where a store breaks a promise of [`BlobStore`].
pub async fn check<S: BlobStore + 'static>(empty_store: impl AsyncFn() -> S) {
    an_empty_store_has_nothing(&empty_store().await).await;
    bytes_come_back_as_they_went(&empty_store().await).await;
    nothing_is_stored_twice(&empty_store().await).await;
    equal_blobs_of_two_runs_are_two_runs(&empty_store().await).await;
    the_listing_agrees_with_the_blobs(&empty_store().await).await;
    versions_describe_a_run(&empty_store().await).await;
    archiving_may_be_repeated(&empty_store().await).await;
    a_new_version_keeps_the_one_before(&empty_store().await).await;
    renewing_may_be_repeated(&empty_store().await).await;
    one_of_many_writers_wins(Arc::new(empty_store().await)).await;
}

fn run(number: u64) -> RunNumber {
    RunNumber::new(number)
}

fn fine<T>(outcome: Result<T, BlobError>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("the store failed: {error:?}"),
    }
}

async fn an_empty_store_has_nothing(store: &dyn BlobStore) {
    assert_eq!(fine(store.runs().await), BTreeMap::new());
    assert_eq!(fine(store.get(run(100)).await), None);
    assert_eq!(fine(store.versions(run(100)).await), []);
}

/// Blobs that have broken one implementation or another.
fn awkward_blobs() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"plain text\n".to_vec(),
        vec![0],
        (0..=255).collect(),
        b"a=b'c&d=%00<|>\\\r\n\r\n".to_vec(),
        "über \u{1F680}".as_bytes().to_vec(),
        b"{\"NaN\": NaN}\x1e\n".to_vec(),
        (0..1_500_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
    ]
}

async fn bytes_come_back_as_they_went(store: &dyn BlobStore) {
    for (number, blob) in (0..).zip(awkward_blobs()) {
        let receipt = fine(store.put(run(number), &blob).await);
        assert_eq!((receipt.size_bytes, receipt.adler32), (blob.len() as u64, adler32(&blob)), "blob {number}");
    }
    for (number, blob) in (0..).zip(awkward_blobs()) {
        assert!(fine(store.get(run(number)).await) == Some(blob), "blob {number}");
    }
    assert_eq!(fine(store.get(run(99)).await), None, "an unknown run of an object that exists");
}

async fn nothing_is_stored_twice(store: &dyn BlobStore) {
    fine(store.put(run(100), b"first").await);
    for bytes in [&b"second"[..], b"first"] {
        match store.put(run(100), bytes).await {
            Err(error @ BlobError::AlreadyExists { .. }) => assert_eq!(error.class(), ErrorClass::Conflict),
            other => panic!("a second put must be refused, not {other:?}"),
        }
    }
    assert_eq!(fine(store.get(run(100)).await).as_deref(), Some(&b"first"[..]));
    assert_eq!(fine(store.runs().await).len(), 1);
}

async fn equal_blobs_of_two_runs_are_two_runs(store: &dyn BlobStore) {
    let first = fine(store.put(run(1), b"same").await);
    let second = fine(store.put(run(2), b"same").await);
    assert_ne!(first.version_id, second.version_id);
    assert_eq!(fine(store.get(run(1)).await), fine(store.get(run(2)).await));
    assert_eq!(fine(store.runs().await).len(), 2);
}

async fn the_listing_agrees_with_the_blobs(store: &dyn BlobStore) {
    let runs = [u64::MAX, 0, 999, 1000, 2_026_020_110];
    let mut expect = BTreeMap::new();
    for number in runs {
        let blob = format!("record of {number}").into_bytes();
        expect.insert(run(number), BlobInfo { size_bytes: blob.len() as u64, adler32: adler32(&blob) });
        fine(store.put(run(number), &blob).await);
    }
    assert_eq!(fine(store.runs().await), expect);
}

async fn versions_describe_a_run(store: &dyn BlobStore) {
    fine(store.put(run(10), b"other").await);
    let receipt = fine(store.put(run(100), b"record").await);
    let versions = fine(store.versions(run(100)).await);
    assert_eq!(versions.len(), 1, "{versions:?}");
    let version = &versions[0];
    assert_eq!(version.version_id, receipt.version_id);
    assert_eq!((version.key.as_deref(), &version.tags), (Some("100"), &vec!["100".to_owned()]));
    assert_eq!((version.size_bytes, version.adler32), (receipt.size_bytes, receipt.adler32));
}

async fn archiving_may_be_repeated(store: &dyn BlobStore) {
    // A record is the same but for its first line, as with the minute of packing.
    let rest = |blob: &[u8]| blob.iter().position(|&byte| byte == b'\n').map(|at| blob[at..].to_vec());
    let same = |ours: &[u8], theirs: &[u8]| rest(ours) == rest(theirs);
    let put = async |bytes: &[u8], verify| archive(store, run(100), bytes, verify, &same).await;

    assert!(matches!(fine(put(b"12:00\nrecord", Verify::ReadBack).await), Archived::Stored(_)));
    for verify in [Verify::ReadBack, Verify::Receipt] {
        assert_eq!(fine(put(b"12:00\nrecord", verify).await), Archived::AlreadyThere, "equal bytes");
        assert_eq!(fine(put(b"12:01\nrecord", verify).await), Archived::AlreadyThere, "another minute");
    }
    let (ours, theirs) = (Md5Digest::of(b"12:00\nRECORD"), Md5Digest::of(b"12:00\nrecord"));
    match put(b"12:00\nRECORD", Verify::ReadBack).await {
        Err(error @ BlobError::Differs { .. }) => {
            assert_eq!(error.class(), ErrorClass::Conflict);
            let text = error.to_string();
            assert!(text.contains(&ours.to_string()) && text.contains(&theirs.to_string()), "{text}");
        }
        other => panic!("another record must be refused, not {other:?}"),
    }
}

async fn a_new_version_keeps_the_one_before(store: &dyn BlobStore) {
    let first = fine(store.put_version(run(100), b"first").await);
    fine(store.put(run(101), b"other").await);
    let second = fine(store.put_version(run(100), b"the second one").await);
    assert_ne!(first.version_id, second.version_id);
    assert_eq!(fine(store.get(run(100)).await).as_deref(), Some(&b"the second one"[..]));
    let listed = fine(store.runs().await);
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[&run(100)], BlobInfo { size_bytes: 14, adler32: adler32(b"the second one") });
    let versions = fine(store.versions(run(100)).await);
    let seen: Vec<_> = versions.iter().map(|version| (version.version_id, version.key.as_deref())).collect();
    assert_eq!(seen, [(second.version_id, Some("100")), (first.version_id, None)], "{versions:?}");
    assert!(versions.iter().all(|version| version.tags == ["100"]), "{versions:?}");
    assert!(matches!(store.put(run(100), b"third").await, Err(BlobError::AlreadyExists { .. })));
}

async fn renewing_may_be_repeated(store: &dyn BlobStore) {
    let same = |ours: &[u8], theirs: &[u8]| ours.get(..5) == theirs.get(..5);
    let renewed = async |bytes: &[u8]| fine(renew(store, run(100), bytes, Verify::ReadBack, &same).await);
    assert!(matches!(renewed(b"first, 12:00").await, Archived::Stored(_)));
    assert_eq!(renewed(b"first, 12:01").await, Archived::AlreadyThere);
    assert!(matches!(renewed(b"second").await, Archived::Stored(_)));
    assert_eq!(renewed(b"second").await, Archived::AlreadyThere);
    assert_eq!(fine(store.versions(run(100)).await).len(), 2);
}

async fn one_of_many_writers_wins(store: Arc<dyn BlobStore>) {
    let writers: Vec<_> = (0..8_u8)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { (writer, store.put(run(100), &[writer]).await) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in writers {
        match task.await {
            Ok((writer, Ok(_))) => winners.push(writer),
            Ok((_, Err(BlobError::AlreadyExists { .. }))) => {}
            other => panic!("a writer must win or be told that the run exists, not {other:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(fine(store.get(run(100)).await), Some(winners));
}
