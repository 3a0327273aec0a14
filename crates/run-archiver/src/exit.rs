//! Exit codes, and the errors that lead to them.
//!
//! The codes are those of the Python archiver, plus 3 for reports and 64 for a wrong command line.

use std::{error::Error, path::Path, process::ExitCode};

use artdaq_db::{ConfigError as ArtdaqError, ErrorClass};
use run_pipeline::{ListingError, Stage, StageError};
use ucon_db::{BlobError, HttpProblem};

use run_config::ConfigError;

use crate::log::LogError;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything that was asked for is done.
    Done = 0,
    /// A known error: the configuration, the lock, the state, a store; or some run failed.
    Failed = 1,
    /// Something unexpected: the disk, or a bug.
    Unexpected = 2,
    /// A report has found work to do, and nothing wrong; or a self-test cannot tell.
    Work = 3,
    /// The command line is wrong.
    Usage = 64,
    /// A signal asked for the end.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The code of a program in which both happened.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Done => 0,
            Self::Work => 1,
            Self::Failed => 2,
            Self::Unexpected => 3,
            Self::Usage => 4,
            Self::Interrupted => 5,
        };
        if rank(other) > rank(self) { other } else { self }
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
    /// A known error.
    pub(crate) fn known(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Failed, error: error.into(), hint: None }
    }

    /// An error that nobody foresaw.
    pub(crate) fn unexpected(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Unexpected, ..Self::known(error) }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error as a chain.
    pub(crate) fn chain(&self) -> &(dyn Error + 'static) {
        self.error.as_ref()
    }

    /// The state of a stage cannot be opened; `config` is the configuration, for a command that helps.
    pub(crate) fn state(stage: Stage, config: &Path, error: statefile::OpenError) -> Self {
        use statefile::OpenError as E;
        let recover = format!("  run-archiver '{}' {}", config.display(), recovery_flag(stage));
        let hint = match &error {
            E::Damaged { path, last_good: Some(backup), .. } => format!(
                "the file is kept as it is. The generation before its last update is good:\n  cp '{}' '{}'\n\
                 or rebuild the state from the archives:\n{recover}",
                backup.display(),
                path.display(),
            ),
            E::Damaged { .. } | E::NotAFile { .. } => {
                format!("the file is kept as it is. Rebuild the state from the archives:\n{recover}")
            }
            E::TooNew { .. } => {
                "use the newer run-archiver that wrote it; this one leaves the file as it is".to_owned()
            }
            E::Io { .. } => "see that this user may read and write the files of the state".to_owned(),
        };
        Self::known(error).hint(hint)
    }

    /// A stage did not run to its end.
    pub(crate) fn stage(stage: Stage, config: &Path, error: StageError) -> Self {
        match error {
            StageError::Open(error) => Self::state(stage, config, error),
            StageError::Record(_) => Self::unexpected(error)
                .hint("make room or repair the disk, then start again: what was under way is settled first"),
            StageError::Listing { source: ListingError::Config(ref cause), .. } if cause.is_repairable() => {
                Self::known(error).hint(format!(
                    "no state has changed. The indexes can be rebuilt from the documents:\n  run-archiver '{}' --repair-artdaqdb",
                    config.display()
                ))
            }
            StageError::Listing { ref source, .. } => {
                let hint = remedy(source).map_or_else(
                    || "no state has changed; the same command can be repeated".to_owned(),
                    |remedy| format!("no state has changed. {remedy}"),
                );
                Self::known(error).hint(hint)
            }
            error @ StageError::Shrunk { .. } => {
                Self::known(error).hint("no state has changed; the same command can be repeated")
            }
        }
    }
}

/// Which key of the configuration mends it, where another try alone does not.
fn remedy(error: &ListingError) -> Option<&'static str> {
    match error {
        ListingError::Blob(BlobError::Http(error)) => match &error.problem {
            HttpProblem::Certificate(_) => Some(
                "`ucon_db.ca_file` holds the authorities that are trusted, and `ucon_db.server_url` names the host that \
                 the certificate must be for; one that has expired is renewed on the server",
            ),
            HttpProblem::Refused { status: 300..400, .. } => {
                Some("Redirections are not followed: `ucon_db.server_url` must be the address of UconDB itself")
            }
            _ => None,
        },
        ListingError::Config(error @ ArtdaqError::Server { .. }) if error.class() == ErrorClass::Permanent => {
            Some("Servers, user, password and options are those of `artdaq_db.database_uri`")
        }
        _ => None,
    }
}

/// The flag that rebuilds the state of a stage.
pub(crate) const fn recovery_flag(stage: Stage) -> &'static str {
    match stage {
        Stage::Import => "--recover-import-state",
        Stage::Migrate => "--recover-migrate-state",
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let is_missing =
            matches!(&error, ConfigError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound);
        let failure = Self::known(error);
        if is_missing {
            return failure.hint("`examples/run-archiver/config.yaml` shows what such a file looks like");
        }
        failure
    }
}

impl From<statefile::LockError> for Failure {
    fn from(error: statefile::LockError) -> Self {
        match error {
            statefile::LockError::InUse { .. } => Self::known(error).hint(
                "nothing was changed. Wait for it, or stop it with `kill -INT` (it finishes its runs, saves and ends); \
                 a lock is never stale: the system drops it when its holder dies",
            ),
            statefile::LockError::Io { .. } => Self::known(error),
        }
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::known(error)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::{Done, Failed, Interrupted, Unexpected};

    #[test]
    fn the_graver_end_counts() {
        for (one, other, expect) in [
            (Done, Done, Done),
            (Done, Failed, Failed),
            (Failed, Done, Failed),
            (Failed, Unexpected, Unexpected),
            (Interrupted, Failed, Interrupted),
        ] {
            assert_eq!(one.and(other), expect, "{one:?} {other:?}");
        }
    }
}
