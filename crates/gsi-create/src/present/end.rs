//! The end of a run: what came of it, and what to do next.

use std::path::{Path, PathBuf};

use gsi_aws::{Outcome, RunReport, preflight::TableFindings, validate::ValidationReport};
use gsi_state::{CreationState, GsiKey, GsiStatus, Summary, Validation, Verdict};
use serde::Serialize;
use terminal::{Printer, clean, style};

use super::{follow::seconds, preflight::PreflightAnswer};
use crate::exit::Exit;

/// What there is to say at the end.
#[derive(Debug)]
pub(crate) struct End<'a> {
    pub(crate) report: &'a RunReport,
    pub(crate) validation: &'a ValidationReport,
    /// What the pre-flight found, table by table.
    pub(crate) preflight: &'a [TableFindings],
    pub(crate) state: &'a CreationState,
    /// Where the state of a completed job was archived.
    pub(crate) archive: Option<&'a Path>,
    /// The reports that were written, in their readable form.
    pub(crate) reports: &'a [PathBuf],
    pub(crate) exit: Exit,
    /// `--retry-failed` was said.
    pub(crate) is_retry: bool,
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
    let End { report, state, archive, reports, .. } = end;
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
    if let Some(error) = &report.stopped_by {
        lines.push(format!("{bad}stopped{bad:#}: every call would be refused: {}", clean(error)));
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
    lines.extend(super::validation::sum(end.validation));
    for (key, finding) in &end.validation.findings {
        // The good ones are in the sum.
        if let Some(finding) = finding.as_ref().filter(|finding| finding.verdict != Verdict::Functional) {
            lines.push(super::validation::line(key, Some(finding)));
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
    let reports = reports.iter().map(|report| report.display().to_string());
    lines.extend(reports.map(|report| format!("report: {}", clean(&report))));
    let state_dir = state_dir.display().to_string();
    lines.extend(next_step(end).map(|step| format!("next: {step} (state: {})", clean(&state_dir))));
    lines
}

/// What to do next, from what came of the indexes: the exit code says too little.
fn next_step(end: &End<'_>) -> Option<&'static str> {
    let End { report, validation, .. } = end;
    let has = |is_of_sort: fn(&Outcome) -> bool| report.count(is_of_sort) > 0;
    if report.is_interrupted {
        Some("run the same command again to go on")
    } else if report.stopped_by.is_some() || has(|outcome| matches!(outcome, Outcome::Unsettled { .. })) {
        // What the run did not come to, or what is not known to have failed, `--retry-failed` would pass over.
        Some(if end.is_retry {
            "remove the cause, then run the same command without `--retry-failed`"
        } else {
            "remove the cause, then run the same command again"
        })
    } else if has(|outcome| matches!(outcome, Outcome::Failed { .. })) {
        Some("remove the cause, then run the same command with `--retry-failed`")
    } else if report.has_unfinished() {
        Some("run the same command again to wait or go on")
    } else if validation.is_interrupted {
        Some("run the same command again to validate the rest")
    } else {
        None
    }
}

/// Entries of the state that are not active and that this run was not about.
fn others<'a>(end: &End<'a>) -> Vec<&'a GsiKey> {
    let is_other = |key: &&GsiKey| !end.report.outcomes.contains_key(*key);
    let is_open = end.state.gsis().filter(|gsi| !matches!(gsi.status, GsiStatus::Active | GsiStatus::Deleted));
    is_open.map(|gsi| &gsi.key).filter(is_other).collect()
}

/// The answer of `--json`.
#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    elapsed_seconds: f64,
    is_interrupted: bool,
    /// The error that stopped the run for all tables.
    stopped_by: Option<&'a str>,
    indexes: Vec<IndexAnswer<'a>>,
    /// Empty without `--preflight`.
    preflight: Vec<PreflightAnswer<'a>>,
    others_not_active: Vec<String>,
    summary: Summary,
    state_dir: String,
    archive: Option<String>,
    reports: Vec<String>,
}

#[derive(Serialize)]
struct IndexAnswer<'a> {
    table: &'a str,
    index: &'a str,
    outcome: &'static str,
    /// Over all runs.
    attempts: u32,
    error: Option<&'a str>,
    /// What the last validation found, in this run or an earlier one.
    validation: Option<&'a Validation>,
}

impl<'a> Answer<'a> {
    fn of(end: &End<'a>, state_dir: &Path) -> Self {
        let index = |(key, outcome): (&'a GsiKey, &'a Outcome)| {
            let (name, error) = named(outcome);
            let attempts = end.state.get(key).map_or(0, |gsi| gsi.retry_count);
            let validation = end.state.get(key).and_then(|gsi| gsi.validation.as_ref());
            IndexAnswer { table: key.table(), index: key.index(), outcome: name, attempts, error, validation }
        };
        Self {
            exit_code: end.exit as u8,
            elapsed_seconds: end.report.elapsed.as_secs_f64(),
            is_interrupted: end.report.is_interrupted,
            stopped_by: end.report.stopped_by.as_deref(),
            indexes: end.report.outcomes.iter().map(index).collect(),
            preflight: end.preflight.iter().map(PreflightAnswer::of).collect(),
            others_not_active: others(end).iter().map(ToString::to_string).collect(),
            summary: end.state.summary(),
            // A path may be no text; JSON has nothing else.
            state_dir: state_dir.display().to_string(),
            archive: end.archive.map(|archive| archive.display().to_string()),
            reports: end.reports.iter().map(|report| report.display().to_string()).collect(),
        }
    }
}

pub(super) fn named(outcome: &Outcome) -> (&'static str, Option<&str>) {
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
