//! The only file that knows dynoxide: one open engine, its requests, and one transaction around them.
//!
//! # One transaction
//!
//! The engine opens and commits transactions of its own. What we keep beside it — phases, ledger —
//! must appear together with its effect or not at all, whatever moment the process dies. SQLite has
//! no nested `BEGIN`, so while [`Engine::inside`] runs, an authorizer makes the engine's own `BEGIN`,
//! `COMMIT` and `ROLLBACK` compile to nothing, and the transaction that we opened spans everything.
//!
//! # The engine's cache
//!
//! It caches table metadata and never looks again. A counter in the file, raised with every change
//! of a table, tells us that another process changed one; [`crate::service`] then opens a fresh engine.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, UNIX_EPOCH},
};

use dynoxide::{
    DynoxideError,
    actions::{
        batch_get_item, batch_write_item, create_table, delete_item, delete_table, describe_table, get_item,
        list_tables, put_item, query, scan, update_item, update_table, vector_lifecycle::VectorIndexLifecycle,
    },
    storage::Storage,
};
use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{answer::Refusal, embedded::Clock};

/// How long a request waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The operations that the engine is asked for, with whether they write.
pub(crate) const OPERATIONS: &[(&str, bool)] = &[
    ("CreateTable", true),
    ("DescribeTable", false),
    ("ListTables", false),
    ("UpdateTable", true),
    ("DeleteTable", true),
    ("PutItem", true),
    ("GetItem", false),
    ("UpdateItem", true),
    ("DeleteItem", true),
    ("Query", false),
    ("Scan", false),
    ("BatchGetItem", false),
    ("BatchWriteItem", true),
    ("DescribeLimits", false),
];

/// The service's default quotas; nothing here enforces them.
const LIMITS: &str = r#"{"AccountMaxReadCapacityUnits":80000,"AccountMaxWriteCapacityUnits":80000,"TableMaxReadCapacityUnits":40000,"TableMaxWriteCapacityUnits":40000}"#;

/// What the rules need to know of a table.
#[derive(Debug)]
pub(crate) struct TableFacts {
    /// `BillingMode` is `PAY_PER_REQUEST`.
    pub(crate) on_demand: bool,
    /// `DeletionProtectionEnabled`.
    pub(crate) protected: bool,
    /// `AttributeDefinitions` as JSON.
    pub(crate) attributes: serde_json::Value,
    /// `GlobalSecondaryIndexes` as JSON, in the order of creation.
    pub(crate) indexes: Vec<serde_json::Value>,
}

/// Fails an open with the engine's own words or SQLite's code.
pub(crate) type OpenFailure = DynoxideError;

pub(crate) struct Engine {
    storage: Storage,
    vectors: VectorIndexLifecycle,
    /// While set, transaction statements compile to nothing.
    masked: Arc<AtomicBool>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the engine on `path`, or in memory.
    pub(crate) fn open(path: Option<&str>, clock: &Clock) -> Result<Self, OpenFailure> {
        let storage = match path {
            Some(path) => Storage::new(path)?,
            None => Storage::memory()?,
        };
        let storage = storage.with_clock(Arc::new(EngineClock(Arc::clone(clock))));
        storage.conn().busy_timeout(BUSY_TIMEOUT)?;
        // A killed process loses nothing that it handed to the kernel; only power loss would.
        storage.conn().pragma_update(None, "synchronous", "OFF")?;
        storage.conn().set_prepared_statement_cache_capacity(64);
        let masked = Arc::new(AtomicBool::new(false));
        let mask = Arc::clone(&masked);
        storage.conn().authorizer(Some(move |context: AuthContext<'_>| match context.action {
            AuthAction::Transaction { .. } if mask.load(Ordering::Relaxed) => Authorization::Ignore,
            _ => Authorization::Allow,
        }));
        Ok(Engine { storage, vectors: VectorIndexLifecycle::new(), masked })
    }

    /// The engine's connection, for our own tables in the same database.
    pub(crate) fn connection(&self) -> &Connection {
        self.storage.conn()
    }

    /// Runs one operation of [`OPERATIONS`] within the transaction that the caller holds.
    pub(crate) fn inside(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let _mask = Mask::set(&self.masked);
        self.dispatch(operation, body)
    }

    fn dispatch(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (s, v) = (&self.storage, &self.vectors);
        match operation {
            "CreateTable" => run(operation, body, |r| create_table::execute(s, r)),
            "DescribeTable" => run(operation, body, |r| describe_table::execute(s, r, v)),
            "ListTables" => run(operation, body, |r| list_tables::execute(s, r)),
            "UpdateTable" => run(operation, body, |r| update_table::execute(s, r, v)),
            "DeleteTable" => run(operation, body, |r| delete_table::execute(s, r, v)),
            "PutItem" => run(operation, body, |r| put_item::execute(s, r)),
            "GetItem" => run(operation, body, |r| get_item::execute(s, r)),
            "UpdateItem" => run(operation, body, |r| update_item::execute(s, r)),
            "DeleteItem" => run(operation, body, |r| delete_item::execute(s, r)),
            "Query" => run(operation, body, |r| query::execute(s, r)),
            "Scan" => run(operation, body, |r| scan::execute(s, r)),
            "BatchGetItem" => run(operation, body, |r| batch_get_item::execute(s, r)),
            "BatchWriteItem" => run(operation, body, |r| batch_write_item::execute(s, r)),
            "DescribeLimits" => Ok(LIMITS.as_bytes().to_vec()),
            _ => Err(Refusal::unknown_operation()),
        }
    }

    /// What the rules need to know of a table; `None` when it does not exist.
    pub(crate) fn table(&self, name: &str) -> Result<Option<TableFacts>, Refusal> {
        let metadata = self.storage.get_table_metadata(name).map_err(|e| refusal("", &e))?;
        let Some(metadata) = metadata else {
            return Ok(None);
        };
        let parse = |text: &str| serde_json::from_str(text).map_err(|e| Refusal::internal(&e));
        let indexes = metadata
            .gsi_definitions
            .as_deref()
            .map_or(Ok(Vec::new()), |text| serde_json::from_str(text).map_err(|e| Refusal::internal(&e)))?;
        Ok(Some(TableFacts {
            on_demand: metadata.billing_mode.as_deref() == Some("PAY_PER_REQUEST"),
            protected: metadata.deletion_protection_enabled,
            attributes: parse(&metadata.attribute_definitions)?,
            indexes,
        }))
    }
}

/// The SQLite table in which the engine keeps the rows of an index.
pub(crate) fn index_rows_table(table: &str, index: &str) -> String {
    format!("{table}::gsi::{index}")
}

/// Whether a database with these tables is one of the engine's.
pub(crate) fn is_engine_schema(has_table: impl Fn(&str) -> bool) -> bool {
    has_table("_tables") && has_table("_config")
}

/// Whether an open failed because the file is no database, or a damaged one.
pub(crate) fn failure_code(failure: &OpenFailure) -> Option<rusqlite::ErrorCode> {
    match failure {
        DynoxideError::SqliteError(error) => error.sqlite_error_code(),
        _ => None,
    }
}

/// Keeps the engine's transaction statements from taking effect for as long as it lives.
struct Mask<'a>(&'a AtomicBool);

impl<'a> Mask<'a> {
    fn set(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Relaxed);
        Mask(flag)
    }
}

impl Drop for Mask<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn run<Q, R, F>(operation: &str, body: &[u8], call: impl FnOnce(Q) -> F) -> Result<Vec<u8>, Refusal>
where
    Q: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, DynoxideError>>,
{
    let request = serde_json::from_slice(body).map_err(|e| unreadable(operation, &e.to_string()))?;
    let answer = finish(call(request)).map_err(|e| refusal(operation, &e))?;
    serde_json::to_vec(&answer).map_err(|e| Refusal::internal(&e))
}

/// Drives a future of the engine, which on SQLite never suspends.
fn finish<T>(future: impl Future<Output = Result<T, DynoxideError>>) -> Result<T, DynoxideError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(DynoxideError::InternalServerError("the engine suspended".to_owned())),
    }
}

fn refusal(operation: &str, error: &DynoxideError) -> Refusal {
    // The tagged class carries an envelope on these three operations only.
    if let (DynoxideError::EnvelopedValidation(text), "PutItem" | "UpdateItem" | "DeleteItem") = (error, operation) {
        return Refusal::validation(&format!("1 validation error detected: {text}"));
    }
    let code = error.error_type();
    Refusal {
        status: error.status_code(),
        code: code.rsplit('#').next().unwrap_or(code).to_owned(),
        body: error.to_json().into_bytes(),
    }
}

/// Turns the engine's serde messages into the service's refusals.
///
/// Its request types mark the class of an error with a prefix; SDK requests are well formed, so
/// only the marked classes and missing members can arrive here.
fn unreadable(operation: &str, message: &str) -> Refusal {
    let text = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    let marked = |marker: &str| text.strip_prefix(marker);
    if let Some(text) = marked("VALIDATION:").or_else(|| marked("VALIDATION_AS_READ:")) {
        return Refusal::validation(text);
    }
    if let Some(text) = marked("VALIDATION_REQUEST:") {
        return refusal(operation, &DynoxideError::EnvelopedValidation(text.to_owned()));
    }
    if let Some(text) = marked("SERIALIZATION:").or_else(|| marked("SERIALIZATION_AS_READ:")) {
        return refusal(operation, &DynoxideError::SerializationException(text.to_owned()));
    }
    if text.contains("missing field") || text.contains("unknown variant") || text.contains("invalid type: null") {
        return Refusal::validation(text);
    }
    refusal(operation, &DynoxideError::SerializationException(text.to_owned()))
}

/// Our clock in the engine's clothes (streams, expiry).
struct EngineClock(Clock);

impl EngineClock {
    fn since_epoch(&self) -> Duration {
        (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        self.since_epoch().as_secs()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.since_epoch().as_secs_f64()
    }
}
