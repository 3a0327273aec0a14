//! The end of a run: what came of it, and what to do next.

use std::path::Path;

use gsi_aws::{Outcome, RunReport};
use gsi_state::{CreationState, GsiKey, Summary};
use serde::Serialize;
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
        printer.answer(serde_json::to_string_pretty(&Answer::of(end, state_dir))?)?;
        return Ok(());
    }
    for line in lines(end, state_dir) {
        printer.answer(line)?;
    }
    Ok(())
}

fn lines(end: &End<'_>, state_dir: &Path) -> Vec<String> {
    let End { report, state, archive, .. } = end;
    let (head, bad, warn) = (style::HEAD, style::BAD, style::WARN);
    let summary = state.summary();
    let failed = report.count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let unknown = report.count(|outcome| matches!(outcome, Outcome::Unsettled { .. }));
    let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} unknown") };
    let mut lines = Vec::new();
    if !report.outcomes.is_empty() {
        lines.push(format!(
            "{head}{} of {} indexes active{head:#} after {} ({failed} failed{unknown})",
            report.count(Outcome::is_active),
            report.outcomes.len(),
            seconds(report.elapsed),
        ));
    }
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
    let state_dir = state_dir.display().to_string();
    lines.extend(next_step(report).map(|step| format!("next: {step} (state: {})", clean(&state_dir))));
    lines
}

/// What to do next, from what came of the indexes: the exit code says too little.
fn next_step(report: &RunReport) -> Option<&'static str> {
    let has = |is_of_sort: fn(&Outcome) -> bool| report.count(is_of_sort) > 0;
    if report.is_interrupted {
        Some("run the same command again to go on")
    } else if has(|outcome| matches!(outcome, Outcome::Unsettled { .. })) {
        // `--retry-failed` passes over what is not known to have failed.
        Some("remove the cause, then run the same command without `--retry-failed`")
    } else if has(|outcome| matches!(outcome, Outcome::Failed { .. })) {
        Some("remove the cause, then run the same command with `--retry-failed`")
    } else if report.has_unfinished() {
        Some("run the same command again to wait or go on")
    } else {
        None
    }
}

/// Entries of the state that are not active and that this run was not about.
fn others<'a>(end: &End<'a>) -> Vec<&'a GsiKey> {
    let is_other = |key: &&GsiKey| !end.report.outcomes.contains_key(*key);
    let is_open = end.state.gsis().filter(|gsi| gsi.status != gsi_state::GsiStatus::Active);
    is_open.map(|gsi| &gsi.key).filter(is_other).collect()
}

/// The answer of `--json`.
#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    elapsed_seconds: f64,
    is_interrupted: bool,
    indexes: Vec<IndexAnswer<'a>>,
    others_not_active: Vec<String>,
    summary: Summary,
    state_dir: String,
    archive: Option<String>,
}

#[derive(Serialize)]
struct IndexAnswer<'a> {
    table: &'a str,
    index: &'a str,
    outcome: &'static str,
    /// Over all runs.
    attempts: u32,
    error: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(end: &End<'a>, state_dir: &Path) -> Self {
        let index = |(key, outcome): (&'a GsiKey, &'a Outcome)| {
            let (name, error) = named(outcome);
            let attempts = end.state.get(key).map_or(0, |gsi| gsi.retry_count);
            IndexAnswer { table: key.table(), index: key.index(), outcome: name, attempts, error }
        };
        Self {
            exit_code: end.exit as u8,
            elapsed_seconds: end.report.elapsed.as_secs_f64(),
            is_interrupted: end.report.is_interrupted,
            indexes: end.report.outcomes.iter().map(index).collect(),
            others_not_active: others(end).iter().map(ToString::to_string).collect(),
            summary: end.state.summary(),
            // A path may be no text; JSON has nothing else.
            state_dir: state_dir.display().to_string(),
            archive: end.archive.map(|archive| archive.display().to_string()),
        }
    }
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
