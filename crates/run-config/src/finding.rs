//! What is wrong with a configuration, in words that name the file, the line and the key.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::{env_file::EnvFileError, yaml::SyntaxError};

/// A remark about one key. Never shows a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file; empty for a key that is missing.
    pub(super) file: PathBuf,
    /// From 1; 0 for a key that is missing.
    pub(super) line: u64,
    /// The key: `app.batch_size`.
    pub(super) key: String,
    pub(super) text: String,
}

impl fmt::Display for Finding {
    /// `config.yaml:7: app.batch_size: expected …`, as editors like it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        write!(f, " {}: {}", self.key, self.text)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file of variables cannot be read.
    #[error("could not read the variables in `{path}`")]
    ReadVariables {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file of variables is none.
    #[error("`{path}` is not a list of variables: {problem}")]
    Variables {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It is no YAML, or none that is accepted.
    #[error("{}: {message}", position(path, *line))]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1; 0 where that is not known.
        line: u64,
        /// What is wrong there.
        message: String,
    },
    /// It is YAML and no configuration.
    #[error("`{path}` holds no sections")]
    NoSections {
        /// The file.
        path: PathBuf,
    },
    /// Keys are missing, or have values that cannot be used.
    #[error("the configuration `{path}` cannot be used\n{}", lines(findings))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All that is wrong, at least one.
        findings: Vec<Finding>,
    },
}

impl ConfigError {
    pub(super) fn syntax(path: &Path, SyntaxError { line, message }: SyntaxError) -> Self {
        Self::Syntax { path: path.to_owned(), line, message }
    }

    pub(super) fn variables(path: &Path, error: &EnvFileError) -> Self {
        Self::Variables { path: path.to_owned(), problem: error.to_string() }
    }
}

fn position(path: &Path, line: u64) -> String {
    if line > 0 { format!("{}:{line}", path.display()) } else { path.display().to_string() }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
