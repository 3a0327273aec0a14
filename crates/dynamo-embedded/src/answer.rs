//! Answers of the service that are errors: codes, HTTP statuses, wire types and texts.
//!
//! One table, used by the rules of the life cycle and by scripted faults. The texts are the
//! service's own (facts §3, §4; the validation catalogue of \[Q442\]).

use serde_json::json;

const DYNAMO: &str = "com.amazonaws.dynamodb.v20120810#";
const VALIDATE: &str = "com.amazon.coral.validate#";
const SERVICE: &str = "com.amazon.coral.service#";
const AVAILABILITY: &str = "com.amazon.coral.availability#";

/// The refusal of a second online index operation on a table \[Q159\].
pub(crate) const ONE_ONLINE_INDEX: &str = "Subscriber limit exceeded: Only 1 online index can be created or deleted \
     simultaneously per table";

/// One error of the service: code, namespace of `__type`, HTTP status, default text.
///
/// `{operation}` and `{table}` in a text stand for those of the refused request.
struct Kind {
    code: &'static str,
    namespace: &'static str,
    status: u16,
    text: &'static str,
}

const fn kind(code: &'static str, namespace: &'static str, status: u16, text: &'static str) -> Kind {
    Kind { code, namespace, status, text }
}

const KINDS: &[Kind] = &[
    kind(
        "ThrottlingException",
        AVAILABILITY,
        400,
        "The rate of control plane requests made by this account is too high",
    ),
    kind(
        "ProvisionedThroughputExceededException",
        DYNAMO,
        400,
        "The level of configured provisioned throughput for the table was exceeded. Consider \
         increasing your provisioning level with the UpdateTable API.",
    ),
    kind("RequestLimitExceeded", DYNAMO, 400, "Throughput exceeds the current throughput limit for your account."),
    kind("InternalServerError", DYNAMO, 500, "Internal server error"),
    kind("ServiceUnavailable", AVAILABILITY, 503, "Service is temporarily unavailable. Please try again."),
    kind("LimitExceededException", DYNAMO, 400, ONE_ONLINE_INDEX),
    kind(
        "ResourceInUseException",
        DYNAMO,
        400,
        "Attempt to change a resource which is still in use: Table is being updated: {table}",
    ),
    kind("ResourceNotFoundException", DYNAMO, 400, "Requested resource not found: Table: {table} not found"),
    kind("ValidationException", VALIDATE, 400, "One or more parameter values were invalid"),
    kind(
        "AccessDeniedException",
        SERVICE,
        400,
        "User: arn:aws:iam::000000000000:user/embedded is not authorized to perform: \
         dynamodb:{operation} on resource: arn:aws:dynamodb:local:000000000000:table/{table} \
         because no identity-based policy allows the dynamodb:{operation} action",
    ),
    kind("UnrecognizedClientException", SERVICE, 400, "The security token included in the request is invalid."),
    kind("ExpiredTokenException", SERVICE, 400, "The security token included in the request is expired"),
    kind("RequestExpired", SERVICE, 400, "Request has expired."),
    kind(
        "InvalidSignatureException",
        SERVICE,
        400,
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.",
    ),
    kind("IncompleteSignatureException", SERVICE, 400, "Authorization header requires 'Signature' parameter."),
    kind("MissingAuthenticationTokenException", SERVICE, 400, "Request is missing Authentication Token"),
];

/// The codes that a fault plan may name, in the order of the table.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.code)
}

/// A request that the service refuses: nothing took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The code without namespace, as SDKs report it.
    pub(crate) code: String,
    /// The JSON body.
    pub(crate) body: Vec<u8>,
}

impl Refusal {
    /// Builds the answer for `code` of the table; an unknown code counts as `InternalServerError`.
    pub(crate) fn new(code: &str, text: &str) -> Self {
        let kind = find(code).unwrap_or(&INTERNAL);
        Refusal {
            status: kind.status,
            code: kind.code.to_owned(),
            body: json!({"__type": format!("{}{}", kind.namespace, kind.code), "message": text})
                .to_string()
                .into_bytes(),
        }
    }

    /// Builds the answer for `code` with the service's usual text.
    pub(crate) fn usual(code: &str, operation: &str, table: Option<&str>) -> Self {
        let text = find(code)
            .map_or("", |kind| kind.text)
            .replace("{operation}", operation)
            .replace("{table}", table.unwrap_or("*"));
        Refusal::new(code, &text)
    }

    pub(crate) fn validation(text: &str) -> Self {
        Refusal::new("ValidationException", text)
    }

    /// A validation error with the prefix that most of them carry.
    pub(crate) fn invalid(text: &str) -> Self {
        Refusal::validation(&format!("One or more parameter values were invalid: {text}"))
    }

    pub(crate) fn limit(text: &str) -> Self {
        Refusal::new("LimitExceededException", text)
    }

    pub(crate) fn in_use(text: &str) -> Self {
        Refusal::new("ResourceInUseException", &format!("Attempt to change a resource which is still in use: {text}"))
    }

    pub(crate) fn not_found(text: &str) -> Self {
        Refusal::new("ResourceNotFoundException", &format!("Requested resource not found: {text}"))
    }

    /// Something broke in here; the service would call it a server error too.
    pub(crate) fn internal(cause: &impl std::fmt::Display) -> Self {
        Refusal::new("InternalServerError", &format!("embedded database: {cause}"))
    }

    pub(crate) fn unknown_operation() -> Self {
        Refusal {
            status: 400,
            code: "UnknownOperationException".to_owned(),
            body: br#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#.to_vec(),
        }
    }

    pub(crate) fn unreadable() -> Self {
        Refusal {
            status: 400,
            code: "SerializationException".to_owned(),
            body: br#"{"__type":"com.amazon.coral.service#SerializationException"}"#.to_vec(),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Refusal::internal(&error)
    }
}

const INTERNAL: Kind = kind("InternalServerError", DYNAMO, 500, "Internal server error");

fn find(code: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}
