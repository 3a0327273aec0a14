//! What an error means: the one table.
//!
//! DynamoDB puts several meanings into one code, so the message decides within it. The texts are those
//! that the service is known to send; a text that nobody has seen yet falls to the last line of its
//! code. What follows from a class is [`RetryPolicy`](crate::RetryPolicy)'s business.

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
    /// The service failed in a way in which it fails again: the first try is not known to be without
    /// effect, but a third one is not worth the wait.
    LastingFault,
    /// No answer; the request may have taken effect.
    NoAnswer,
    /// The service misses attribute definitions.
    AttributeDefinitions,
    /// There is an index of that name: look at it.
    IndexExists,
    /// The index is not ACTIVE yet, so it cannot be read: wait.
    IndexNotReady,
    /// The table has no such index; what was to be deleted is gone.
    IndexMissing,
    /// The table does not exist.
    TableMissing,
    /// Who we are, or what we may do, was refused; or nothing could be sent for want of it.
    Credentials,
    /// The service's name is unknown: a region that does not exist, or a network that is down. Nothing was sent.
    HostNotFound,
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
            Self::LastingFault => "lasting-fault",
            Self::NoAnswer => "no-answer",
            Self::AttributeDefinitions => "attribute-definitions",
            Self::IndexExists => "index-exists",
            Self::IndexNotReady => "index-not-ready",
            Self::IndexMissing => "index-missing",
            Self::TableMissing => "table-missing",
            Self::Credentials => "credentials",
            Self::HostNotFound => "host-not-found",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the request may have taken effect all the same.
    pub const fn leaves_effect_unknown(self) -> bool {
        matches!(self, Self::ServerFault | Self::LastingFault | Self::NoAnswer)
    }

    /// Whether every other call on the same table would fail alike.
    pub const fn concerns_whole_table(self) -> bool {
        matches!(self, Self::TableMissing) || self.concerns_whole_run()
    }

    /// Whether every other call of the run would fail alike.
    pub const fn concerns_whole_run(self) -> bool {
        matches!(self, Self::Credentials | Self::HostNotFound)
    }

    /// Whether the cause goes away by itself, so that another attempt makes sense.
    pub const fn passes(self) -> bool {
        match self {
            Self::TableBusy
            | Self::TooMuchAtOnce
            | Self::Throttled
            | Self::ServerFault
            | Self::LastingFault
            | Self::NoAnswer
            | Self::IndexExists
            | Self::IndexNotReady
            | Self::Unknown => true,
            Self::Quota
            | Self::AttributeDefinitions
            | Self::IndexMissing
            | Self::TableMissing
            | Self::Credentials
            | Self::HostNotFound
            | Self::Invalid => false,
        }
    }
}

/// Which messages a line of the table is about.
#[derive(Debug, Clone, Copy)]
enum Text {
    /// Every message.
    Any,
    /// One that holds these words.
    Has(&'static str),
    /// None at all.
    Empty,
}

impl Text {
    fn fits(self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Has(words) => message.contains(words),
            // The adapter says "no message" where the service said nothing.
            Self::Empty => matches!(message.trim(), "" | "no message" | "null"),
        }
    }
}

use ErrorClass as C;
use Text::{Any, Empty, Has};

/// Codes, messages and meanings: the first row that fits decides (facts on DynamoDB, section 4.1).
const TABLE: &[(&str, Text, ErrorClass)] = &[
    ("LimitExceededException", Has("Only 1 online index"), C::TableBusy),
    ("LimitExceededException", Has("Number of global secondary indexes exceeds"), C::Quota),
    ("LimitExceededException", Has("per table/index maximum"), C::Quota),
    ("LimitExceededException", Has("limit to be exceeded for the account"), C::Quota),
    // The day, or the hour, has a limit: it passes, but not within a run.
    ("LimitExceededException", Has("decreases are limited"), C::Quota),
    ("LimitExceededException", Has("Encryption mode changes"), C::Quota),
    ("LimitExceededException", Any, C::TooMuchAtOnce),
    ("ResourceInUseException", Has("Table already exists"), C::Invalid),
    // Forty texts and more, among them those of global tables: all of them are about a state that passes.
    ("ResourceInUseException", Any, C::TableBusy),
    ("ThrottlingException", Any, C::Throttled),
    ("ThrottledException", Any, C::Throttled),
    ("Throttling", Any, C::Throttled),
    ("ProvisionedThroughputExceededException", Any, C::Throttled),
    ("ProvisionedThroughputExceeded", Any, C::Throttled),
    ("RequestLimitExceeded", Any, C::Throttled),
    ("RequestThrottled", Any, C::Throttled),
    ("RequestThrottledException", Any, C::Throttled),
    ("TooManyRequestsException", Any, C::Throttled),
    ("SlowDown", Any, C::Throttled),
    ("InternalServerError", Has("system maintenance"), C::LastingFault),
    ("InternalServerError", Empty, C::LastingFault),
    ("InternalServerError", Any, C::ServerFault),
    ("InternalFailure", Has("system maintenance"), C::LastingFault),
    ("InternalFailure", Empty, C::LastingFault),
    ("InternalFailure", Any, C::ServerFault),
    ("ServiceUnavailable", Any, C::ServerFault),
    ("ServiceUnavailableException", Any, C::ServerFault),
    ("ValidationException", Has("Cannot read from backfilling"), C::IndexNotReady),
    ("ValidationException", Has("already exists"), C::IndexExists),
    ("ValidationException", Has("AttributeDefinitions"), C::AttributeDefinitions),
    ("ValidationException", Has("attribute definition"), C::AttributeDefinitions),
    ("ValidationException", Has("index key attribute have no definition"), C::AttributeDefinitions),
    // Some 360 other texts.
    ("ValidationException", Any, C::Invalid),
    ("ResourceNotFoundException", Has("Table: "), C::TableMissing),
    ("ResourceNotFoundException", Has("Index"), C::IndexMissing),
    ("ResourceNotFoundException", Any, C::TableMissing),
    ("AccessDeniedException", Any, C::Credentials),
    ("AccessDenied", Any, C::Credentials),
    ("UnrecognizedClientException", Any, C::Credentials),
    ("InvalidClientTokenId", Any, C::Credentials),
    ("InvalidSignatureException", Any, C::Credentials),
    ("SignatureDoesNotMatch", Any, C::Credentials),
    ("IncompleteSignatureException", Any, C::Credentials),
    ("IncompleteSignature", Any, C::Credentials),
    ("MissingAuthenticationTokenException", Any, C::Credentials),
    ("MissingAuthenticationToken", Any, C::Credentials),
    ("InvalidEndpointException", Any, C::Credentials),
    ("InvalidEndpoint", Any, C::Credentials),
    ("OptInRequired", Any, C::Credentials),
    ("ExpiredTokenException", Any, C::Credentials),
    ("ExpiredToken", Any, C::Credentials),
    ("RequestExpired", Any, C::Credentials),
    ("RequestTimeTooSkewed", Any, C::Credentials),
    ("UnknownOperationException", Any, C::Invalid),
    ("SerializationException", Any, C::Invalid),
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
        ApiError::NoAnswer { detail, .. } if is_unknown_host(detail) => ErrorClass::HostNotFound,
        ApiError::NoAnswer { .. } => ErrorClass::NoAnswer,
        ApiError::NotSent { .. } => ErrorClass::Credentials,
        ApiError::Service { code, message, http_status, operation } => {
            let row = TABLE.iter().find(|(row_code, text, _)| row_code == code && text.fits(message));
            match row {
                // A read has no definitions to miss and no index to clash with.
                Some((_, _, ErrorClass::AttributeDefinitions | ErrorClass::IndexExists))
                    if *operation != Operation::UpdateTable =>
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

/// Whether the name of the service led nowhere, as the HTTP client says it.
fn is_unknown_host(detail: &str) -> bool {
    detail.contains("dns error") || detail.contains("failed to lookup address")
}

#[cfg(test)]
mod tests;
