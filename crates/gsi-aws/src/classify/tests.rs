//! Every code and text family of the table of errors (facts on DynamoDB, section 4.1) has its class.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{ErrorClass as C, *};

fn class_of(operation: Operation, code: &str, message: &str, http_status: u16) -> ErrorClass {
    classify(&ApiError::Service { operation, code: code.to_owned(), message: message.to_owned(), http_status })
}

/// Row by row what the facts page on DynamoDB has in section 4.1, and its text families.
#[test]
fn every_known_text_has_its_class() {
    let check = |code: &str, message: &str, expect: ErrorClass| {
        assert_eq!(class_of(Operation::UpdateTable, code, message, 400), expect, "{code}: {message}");
    };
    let limit = "LimitExceededException";
    check(
        limit,
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        C::TableBusy,
    );
    check(
        limit,
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
        C::Quota,
    );
    check(limit, "Provisioned throughput is above the per table/index maximum", C::Quota);
    check(limit, "The update would cause the limit to be exceeded for the account", C::Quota);
    check(
        limit,
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day",
        C::Quota,
    );
    check(limit, "Subscriber limit exceeded: Encryption mode changes are limited within a given UTC day", C::Quota);
    check(limit, "Too many operations for a given subscriber", C::TooMuchAtOnce);
    check(limit, "Only 5 tables with online indexes can be created simultaneously", C::TooMuchAtOnce);
    check(limit, "Only 10 tables can be created, updated, or deleted simultaneously", C::TooMuchAtOnce);
    let in_use = "ResourceInUseException";
    check(in_use, "Attempt to change a resource which is still in use: Table is being updated: t", C::TableBusy);
    check(in_use, "Attempt to change a resource which is still in use: Index is being created.", C::TableBusy);
    check(in_use, "The resource which you are attempting to change is in use.", C::TableBusy);
    check(in_use, "Table already exists: t", C::Invalid);
    check("ThrottlingException", "Rate exceeded", C::Throttled);
    check("ThrottlingException", "The rate of control plane requests made by this account is too high", C::Throttled);
    check("ThrottlingException", "Too many requests. Please try again after 1795240804", C::Throttled);
    check("ProvisionedThroughputExceededException", "", C::Throttled);
    check("RequestLimitExceeded", "Throughput exceeds the current throughput limit for your account.", C::Throttled);
    let validation = "ValidationException";
    check(validation, "Attempting to create an index which already exists", C::IndexExists);
    check(validation, "Cannot read from backfilling global secondary index: aaa", C::IndexNotReady);
    check(
        validation,
        "One or more parameter values were invalid: AttributeDefinitions is not specified for index: gsi3",
        C::AttributeDefinitions,
    );
    check(validation, "Invalid KeySchema: Some index key attribute have no definition", C::AttributeDefinitions);
    check(validation, "One or more parameter values were invalid: Unknown KeyType", C::Invalid);
    check(
        validation,
        "One or more parameter values were invalid: Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: x",
        C::Invalid,
    );
    let not_found = "ResourceNotFoundException";
    check(not_found, "Requested resource not found: Table: t not found", C::TableMissing);
    check(not_found, "Requested resource not found: Table: Index not found", C::TableMissing);
    check(not_found, "Requested resource not found: Index aaa for table t", C::IndexMissing);
    check(not_found, "Requested resource not found", C::TableMissing);
    check("AccessDeniedException", "User: x is not authorized to perform: dynamodb:UpdateTable", C::Credentials);
    check("UnrecognizedClientException", "The security token included in the request is invalid.", C::Credentials);
    check("InvalidSignatureException", "Signature expired: 20261121T060000Z is now earlier than", C::Credentials);
    check("IncompleteSignatureException", "Authorization header requires 'Signature' parameter.", C::Credentials);
    check("MissingAuthenticationTokenException", "Request is missing Authentication Token", C::Credentials);
    check("InvalidEndpointException", "", C::Credentials);
    check("ExpiredTokenException", "The security token included in the request is expired", C::Credentials);
    check("RequestExpired", "Request has expired.", C::Credentials);
    check("SomethingNew", "what", C::Unknown);
}

#[test]
fn faults_of_the_service_are_told_by_their_status_and_text() {
    let check = |code: &str, message: &str, http_status: u16, expect: ErrorClass| {
        assert_eq!(class_of(Operation::UpdateTable, code, message, http_status), expect, "{code}: {message}");
    };
    check("InternalServerError", "Internal server error", 500, C::ServerFault);
    check("ServiceUnavailable", "Service is temporarily unavailable. Please try again.", 503, C::ServerFault);
    check("ServiceUnavailable", "", 503, C::ServerFault); // a load balancer says nothing
    check("SomethingNew", "", 503, C::ServerFault);
    check("SomethingNew", "slow down", 429, C::Throttled);
    // These come again.
    check("InternalServerError", "", 500, C::LastingFault);
    check("InternalServerError", "no message", 500, C::LastingFault);
    check("InternalServerError", "The table is under system maintenance", 500, C::LastingFault);
}

#[test]
fn a_read_has_no_definitions_to_miss() {
    for operation in [Operation::DescribeTable, Operation::Query] {
        let class = class_of(operation, "ValidationException", "AttributeDefinitions is not specified", 400);
        assert_eq!(class, C::Invalid);
    }
}

#[test]
fn silence_is_told_apart_from_refusal() {
    let operation = Operation::UpdateTable;
    assert_eq!(classify(&ApiError::NoAnswer { operation, detail: "timeout".to_owned() }), C::NoAnswer);
    assert_eq!(classify(&ApiError::NotSent { operation, detail: String::new() }), C::Credentials);
    let detail = "dispatch failure: io error: client error (Connect): dns error: failed to lookup address information: \
                  Name or service not known";
    assert_eq!(classify(&ApiError::NoAnswer { operation, detail: detail.to_owned() }), C::HostNotFound);
}
