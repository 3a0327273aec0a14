//! Scripted faults, each kind, through the SDK and in the ledger.

use aws_sdk_dynamodb::operation::update_table::UpdateTableError;
use dynamo_embedded::{EmbeddedDynamo, Outcome};

use crate::support::*;

fn world(script: &str) -> World {
    World::open(&Hands::new(), EmbeddedDynamo::builder().times(TIMES).faults(script.parse().unwrap()))
}

#[tokio::test]
async fn a_refusal_has_no_effect_and_the_next_call_succeeds() {
    let w = world("UpdateTable#1=ThrottlingException; UpdateTable#2=InternalServerError");
    w.table("tab").await;
    let text = "ThrottlingException: The rate of control plane requests made by this account is too high";
    assert_eq!(outcome(w.create("tab", "idx").send().await), text); // Q434
    assert_eq!(w.describe("tab").await, "ACTIVE");
    let error = w.create("tab", "idx").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 500); // facts 4.1
    assert!(matches!(error.into_service_error(), UpdateTableError::InternalServerError(_)), "a typed error");
    assert_eq!(outcome(w.create("tab", "idx").send().await), "ok");
    let expect = [
        "CreateTable tab ok",
        "UpdateTable tab/idx Create ThrottlingException",
        "UpdateTable tab/idx Create InternalServerError",
        "UpdateTable tab/idx Create ok",
    ];
    assert_eq!(w.ledger(), expect);
}

#[tokio::test]
async fn a_lost_answer_took_effect() {
    let w = world("UpdateTable#1=lost; PutItem#2=lost");
    w.table("tab").await;
    assert_eq!(outcome(w.create("tab", "idx").send().await), "connection broken");
    assert_eq!(w.describe("tab").await, "UPDATING idx:CREATING/false");
    let again = "ValidationException: Attempting to create an index which already exists"; // Q442
    assert_eq!(outcome(w.create("tab", "idx").send().await), again);
    assert_eq!(w.put("tab", "1", None).await, "ok");
    assert_eq!(w.put("tab", "2", None).await, "connection broken");
    let count = w.client.scan().table_name("tab").send().await.unwrap().count();
    assert_eq!(count, 2);
    let expect = [
        "CreateTable tab ok",
        "UpdateTable tab/idx Create lost",
        "UpdateTable tab/idx Create ValidationException",
        "PutItem tab ok",
        "PutItem tab lost",
        "Scan tab ok",
    ];
    assert_eq!(w.ledger(), expect);
}

#[tokio::test]
async fn the_answer_of_a_refusal_can_be_lost_too() {
    let w = world("UpdateTable#1=lost");
    assert_eq!(outcome(w.create("nowhere", "idx").send().await), "connection broken");
    assert_eq!(w.ledger(), ["UpdateTable nowhere/idx Create ResourceNotFoundException"]);
}

#[tokio::test]
async fn an_unreachable_call_has_no_effect() {
    let w = world("UpdateTable[tab]#1=unreachable");
    w.table("tab").await;
    assert_eq!(outcome(w.create("tab", "idx").send().await), "connection broken");
    assert_eq!(w.describe("tab").await, "ACTIVE");
    assert_eq!(w.dynamo.calls().unwrap()[1].outcome, Outcome::Unreachable);
}

#[tokio::test]
async fn scopes_count_on_their_own() {
    let w = world("UpdateTable[two]#1=AccessDeniedException; UpdateTable[one/bbb]#1=ExpiredTokenException");
    w.table("one").await;
    w.table("two").await;
    assert_eq!(outcome(w.create("one", "aaa").send().await), "ok");
    let denied = outcome(w.create("two", "aaa").send().await);
    assert!(denied.starts_with("AccessDeniedException: User: "), "{denied}");
    assert!(denied.contains("perform: dynamodb:UpdateTable on resource: "), "{denied}");
    assert_eq!(outcome(w.create("two", "aaa").send().await), "ok");
    w.hands.advance(530);
    let expired = "ExpiredTokenException: The security token included in the request is expired";
    assert_eq!(outcome(w.create("one", "bbb").send().await), expired);
}

#[tokio::test]
async fn every_error_of_a_script_arrives_with_its_code_status_and_text() {
    let check = async |code: &str, status: u16, text: &str| {
        let w = world(&format!("ListTables#1={code}"));
        let error = w.client.list_tables().send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{code}");
        let found = refusal(&error);
        let name = code.split('(').next().unwrap();
        assert!(found.starts_with(&format!("{name}: {text}")), "{code}: {found}");
    };
    check("ThrottlingException", 400, "The rate of control plane").await;
    check("ProvisionedThroughputExceededException", 400, "The level of").await;
    check("RequestLimitExceeded", 400, "Throughput exceeds").await;
    check("InternalServerError", 500, "Internal").await;
    check("ServiceUnavailable", 503, "Service is").await;
    check("LimitExceededException", 400, "Subscriber limit exceeded: Only 1 online").await;
    check("LimitExceededException(Too many operations for a given subscriber)", 400, "Too many operations for").await;
    check("ResourceInUseException", 400, "Attempt to change a resource which is still in use: ").await;
    check("ResourceNotFoundException", 400, "Requested resource not found").await;
    check("ValidationException(a; b (c))", 400, "a; b (c)").await;
    check("AccessDeniedException", 400, "User: ").await;
    check("UnrecognizedClientException", 400, "The security token included in the request is invalid").await;
    check("ExpiredTokenException", 400, "The security token included in the request is expired").await;
    check("RequestExpired", 400, "Request has expired").await;
    check("InvalidSignatureException", 400, "The request signature").await;
    check("IncompleteSignatureException", 400, "Authorization header").await;
    check("MissingAuthenticationTokenException", 400, "Request is missing").await;
}

#[tokio::test]
async fn a_fault_is_sent_once() {
    // The SDK would send a LimitExceededException three times (facts 4.1, measured); its retries are off.
    let w = world("UpdateTable#*=LimitExceededException");
    w.table("tab").await;
    assert!(w.create("tab", "idx").send().await.is_err());
    assert_eq!(w.dynamo.calls().unwrap().len(), 2);
}
