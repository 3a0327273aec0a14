//! The port: what this crate asks of DynamoDB, in plain types.
//!
//! The adapter for the AWS SDK is [`crate::sdk`]; tests may bring their own.

use async_trait::async_trait;

use crate::{
    describe::TableDescription,
    spec::{AttributeTypes, IndexSpec, OnDemandThroughput},
};

/// The calls of DynamoDB's control plane that creating and deleting indexes takes.
///
/// Promises of every implementation:
///
/// 1. One call here is at most one request there: retrying is the caller's business, which needs to
///    know how often and when.
/// 2. An error says whether the service refused the request (then nothing happened), or did not answer
///    (then the request may have taken effect).
/// 3. A table that does not exist is an error, never an empty answer.
#[async_trait]
pub trait IndexApi: Send + Sync {
    /// What the service says of a table (`DescribeTable`). The answer may lag behind the last change.
    async fn describe_table(&self, table: &str) -> Result<TableDescription, ApiError>;

    /// Asks for an index (`UpdateTable` with one `Create`). `Ok` means that the service has begun.
    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError>;

    /// Asks for the end of an index (`UpdateTable` with one `Delete`). `Ok` means that the service has begun.
    async fn delete_index(&self, table: &str, index: &str) -> Result<(), ApiError>;
}

/// A request for one index.
#[derive(Debug, Clone)]
pub struct CreateIndex<'a> {
    /// What is wanted.
    pub spec: &'a IndexSpec,
    /// Reserved read and write units: only, and always, for a table that is PROVISIONED.
    pub throughput: Option<(i64, i64)>,
    /// A ceiling: only for an on-demand table.
    pub on_demand: Option<OnDemandThroughput>,
    /// The attribute definitions to send: at least those of the index's keys.
    pub attributes: AttributeTypes,
}

/// Which call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reading the state of a table.
    DescribeTable,
    /// Asking for an index, or for its end.
    UpdateTable,
    /// Reading an index.
    Query,
    /// Reading a table's items.
    Scan,
    /// Reading one item.
    GetItem,
    /// Reading a metric of CloudWatch.
    GetMetricStatistics,
}

impl Operation {
    /// DynamoDB's name of the call.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DescribeTable => "DescribeTable",
            Self::UpdateTable => "UpdateTable",
            Self::Query => "Query",
            Self::Scan => "Scan",
            Self::GetItem => "GetItem",
            Self::GetMetricStatistics => "GetMetricStatistics",
        }
    }
}

/// A call that did not succeed. Displayed as `Code: message`, the way it is kept in the state file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The service answered with an error; nothing happened.
    #[error("{code}: {message}")]
    Service {
        /// Which call.
        operation: Operation,
        /// The error code, without its namespace: `LimitExceededException`.
        code: String,
        /// The service's words.
        message: String,
        /// The HTTP status; 500 and above mean that the service itself failed.
        http_status: u16,
    },
    /// No answer came: a timeout, a cut connection, an answer that is not DynamoDB's. The request may
    /// have taken effect.
    #[error("no answer to {}: {detail}", operation.as_str())]
    NoAnswer {
        /// Which call.
        operation: Operation,
        /// What happened, with its causes.
        detail: String,
    },
    /// The request was never sent: no credentials, no region, a bad endpoint.
    #[error("{} was not sent: {detail}", operation.as_str())]
    NotSent {
        /// Which call.
        operation: Operation,
        /// Why, with its causes.
        detail: String,
    },
}

impl ApiError {
    /// Which call failed.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Service { operation, .. } | Self::NoAnswer { operation, .. } | Self::NotSent { operation, .. } => {
                *operation
            }
        }
    }
}
