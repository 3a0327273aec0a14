//! `cargo xtask demo`: a guided tour of both programs, checked at every step.
//!
//! Every exit code and every file is checked: a demo that ends well has shown what it says. It needs
//! neither an account, nor a server, nor a network.

mod archive;
mod indexes;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{say, workspace};

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Also show the output of the build
    #[arg(short, long)]
    verbose: bool,
}

/// Gives the tour.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let target = workspace::target_dir(&shell)?;
    // Relative to the root where that is possible, so that commands can be copied.
    let target = target.strip_prefix(workspace::root()).map_or_else(|_| target.clone(), Path::to_owned);
    heading("Build both programs");
    command("cargo build -p gsi-create -p run-archiver");
    let quiet = (!options.verbose).then_some("--quiet");
    cmd!(shell, "cargo build {quiet...} -p gsi-create -p run-archiver").quiet().run().context("the build failed")?;
    let start = Instant::now();
    indexes::tour(&shell, target.join("debug/gsi-create"), fresh(&shell, target.join("demo/indexes"))?)?;
    archive::tour(&shell, target.join("debug/run-archiver"), fresh(&shell, target.join("demo/archive"))?)?;
    say::line(format_args!(
        "\nAll of this was checked. {:.1} s without the build; everything is left in {} to look at.",
        start.elapsed().as_secs_f64(),
        target.join("demo").display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// An empty directory in the place of whatever an earlier tour left.
fn fresh(shell: &Shell, dir: PathBuf) -> Result<PathBuf> {
    shell.remove_path(&dir)?;
    shell.create_dir(&dir)?;
    Ok(dir)
}

/// Shows a directory.
fn list(shell: &Shell, dir: &Path) -> Result<()> {
    command(format_args!("ls -la {}", dir.display()));
    cmd!(shell, "ls -la {dir}").quiet().run().context("could not list the directory")
}

fn heading(text: &str) {
    say::line(format_args!("\n── {text} ──"));
}

fn command(text: impl Display) {
    say::line(format_args!("\n$ {text}"));
}
