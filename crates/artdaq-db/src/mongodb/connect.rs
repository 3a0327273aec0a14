//! The connection to the server: how it is set up, how long an answer may take, and what an error means.

use std::{path::PathBuf, time::Duration};

use mongodb::{
    Client, Database,
    error::{Error, ErrorKind, WriteFailure},
    options::{
        Acknowledgment, AuthMechanism, ClientOptions, Credential, ReadConcern, ReadPreference, SelectionCriteria, Tls,
        TlsOptions, WriteConcern,
    },
};
use tokio::sync::OnceCell;

use crate::{ConfigError, ErrorClass, MongoUri, ServerError};

/// How long a server is looked for, unless the address says otherwise.
const SELECTION: Duration = Duration::from_secs(10);

/// How often a server is asked how it is, unless the address says otherwise. One that has refused us counts as lost until
/// then; were it as long as a server is looked for, as it is by default, what comes next would fail for another reason.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How long the servers of a set may take to agree on a write, unless the address says otherwise.
const AGREEMENT: Duration = Duration::from_secs(30);

/// How long one answer may take. Listing a large archive without an index is one answer.
const ANSWER: Duration = Duration::from_mins(5);

/// The files by which client and server know each other; what `ARTDAQ_DATABASE_CLIENT_CERT` and
/// `ARTDAQ_DATABASE_CA_CERT` name for the genuine programs.
///
/// Either of them switches TLS on, as if the address had said so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// The client's certificate and key in one PEM file; with it the client authenticates by X.509.
    pub client: Option<PathBuf>,
    /// The authorities that may have signed the server's certificate, PEM.
    pub authorities: Option<PathBuf>,
}

/// A database, connected on its first use.
#[derive(Debug)]
pub(super) struct Connection {
    uri: MongoUri,
    certificates: Certificates,
    database: OnceCell<Database>,
}

impl Connection {
    pub(super) fn new(uri: MongoUri, certificates: Certificates) -> Self {
        Self { uri, certificates, database: OnceCell::new() }
    }

    pub(super) fn uri(&self) -> &MongoUri {
        &self.uri
    }

    /// The database. Connects to no server yet; the driver does when it is asked something.
    pub(super) async fn database(&self) -> Result<&Database, ConfigError> {
        let connect = async || {
            let parsed = ClientOptions::parse(self.uri.expose()).await;
            let options = parsed.map_err(|error| self.error("understand", &error))?;
            let options = with_certificates(with_guarantees(options), &self.certificates);
            let client = Client::with_options(options).map_err(|error| self.error("connect to", &error))?;
            Ok(client.database(self.uri.database()))
        };
        self.database.get_or_try_init(connect).await
    }

    /// Waits for an answer, but not for ever.
    pub(super) async fn ask<T>(
        &self,
        operation: &'static str,
        question: impl IntoFuture<Output = Result<T, Error>>,
    ) -> Result<T, ConfigError> {
        self.ask_raw(operation, question).await?.map_err(|error| self.error(operation, &error))
    }

    /// As [`ask`](Self::ask), for callers that look at the error.
    pub(super) async fn ask_raw<T>(
        &self,
        operation: &'static str,
        question: impl IntoFuture<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, ConfigError> {
        tokio::time::timeout(ANSWER, question.into_future()).await.map_err(|_| {
            let text = format!("no answer within {} seconds", ANSWER.as_secs());
            self.failure(operation, ServerError::new(text, ErrorClass::Transient))
        })
    }

    /// An error of the driver as one of ours: without password, and with a class.
    pub(super) fn error(&self, operation: &'static str, error: &Error) -> ConfigError {
        let text = self.uri.redact(&text_of(error));
        self.failure(operation, ServerError::new(text, class_of(error)))
    }

    fn failure(&self, operation: &'static str, source: ServerError) -> ConfigError {
        ConfigError::Server { operation, place: self.uri.to_string(), source }
    }
}

/// Whatever the address says: a write counts when it is on the disk of the majority, and reading sees no other.
fn with_guarantees(mut options: ClientOptions) -> ClientOptions {
    options.app_name.get_or_insert_with(|| "waymark".to_owned());
    options.server_selection_timeout.get_or_insert(SELECTION);
    options.heartbeat_freq.get_or_insert(HEARTBEAT);
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.read_concern = Some(ReadConcern::majority());
    let agreement = options.write_concern.as_ref().and_then(|concern| concern.w_timeout).unwrap_or(AGREEMENT);
    let concern = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(agreement).build();
    options.write_concern = Some(concern);
    options
}

fn with_certificates(mut options: ClientOptions, certificates: &Certificates) -> ClientOptions {
    if *certificates == Certificates::default() {
        return options;
    }
    let mut tls = match options.tls.take() {
        Some(Tls::Enabled(given)) => given,
        _ => TlsOptions::builder().build(),
    };
    if let Some(authorities) = &certificates.authorities {
        tls.ca_file_path = Some(authorities.clone());
    }
    if let Some(client) = &certificates.client {
        tls.cert_key_file_path = Some(client.clone());
        let mut credential = Credential::builder().mechanism(AuthMechanism::MongoDbX509).build();
        credential.username = options.credential.take().and_then(|given| given.username);
        credential.source = Some("$external".to_owned());
        options.credential = Some(credential);
    }
    options.tls = Some(Tls::Enabled(tls));
    options
}

/// What an error says, without the debug forms and labels that the driver prints.
fn text_of(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::InsertMany(failed) => {
            let write = failed.write_errors.iter().flatten().next().map(|error| error.message.clone());
            let concern = failed.write_concern_error.as_ref().map(|error| error.message.clone());
            write.or(concern).unwrap_or_else(|| error.kind.to_string())
        }
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.message.clone(),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => error.message.clone(),
        ErrorKind::ServerSelection { message, .. } => without_topology(message),
        kind => kind.to_string(),
    }
}

/// Why no server was found, of which the driver prints all that it knows of each server, in debug form.
fn without_topology(message: &str) -> String {
    let Some((text, topology)) = message.split_once(" Topology: ") else { return message.to_owned() };
    let mut reasons: Vec<&str> = Vec::new();
    for part in topology.split("Error: Kind: ").skip(1) {
        let reason = part.split_once(", labels: ").map_or(part, |(reason, _)| reason);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { message.to_owned() } else { format!("{text} {}", reasons.join("; ")) }
}

fn class_of(error: &Error) -> ErrorClass {
    let code = match &*error.kind {
        ErrorKind::Command(error) => error.code,
        ErrorKind::InsertMany(failed) => match failed.write_errors.iter().flatten().next() {
            Some(error) => error.code,
            None => return ErrorClass::Transient,
        },
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code,
        ErrorKind::Authentication { .. }
        | ErrorKind::InvalidArgument { .. }
        | ErrorKind::InvalidTlsConfig { .. }
        | ErrorKind::IncompatibleServer { .. }
        | ErrorKind::BsonDeserialization(_)
        | ErrorKind::BsonSerialization(_)
        | ErrorKind::Bson(_) => return ErrorClass::Permanent,
        _ => return ErrorClass::Transient,
    };
    class_of_code(code)
}

/// Errors that pass by themselves: elections, shutdowns, limits of time and of the disk. MongoDB has hundreds of
/// others (rights, options, documents), and none of those does.
fn class_of_code(code: i32) -> ErrorClass {
    const TRANSIENT: &[i32] = &[
        6, 7, 24, 43, 46, 50, 63, 64, 79, 89, 91, 100, 112, 133, 134, 136, 175, 189, 202, 237, 246, 251, 262, 290, 314,
        317, 358, 384, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 14031,
    ];
    if TRANSIENT.contains(&code) { ErrorClass::Transient } else { ErrorClass::Permanent }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn errors_are_classified() {
        let check = |code, expect| assert_eq!(class_of_code(code), expect, "{code}");
        for code in [10107, 189, 91, 11600, 64, 50, 14031] {
            check(code, ErrorClass::Transient);
        }
        // BadValue, Unauthorized, AuthenticationFailed, DuplicateKey, BSONObjectTooLarge
        for code in [2, 13, 18, 11000, 10334] {
            check(code, ErrorClass::Permanent);
        }
    }

    #[test]
    fn why_no_server_was_found_is_said_once() {
        let server = |port, error| {
            format!("{{ Address: h:{port}, Type: Unknown, Error: Kind: {error}, labels: {{\"A\"}}, source: None }}")
        };
        let refused = "I/O error: Connection refused (os error 111)";
        let (one, two, other) = (server(1, refused), server(2, refused), server(3, "I/O error: timed out"));
        let head = "Server selection timeout: No available servers.";
        for (servers, expect) in [
            (one.clone(), format!("{head} {refused}")),
            (format!("{one}, {two}"), format!("{head} {refused}")),
            (format!("{one}, {other}, {two}"), format!("{head} {refused}; I/O error: timed out")),
            ("odd".to_owned(), format!("{head} Topology: {{ Type: Single, Servers: [ odd ] }}")),
        ] {
            let message = format!("{head} Topology: {{ Type: Single, Servers: [ {servers} ] }}");
            assert_eq!(without_topology(&message), expect);
        }
        assert_eq!(without_topology("anything"), "anything");
    }

    async fn options(uri: &str, certificates: &Certificates) -> ClientOptions {
        with_certificates(with_guarantees(ClientOptions::parse(uri).await.unwrap()), certificates)
    }

    #[tokio::test]
    async fn an_address_cannot_weaken_the_guarantees() {
        let uri = "mongodb://h/db?w=0&journal=false&readPreference=secondary&readConcernLevel=local&wTimeoutMS=70";
        let options = options(uri, &Certificates::default()).await;
        let concern = options.write_concern.unwrap();
        assert_eq!((concern.w, concern.journal), (Some(Acknowledgment::Majority), Some(true)));
        assert_eq!(concern.w_timeout, Some(Duration::from_millis(70)));
        assert_eq!(options.read_concern, Some(ReadConcern::majority()));
        assert_eq!(options.selection_criteria, Some(SelectionCriteria::ReadPreference(ReadPreference::Primary)));
        assert_eq!((options.tls, options.credential), (None, None));
    }

    #[tokio::test]
    async fn certificates_switch_on_tls_and_x509() {
        let (client, authorities) = (Some(PathBuf::from("/client.pem")), Some(PathBuf::from("/ca.pem")));
        for (certificates, mechanism) in [
            (Certificates { client: client.clone(), authorities: authorities.clone() }, true),
            (Certificates { client: client.clone(), authorities: None }, true),
            (Certificates { client: None, authorities: authorities.clone() }, false),
        ] {
            let options = options("mongodb://h/db", &certificates).await;
            let Some(Tls::Enabled(tls)) = options.tls else { panic!("no TLS with {certificates:?}") };
            assert_eq!((tls.cert_key_file_path, tls.ca_file_path), (certificates.client, certificates.authorities));
            let credential = options.credential.and_then(|credential| credential.mechanism);
            assert_eq!(credential, mechanism.then_some(AuthMechanism::MongoDbX509));
        }
    }
}
