//! `--selftest DIR` as both programs offer it: the trials are started, shown, and answered for.
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
use statefile::{Clock, SystemClock};
use terminal::{Check, LiveLines, Outcome, Printer, Verbosity};
use tokio_util::sync::CancellationToken;

use crate::{Kind, Report, SelftestError, Setup, Trial, Verdict};

/// A process of the trials.
#[derive(Debug, Parser)]
struct Child {
    /// What it does.
    #[arg(long)]
    selftest_child: Kind,

    /// Where.
    dir: PathBuf,
}

/// Does the work of a process of the trials if that is what this one was started for; `None` if it is not.
///
/// To be asked before the program looks at its own command line.
pub fn work_if_asked() -> Option<io::Result<()>> {
    let Child { selftest_child, dir } = Child::try_parse().ok()?;
    Some(crate::child(selftest_child, &dir, &SystemClock, &mut io::stdin(), &mut io::stdout()))
}

/// A self-test as a program shows it.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'a> {
    /// The directory whose mount is tried.
    pub dir: &'a Path,
    /// How long that may take, roughly.
    pub budget: Duration,
    /// Whether the answer is JSON.
    pub is_json: bool,
    /// Where the answer and the commentary go.
    pub printer: Printer,
    /// The program's exit code for a verdict, which the answer repeats.
    pub exit_code: fn(Verdict) -> u8,
}

/// Why a self-test has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The trials could not be made.
    #[error(transparent)]
    Trials(SelftestError),
    /// The program's own file, its signals or its screen do not do what every system does.
    #[error("the self-test could not be started or shown")]
    System(#[from] io::Error),
}

impl ScreenError {
    /// What the user can do about it.
    #[must_use]
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Trials(SelftestError::Room { .. }) => {
                Some("make room: the trials need a megabyte, and state needs some, too")
            }
            Self::Trials(_) => Some("name a directory that exists, and that this user may write to"),
            Self::System(_) => None,
        }
    }
}

impl Screen<'_> {
    /// Tries the mount and shows what came of it; `None` if a signal ended it.
    ///
    /// # Errors
    ///
    /// When the directory cannot be used, or the screen is gone.
    pub fn run(&self) -> Result<Option<Verdict>, ScreenError> {
        let program = std::env::current_exe()?;
        let (owned, budget, printer) = (self.dir.to_owned(), self.budget, self.printer);
        let announce = move || printer.comment("interrupted: removing what was made");
        let work = move |cancel: &CancellationToken| try_mount(&owned, budget, &program, cancel, printer);
        let report = match terminal::interruptible(announce, work)? {
            Ok(report) => report,
            Err(SelftestError::Cancelled { .. }) => return Ok(None),
            Err(error) => return Err(ScreenError::Trials(error)),
        };
        let verdict = report.verdict();
        let answer = if self.is_json {
            let answer = Answer { exit_code: (self.exit_code)(verdict), verdict, report: &report };
            serde_json::to_string_pretty(&answer).map_err(io::Error::from)?
        } else {
            text(&report)
        };
        printer.answer(answer)?;
        Ok(Some(verdict))
    }
}

fn try_mount(
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
    let report = crate::run(&Setup {
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
