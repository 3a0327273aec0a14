//! `archive` over HTTP: answers that were lost, and what is there already.

use test_kit::ucondb::{Fault, Front};
use ucon_db::{Archived, BlobError, ErrorClass, Md5Digest, Verify, archive, renew};

use crate::setup::{FOLDER, OBJECT, config, http, requests, run, server, told, warm};

fn never(_: &[u8], _: &[u8]) -> bool {
    false
}

#[tokio::test]
async fn it_can_be_a_task_of_its_own() {
    let store = std::sync::Arc::new(ucon_db::MemoryStore::default());
    let task = tokio::spawn(async move { archive(&*store, run(100), b"record", Verify::ReadBack, &never).await });
    assert!(matches!(task.await.unwrap(), Ok(Archived::Stored(_))));
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_found_done() {
    for fault in [Fault::LoseAnswer, Fault::CutAnswerAfter(9)] {
        let (server, store) = warm(Front::Webpie).await;
        server.fail_next("POST", "/data", fault);
        let lost = archive(&store, run(100), b"record", Verify::ReadBack, &never).await.unwrap_err();
        assert_eq!(lost.class(), ErrorClass::Transient);
        let again = archive(&store, run(100), b"record", Verify::ReadBack, &never).await.unwrap();
        assert_eq!(again, Archived::AlreadyThere);
        assert_eq!(server.version_count(FOLDER), 2, "the warm-up and this one");
    }
}

#[tokio::test]
async fn a_truncated_read_back_is_settled_by_the_next_try() {
    let (server, store) = warm(Front::Webpie).await;
    server.fail_next("GET", "/data", Fault::CutAnswerAfter(3));
    let cut = archive(&store, run(100), b"record", Verify::ReadBack, &never).await.unwrap_err();
    assert_eq!(cut.class(), ErrorClass::Transient);
    let again = archive(&store, run(100), b"record", Verify::ReadBack, &never).await.unwrap();
    assert_eq!(again, Archived::AlreadyThere);
}

#[tokio::test]
async fn a_blob_of_the_original_with_another_packing_minute_is_the_same_record() {
    let server = server(Front::Webpie).await;
    let theirs = b"Start of Record\nRun Number: 100\nPacked on Feb 01 10:30 UTC\nrest\n";
    let ours = b"Start of Record\nRun Number: 100\nPacked on Feb 01 10:31 UTC\nrest\n";
    server.seed(FOLDER, OBJECT, Some("100"), &["100"], 0.0, theirs).unwrap();
    let store = http(config(&server.url()));
    let unpacked = |blob: &[u8]| -> Vec<Vec<u8>> {
        blob.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"Packed on ")).map(<[u8]>::to_vec).collect()
    };
    let same = |a: &[u8], b: &[u8]| unpacked(a) == unpacked(b);
    let found = archive(&store, run(100), ours, Verify::ReadBack, &same).await.unwrap();
    assert_eq!(found, Archived::AlreadyThere);
    assert_eq!(
        requests(&server),
        [
            "POST /data/test01/configuration 0B 401",
            "POST /data/test01/configuration 64B auth 500",
            "GET /data/test01/configuration 0B 200",
        ]
    );
    let error = archive(&store, run(100), ours, Verify::ReadBack, &never).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "run 100 is archived already with other content: MD5 {} there, {} here",
            Md5Digest::of(theirs),
            Md5Digest::of(ours)
        )
    );
}

#[tokio::test]
async fn a_server_that_confirms_and_then_has_nothing_is_caught() {
    let (server, store) = warm(Front::Webpie).await;
    server.fail_next("GET", "/data", Fault::Status(404, "Version not found".to_owned()));
    let error = archive(&store, run(100), b"record", Verify::ReadBack, &never).await.unwrap_err();
    assert!(matches!(error, BlobError::NotReadable { .. }), "{error:?}");
}

/// A store that confirms everything and returns something else.
struct Liar;

#[async_trait::async_trait]
impl ucon_db::BlobStore for Liar {
    async fn runs(&self) -> Result<std::collections::BTreeMap<ucon_db::RunNumber, ucon_db::BlobInfo>, BlobError> {
        Ok(std::collections::BTreeMap::new())
    }

    async fn put(&self, _: ucon_db::RunNumber, bytes: &[u8]) -> Result<ucon_db::Receipt, BlobError> {
        Ok(ucon_db::Receipt { version_id: 1, size_bytes: bytes.len() as u64, adler32: ucon_db::adler32(bytes) })
    }

    async fn put_version(&self, run: ucon_db::RunNumber, bytes: &[u8]) -> Result<ucon_db::Receipt, BlobError> {
        self.put(run, bytes).await
    }

    async fn get(&self, _: ucon_db::RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(Some(b"something else".to_vec()))
    }

    async fn versions(&self, _: ucon_db::RunNumber) -> Result<Vec<ucon_db::VersionInfo>, BlobError> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn other_content_read_back_is_an_error_unless_the_receipt_is_trusted() {
    let error = archive(&Liar, run(100), b"record", Verify::ReadBack, &never).await.unwrap_err();
    assert!(matches!(error, BlobError::ReadBackDiffers { .. }), "{error:?}");
    assert_eq!(error.class(), ErrorClass::Permanent);
    archive(&Liar, run(100), b"record", Verify::Receipt, &never).await.unwrap();
    let error = renew(&Liar, run(100), b"record", Verify::ReadBack, &never).await.unwrap_err();
    assert!(matches!(error, BlobError::ReadBackDiffers { .. }), "{error:?}");
    renew(&Liar, run(100), b"record", Verify::Receipt, &never).await.unwrap();
}
