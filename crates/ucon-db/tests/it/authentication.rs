//! Passwords: used, refused, never shown.

use test_kit::ucondb::{FakeUconDb, Fault, Front, Nonces, Options};
use ucon_db::{BlobStore, ErrorClass};

use crate::setup::{PASSWORD, config, http, requests, run, server, told};

#[tokio::test]
async fn a_wrong_password_is_told_and_not_tried_again() {
    for nonces in [Nonces::Any, Nonces::Uses(9), Nonces::UsesUnsaid(9)] {
        let server = FakeUconDb::start(Options { nonces, ..Options::default() }).await.unwrap();
        let mut config = config(&server.url());
        config.password = "wrong".to_owned().into();
        let store = http(config);
        let error = store.put(run(100), b"record").await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Authentication);
        assert_eq!(
            told(&error),
            format!(
                "could not store run 100 at `{}/data/test01/configuration?full_meta=yes&key=100&tag=100`: \
                 the server refuses user or password (401: Authorization required)",
                server.url()
            )
        );
        assert_eq!(requests(&server).len(), 2, "the challenge, then the body once: {:?}", requests(&server));
        assert_eq!(server.version_count("public.test01"), 0);
    }
}

#[tokio::test]
async fn reading_needs_no_password() {
    let server = server(Front::Webpie).await;
    let store = http(config(&server.url()));
    store.runs().await.unwrap();
    store.get(run(1)).await.unwrap();
    assert!(server.ledger().iter().all(|seen| !seen.authorized));
}

/// `(what the server thinks of nonces, statuses of four puts)`
#[tokio::test]
async fn an_expired_nonce_is_replaced() {
    for (nonces, expect) in [
        (Nonces::Any, vec![401, 200, 200, 200, 200]),
        (Nonces::Uses(2), vec![401, 200, 200, 401, 200, 200]),
        (Nonces::UsesUnsaid(2), vec![401, 200, 200, 401, 200, 200]),
        (Nonces::Uses(1), vec![401, 200, 401, 200, 401, 200, 401, 200]),
    ] {
        let server = FakeUconDb::start(Options { nonces, ..Options::default() }).await.unwrap();
        let store = http(config(&server.url()));
        for number in 0..4 {
            store.put(run(number), b"record").await.unwrap();
        }
        let statuses: Vec<u16> = server.ledger().into_iter().filter_map(|seen| seen.status).collect();
        assert_eq!(statuses, expect, "{nonces:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_accepts_a_nonce_ends_the_put() {
    let server = FakeUconDb::start(Options { nonces: Nonces::Uses(0), ..Options::default() }).await.unwrap();
    let error = http(config(&server.url())).put(run(1), b"x").await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Authentication);
    assert_eq!(server.ledger().len(), 5, "the challenge, and the body four times at most");
}

#[tokio::test]
async fn a_server_without_authentication_stores_nothing_by_being_asked() {
    for front in [Front::Webpie, Front::Apache] {
        let server = FakeUconDb::start(Options { front, writers: None, ..Options::default() }).await.unwrap();
        http(config(&server.url())).put(run(100), b"record").await.unwrap();
        assert_eq!(server.version_count("public.test01"), 1);
        assert!(server.ledger().iter().all(|seen| !seen.authorized));
    }
}

#[tokio::test]
async fn the_password_is_in_no_text() {
    let server = server(Front::Webpie).await;
    let config = config(&server.url());
    let mut texts = vec![format!("{config:?}")];
    let store = http(config);
    texts.push(format!("{store:?}"));
    store.put(run(1), b"x").await.unwrap();
    texts.push(format!("{store:?}"));
    let again = store.put(run(1), b"x").await.unwrap_err();
    server.fail_always("POST", "/data", Fault::LoseAnswer);
    let lost = store.put(run(2), b"x").await.unwrap_err();
    server.heal();
    server.fail_always("POST", "/data", Fault::Status(401, "no".to_owned()));
    let refused = store.put(run(3), b"x").await.unwrap_err();
    for error in [again, lost, refused] {
        texts.push(format!("{error:?}"));
        texts.push(told(&error));
    }
    for text in texts {
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(!text.contains("response="), "an answered challenge is as good as the password there: {text}");
    }
}
