//! What it takes to talk to a UconDB server.

use std::time::Duration;

use secrecy::SecretString;

use crate::{BaseUrl, FolderName, ObjectName};

/// Where the archive is, and who we are. Shows no password in its `Debug` form.
///
/// ```
/// use ucon_db::{HttpConfig, HttpStore, ServerUrl, Timeouts, Tls};
/// let ServerUrl::Http(server) = "https://ucondb.example.org/sbnd/app".parse().unwrap() else { unreachable!() };
/// let store = HttpStore::new(HttpConfig {
///     server,
///     folder: "run_records".parse().unwrap(),
///     object: "configuration".parse().unwrap(),
///     user: "writer".into(),
///     password: "secret".to_owned().into(),
///     timeouts: Timeouts::default(),
///     tls: Tls::default(),
///     response_bytes_max: HttpConfig::RESPONSE_BYTES_MAX,
/// });
/// assert!(store.is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The server.
    pub server: BaseUrl,
    /// The folder, which must exist on the server.
    pub folder: FolderName,
    /// The object; it comes into being with the first put.
    pub object: ObjectName,
    /// The account that may write; reading needs none.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Whom to trust.
    pub tls: Tls,
    /// A longer answer is refused; bounds the memory that a listing or a blob takes.
    pub response_bytes_max: u64,
}

impl HttpConfig {
    /// A usual [`response_bytes_max`](Self::response_bytes_max): 512 MiB, a listing of about two million runs.
    pub const RESPONSE_BYTES_MAX: u64 = 512 << 20;
}

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection, TLS included.
    pub connect: Duration,
    /// Without any sign of life: from the request to the head of the answer, then between two pieces of it.
    pub read: Duration,
    /// For the whole request.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 10 s to connect and between signs of life, 5 minutes in all.
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self { connect: ten, read: ten, total: Duration::from_mins(5) }
    }
}

/// Whom to trust when the server speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Check the server's certificate. Without it anybody on the way can read and alter the records.
    pub verify: bool,
    /// Certificate authorities in PEM form, trusted instead of those of the system.
    pub authorities_pem: Option<Vec<u8>>,
}

impl Default for Tls {
    /// Certificates are checked, against the authorities of the system.
    fn default() -> Self {
        Self { verify: true, authorities_pem: None }
    }
}
