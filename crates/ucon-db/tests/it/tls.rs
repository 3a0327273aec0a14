//! Certificates: checked, unless somebody says otherwise.

use test_kit::ucondb::{FakeUconDb, Options};
use ucon_db::{BlobStore, ErrorClass, HttpStore, SetupError, Tls};

use crate::setup::{config, http, run, told};

async fn server() -> FakeUconDb {
    FakeUconDb::start(Options { tls: true, ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn the_own_authority_is_trusted() {
    let server = server().await;
    let mut config = config(&server.url());
    config.tls.authorities_pem = Some(server.authority_pem().unwrap().as_bytes().to_vec());
    let store = http(config);
    store.put(run(100), b"record").await.unwrap();
    assert_eq!(store.get(run(100)).await.unwrap().unwrap(), b"record");
}

#[tokio::test]
async fn an_unknown_or_another_authority_is_refused_for_good() {
    let (server, other) = (server().await, server().await);
    for authorities in [None, other.authority_pem()] {
        let mut config = config(&server.url());
        config.tls.authorities_pem = authorities.map(|pem| pem.as_bytes().to_vec());
        let error = http(config).put(run(100), b"record").await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Permanent, "{}", told(&error));
        assert!(told(&error).contains("the server's certificate is not trusted"), "{}", told(&error));
        assert!(server.ledger().is_empty(), "nothing was said to it");
    }
}

#[tokio::test]
async fn without_verification_any_certificate_will_do() {
    let server = server().await;
    let mut config = config(&server.url());
    config.tls = Tls { verify: false, authorities_pem: None };
    http(config).put(run(100), b"record").await.unwrap();
}

#[test]
fn authorities_that_are_none_are_refused() {
    for (pem, expect) in [
        ("", "none"),
        ("no certificate", "none"),
        ("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", "bad"),
    ] {
        let mut config = config("https://127.0.0.1/app");
        config.tls.authorities_pem = Some(pem.as_bytes().to_vec());
        let seen = match HttpStore::new(config) {
            Err(SetupError::NoAuthorities) => "none",
            Err(SetupError::Authorities(_) | SetupError::Client(_)) => "bad",
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, expect, "{pem:?}");
    }
}
