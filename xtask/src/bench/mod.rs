//! `cargo xtask bench`: figures of a release build, taken in one run on this machine.
//!
//! A subject is a bench target of this package (`benches/NAME.rs`) that measures and prints JSON, and a
//! module here that runs it and makes a table. This program itself is a debug build; it measures nothing.

mod archive;
mod state;
mod status;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Subcommand;
use tempfile::TempDir;
use xshell::Shell;

use crate::workspace;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Subject {
    /// Import and migration of run records: rate, growth with the archive, requests
    Archive(archive::Options),
    /// A durable update of the index-creation state, beside one append + fdatasync
    State(state::Options),
    /// The status of an archive with a million run directories: time and memory
    Status(status::Options),
}

/// Measures.
pub(crate) fn run(subject: &Subject) -> Result<ExitCode> {
    match subject {
        Subject::Archive(options) => archive::run(options),
        Subject::State(options) => state::run(options),
        Subject::Status(options) => status::run(options),
    }
}

/// Where to measure: `parent`, or `target/bench`, and a directory of its own in it, which is removed at the end, since
/// what an earlier run left must not be measured.
fn place(shell: &Shell, parent: Option<&Path>, prefix: &str) -> Result<(PathBuf, TempDir)> {
    let parent = match parent {
        Some(parent) => std::path::absolute(parent)?,
        None => workspace::target_dir(shell)?.join("bench"),
    };
    fs_err::create_dir_all(&parent)?;
    let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(&parent).context("could not make a directory")?;
    Ok((parent, dir))
}
