//! What was done in a state directory: its jobs and its reports.

use std::path::{Path, PathBuf};

use gsi_state::{OpenError, StatusView, Summary};
use serde::Serialize;
use terminal::{Printer, clean, style};

use super::TIME;
use crate::reports::Listed;

/// The jobs and reports of a directory.
pub(crate) struct Past {
    /// Each archive with what it holds, or why that is not known; oldest first.
    pub(crate) jobs: Vec<Job>,
    /// The job at hand.
    pub(crate) current: Option<Job>,
    /// The reports, oldest first.
    pub(crate) reports: Vec<Listed>,
}

/// A state by its path; `None` where it went away while it was read.
type Job = (PathBuf, Result<Option<StatusView>, OpenError>);

/// Lists them.
pub(crate) fn history(past: &Past, dir: &Path, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        let told = |(path, job): &Job| match job {
            Ok(Some(view)) => JobAnswer::of(path, Some(view), None),
            Ok(None) => JobAnswer::of(path, None, Some("it is gone".to_owned())),
            Err(error) => JobAnswer::of(path, None, Some(error.to_string())),
        };
        let answer = Answer {
            jobs: past.jobs.iter().map(told).collect(),
            current: past.current.as_ref().map(told),
            reports: &past.reports,
        };
        printer.answer(serde_json::to_string_pretty(&answer)?)?;
        return Ok(());
    }
    for line in lines(past, dir) {
        printer.answer(line)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Answer<'a> {
    jobs: Vec<JobAnswer>,
    current: Option<JobAnswer>,
    reports: &'a [Listed],
}

#[derive(Serialize)]
struct JobAnswer {
    path: String,
    outcome: &'static str,
    started_at: Option<chrono::DateTime<chrono::Utc>>,
    ended_at: Option<chrono::DateTime<chrono::Utc>>,
    summary: Option<Summary>,
    error: Option<String>,
}

impl JobAnswer {
    fn of(path: &Path, view: Option<&StatusView>, error: Option<String>) -> Self {
        Self {
            path: path.display().to_string(),
            outcome: view.map_or("unreadable", |view| outcome(&view.summary())),
            started_at: view.map(|view| view.state.created_at),
            ended_at: view.map(|view| view.state.updated_at),
            summary: view.map(StatusView::summary),
            error,
        }
    }
}

/// One word for a job.
const fn outcome(summary: &Summary) -> &'static str {
    if summary.is_complete() {
        if summary.deleted > 0 { "rolled back" } else { "completed" }
    } else if !summary.is_settled() {
        "unfinished"
    } else {
        "failures left"
    }
}

fn lines(past: &Past, dir: &Path) -> Vec<String> {
    let (head, dim) = (style::HEAD, style::DIM);
    let mut lines = vec![format!("{head}Jobs in {}{head:#}", clean(&dir.display().to_string()))];
    for (path, job) in past.jobs.iter().chain(&past.current) {
        lines.push(match job {
            Ok(Some(view)) => line(path, view),
            Ok(None) => format!("  {} is gone", name(path)),
            Err(error) => format!("  {} cannot be read: {}", name(path), clean(&error.to_string())),
        });
    }
    if past.jobs.is_empty() && past.current.is_none() {
        lines.push("  none".to_owned());
    }
    lines.push(format!("\n{head}Reports{head:#}"));
    lines.extend(past.reports.iter().map(|report| {
        let told = report.outcome.as_deref().map_or(String::new(), |outcome| format!("  {}", clean(outcome)));
        format!("  {}{dim}{told}{dim:#}", clean(&report.path))
    }));
    if past.reports.is_empty() {
        lines.push("  none".to_owned());
    }
    lines
}

fn line(path: &Path, view: &StatusView) -> String {
    let summary = view.summary();
    let rest =
        [(summary.failed, "failed"), (summary.in_progress + summary.pending, "open"), (summary.deleted, "rolled back")];
    let rest = rest.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    format!(
        "  {}  {:<13}  {} of {} active{}  {}",
        view.state.created_at.format(TIME),
        outcome(&summary),
        summary.active,
        summary.total,
        rest.collect::<String>(),
        name(path),
    )
}

fn name(path: &Path) -> String {
    clean(&path.file_name().unwrap_or_default().to_string_lossy()).into_owned()
}
