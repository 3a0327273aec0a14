//! Each way to fail, its class and its text.

use test_kit::ucondb::{Fault, Front};
use ucon_db::{BlobError, BlobStore, ErrorClass, Timeouts};

use crate::setup::{FOLDER, OBJECT, config, http, run, server, told};

const RECORD: &[u8] = b"a record of some length, so that there is a middle to cut it in";

/// Waits for `request`; where nothing answers, on a clock that jumps to the next timeout.
async fn hurried<T>(fault: &Fault, request: impl Future<Output = T>) -> T {
    if !matches!(fault, Fault::Stall | Fault::StallAfter(_)) {
        return request.await;
    }
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let outcome = request.await;
    let waited = start.elapsed();
    tokio::time::resume();
    assert!(waited <= Timeouts::default().read * 2, "not the time for the whole request: {waited:?}");
    outcome
}

/// What a put meets, over both fronts: the class and the end of the text.
async fn check_put(front: Front, fault: Fault, class: ErrorClass, text: &str) {
    let server = server(front).await;
    let store = http(config(&server.url()));
    store.put(run(1), b"warm-up").await.unwrap();
    server.fail_next("POST", "/data", fault.clone());
    let error = hurried(&fault, store.put(run(100), RECORD)).await.unwrap_err();
    assert_eq!(error.class(), class, "{front:?} {fault:?}: {}", told(&error));
    assert!(told(&error).contains(text), "{front:?} {fault:?}: {}", told(&error));
}

/// What a get meets.
async fn check_get(front: Front, fault: Fault, class: ErrorClass, text: &str) {
    let server = server(front).await;
    server.seed(FOLDER, OBJECT, Some("100"), &[], 0.0, RECORD).unwrap();
    let store = http(config(&server.url()));
    server.fail_next("GET", "/data", fault.clone());
    let error = hurried(&fault, store.get(run(100))).await.unwrap_err();
    assert_eq!(error.class(), class, "{front:?} {fault:?}: {}", told(&error));
    assert!(told(&error).contains(text), "{front:?} {fault:?}: {}", told(&error));
    server.heal();
    assert_eq!(store.get(run(100)).await.unwrap().as_deref(), Some(RECORD), "and then it is over");
}

/// What a listing meets.
async fn check_list(front: Front, fault: Fault, class: ErrorClass, text: &str) {
    let server = server(front).await;
    server.seed(FOLDER, OBJECT, Some("100"), &[], 0.0, RECORD).unwrap();
    let store = http(config(&server.url()));
    server.fail_next("GET", "/versions", fault.clone());
    let error = store.runs().await.unwrap_err();
    assert_eq!(error.class(), class, "{front:?} {fault:?}: {}", told(&error));
    assert!(told(&error).contains(text), "{front:?} {fault:?}: {}", told(&error));
}

fn status(status: u16, text: &str) -> Fault {
    Fault::Status(status, text.to_owned())
}

#[tokio::test]
async fn puts() {
    use ErrorClass::{Authentication, Permanent, Transient};
    for front in [Front::Webpie, Front::Apache] {
        let cut = "the connection broke off";
        check_put(front, Fault::Unavailable, Transient, "the server answers 503: without a message").await;
        check_put(front, status(500, "<h3>disk full</h3>"), Transient, "the server answers 500: disk full").await;
        check_put(front, status(405, "Read-only instance"), Permanent, "the server answers 405: Read-only instance")
            .await;
        check_put(front, status(404, "Folder not found"), Permanent, "the server answers 404: Folder not found").await;
        check_put(front, status(302, ""), Permanent, "the server answers 302").await;
        check_put(front, status(401, "no"), Authentication, "the server refuses user or password (401: no)").await;
        check_put(front, status(403, "no"), Authentication, "the server answers 403: no").await;
        check_put(front, Fault::CutRequestAfter(10), Transient, cut).await;
        check_put(front, Fault::LoseAnswer, Transient, cut).await;
        check_put(front, Fault::CutAnswerAfter(20), Transient, cut).await;
        check_put(front, Fault::LoseBody, Permanent, "the server confirms 0 bytes with checksum 1, 63 bytes").await;
        check_put(front, Fault::Stall, Transient, "the server does not answer in time").await;
        check_put(front, status(200, "<html>a portal</html>"), Permanent, "not the record that the protocol promises")
            .await;
        check_put(front, status(200, ""), Transient, "not the record that the protocol promises").await;
    }
}

#[tokio::test]
async fn gets() {
    use ErrorClass::{Permanent, Transient};
    for front in [Front::Webpie, Front::Apache] {
        check_get(front, Fault::Unavailable, Transient, "the server answers 503: without a message").await;
        check_get(front, Fault::FlipByte, Transient, "the answer is damaged: its checksum is").await;
        check_get(front, Fault::LoseAnswer, Transient, "the connection broke off").await;
        check_get(front, Fault::Stall, Transient, "the server does not answer in time").await;
        check_get(front, Fault::StallAfter(9), Transient, "the server does not answer in time").await;
        check_get(front, status(404, "<h1>Not Found</h1>"), Permanent, "404: <h1>Not Found</h1>").await;
        check_get(front, status(200, "a portal"), Permanent, "no valid header `x-ucondb-data-size`").await;
        // An object that exists: the server has failed and the run is not simply absent.
        let internal = "'NoneType' object has no attribute 'getVersion'";
        check_get(front, status(500, internal), Transient, internal).await;
    }
    // HTTP does not notice the first one; the size does.
    let truncated = "the answer broke off after 9 of 63 bytes";
    check_get(Front::Webpie, Fault::CutAnswerAfter(9), Transient, truncated).await;
    check_get(Front::Apache, Fault::CutAnswerAfter(9), Transient, "the connection broke off").await;
}

#[tokio::test]
async fn listings() {
    use ErrorClass::{Permanent, Transient};
    for front in [Front::Webpie, Front::Apache] {
        check_list(front, Fault::Unavailable, Transient, "the server answers 503").await;
        check_list(front, status(404, "<h1>Not Found</h1>"), Permanent, "404: <h1>Not Found</h1>").await;
        check_list(front, status(404, "Object other not found"), Permanent, "404: Object other not found").await;
        check_list(front, status(200, "<html>"), Permanent, "not the record that the protocol promises").await;
    }
    for bytes in [0, 1, 50, 200] {
        let text = "not the record that the protocol promises";
        check_list(Front::Webpie, Fault::CutAnswerAfter(bytes), Transient, text).await;
        check_list(Front::Apache, Fault::CutAnswerAfter(bytes), Transient, "the connection broke off").await;
    }
}

#[tokio::test]
async fn nobody_listens() {
    let url = server(Front::Webpie).await.url();
    let error = http(config(&url)).runs().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    assert!(told(&error).contains("the server cannot be reached"), "{}", told(&error));
}

#[tokio::test]
async fn the_session_survives_a_server_that_was_down_at_first() {
    let server = server(Front::Webpie).await;
    let store = http(config(&server.url()));
    server.fail_next("POST", "/data", Fault::Unavailable);
    let error = store.put(run(1), b"x").await.unwrap_err();
    assert!(told(&error).starts_with("could not start a session at "), "{}", told(&error));
    assert_eq!(error.class(), ErrorClass::Transient);
    store.put(run(1), b"x").await.unwrap();
}

#[tokio::test]
async fn both_texts_of_a_duplicate_and_a_better_status_are_a_conflict() {
    let race = "<h3>duplicate key value violates unique constraint \"test01_object_key_inx\"\n\
                DETAIL:  Key (object, key)=(configuration, 100) already exists.</h3>";
    let plain = "<h3>Version of object configuration with key 100 already exists</h3>";
    for (code, text) in [(500, race), (500, plain), (409, plain)] {
        let server = server(Front::Webpie).await;
        let store = http(config(&server.url()));
        store.put(run(1), b"warm-up").await.unwrap();
        server.fail_next("POST", "/data", status(code, text));
        let error = store.put(run(100), RECORD).await.unwrap_err();
        assert!(matches!(error, BlobError::AlreadyExists { run } if run.get() == 100), "{}", told(&error));
    }
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let server = server(Front::Webpie).await;
    let store = http(config(&server.url()));
    store.put(run(1), b"warm-up").await.unwrap();
    server.clear_ledger();
    for method in ["POST", "GET"] {
        server.fail_next(method, "/data", Fault::Redirect(format!("{}/probe", server.url())));
    }
    for error in [store.put(run(100), RECORD).await.unwrap_err(), store.get(run(1)).await.unwrap_err()] {
        assert_eq!(error.class(), ErrorClass::Permanent);
        let says = format!("the server answers 302: it redirects to `{}/probe`", server.url());
        assert!(told(&error).ends_with(&says), "{}", told(&error));
    }
    assert_eq!(server.ledger().len(), 2);
}
