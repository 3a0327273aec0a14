//! The end of a run: what came of it, and what to do next.

use std::path::Path;

use gsi_aws::{Outcome, RunReport};
use gsi_state::{CreationState, GsiKey};
use serde_json::{Value, json};
use terminal::{Printer, clean, style};

use super::follow::seconds;
use crate::exit::Exit;

/// What there is to say at the end.
#[derive(Debug)]
pub(crate) struct End<'a> {
    pub(crate) report: &'a RunReport,
    pub(crate) state: &'a CreationState,
    /// Where the state of a completed job was archived.
    pub(crate) archive: Option<&'a Path>,
    pub(crate) exit: Exit,
}

/// Prints the end of a run.
pub(crate) fn end(end: &End<'_>, state_dir: &Path, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        printer.answer(serde_json::to_string_pretty(&as_json(end, state_dir))?);
        return Ok(());
    }
    for line in lines(end, state_dir) {
        printer.answer(line);
    }
    Ok(())
}

fn lines(end: &End<'_>, state_dir: &Path) -> Vec<String> {
    let End { report, state, archive, exit } = end;
    let (head, bad, warn) = (style::HEAD, style::BAD, style::WARN);
    let summary = state.summary();
    let active = report.count(Outcome::is_active);
    let mut lines = vec![format!(
        "{head}{active} of {} indexes active{head:#} after {} ({} failed)",
        report.outcomes.len(),
        seconds(report.elapsed),
        report.count(|outcome| matches!(outcome, Outcome::Failed { .. })),
    )];
    for (key, outcome) in &report.outcomes {
        let key = key.to_string();
        let key = clean(&key);
        match outcome {
            Outcome::Failed { error } => lines.push(format!("  {bad}✗{bad:#} {key}: {}", clean(error))),
            Outcome::Unsettled { error } => {
                lines.push(format!("  {warn}?{warn:#} {key}: outcome unknown: {}", clean(error)));
            }
            _ => {}
        }
    }
    let others = others(end);
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|key| clean(&key.to_string()).into_owned()).collect();
        lines.push(format!("the state holds {} more that are not active: {}", others.len(), names.join(", ")));
    }
    if let Some(archive) = archive {
        let archive = archive.display().to_string();
        lines.push(format!("archived as {} (total {}, active {})", clean(&archive), summary.total, summary.active));
    }
    lines.extend(next_step(*exit, report, state_dir).map(|step| format!("next: {step}")));
    lines
}

/// Entries of the state that are not active and that this run was not about.
fn others<'a>(end: &End<'a>) -> Vec<&'a GsiKey> {
    let is_other = |key: &&GsiKey| !end.report.outcomes.contains_key(*key);
    let is_open = end.state.gsis().filter(|gsi| gsi.status != gsi_state::GsiStatus::Active);
    is_open.map(|gsi| &gsi.key).filter(is_other).collect()
}

fn next_step(exit: Exit, report: &RunReport, state_dir: &Path) -> Option<String> {
    let dir = state_dir.display().to_string();
    let dir = clean(&dir);
    match exit {
        // `--retry-failed` passes over what is not known to have failed.
        Exit::SomeFailed if report.count(|outcome| matches!(outcome, Outcome::Unsettled { .. })) > 0 => {
            Some(format!("remove the cause, then run the same command without `--retry-failed` (state: {dir})"))
        }
        Exit::SomeFailed => {
            Some(format!("remove the cause, then run the same command with `--retry-failed` (state: {dir})"))
        }
        Exit::StillBuilding => Some(format!("run the same command again to wait or go on (state: {dir})")),
        Exit::Interrupted => Some(format!("run the same command again to go on (state: {dir})")),
        _ => None,
    }
}

fn as_json(end: &End<'_>, state_dir: &Path) -> Value {
    let indexes: Vec<Value> = end
        .report
        .outcomes
        .iter()
        .map(|(key, outcome)| {
            let (name, error) = named(outcome);
            let attempts = end.state.get(key).map_or(0, |gsi| gsi.retry_count);
            json!({"table": key.table(), "index": key.index(), "outcome": name, "attempts": attempts, "error": error})
        })
        .collect();
    let others: Vec<String> = others(end).iter().map(ToString::to_string).collect();
    json!({
        "exit_code": end.exit as u8,
        "elapsed_seconds": end.report.elapsed.as_secs_f64(),
        "is_interrupted": end.report.is_interrupted,
        "indexes": indexes,
        "others_not_active": others,
        "summary": end.state.summary(),
        "state_dir": state_dir,
        "archive": end.archive,
    })
}

fn named(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Created { .. } => ("created", None),
        Outcome::Adopted => ("adopted", None),
        Outcome::StillActive => ("still_active", None),
        Outcome::Failed { error } => ("failed", Some(error)),
        Outcome::StillBuilding => ("still_building", None),
        Outcome::Unsettled { error } => ("unsettled", Some(error)),
        Outcome::NotStarted => ("not_started", None),
    }
}
