//! What goes over the wire, proved by the server's ledger.

use test_kit::ucondb::{FakeUconDb, Front, Options};
use ucon_db::{BlobStore, HttpConfig, Verify, archive};

use crate::setup::{FOLDER, OBJECT, config, http, requests, run, server, told, warm};

#[tokio::test]
async fn the_first_put_asks_for_a_challenge_with_an_empty_body() {
    let server = server(Front::Webpie).await;
    http(config(&server.url())).put(run(100), b"record").await.unwrap();
    assert_eq!(
        requests(&server),
        ["POST /data/test01/configuration 0B 401", "POST /data/test01/configuration 6B auth 200"]
    );
    let ledger = server.ledger();
    assert_eq!(ledger[0].query, "tv=challenge");
    assert_eq!(ledger[1].query, "full_meta=yes&key=100&tag=100");
    for seen in ledger {
        assert_eq!(seen.content_length, Some(seen.body_bytes as u64), "always a length, also for an empty body");
        assert_eq!(seen.content_type.as_deref(), Some("application/octet-stream"));
    }
}

#[tokio::test]
async fn an_archived_run_costs_one_put_and_one_get() {
    let (server, store) = warm(Front::Apache).await;
    let same = |_: &[u8], _: &[u8]| false;
    archive(&store, run(100), b"record", Verify::ReadBack, &same).await.unwrap();
    archive(&store, run(101), b"record", Verify::Receipt, &same).await.unwrap();
    assert_eq!(
        requests(&server),
        [
            "POST /data/test01/configuration 6B auth 200",
            "GET /data/test01/configuration 0B 200",
            "POST /data/test01/configuration 6B auth 200",
        ]
    );
    assert_eq!(server.ledger()[1].query, "key=100");
}

#[tokio::test]
async fn a_hundred_puts_share_one_connection() {
    let server = server(Front::Apache).await;
    let store = http(config(&server.url()));
    for number in 0..100 {
        store.put(run(number), b"record").await.unwrap();
    }
    let ledger = server.ledger();
    assert_eq!(ledger.len(), 101, "one for the challenge");
    assert!(ledger.iter().all(|seen| seen.connection == 0), "{:?}", ledger.last());
    assert_eq!(ledger.iter().filter(|seen| seen.body_bytes > 0).count(), 100);
}

#[tokio::test]
async fn workers_that_start_together_ask_for_one_challenge() {
    let server = server(Front::Webpie).await;
    let store = std::sync::Arc::new(http(config(&server.url())));
    let puts: Vec<_> = (0..8)
        .map(|number| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move { store.put(run(number), b"record").await })
        })
        .collect();
    for put in puts {
        put.await.unwrap().unwrap();
    }
    assert_eq!(server.ledger().iter().filter(|seen| seen.status == Some(401)).count(), 1);
    assert_eq!(server.ledger().len(), 9);
}

#[tokio::test]
async fn the_listing_is_one_request_and_leaves_other_versions_out() {
    let server = server(Front::Webpie).await;
    server.seed(FOLDER, OBJECT, Some("100"), &["100"], 0.0, b"old").unwrap();
    // Takes the key of the first one over, which stays with no key.
    server.seed(FOLDER, OBJECT, Some("100"), &["100", "x"], 0.0, b"current").unwrap();
    server.seed(FOLDER, OBJECT, Some("200"), &[], 4e9, b"valid in the future").unwrap();
    server.seed(FOLDER, OBJECT, Some("300"), &[], f64::NAN, b"valid never").unwrap();
    server.seed(FOLDER, OBJECT, Some("0400"), &[], 0.0, b"not a run").unwrap();
    server.seed(FOLDER, OBJECT, Some("größe"), &["\"'\\"], 0.0, b"not a run").unwrap();
    server.seed(FOLDER, OBJECT, None, &["500"], 0.0, b"no key").unwrap();
    server.seed(FOLDER, "another", Some("600"), &[], 0.0, b"another object").unwrap();
    let store = http(config(&server.url()));
    let runs = store.runs().await.unwrap();
    assert_eq!(runs.keys().map(|run| run.get()).collect::<Vec<_>>(), [100, 200]);
    assert_eq!(runs[&run(100)].size_bytes, 7);
    assert_eq!(server.ledger().len(), 1);

    let versions = store.versions(run(100)).await.unwrap();
    let seen: Vec<_> = versions.iter().map(|version| (version.version_id, version.key.as_deref())).collect();
    assert_eq!(seen, [(2, Some("100")), (1, None)], "newest first, the overridden one by its tag");
    assert!(versions[0].recorded_at > versions[1].recorded_at);
}

#[tokio::test]
async fn odd_names_arrive_as_they_are() {
    for front in [Front::Webpie, Front::Apache] {
        let server = FakeUconDb::start(Options { front, ..Options::default() }).await.unwrap();
        let object = "run_records+v2.1~x:y@z-w";
        let mut config = config(&server.url());
        config.object = object.parse().unwrap();
        config.folder = FOLDER.parse().unwrap();
        let store = http(config);
        store.put(run(100), b"record").await.unwrap();
        assert_eq!(server.contents(FOLDER, object), [("100".to_owned(), b"record".to_vec())]);
        assert_eq!(store.runs().await.unwrap().len(), 1, "`+` in a query must not become a blank");
        assert_eq!(store.get(run(100)).await.unwrap().unwrap(), b"record");
    }
}

#[tokio::test]
async fn an_unknown_folder_is_an_error_and_not_an_empty_archive() {
    let server = server(Front::Webpie).await;
    let mut config = config(&server.url());
    config.folder = "elsewhere".parse().unwrap();
    let store = http(config);
    for error in [
        store.runs().await.unwrap_err(),
        store.versions(run(1)).await.unwrap_err(),
        store.put(run(1), b"x").await.unwrap_err(),
        store.get(run(1)).await.unwrap_err(),
    ] {
        let text = told(&error);
        assert!(
            text.contains("older elsewhere not found")
                || text.contains("Folder not found")
                || text.contains("getObject"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused() {
    let server = server(Front::Webpie).await;
    server.seed(FOLDER, OBJECT, Some("100"), &[], 0.0, &[7; 5000]).unwrap();
    for (limit, fits) in [(5000, true), (4999, false)] {
        let store = http(HttpConfig { response_bytes_max: limit, ..config(&server.url()) });
        let got = store.get(run(100)).await;
        assert_eq!(got.is_ok(), fits, "{limit}");
        if let Err(error) = got {
            assert_eq!(error.class(), ucon_db::ErrorClass::Permanent);
            assert!(told(&error).ends_with("the answer is longer than the limit of 4999 bytes"), "{}", told(&error));
        }
    }
}
