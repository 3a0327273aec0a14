//! A mail server that keeps what it is given: EHLO, STARTTLS, AUTH PLAIN, one mail or more a connection.
//!
//! Absent: relaying, other ways to log in, pipelining, sizes.

mod decode;
mod talk;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{net::TcpListener, task::JoinHandle};

use self::decode::{decode_base64, decode_quoted};
use crate::ucondb::{lock, tls::Identity};

/// How the server is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How it encrypts.
    pub tls: Encryption,
    /// The account without which nobody may send: user and password.
    pub account: Option<(String, String)>,
}

/// How connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encryption {
    /// Not at all.
    #[default]
    None,
    /// After STARTTLS, without which it takes no mail.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// How the server behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Temper {
    /// As one hopes.
    Good,
    /// Refuses every recipient, and repeats the words in its answer.
    RefuseRecipients(String),
    /// Refuses to log anybody in, and repeats user and password in its answer.
    TellPassword,
    /// Accepts connections and never greets.
    Silent,
    /// Never answers a mail.
    SilentAfterData,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who logged in.
    pub user: Option<String>,
    /// Whether it came encrypted.
    pub is_encrypted: bool,
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Header and body as they came.
    pub raw: String,
}

impl Mail {
    /// The header field `name`, as it came.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.raw.split_once("\r\n\r\n")?;
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body, decoded.
    pub fn body(&self) -> String {
        let body = self.raw.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let bytes = match self.header("Content-Transfer-Encoding") {
            Some("quoted-printable") => decode_quoted(body),
            Some("base64") => decode_base64(&body.replace("\r\n", "")),
            _ => body.as_bytes().to_vec(),
        };
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}

/// A running server; it stops when the value is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use test_kit::smtp::{FakeSmtp, Options};
/// let server = FakeSmtp::start(Options::default()).await?;
/// assert!(server.mails().is_empty() && server.authority_pem().is_none());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FakeSmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
    authority_pem: Option<String>,
    task: JoinHandle<()>,
}

struct Shared {
    options: Options,
    identity: Option<Identity>,
    temper: Mutex<Temper>,
    mails: Mutex<Vec<Mail>>,
    logins: Mutex<u32>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

impl FakeSmtp {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When no port can be had, or no certificate made.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let identity = if options.tls == Encryption::None { None } else { Some(Identity::make()?) };
        let authority_pem = identity.as_ref().map(|identity| identity.authority_pem.clone());
        let shared = Arc::new(Shared {
            options,
            identity,
            temper: Mutex::new(Temper::Good),
            mails: Mutex::default(),
            logins: Mutex::default(),
        });
        let task = tokio::spawn(talk::accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, authority_pem, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority to trust, in PEM form, if the server speaks TLS.
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    /// Behaves otherwise from now on.
    pub fn set(&self, temper: Temper) {
        *lock(&self.shared.temper) = temper;
    }

    /// All mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.shared.mails).clone()
    }

    /// How often somebody tried to log in.
    pub fn login_count(&self) -> u32 {
        *lock(&self.shared.logins)
    }
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}
