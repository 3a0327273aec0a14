//! `cargo xtask test-all`: every check that CI runs, to the end, one line a step, a table at the end.
//!
//! # Promises
//!
//! 1. A step that fails does not keep later steps from running; its output is shown in full.
//! 2. The exit code is 0 only if every step that could run passed. A tool that is not installed is
//!    said to be "not installed", never "passed".
//! 3. No test is skipped unseen: a line that starts with `SKIPPED` in the output of a passing test is
//!    shown, its test is counted as skipped and not as passed, and with `CI=true` it fails the run.
//! 4. Tests find a real MongoDB server, unless the environment names another; with `CI=true` the run fails
//!    if there can be none.
//! 5. The last line is `N passed, N failed, N skipped`; see [`report::totals`] for what is counted.

mod counts;
mod report;
mod steps;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use xshell::{Shell, cmd};

use crate::{debian, say, servers, tidy, workspace};
use counts::TestRun;
use report::{Outcome, Verdict};
use steps::{Action, Step};

/// Options of `test-all`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What runs the tests
    #[arg(long, value_enum, default_value_t = Runner::Auto)]
    runner: Runner,
    /// Fail if a test says SKIPPED [default: only when the environment says CI=true]
    #[arg(long)]
    no_skips: bool,
}

/// What runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Runner {
    /// nextest when it is installed, else cargo
    Auto,
    /// cargo nextest
    Nextest,
    /// cargo test
    Cargo,
}

/// Runs all steps, then says how they ended.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let nextest = match options.runner {
        Runner::Auto => is_installed(&shell, "nextest"),
        Runner::Nextest => true,
        Runner::Cargo => false,
    };
    let logs = workspace::target_dir(&shell)?.join("test-all");
    fs_err::create_dir_all(&logs)?;
    let mut outcomes = Vec::new();
    if in_ci()
        && let Err(error) = debian::ensure_installed()
    {
        say::line(format_args!("{error:#}"));
    }
    let mongod = start_mongod(options.no_skips || in_ci(), &mut outcomes);
    let variables = mongod.as_ref().map(servers::Mongod::variables);
    let variables = variables.as_ref().map_or(&[][..], |variables| &variables[..]);
    for step in steps::all(nextest, is_installed(&shell, "deny")) {
        say::part(format_args!("{:<10}", step.name));
        let start = Instant::now();
        let done = perform(&step, &logs, variables)?;
        let outcome = done.outcome(step.name, start.elapsed());
        say::line(outcome.line());
        if outcome.verdict == Verdict::Failed {
            show(&step, &done.shown);
        }
        outcomes.push(outcome);
    }
    if options.no_skips || in_ci() {
        outcomes.extend(report::forbid_skips(&outcomes));
    }
    say::line(report::render(&outcomes));
    Ok(if outcomes.iter().any(|outcome| outcome.verdict == Verdict::Failed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The server that tests are to use, if the environment names none. One that cannot be started is a failure where no
/// test may be skipped; elsewhere it is told, and the tests that need it say so themselves.
fn start_mongod(is_needed: bool, outcomes: &mut Vec<Outcome>) -> Option<servers::Mongod> {
    if is_set(servers::MONGODB_URI) {
        return None;
    }
    say::part(format_args!("{:<10}", "mongod"));
    let start = Instant::now();
    let (mongod, error) = match servers::Mongod::start() {
        Ok(mongod) => (Some(mongod), None),
        Err(error) => (None, Some(error)),
    };
    let (verdict, detail) = match &error {
        None => (Verdict::Passed, String::new()),
        Some(_) if is_needed => (Verdict::Failed, "tests that need a MongoDB server cannot run".to_owned()),
        Some(_) => (Verdict::NotInstalled, "tests that need a MongoDB server say SKIPPED".to_owned()),
    };
    let outcome = Outcome { name: "mongod", verdict, elapsed: start.elapsed(), detail, tests: None };
    say::line(outcome.line());
    if let Some(error) = error {
        say::line(format_args!("{error:#}"));
    }
    outcomes.push(outcome);
    mongod
}

/// What a step left behind.
struct Done {
    verdict: Verdict,
    detail: String,
    /// What to show if the step failed.
    shown: String,
    tests: Option<TestRun>,
}

impl Done {
    fn outcome(&self, name: &'static str, elapsed: Duration) -> Outcome {
        Outcome { name, verdict: self.verdict, elapsed, detail: self.detail.clone(), tests: self.tests.clone() }
    }
}

fn perform(step: &Step, logs: &Path, mongod: &[(&str, &OsStr)]) -> Result<Done> {
    match &step.action {
        Action::Absent { remedy } => Ok(Done {
            verdict: Verdict::NotInstalled,
            detail: format!("enable with `{remedy}`"),
            shown: String::new(),
            tests: None,
        }),
        Action::Tidy => Ok(match tidy::check_tree() {
            Ok(report) => Done {
                verdict: Verdict::of(report.is_clean()),
                detail: report.totals(),
                shown: report.to_string(),
                tests: None,
            },
            Err(error) => Done {
                verdict: Verdict::Failed,
                detail: "could not run".to_owned(),
                shown: format!("error: {error:#}"),
                tests: None,
            },
        }),
        Action::Cargo { arguments, environment, reader } => {
            let log = logs.join(format!("{}.log", step.name));
            let succeeded = capture(arguments, environment, mongod, &log)?;
            let text = String::from_utf8_lossy(&fs_err::read(&log)?).into_owned();
            let tests = reader.and_then(|reader| counts::read(reader, &text));
            Ok(Done {
                verdict: Verdict::of(succeeded),
                detail: tests.as_ref().map_or_else(String::new, |run| run.counts.to_string()),
                shown: counts::without_output_of_passing_tests(*reader, &text).to_owned(),
                tests,
            })
        }
    }
}

/// Runs cargo with stdout and stderr in one file, in the order in which they were written.
fn capture(arguments: &[&str], environment: &[(&str, &str)], mongod: &[(&str, &OsStr)], log: &Path) -> Result<bool> {
    let file = fs_err::File::create(log)?;
    let both = file.try_clone()?;
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        // The counts are read from the output, which must be without colours.
        .env("CARGO_TERM_COLOR", "never")
        .envs(environment.iter().copied())
        .envs(mongod.iter().copied())
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stdout(file.into_file())
        .stderr(both.into_file());
    let status = command.status().context("could not start `cargo`; is the Rust toolchain on the PATH?")?;
    Ok(status.success())
}

fn show(step: &Step, output: &str) {
    let rule = "─".repeat(100);
    say::line(format_args!("{rule}\n{}\n{rule}\nto repeat: {}\n", output.trim_end(), step.command()));
}

/// Whether `cargo NAME` is there. `cargo` itself says so on stderr, which is of no interest.
fn is_installed(shell: &Shell, name: &str) -> bool {
    cmd!(shell, "cargo {name} --version").quiet().ignore_stderr().ignore_stdout().run().is_ok()
}

#[expect(clippy::disallowed_methods, reason = "whether the user has a server")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

#[expect(clippy::disallowed_methods, reason = "how CI systems say that nobody is watching")]
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}
