//! What can go wrong between us and a server.

use std::fmt;

use crate::{ErrorClass, RunNumber};

/// A request that failed. Its text names what was tried and where; the problem is its source.
///
/// Never holds a password: the address has none, and headers are not in here.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} at `{url}`")]
pub struct HttpError {
    /// What was tried.
    pub operation: Operation,
    /// The address, with its query.
    pub url: String,
    /// What happened.
    #[source]
    pub problem: HttpProblem,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// List the versions.
    List,
    /// Find out how to authenticate.
    AskForChallenge,
    /// Store a run.
    Put(RunNumber),
    /// Fetch a run.
    Get(RunNumber),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str("list the archive"),
            Self::AskForChallenge => f.write_str("start a session"),
            Self::Put(run) => write!(f, "store run {run}"),
            Self::Get(run) => write!(f, "fetch run {run}"),
        }
    }
}

/// What happened to a request.
#[derive(Debug, thiserror::Error)]
pub enum HttpProblem {
    /// There is no connection.
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The server cannot prove who it is.
    #[error("the server's certificate is not trusted")]
    Certificate(#[source] reqwest::Error),
    /// It took too long.
    #[error("the server does not answer in time")]
    TimedOut(#[source] reqwest::Error),
    /// The connection broke before the answer was complete.
    #[error("the connection broke off")]
    Interrupted(#[source] reqwest::Error),
    /// An error status.
    #[error("the server answers {status}: {said}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server said, shortened.
        said: String,
    },
    /// Status 401.
    #[error("the server refuses user or password (401: {said})")]
    Unauthorized {
        /// What the server said, shortened.
        said: String,
    },
    /// The server wants an authentication that we do not have.
    #[error("the server asks for an unsupported authentication: {reason}")]
    UnsupportedChallenge {
        /// What it asks for.
        reason: String,
    },
    /// The answer ended early, without HTTP noticing.
    #[error("the answer broke off after {received_bytes} of {expected_bytes} bytes")]
    Truncated {
        /// What the server announced.
        expected_bytes: u64,
        /// What came.
        received_bytes: u64,
    },
    /// The answer has the right length and the wrong content.
    #[error("the answer is damaged: its checksum is {computed}, {announced} was announced")]
    Damaged {
        /// The Adler-32 checksum that the server announced.
        announced: u32,
        /// That of what came.
        computed: u32,
    },
    /// The server has stored something else than was sent.
    #[error(
        "the server confirms {confirmed_bytes} bytes with checksum {confirmed_adler32}, \
         {sent_bytes} bytes with checksum {sent_adler32} were sent"
    )]
    ReceiptDiffers {
        /// The length that was sent.
        sent_bytes: u64,
        /// The checksum of what was sent.
        sent_adler32: u32,
        /// The length that the server stored.
        confirmed_bytes: u64,
        /// The checksum of what the server stored.
        confirmed_adler32: u32,
    },
    /// The answer is longer than we are willing to hold.
    #[error("the answer is longer than the limit of {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: u64,
    },
    /// The answer is not JSON of the expected form, or only the beginning of it.
    #[error("the answer is not the record that the protocol promises")]
    NotARecord(#[source] serde_json::Error),
    /// The answer lacks a header that tells how to verify it.
    #[error("the answer has no valid header `{header}`")]
    HeaderMissing {
        /// The header.
        header: &'static str,
    },
}

impl HttpError {
    /// Whether what came does not have the checksum that the server announced.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self.problem, HttpProblem::Damaged { .. })
    }

    /// What the error means for another try.
    pub fn class(&self) -> ErrorClass {
        match &self.problem {
            HttpProblem::Unreachable(_)
            | HttpProblem::TimedOut(_)
            | HttpProblem::Interrupted(_)
            | HttpProblem::Truncated { .. }
            | HttpProblem::Damaged { .. } => ErrorClass::Transient,
            // The genuine server drops the rest of an answer when it fails midway.
            HttpProblem::NotARecord(error) if error.is_eof() => ErrorClass::Transient,
            HttpProblem::Refused { status, .. } => class_of_status(*status),
            HttpProblem::Unauthorized { .. } | HttpProblem::UnsupportedChallenge { .. } => ErrorClass::Authentication,
            HttpProblem::Certificate(_)
            | HttpProblem::ReceiptDiffers { .. }
            | HttpProblem::TooLong { .. }
            | HttpProblem::NotARecord(_)
            | HttpProblem::HeaderMissing { .. } => ErrorClass::Permanent,
        }
    }

    /// The HTTP status that the server answered with, where that was the problem.
    pub fn status(&self) -> Option<u16> {
        match self.problem {
            HttpProblem::Refused { status, .. } => Some(status),
            HttpProblem::Unauthorized { .. } => Some(401),
            _ => None,
        }
    }
}

/// The class of an error status. UconDB answers 500 to most things, a busy database included.
fn class_of_status(status: u16) -> ErrorClass {
    match status {
        403 | 407 => ErrorClass::Authentication,
        408 | 425 | 429 | 500 | 502..=504 => ErrorClass::Transient,
        _ => ErrorClass::Permanent,
    }
}

/// Sorts what the HTTP client reports; the address is dropped, since the error that wraps this has it.
pub(crate) fn transport_problem(error: reqwest::Error) -> HttpProblem {
    let error = error.without_url();
    if is_about_the_certificate(&error) {
        HttpProblem::Certificate(error)
    } else if error.is_timeout() {
        HttpProblem::TimedOut(error)
    } else if error.is_connect() {
        HttpProblem::Unreachable(error)
    } else {
        HttpProblem::Interrupted(error)
    }
}

/// Whether the TLS library has rejected the server: it says so in words that start an error of its own.
fn is_about_the_certificate(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.to_string().starts_with("invalid peer certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}
