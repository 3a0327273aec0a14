//! What an error means: the one table.
//!
//! DynamoDB puts several meanings into one code, so the message decides within it. The texts are those
//! that the service is known to send; a text that nobody has seen yet falls to the last line of its
//! code. What follows from a class is [`crate::retry`]'s business.

use crate::api::{ApiError, Operation};

/// The meaning of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The table is busy with an index, or is changing: wait until it is not, then ask again.
    TableBusy,
    /// A limit on how much goes on at once; it passes.
    TooMuchAtOnce,
    /// A quota that waiting does not change.
    Quota,
    /// Too many requests in too short a time.
    Throttled,
    /// The service failed; the request may have taken effect.
    ServerFault,
    /// No answer; the request may have taken effect.
    NoAnswer,
    /// The service misses attribute definitions.
    AttributeDefinitions,
    /// There is an index of that name: look at it.
    IndexExists,
    /// The table does not exist.
    TableMissing,
    /// Who we are, or what we may do, was refused; or nothing could be sent for want of it.
    Credentials,
    /// The request is wrong and stays wrong.
    Invalid,
    /// Nothing that is known.
    Unknown,
}

impl ErrorClass {
    /// The name for reports: stable, lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TableBusy => "table-busy",
            Self::TooMuchAtOnce => "too-much-at-once",
            Self::Quota => "quota",
            Self::Throttled => "throttled",
            Self::ServerFault => "server-fault",
            Self::NoAnswer => "no-answer",
            Self::AttributeDefinitions => "attribute-definitions",
            Self::IndexExists => "index-exists",
            Self::TableMissing => "table-missing",
            Self::Credentials => "credentials",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the request may have taken effect all the same.
    pub const fn leaves_effect_unknown(self) -> bool {
        matches!(self, Self::ServerFault | Self::NoAnswer)
    }

    /// Whether every other call on the same table would fail alike.
    pub const fn concerns_whole_table(self) -> bool {
        matches!(self, Self::TableMissing | Self::Credentials)
    }
}

/// One line of the table: a code, a text that the message holds (empty: any), and the meaning.
type Row = (&'static str, &'static str, ErrorClass);

/// The first row whose code is equal and whose text is in the message decides.
const TABLE: &[Row] = &[
    ("LimitExceededException", "Only 1 online index", ErrorClass::TableBusy),
    ("LimitExceededException", "Number of global secondary indexes exceeds", ErrorClass::Quota),
    ("LimitExceededException", "per table/index maximum", ErrorClass::Quota),
    ("LimitExceededException", "limit to be exceeded for the account", ErrorClass::Quota),
    ("LimitExceededException", "decreases are limited", ErrorClass::Quota),
    ("LimitExceededException", "Encryption mode changes", ErrorClass::Quota),
    ("LimitExceededException", "", ErrorClass::TooMuchAtOnce),
    ("ResourceInUseException", "", ErrorClass::TableBusy),
    ("ThrottlingException", "", ErrorClass::Throttled),
    ("ThrottledException", "", ErrorClass::Throttled),
    ("ProvisionedThroughputExceededException", "", ErrorClass::Throttled),
    ("RequestLimitExceeded", "", ErrorClass::Throttled),
    ("InternalServerError", "", ErrorClass::ServerFault),
    ("InternalFailure", "", ErrorClass::ServerFault),
    ("ServiceUnavailable", "", ErrorClass::ServerFault),
    ("ServiceUnavailableException", "", ErrorClass::ServerFault),
    ("ValidationException", "already exists", ErrorClass::IndexExists),
    ("ValidationException", "AttributeDefinitions", ErrorClass::AttributeDefinitions),
    ("ValidationException", "attribute definition", ErrorClass::AttributeDefinitions),
    ("ValidationException", "index key attribute have no definition", ErrorClass::AttributeDefinitions),
    ("ValidationException", "", ErrorClass::Invalid),
    ("ResourceNotFoundException", "", ErrorClass::TableMissing),
    ("AccessDeniedException", "", ErrorClass::Credentials),
    ("UnrecognizedClientException", "", ErrorClass::Credentials),
    ("InvalidClientTokenId", "", ErrorClass::Credentials),
    ("InvalidSignatureException", "", ErrorClass::Credentials),
    ("IncompleteSignatureException", "", ErrorClass::Credentials),
    ("IncompleteSignature", "", ErrorClass::Credentials),
    ("MissingAuthenticationTokenException", "", ErrorClass::Credentials),
    ("MissingAuthenticationToken", "", ErrorClass::Credentials),
    ("InvalidEndpointException", "", ErrorClass::Credentials),
    ("OptInRequired", "", ErrorClass::Credentials),
    ("ExpiredTokenException", "", ErrorClass::Credentials),
    ("ExpiredToken", "", ErrorClass::Credentials),
    ("RequestExpired", "", ErrorClass::Credentials),
    ("UnknownOperationException", "", ErrorClass::Invalid),
    ("SerializationException", "", ErrorClass::Invalid),
];

/// What an error means.
///
/// ```
/// use gsi_aws::{ApiError, ErrorClass, Operation, classify};
/// let error = ApiError::Service {
///     operation: Operation::UpdateTable,
///     code: "LimitExceededException".into(),
///     message: "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table".into(),
///     http_status: 400,
/// };
/// assert_eq!(classify(&error), ErrorClass::TableBusy);
/// ```
pub fn classify(error: &ApiError) -> ErrorClass {
    match error {
        ApiError::NoAnswer { .. } => ErrorClass::NoAnswer,
        ApiError::NotSent { .. } => ErrorClass::Credentials,
        ApiError::Service { code, message, http_status, operation } => {
            let row = TABLE.iter().find(|(row_code, text, _)| row_code == code && message.contains(text));
            match row {
                // A read has no definitions to miss and no index to clash with.
                Some((_, _, ErrorClass::AttributeDefinitions | ErrorClass::IndexExists))
                    if *operation == Operation::DescribeTable =>
                {
                    ErrorClass::Invalid
                }
                Some((_, _, class)) => *class,
                None if *http_status >= 500 => ErrorClass::ServerFault,
                None if *http_status == 429 => ErrorClass::Throttled,
                None => ErrorClass::Unknown,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorClass as C, *};

    #[test]
    fn every_known_text_has_its_class() {
        let check = |code: &str, message: &str, http_status: u16, expect: ErrorClass| {
            let error = ApiError::Service {
                operation: Operation::UpdateTable,
                code: code.to_owned(),
                message: message.to_owned(),
                http_status,
            };
            assert_eq!(classify(&error), expect, "{error}");
        };
        let limit = "LimitExceededException";
        check(
            limit,
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
            400,
            C::TableBusy,
        );
        check(
            limit,
            "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
            400,
            C::Quota,
        );
        check(limit, "Too many operations for a given subscriber", 400, C::TooMuchAtOnce);
        check(limit, "Only 5 tables with online indexes can be created simultaneously", 400, C::TooMuchAtOnce);
        check(
            "ResourceInUseException",
            "Attempt to change a resource which is still in use: Table is being updated: t",
            400,
            C::TableBusy,
        );
        check("ThrottlingException", "Rate exceeded", 400, C::Throttled);
        check("ProvisionedThroughputExceededException", "", 400, C::Throttled);
        check("SomethingNew", "slow down", 429, C::Throttled);
        check("InternalServerError", "", 500, C::ServerFault);
        check("SomethingNew", "", 503, C::ServerFault);
        check("ValidationException", "Attempting to create an index which already exists", 400, C::IndexExists);
        check(
            "ValidationException",
            "One or more parameter values were invalid: AttributeDefinitions is not specified for index: gsi3",
            400,
            C::AttributeDefinitions,
        );
        check("ValidationException", "One or more parameter values were invalid: Unknown KeyType", 400, C::Invalid);
        check("ResourceNotFoundException", "Requested resource not found: Table: t not found", 400, C::TableMissing);
        check(
            "AccessDeniedException",
            "User: x is not authorized to perform: dynamodb:UpdateTable",
            400,
            C::Credentials,
        );
        check(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            400,
            C::Credentials,
        );
        check("ExpiredTokenException", "The security token included in the request is expired", 400, C::Credentials);
        check("SomethingNew", "what", 400, C::Unknown);
    }

    #[test]
    fn silence_is_told_apart_from_refusal() {
        let operation = Operation::UpdateTable;
        assert_eq!(classify(&ApiError::NoAnswer { operation, detail: String::new() }), ErrorClass::NoAnswer);
        assert_eq!(classify(&ApiError::NotSent { operation, detail: String::new() }), ErrorClass::Credentials);
    }
}
