//! The end: what came of each stage, for people and for machines.

use std::collections::BTreeMap;

use run_pipeline::{Outcome, Rehearsal, Stage, StageReport};
use run_state::{RunNumber, RunSet};
use serde_json::{Map, Value, json};
use terminal::{Printer, style};

use super::{
    follow::{held_text, summary},
    name, runs,
    status::brief,
};
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
    /// What came of it, where it ran.
    pub(crate) fn report(&self) -> Option<&StageReport> {
        match self {
            Self::Ran(report) => Some(report),
            Self::Broke(_) => None,
        }
    }

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
    /// What went wrong on purpose, if anything.
    rehearsal: Option<String>,
}

impl Answer {
    /// The answer about these stages.
    pub(crate) fn new(stages: Vec<(Stage, StageEnd)>) -> Self {
        let exit = stages.iter().fold(Exit::Done, |exit, (_, end)| exit.and(end.exit()));
        Self { stages, exit, rehearsal: None }
    }

    /// With what went wrong on purpose.
    pub(crate) fn rehearsed(self, rehearsal: Option<&Rehearsal>) -> Self {
        Self { rehearsal: rehearsal.map(ToString::to_string), ..self }
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
        let mut lines: Vec<_> = self.rehearsal.iter().map(|text| format!("rehearsal of failures: {text}")).collect();
        for (stage, end) in &self.stages {
            if let StageEnd::Ran(report) = end {
                lines.extend(stage_lines(*stage, report));
            }
        }
        lines
    }

    fn as_json(&self) -> Value {
        let stages: Vec<Value> = self.stages.iter().map(|(stage, end)| stage_json(*stage, end)).collect();
        let mut answer = json!({ "exit_code": self.exit as u8, "stages": stages });
        if let Some(rehearsal) = &self.rehearsal {
            answer["rehearsal"] = json!(rehearsal);
        }
        answer
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
        let runs: RunSet = report.invalid.keys().copied().collect();
        lines.push(format!("  not valid: {runs}"));
    }
    if !report.held.is_empty() {
        lines.push(format!("  {}", held_text(&report.held)));
    }
    if !report.amended.is_empty() {
        let what = match stage {
            Stage::Import => "stop time added",
            Stage::Migrate => "new version stored",
        };
        lines.push(format!("  {what}: {}", report.amended));
    }
    if !report.not_amended.is_empty() {
        let runs: RunSet = report.not_amended.keys().copied().collect();
        lines.push(format!("  not brought up to date: {runs}"));
    }
    if let Some(reason) = &report.stopped {
        lines.push(format!("  stopped early: {}", terminal::clean(reason)));
    }
    if !report.not_found.is_empty() {
        lines.push(format!("  not found: {}", brief(&report.not_found, RANGES_TOLD_MAX)));
    }
    if !report.beyond_limit.is_empty() {
        lines.push(format!("  for the next start: {}", report.beyond_limit));
    }
    if report.is_interrupted {
        lines.push("  interrupted; the same command goes on".to_owned());
    } else if !report.still_failed.is_empty() {
        let waiting = runs(report.still_failed.len());
        lines.push(format!("  {waiting} in the failure log; remove the cause, then `{}`", retry_flag(stage)));
    }
    lines
}

/// Of runs that are only named, so many ranges are shown.
pub(super) const RANGES_TOLD_MAX: usize = 8;

/// The flag that tries the failed runs of a stage again.
const fn retry_flag(stage: Stage) -> &'static str {
    match stage {
        Stage::Import => "--retry-failed-import",
        Stage::Migrate => "--retry-failed-migrate",
    }
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
        "held": by_run(&report.held),
        "amended": report.amended.to_string(),
        "not_amended": by_run(&report.not_amended),
        "late": report.late.to_string(),
        "interrupted_before": report.interrupted.to_string(),
        "beyond_limit": report.beyond_limit.to_string(),
        "not_found": report.not_found.to_string(),
        "marks_before": report.marks_before,
        "marks_after": report.marks_after,
        "failure_log": report.still_failed.to_string(),
        "failure_log_runs": report.still_failed.len(),
        "retry": (!report.still_failed.is_empty()).then(|| retry_flag(stage)),
        "stopped": report.stopped,
        "is_interrupted": report.is_interrupted,
        "elapsed_seconds": report.elapsed.as_secs_f64(),
    })
}

/// `{"103": "no stop time yet"}`
fn by_run(reasons: &BTreeMap<RunNumber, impl ToString>) -> Value {
    reasons.iter().map(|(run, reason)| (run.to_string(), Value::from(reason.to_string()))).collect::<Map<_, _>>().into()
}

/// The error and its causes, the outermost first.
pub(crate) fn chain(failure: &Failure) -> Vec<String> {
    std::iter::successors(Some(failure.chain()), |error| error.source()).map(ToString::to_string).collect()
}

/// Prints the one document of a program whose command line was not understood; `text` is what stderr was told.
pub(crate) fn usage_failure(text: &str) {
    let reason = text.lines().next().unwrap_or_default();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    failure(&Failure { exit: Exit::Usage, ..Failure::known(anyhow::anyhow!("{reason}")) }, Printer::default());
}

/// Prints the one document of a program that failed before any stage.
pub(crate) fn failure(failure: &Failure, printer: Printer) {
    let answer =
        json!({ "exit_code": failure.exit as u8, "stages": [], "error": chain(failure), "hint": failure.hint });
    // Where stdout cannot be written, stderr has said it.
    drop(printer.answer(format_args!("{answer:#}")));
}
