//! Exit codes, and the errors that lead to them.
//!
//! The codes are a promise to scripts: `docs/exit-codes.md` lists them, and a test compares.

use std::{error::Error, path::Path, process::ExitCode};

use gsi_aws::{RecordError, RunReport, spec};
use gsi_state::{CleanupError, OpenError};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything that was asked for is done.
    Done = 0,
    /// Some index failed.
    SomeFailed = 1,
    /// Something unexpected: the disk, or a bug.
    Unexpected = 2,
    /// Something is left to do, and this job only looks.
    ToDo = 3,
    /// Some index is still being built, and this run does not wait for it.
    StillBuilding = 4,
    /// The command line is wrong.
    Usage = 64,
    /// The definitions file is missing or wrong.
    BadDefinitions = 65,
    /// The state file is missing where it is insisted on, or refused: damaged or newer.
    BadState = 66,
    /// Another process has the state.
    Locked = 75,
    /// No region, no credentials, or an unusable endpoint.
    Configuration = 78,
    /// A signal asked for the end.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// How a run ended that came to its end.
    pub(crate) fn of(report: &RunReport) -> Self {
        if report.is_interrupted {
            Self::Interrupted
        } else if report.has_failures() {
            Self::SomeFailed
        } else if report.has_unfinished() {
            Self::StillBuilding
        } else {
            Self::Done
        }
    }
}

/// Why the program could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The state did not get to the disk.
    pub(crate) fn unsaved(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Unexpected, error)
            .hint("nothing was asked for that is not in the state file; make room or repair the disk, then start again")
    }

    /// The error as a chain.
    pub(crate) fn chain(&self) -> &(dyn Error + 'static) {
        self.error.as_ref()
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Lock(error @ statefile::LockError::InUse { .. }) => Self::new(Exit::Locked, error).hint(
                "wait for it, or stop it with `kill -INT` (it saves its state and ends); \
                 `gsi-create --status` with the same `--state-dir` shows its progress without the lock",
            ),
            OpenError::State(error) => error.into(),
            error => Self::new(Exit::Unexpected, error)
                .hint("the state directory must be a directory that you may write to; `--state-dir DIR` names another"),
        }
    }
}

impl From<statefile::OpenError> for Failure {
    fn from(error: statefile::OpenError) -> Self {
        use statefile::OpenError as E;
        let hint = match &error {
            E::TooNew { .. } => "use the newer gsi-create that wrote it; this one leaves the file as it is".to_owned(),
            E::Damaged { path, last_good: Some(backup), .. } => format!(
                "it is kept as it is. The generation before its last update is good; to go on from there:\n  {} && cp {} {}",
                set_aside(path),
                quoted(backup),
                quoted(path),
            ),
            E::Damaged { path, last_good: None, .. } | E::NotAFile { path } => format!(
                "it is kept as it is. To start over:\n  {}\n(indexes that exist are found and adopted, not made again)",
                set_aside(path)
            ),
            E::Io { .. } => return Self::new(Exit::Unexpected, error),
        };
        Self::new(Exit::BadState, error).hint(hint)
    }
}

/// The command that moves a file away without overwriting anything.
fn set_aside(path: &Path) -> String {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".damaged");
    format!("mv -n {} {}", quoted(path), quoted(Path::new(&aside)))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

impl From<spec::UnknownTable> for Failure {
    fn from(error: spec::UnknownTable) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::unsaved(error)
    }
}

impl From<CleanupError> for Failure {
    fn from(error: CleanupError) -> Self {
        Self::new(Exit::Unexpected, error)
            .hint("all indexes are active; start again to archive the state, which creates nothing")
    }
}
