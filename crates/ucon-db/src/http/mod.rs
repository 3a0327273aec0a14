//! An archive on a UconDB server, over HTTP.
//!
//! Talks to version 3.9.7 behind its own web server or behind Apache. Connections are kept and used again where the
//! server allows it. A body is sent once: the digest challenge is asked for with an empty request before the
//! first put and then answered in advance.
//!
//! # Why so suspicious?
//!
//! The server's own HTTP layer marks the end of a blob by closing the connection, stores an empty blob when it meets
//! an upload without `Content-Length`, and reports a duplicate as status 500. So every answer is checked against the
//! size and checksum in it, and statuses are read together with their text.
//!
//! Absent: proxies (none is used, and no environment is read), HTTP/2, redirects (refused, because the body of a put
//! would be lost), retries, `compress` (broken in the server), the signature scheme (cannot succeed there).

mod answer;
mod config;
mod digest;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod record;
mod session;

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::{
    Certificate, Client, Method, Url,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use self::{
    answer::Answer,
    digest::Challenge,
    error::transport_problem,
    record::Record,
    session::{Grant, Session},
};
pub use self::{
    config::{HttpConfig, Timeouts, Tls},
    error::{HttpError, HttpProblem, Operation},
};
use crate::{
    BaseUrl, BlobError, BlobInfo, BlobStore, FolderName, ObjectName, Receipt, RunNumber, VersionInfo, adler32,
    key::{key_of, run_of},
};

/// Versions may be valid in the future only, and a listing hides those unless asked: the year 10000.
const VALID_UNTIL: &str = "253402300800";

/// How often a body is sent because its nonce had expired; other workers may use a new one up first.
const PUT_ATTEMPTS_MAX: u32 = 4;

/// An archive on a UconDB server.
#[derive(Debug)]
pub struct HttpStore {
    client: Client,
    server: BaseUrl,
    folder: FolderName,
    object: ObjectName,
    user: String,
    password: SecretString,
    session: Mutex<Session>,
    response_bytes_max: u64,
}

/// Why no client could be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The user name cannot be sent.
    #[error("the user name `{user}` has control characters")]
    User {
        /// The name.
        user: String,
    },
    /// The certificate authorities cannot be read.
    #[error("the certificate authorities are not in PEM form")]
    Authorities(#[source] reqwest::Error),
    /// There is no certificate in the given text.
    #[error("there is no certificate among the certificate authorities")]
    NoAuthorities,
    /// The HTTP client cannot be made, say because the system has no certificate authorities.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl HttpStore {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// A user name or certificate authorities that cannot be used.
    pub fn new(config: HttpConfig) -> Result<Self, SetupError> {
        if config.user.chars().any(char::is_control) {
            return Err(SetupError::User { user: config.user });
        }
        let mut builder = Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(config.timeouts.connect)
            .read_timeout(config.timeouts.read)
            .timeout(config.timeouts.total)
            .tls_danger_accept_invalid_certs(!config.tls.verify)
            .user_agent(concat!("ucon-db/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &config.tls.authorities_pem {
            let authorities = Certificate::from_pem_bundle(pem).map_err(SetupError::Authorities)?;
            if authorities.is_empty() {
                return Err(SetupError::NoAuthorities);
            }
            builder = builder.tls_certs_only(authorities);
        } else if !config.server.is_encrypted() {
            // Does not load the authorities of the system, which a small container may not even have.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            client: builder.build().map_err(SetupError::Client)?,
            server: config.server,
            folder: config.folder,
            object: config.object,
            user: config.user,
            password: config.password,
            session: Mutex::new(Session::Unknown),
            response_bytes_max: config.response_bytes_max,
        })
    }

    fn data_url(&self, query: &[(&str, &str)]) -> Url {
        self.server.endpoint(&["data", self.folder.as_str(), self.object.as_str()], query)
    }

    /// Sends one request and reads the whole answer.
    async fn send(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let mut builder = self.client.request(request.method.clone(), request.url.clone());
        if let Some(body) = request.body {
            // The length is given even when it is 0, and the body never goes in chunks: the server takes both for nothing.
            builder = builder
                .header(CONTENT_LENGTH, body.len())
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(body.to_vec());
        }
        let header = request.grant.and_then(|grant| grant.header.as_ref());
        // User and challenge have no control characters, so that the header always has a value.
        if let Some(mut value) =
            header.and_then(|header| HeaderValue::from_bytes(header.expose_secret().as_bytes()).ok())
        {
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let response = builder.send().await.map_err(|error| request.failed(transport_problem(error)))?;
        Answer::read(response, self.response_bytes_max).await.map_err(|problem| request.failed(problem))
    }

    /// All versions of the object, newest first.
    async fn list(&self) -> Result<Vec<Record>, HttpError> {
        let names = [("folder", self.folder.as_str()), ("object", self.object.as_str()), ("tv", VALID_UNTIL)];
        let request = Request::get(Operation::List, self.server.endpoint(&["versions"], &names));
        let answer = self.send(&request).await?;
        if answer.is_success() {
            return answer.json().map_err(|problem| request.failed(problem));
        }
        // An object exists from its first version on. A missing folder is an error: nobody could put into it.
        if answer.status() == 404 && answer.says_only(&format!("Object {} not found", self.object)) {
            return Ok(Vec::new());
        }
        Err(request.failed(answer.refusal()))
    }

    /// The authorization for a put; asks for a challenge if there is none yet.
    async fn grant(&self, url: &Url) -> Result<Grant, HttpError> {
        // Held while the challenge is on its way, so that workers that start together ask for one only.
        let mut session = self.session.lock().await;
        if matches!(*session, Session::Unknown) {
            *session = self.ask_for_challenge().await?;
        }
        Ok(session.grant(&self.user, &self.password, "POST", &uri(url)))
    }

    /// Asks for a challenge by an empty put that cannot succeed.
    ///
    /// The server checks the credentials first and `tv` next. One that wants no credentials stumbles over `tv` and
    /// stores nothing, where an empty put of the run itself would be stored for ever.
    async fn ask_for_challenge(&self) -> Result<Session, HttpError> {
        let request = Request::post(Operation::AskForChallenge, self.data_url(&[("tv", "challenge")]), b"", None);
        let answer = self.send(&request).await?;
        match answer.status() {
            401 => match answer.challenge().map_err(|problem| request.failed(problem))? {
                Some(challenge) => Ok(Session::Challenged { challenge, uses: 0 }),
                None => Err(request.failed(answer.refusal())),
            },
            200 | 400 | 500 => Ok(Session::Open),
            _ => Err(request.failed(answer.refusal())),
        }
    }

    /// A new authorization after the server has refused the old one with a challenge.
    async fn renew(&self, refused: &Grant, challenge: Challenge, url: &Url) -> Grant {
        let mut session = self.session.lock().await;
        session.renew(refused, challenge);
        session.grant(&self.user, &self.password, "POST", &uri(url))
    }

    /// Sends a put, and again as long as the challenge that it answered had expired.
    async fn send_put(&self, operation: Operation, url: &Url, bytes: &[u8]) -> Result<Answer, HttpError> {
        let mut grant = self.grant(url).await?;
        let mut attempt = 1;
        loop {
            let request = Request::post(operation, url.clone(), bytes, Some(&grant));
            let answer = self.send(&request).await?;
            if answer.status() != 401 || attempt == PUT_ATTEMPTS_MAX {
                return Ok(answer);
            }
            match answer.challenge().map_err(|problem| request.failed(problem))? {
                // A server should say `stale=true`; one that does not is believed once, if the nonce was not fresh.
                Some(challenge) if challenge.stale || attempt == 1 && !grant.first_use => {
                    grant = self.renew(&grant, challenge, url).await;
                }
                // No challenge at all is how the genuine server refuses a password.
                _ => return Ok(answer),
            }
            attempt += 1;
        }
    }

    /// Puts a blob, and checks what the server confirms.
    async fn put_at(&self, run: RunNumber, url: &Url, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let operation = Operation::Put(run);
        let answer = self.send_put(operation, url, bytes).await?;
        let failed = |problem| HttpError { operation, url: url.to_string(), problem };
        if !answer.is_success() {
            // 500 from the genuine server, in two wordings; 409 from a better one.
            if matches!(answer.status(), 500 | 409) && answer.says("already exists") {
                return Err(BlobError::AlreadyExists { run });
            }
            return Err(failed(answer.refusal()).into());
        }
        let record: Record = answer.json().map_err(failed)?;
        let receipt = Receipt { version_id: record.id, size_bytes: record.data_size, adler32: record.adler32() };
        let (sent_bytes, sent_adler32) = (bytes.len() as u64, adler32(bytes));
        if (receipt.size_bytes, receipt.adler32) != (sent_bytes, sent_adler32) {
            return Err(failed(HttpProblem::ReceiptDiffers {
                sent_bytes,
                sent_adler32,
                confirmed_bytes: receipt.size_bytes,
                confirmed_adler32: receipt.adler32,
            })
            .into());
        }
        Ok(receipt)
    }

    /// Whether an answer to a get means that the object has no versions at all.
    ///
    /// The server then answers 500, with the message of an internal error; the listing says it properly.
    async fn object_is_missing(&self, answer: &Answer) -> Result<bool, HttpError> {
        let internal = answer.status() == 500 && answer.says("has no attribute 'getVersion'");
        Ok(internal && self.list().await?.is_empty())
    }
}

#[async_trait]
impl BlobStore for HttpStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError> {
        let of_run = |record: Record| {
            let run = run_of(record.key.as_deref()?)?;
            Some((run, BlobInfo { size_bytes: record.data_size, adler32: record.adler32() }))
        };
        Ok(self.list().await?.into_iter().filter_map(of_run).collect())
    }

    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let key = key_of(run);
        self.put_at(run, &self.data_url(&[("full_meta", "yes"), ("key", &key), ("tag", &key)]), bytes).await
    }

    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let key = key_of(run);
        let names = [("full_meta", "yes"), ("key", &key), ("tag", &key), ("override", "yes")];
        self.put_at(run, &self.data_url(&names), bytes).await
    }

    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        let request = Request::get(Operation::Get(run), self.data_url(&[("key", &key_of(run))]));
        let answer = self.send(&request).await?;
        if answer.is_success() {
            return Ok(Some(answer.into_blob().map_err(|problem| request.failed(problem))?));
        }
        let no_such_key = answer.status() == 404 && answer.says_only("Version not found");
        if no_such_key || self.object_is_missing(&answer).await? {
            return Ok(None);
        }
        Err(request.failed(answer.refusal()).into())
    }

    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError> {
        let versions = self.list().await?.into_iter().map(Record::into_version_info);
        Ok(versions.filter(|version| version.concerns(&key_of(run))).collect())
    }
}

/// One request, kept together so that a failure can say what it was.
struct Request<'a> {
    operation: Operation,
    method: Method,
    url: Url,
    body: Option<&'a [u8]>,
    grant: Option<&'a Grant>,
}

impl<'a> Request<'a> {
    fn get(operation: Operation, url: Url) -> Self {
        Self { operation, method: Method::GET, url, body: None, grant: None }
    }

    fn post(operation: Operation, url: Url, body: &'a [u8], grant: Option<&'a Grant>) -> Self {
        Self { operation, method: Method::POST, url, body: Some(body), grant }
    }

    fn failed(&self, problem: HttpProblem) -> HttpError {
        HttpError { operation: self.operation, url: self.url.to_string(), problem }
    }
}

/// What stands in the request line: the subject of a digest.
fn uri(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}
