//! `cargo xtask package`: a `.deb` with both programs, manual pages, completions and units, and a look into it.
//!
//! The pages come from the programs themselves, which make them from the definition of their command line. cargo-deb is
//! installed on demand: only whoever packages needs it.

mod expected;
#[cfg(test)]
mod units;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{say, workspace};

/// The programs of the package.
const PROGRAMS: [&str; 2] = ["gsi-create", "run-archiver"];

/// Options of `package`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Fail where cargo-deb is not installed, instead of installing it
    #[arg(long)]
    no_install: bool,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let target = workspace::target_dir(&shell)?;
    say::line("building both programs");
    cmd!(shell, "cargo build --release --quiet -p gsi-create -p run-archiver")
        .quiet()
        .run()
        .context("the build failed")?;
    let release = target.join("release");
    pages(&shell, &release)?;
    install_cargo_deb(&shell, options.no_install)?;
    let package = build(&shell, &target)?;
    let listing = listing(&shell, &package)?;
    let missing = expected::missing(&listing);
    ensure!(missing.is_empty(), "`{}` lacks {}", package.display(), missing.join(", "));
    say::line(format_args!("{}: {} files, nothing is missing", package.display(), listing.len()));
    Ok(ExitCode::SUCCESS)
}

/// Lets the programs write their manual pages and completions to `pages/man` and `pages/completions`.
fn pages(shell: &Shell, release: &Path) -> Result<()> {
    let pages = release.join("pages");
    shell.remove_path(&pages)?;
    for program in PROGRAMS {
        let path = release.join(program);
        let (man, completions) = (pages.join("man"), pages.join("completions"));
        cmd!(shell, "{path} --generate-man {man} --generate-completions {completions}")
            .quiet()
            .run()
            .with_context(|| format!("`{program}` did not write its pages"))?;
    }
    Ok(())
}

fn install_cargo_deb(shell: &Shell, no_install: bool) -> Result<()> {
    if cmd!(shell, "cargo deb --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        return Ok(());
    }
    if no_install {
        bail!("cargo-deb is not installed: cargo install cargo-deb --locked");
    }
    say::line("installing cargo-deb");
    cmd!(shell, "cargo install cargo-deb --locked --quiet").quiet().run().context("cargo-deb could not be installed")
}

/// Builds the package and returns where it is.
fn build(shell: &Shell, target: &Path) -> Result<PathBuf> {
    let output = target.join("debian");
    shell.remove_path(&output)?;
    shell.create_dir(&output)?;
    cmd!(shell, "cargo deb --quiet --package run-archiver --no-build --output {output}")
        .quiet()
        .run()
        .context("cargo-deb failed")?;
    let mut found: Vec<PathBuf> = shell.read_dir(&output)?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
    match &found[..] {
        [package] => Ok(package.clone()),
        other => bail!("expected one package in `{}`, found {}", output.display(), other.len()),
    }
}

/// The files of a package, as `usr/bin/…`.
fn listing(shell: &Shell, package: &Path) -> Result<Vec<String>> {
    let text =
        cmd!(shell, "dpkg-deb --contents {package}").quiet().read().context("dpkg-deb could not look into it")?;
    Ok(text.lines().filter_map(expected::file_of).collect())
}
