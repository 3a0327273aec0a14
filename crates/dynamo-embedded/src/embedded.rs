//! The handle: opens a database, hands out SDK clients, reads the ledger.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{
    calls::Call,
    connector::InProcess,
    engine,
    error::EmbeddedError,
    faults::{FaultPlan, Faults},
    seed::Seed,
    service::{self, Service},
    store,
    times::Times,
};

/// Tells the time; every instant that the database stores or compares comes from it.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Files up to this size are checked for damage when they are opened (about 10 ms at most); in
/// larger ones damage shows as an `InternalServerError` of the request that meets it.
const CHECKED_BYTES_MAX: u64 = 8 << 20;

/// How long opening waits for another process.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// A DynamoDB in this process.
///
/// Cloning is cheap; all clones are the same database. See the [crate documentation](crate) for
/// what it does as the real service does, and what it does not.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dynamo = dynamo_embedded::EmbeddedDynamo::builder().open()?;
/// let tables = dynamo.client().list_tables().send().await?;
/// assert!(tables.table_names().is_empty());
/// assert_eq!(dynamo.calls()?[0].to_string(), "1 ListTables ok");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct EmbeddedDynamo {
    service: Arc<Service>,
    /// For errors.
    path: PathBuf,
}

impl EmbeddedDynamo {
    /// Starts with a database in memory, [`Times::default`], the system's clock and no faults.
    pub fn builder() -> Builder {
        #[expect(clippy::disallowed_methods, reason = "the default that `Builder::clock` replaces")]
        let clock: Clock = Arc::new(SystemTime::now);
        Builder { path: None, times: Times::default(), clock, faults: FaultPlan::none() }
    }

    /// The HTTP client that answers from this database, for an SDK configuration of your own.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess(Arc::clone(&self.service)))
    }

    /// An SDK configuration for this database: its HTTP client, dummy credentials, region `local`,
    /// retries off.
    pub fn config(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .credentials_provider(Credentials::new("embedded", "embedded", None, None, "dynamo-embedded"))
            .endpoint_url("http://dynamo.embedded.invalid")
            .http_client(self.http_client())
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
    }

    /// An SDK client with [`config`](Self::config).
    pub fn client(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(self.config().build())
    }

    /// Takes a table, there or yet to be made, for one of another size and other times, in the eyes of
    /// this handle and its clones.
    pub fn seed(&self, table: impl Into<String>, seed: Seed) {
        self.service.seed(table.into(), seed);
    }

    /// Replaces what goes wrong; its calls are counted from here on.
    pub fn set_faults(&self, faults: FaultPlan) {
        self.service.set_faults(Faults::new(faults));
    }

    /// When the table's description next changes without anybody's doing: an index enters its next phase.
    /// `None`: not before somebody asks for something.
    ///
    /// # Errors
    ///
    /// If SQLite cannot read it.
    pub fn next_change(&self, table: &str) -> Result<Option<SystemTime>, EmbeddedError> {
        self.service.next_change(table).map_err(|source| self.unreadable(source))
    }

    /// Counts, for the fault plan alone, a `DescribeTable` that the caller answers by itself, since nothing
    /// has changed since the last one. `false`: the plan has something in store for this call, so it is not
    /// counted and must be made.
    ///
    /// With [`next_change`](Self::next_change), this spares a rehearsal most of its cost: polling.
    pub fn pass_unchanged_look(&self, table: &str) -> bool {
        self.service.pass("DescribeTable", table)
    }

    /// Each rule of the fault plan, in its order, and how many calls it struck: a rule with none did not
    /// fit any call.
    pub fn strikes(&self) -> Vec<(String, u64)> {
        self.service.strikes()
    }

    /// The ledger: every call of every process that used this database, in the order of commit.
    ///
    /// # Errors
    ///
    /// If SQLite cannot read it.
    pub fn calls(&self) -> Result<Vec<Call>, EmbeddedError> {
        self.service.calls().map_err(|source| self.unreadable(source))
    }

    fn unreadable(&self, source: rusqlite::Error) -> EmbeddedError {
        EmbeddedError::Ledger { path: self.path.clone(), source: Box::new(source) }
    }
}

/// Opens an [`EmbeddedDynamo`].
#[must_use]
pub struct Builder {
    path: Option<PathBuf>,
    times: Times,
    clock: Clock,
    faults: FaultPlan,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("path", &self.path)
            .field("times", &self.times)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Keeps everything in memory, for this handle and its clones only.
    pub fn in_memory(mut self) -> Self {
        self.path = None;
        self
    }

    /// Keeps everything in an SQLite file, created if missing; other processes may use it too.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// How long index operations take that this handle starts.
    pub fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }

    /// Replaces the system's clock. Processes that share a file should agree on the time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What goes wrong, counted over this handle and its clones.
    pub fn faults(mut self, faults: FaultPlan) -> Self {
        self.faults = faults;
        self
    }

    /// Opens the database; takes a few milliseconds.
    ///
    /// # Errors
    ///
    /// If the path is a directory, not a database, another program's database, damaged, written by
    /// a newer version, or cannot be opened. A refused file is left as it was.
    pub fn open(self) -> Result<EmbeddedDynamo, EmbeddedError> {
        let shown = self.path.clone().unwrap_or_else(|| PathBuf::from(":memory:"));
        let path = self.path.as_deref().map(examine).transpose()?;
        let opened =
            service::open(path.as_deref(), &self.clock).map_err(|source| match engine::failure_code(&source) {
                Some(ErrorCode::NotADatabase) => EmbeddedError::NotADatabase { path: shown.clone() },
                Some(ErrorCode::DatabaseCorrupt) => {
                    EmbeddedError::Damaged { path: shown.clone(), source: Box::new(source) }
                }
                _ => EmbeddedError::Open { path: shown.clone(), source: Box::new(source) },
            })?;
        let faults = Faults::new(self.faults);
        let service = Service::new(opened, path, self.clock, self.times, faults);
        Ok(EmbeddedDynamo { service: Arc::new(service), path: shown })
    }
}

/// Refuses what must not be opened, before anything writes to it; returns the path for SQLite.
fn examine(path: &Path) -> Result<String, EmbeddedError> {
    let not_opened =
        |source: Box<dyn std::error::Error + Send + Sync>| EmbeddedError::Open { path: path.to_owned(), source };
    // Absolute, so that SQLite cannot take it for a URI or for `:memory:`.
    let plain = std::path::absolute(path).map_err(|e| not_opened(Box::new(e)))?;
    let text = plain.to_str().ok_or_else(|| EmbeddedError::NotUtf8 { path: path.to_owned() })?.to_owned();
    let bytes = match fs_err::metadata(&plain) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(EmbeddedError::IsDirectory { path: path.to_owned() });
        }
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(not_opened(Box::new(error))),
    };
    if bytes > 0 {
        examine_database(path, &text, bytes <= CHECKED_BYTES_MAX)?;
    }
    Ok(text)
}

fn examine_database(path: &Path, text: &str, thorough: bool) -> Result<(), EmbeddedError> {
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => EmbeddedError::NotADatabase { path: path.to_owned() },
        Some(ErrorCode::DatabaseCorrupt) => EmbeddedError::Damaged { path: path.to_owned(), source: Box::new(source) },
        _ => EmbeddedError::Open { path: path.to_owned(), source: Box::new(source) },
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(text, flags).map_err(failed)?;
    connection.busy_timeout(OPEN_TIMEOUT).map_err(failed)?;
    if thorough {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if verdict != "ok" {
            return Err(EmbeddedError::Damaged { path: path.to_owned(), source: verdict.into() });
        }
    }
    let names: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(failed)?;
    if !names.is_empty() && !engine::is_engine_schema(|name| names.iter().any(|n| n == name)) {
        return Err(EmbeddedError::Foreign { path: path.to_owned() });
    }
    match store::version(&connection).map_err(failed)? {
        Some(found) if found > store::VERSION => {
            Err(EmbeddedError::TooNew { path: path.to_owned(), found, supported: store::VERSION })
        }
        _ => Ok(()),
    }
}
