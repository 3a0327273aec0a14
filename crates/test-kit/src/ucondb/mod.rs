//! A `UconDB` 3.9.7 server with a memory, a ledger and a bad temper on demand.
//!
//! Listens on a free port of 127.0.0.1 and answers as the genuine server does, odd statuses included: a duplicate is
//! a 500 with a traceback, an unknown object is a 500, a wrong password is a 401 without a challenge, a blob ends with
//! the connection, and an upload in chunks is stored as nothing. It keeps its own checksums and checks digests with
//! its own code, so that it can serve as an oracle for the client.
//!
//! Written on bare sockets and not on a web framework, because much of what it must imitate (bare line feeds, a missing
//! `Content-Length`, a cut in the middle of a body) is what frameworks exist to prevent.
//!
//! Absent: `index`, `hello`, the pages of the user interface, `data_for_versions` (broken in the original), the
//! signature scheme, compression, `tr` in the form of dates.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use test_kit::ucondb::{Fault, FakeUconDb, Options};
//! let server = FakeUconDb::start(Options::default()).await?;
//! server.fail_next("POST", "/data", Fault::Unavailable);
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! assert!(server.ledger().is_empty());
//! # Ok(()) }
//! ```

mod auth;
mod fault;
mod model;
mod record;
pub(crate) mod request;
mod response;
mod routes;
mod serve;
#[cfg(test)]
mod tests;
pub(crate) mod tls;

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{net::TcpListener, task::JoinHandle};

use tokio_rustls::TlsAcceptor;

use self::{auth::Gate, fault::Script, model::Model, tls::Identity};
pub use self::{fault::Fault, tls::Certificate};

/// How the server is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose HTTP the server speaks.
    pub front: Front,
    /// Folders that exist, as the server spells them: `public.test01`.
    pub folders: Vec<String>,
    /// Who may write, with passwords; `None` = everybody, without authentication.
    pub writers: Option<Vec<(String, String)>>,
    /// What is thought of nonces.
    pub nonces: Nonces,
    /// Speaks TLS, with a certificate of an authority made for this server.
    pub tls: bool,
}

impl Default for Options {
    /// The server's own HTTP, folder `public.test01`, writer `writer` with password `secret`.
    fn default() -> Self {
        Self {
            front: Front::Webpie,
            folders: vec!["public.test01".to_owned()],
            writers: Some(vec![("writer".to_owned(), "secret".to_owned())]),
            nonces: Nonces::Any,
            tls: false,
        }
    }
}

/// Whose HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// The server's own: each answer closes the connection, blobs and listings have no length, paths are not decoded.
    Webpie,
    /// Apache with `mod_wsgi`: connections are kept but for a 500, blobs and listings come in chunks, paths are decoded.
    Apache,
}

/// What the server thinks of nonces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonces {
    /// The genuine server never looks at them.
    Any,
    /// A strict server: its own nonce only, and at most so often; then `stale=true` with a new one.
    Uses(u32),
    /// As `Uses`, but refuses a used-up nonce and a wrong password with a challenge that does not say `stale`.
    UsesUnsaid(u32),
}

/// One request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The number of the connection, from 0.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// The path as it was sent, without the prefix `/app`.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// Whether it had an `Authorization` header.
    pub authorized: bool,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// Its `Content-Length`.
    pub content_length: Option<u64>,
    /// How many bytes of the body came.
    pub body_bytes: usize,
    /// The status of the answer; `None` if there was none.
    pub status: Option<u16>,
}

/// A running server; it stops when the value is dropped.
#[derive(Debug)]
pub struct FakeUconDb {
    address: SocketAddr,
    shared: Arc<Shared>,
    identity: Option<Identity>,
    task: JoinHandle<()>,
}

/// What the connections have in common.
pub(crate) struct Shared {
    front: Front,
    gate: Mutex<Gate>,
    model: Mutex<Model>,
    script: Mutex<Script>,
    ledger: Mutex<Vec<Seen>>,
    /// How the next connection is encrypted; `None` = not at all.
    tls: Mutex<Option<TlsAcceptor>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("front", &self.front).finish_non_exhaustive()
    }
}

impl FakeUconDb {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When no port can be had, or no certificate made.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let identity = if options.tls { Some(Identity::make()?) } else { None };
        let shared = Arc::new(Shared {
            front: options.front,
            gate: Mutex::new(Gate::new(options.writers, options.nonces)),
            model: Mutex::new(Model::new(options.folders)),
            script: Mutex::default(),
            ledger: Mutex::default(),
            tls: Mutex::new(identity.as_ref().map(|identity| identity.acceptor.clone())),
        });
        let task = tokio::spawn(serve::accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, identity, task })
    }

    /// The address of the service, which ends in `/app`.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/app", self.address)
    }

    /// The certificate authority to trust, in PEM form, if the server speaks TLS.
    pub fn authority_pem(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.authority_pem.as_str())
    }

    /// Shows another certificate of the same authority to whoever connects from now on.
    ///
    /// # Errors
    ///
    /// When none can be made, or the server does not speak TLS.
    pub fn show(&self, certificate: Certificate) -> io::Result<()> {
        let identity = self.identity.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        *lock(&self.shared.tls) = Some(identity.acceptor_with(certificate)?);
        Ok(())
    }

    /// All requests so far.
    pub fn ledger(&self) -> Vec<Seen> {
        lock(&self.shared.ledger).clone()
    }

    /// Forgets the requests so far.
    pub fn clear_ledger(&self) {
        lock(&self.shared.ledger).clear();
    }

    /// Makes the next request with this method and beginning of the path fail so; several such orders queue up.
    pub fn fail_next(&self, method: &str, path: &str, fault: Fault) {
        lock(&self.shared.script).push(method, path, fault);
    }

    /// Makes every request with this method and beginning of the path fail so, until [`heal`](Self::heal).
    pub fn fail_always(&self, method: &str, path: &str, fault: Fault) {
        lock(&self.shared.script).push_lasting(method, path, fault);
    }

    /// Drops all orders to fail.
    pub fn heal(&self) {
        *lock(&self.shared.script) = Script::default();
    }

    /// Puts a version in without HTTP: `key` may be absent, `tv` in the future.
    ///
    /// The folder is spelled in full. Returns the id of the version.
    pub fn seed(
        &self,
        folder: &str,
        object: &str,
        key: Option<&str>,
        tags: &[&str],
        tv: f64,
        data: &[u8],
    ) -> Option<u64> {
        lock(&self.shared.model).seed(folder, object, key, tags, tv, data)
    }

    /// The current blobs of an object, by key. The folder is spelled in full.
    pub fn contents(&self, folder: &str, object: &str) -> Vec<(String, Vec<u8>)> {
        lock(&self.shared.model).contents(folder, object)
    }

    /// How many versions a folder has, with and without key. The folder is spelled in full.
    pub fn version_count(&self, folder: &str) -> usize {
        lock(&self.shared.model).version_count(folder)
    }
}

impl Drop for FakeUconDb {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A test that panics elsewhere has failed already; the state is of no further interest but must not hang.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
