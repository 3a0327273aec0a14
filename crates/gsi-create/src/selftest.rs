//! `--selftest DIR`: can a mount hold state? The trials are `statefile`'s; here they are started, shown and judged by an
//! exit code.
//!
//! The trials need other processes of this program: those have a command line of their own, which the program's help
//! does not show.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use clap::Parser;
use serde::Serialize;
use statefile::{
    Clock, SystemClock,
    selftest::{self, Kind, Report, SelftestError, Setup, Trial, Verdict},
};
use terminal::{Check, LiveLines, Outcome, Printer, Verbosity};
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Failure};

/// A process of the trials.
#[derive(Debug, Parser)]
struct Child {
    /// What it does.
    #[arg(long)]
    selftest_child: Kind,

    /// Where.
    dir: PathBuf,
}

/// Does the work of such a process if that is what this one was started for; `None` if it is not.
pub(crate) fn work_if_asked() -> Option<io::Result<()>> {
    let Child { selftest_child, dir } = Child::try_parse().ok()?;
    Some(selftest::child(selftest_child, &dir, &SystemClock, &mut io::stdin(), &mut io::stdout()))
}

/// Tries the mount of `dir` and shows what came of it.
pub(crate) fn selftest(dir: &Path, budget: Duration, is_json: bool, printer: Printer) -> Result<Exit, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let owned = dir.to_owned();
    let announce = move || printer.comment("interrupted: removing what was made");
    let work = move |cancel: &CancellationToken| run(&owned, budget, &program, cancel, printer);
    let outcome = terminal::interruptible(announce, work).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let report = match outcome {
        Ok(report) => report,
        Err(SelftestError::Cancelled { .. }) => return Ok(Exit::Interrupted),
        Err(error) => {
            let hint = match error {
                SelftestError::Room { .. } => "make room: the trials need a megabyte, and state needs some, too",
                _ => "name a directory that exists, and that this user may write to",
            };
            return Err(Failure::new(Exit::SomeFailed, error).hint(hint));
        }
    };
    let exit = match report.verdict() {
        Verdict::Kept => Exit::Done,
        Verdict::Unknown => Exit::ToDo,
        Verdict::Broken => Exit::SomeFailed,
    };
    let answer = if is_json {
        let answer = Answer { exit_code: exit as u8, verdict: report.verdict(), report: &report };
        serde_json::to_string_pretty(&answer).map_err(|error| Failure::new(Exit::Unexpected, error))?
    } else {
        text(&report)
    };
    printer.answer(answer).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    Ok(exit)
}

fn run(
    dir: &Path,
    budget: Duration,
    program: &Path,
    cancel: &CancellationToken,
    printer: Printer,
) -> Result<Report, SelftestError> {
    let start = Instant::now();
    let is_watched = printer.verbosity() > Verbosity::Quiet && Printer::is_watched();
    let live = is_watched.then(LiveLines::new);
    if live.is_none() {
        printer.comment(format_args!(
            "trying {}: at most {} s, give or take a few",
            terminal::clean(&dir.display().to_string()),
            budget.as_secs()
        ));
    }
    let report = selftest::run(&Setup {
        dir,
        budget,
        seed: u64::from(SystemClock.now().timestamp_subsec_nanos()) << 32 | u64::from(std::process::id()),
        clock: &SystemClock,
        elapsed: &|| start.elapsed(),
        command: &|kind, dir| {
            let mut command = Command::new(program);
            command.args(["--selftest-child", &kind.to_string()]).arg(dir);
            command
        },
        is_cancelled: &|| cancel.is_cancelled(),
        progress: &|promise, how_far| {
            if let Some(live) = &live {
                live.set("selftest", format!("{} {how_far}", promise.title()));
            } else {
                printer.detail(format_args!("trying: {} {how_far}", promise.title()));
            }
        },
    });
    if let Some(live) = live {
        live.clear();
    }
    report
}

#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    verdict: Verdict,
    #[serde(flatten)]
    report: &'a Report,
}

/// The screen.
fn text(report: &Report) -> String {
    let checks: Vec<_> = report.trials.iter().map(|trial| (trial, trial.verdict.to_string())).collect();
    let rows: Vec<_> = checks.iter().map(|(trial, word)| row(trial, word)).collect();
    let notes: Vec<_> = report.notes.iter().map(|note| format!("\nnote: {}\n", terminal::clean(note))).collect();
    let count = |verdict| report.trials.iter().filter(|trial| trial.verdict == verdict).count();
    format!(
        "{}\n\n{}{}\nverdict: {} ({} kept, {} unknown, {} broken; {:.1} s)",
        terminal::clean(&format!("{}: {}", report.dir.display(), report.mount)),
        terminal::render_checks(&rows),
        notes.concat(),
        report.conclusion(),
        count(Verdict::Kept),
        count(Verdict::Unknown),
        count(Verdict::Broken),
        report.took.as_secs_f64(),
    )
}

fn row<'a>(trial: &'a Trial, word: &'a str) -> Check<'a> {
    let outcome = match trial.verdict {
        Verdict::Kept => Outcome::Good,
        Verdict::Unknown => Outcome::Doubtful,
        Verdict::Broken => Outcome::Bad,
    };
    let advice = trial.advice.as_deref();
    Check { outcome, word, name: trial.promise.title(), text: &trial.detail, advice }
}
