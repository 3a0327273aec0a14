//! The end: what came of each stage, for people and for machines.

use run_pipeline::{Outcome, Stage, StageReport};
use serde_json::{Value, json};
use terminal::{Printer, style};

use super::{follow::summary, name};
use crate::exit::{Exit, Failure};

/// How a stage ended.
#[derive(Debug)]
pub(crate) enum StageEnd {
    /// It ran to its end, or was interrupted.
    Ran(Box<StageReport>),
    /// It could not start, or could not go on.
    Broke(Failure),
}

impl StageEnd {
    /// How the program ends if this was all.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Ran(report) if report.is_interrupted => Exit::Interrupted,
            Self::Ran(report) if report.has_failures() || !report.invalid.is_empty() => Exit::Failed,
            Self::Ran(_) => Exit::Done,
            Self::Broke(failure) => failure.exit,
        }
    }
}

/// Everything there is to say at the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) stages: Vec<(Stage, StageEnd)>,
    pub(crate) exit: Exit,
}

impl Answer {
    /// The answer about these stages.
    pub(crate) fn new(stages: Vec<(Stage, StageEnd)>) -> Self {
        let exit = stages.iter().fold(Exit::Done, |exit, (_, end)| exit.and(end.exit()));
        Self { stages, exit }
    }

    /// Prints it.
    pub(crate) fn print(&self, is_json: bool, printer: Printer) -> anyhow::Result<()> {
        if is_json {
            printer.answer(serde_json::to_string_pretty(&self.as_json())?)?;
            return Ok(());
        }
        let head = style::HEAD;
        for line in self.lines() {
            match line.split_once(':') {
                Some((stage, rest)) if !stage.starts_with(' ') => {
                    printer.answer(format_args!("{head}{stage}{head:#}:{rest}"))?;
                }
                _ => printer.answer(line)?,
            }
        }
        Ok(())
    }

    /// The lines for people, which the log takes, too.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (stage, end) in &self.stages {
            if let StageEnd::Ran(report) = end {
                lines.extend(stage_lines(*stage, report));
            }
        }
        lines
    }

    fn as_json(&self) -> Value {
        let stages: Vec<Value> = self.stages.iter().map(|(stage, end)| stage_json(*stage, end)).collect();
        json!({ "exit_code": self.exit as u8, "stages": stages })
    }
}

fn stage_lines(stage: Stage, report: &StageReport) -> Vec<String> {
    let (before, after) = (&report.marks_before, &report.marks_after);
    let marks = if before == after { format!("marks {after}") } else { format!("marks {before} → {after}") };
    let mut lines = vec![
        format!("{}: {}", name(stage), summary(report)),
        format!("  {marks} (contiguous/attempted); failure log: {}", report.still_failed),
    ];
    if !report.invalid.is_empty() {
        let runs: run_state::RunSet = report.invalid.keys().copied().collect();
        lines.push(format!("  not valid: {runs}"));
    }
    if !report.amended.is_empty() {
        lines.push(format!("  stop time added: {}", report.amended));
    }
    if let Some(reason) = &report.stopped {
        lines.push(format!("  stopped early: {}", terminal::clean(reason)));
    }
    if !report.beyond_limit.is_empty() {
        lines.push(format!("  for the next start: {}", report.beyond_limit));
    }
    if report.is_interrupted {
        lines.push("  interrupted; the same command goes on".to_owned());
    } else if !report.still_failed.is_empty() {
        let flag = match stage {
            Stage::Import => "--retry-failed-import",
            Stage::Migrate => "--retry-failed-migrate",
        };
        lines.push(format!("  next: remove the cause, then `{flag}`"));
    }
    lines
}

fn stage_json(stage: Stage, end: &StageEnd) -> Value {
    let report = match end {
        StageEnd::Ran(report) => report,
        StageEnd::Broke(failure) => {
            return json!({ "stage": name(stage), "error": chain(failure), "hint": failure.hint });
        }
    };
    let runs: Vec<Value> = report
        .outcomes
        .iter()
        .map(|(run, outcome)| {
            let (outcome, reason) = match outcome {
                Outcome::Archived { was_there: false } => ("archived", None),
                Outcome::Archived { was_there: true } => ("was_archived", None),
                Outcome::Failed { reason } => ("failed", Some(reason)),
                Outcome::NotAttempted => ("not_attempted", None),
            };
            json!({ "run": run, "outcome": outcome, "reason": reason, "invalid": report.invalid.get(run) })
        })
        .collect();
    json!({
        "stage": name(stage),
        "runs": runs,
        "amended": report.amended.to_string(),
        "late": report.late.to_string(),
        "interrupted_before": report.interrupted.to_string(),
        "beyond_limit": report.beyond_limit.to_string(),
        "marks_before": report.marks_before,
        "marks_after": report.marks_after,
        "failure_log": report.still_failed.to_string(),
        "stopped": report.stopped,
        "is_interrupted": report.is_interrupted,
        "elapsed_seconds": report.elapsed.as_secs_f64(),
    })
}

/// The error and its causes, the outermost first.
fn chain(failure: &Failure) -> Vec<String> {
    std::iter::successors(Some(failure.chain()), |error| error.source()).map(ToString::to_string).collect()
}

/// Prints the one document of a program that failed before any stage.
pub(crate) fn failure(failure: &Failure, printer: Printer) {
    let answer =
        json!({ "exit_code": failure.exit as u8, "stages": [], "error": chain(failure), "hint": failure.hint });
    // Where stdout cannot be written, stderr has said it.
    drop(printer.answer(format_args!("{answer:#}")));
}
