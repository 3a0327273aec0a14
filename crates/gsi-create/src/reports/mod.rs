//! Reports: what came of a run, for people (Markdown) and for machines (JSON), kept with a time in their names.
//!
//! | report | written |
//! |---|---|
//! | `summary_YYYYMMDD_HHMMSS` | after every run that settled an index |
//! | `failures_…` | beside it, where an index failed |
//! | `rollback_…` | after a rollback |
//!
//! A report that cannot be written is a warning: the state file has the facts.

mod failures;
mod markdown;
mod rollback;
mod summary;

use std::{
    io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use fs_err as fs;
use serde::{Deserialize, Serialize};

pub(crate) use self::{failures::failure_report, rollback::rollback_report, summary::summary_report};

/// The directory of the reports, in the state directory unless the user names another.
pub(crate) const DIRECTORY: &str = "gsi_creation_reports";

/// How the names of reports begin.
const KINDS: [&str; 3] = ["summary", "failures", "rollback"];

/// More than a report of the largest job has; what is longer is none of ours.
const REPORT_BYTES_MAX: u64 = 64 << 20;

/// The version of the JSON forms. 1.0: first.
const VERSION: &str = "1.0";

/// What every report says first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Head {
    version: &'static str,
    report: &'static str,
    written_at: DateTime<Utc>,
    /// One line, for lists.
    outcome: String,
    script_name: String,
    state_dir: String,
}

impl Head {
    fn new(report: &'static str, written_at: DateTime<Utc>, outcome: String, job: &JobFacts<'_>) -> Self {
        let (script_name, state_dir) = (job.script_name.to_owned(), job.state_dir.display().to_string());
        Self { version: VERSION, report, written_at, outcome, script_name, state_dir }
    }
}

/// Which job a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobFacts<'a> {
    pub(crate) script_name: &'a str,
    pub(crate) state_dir: &'a Path,
}

/// A report that can be kept.
pub(crate) trait Report: Serialize {
    /// The first part of its file names.
    const STEM: &'static str;
    /// When it was made.
    fn written_at(&self) -> DateTime<Utc>;
    /// Its form for people.
    fn markdown(&self) -> String;
}

/// Writes both forms into `dir`, which is made where it is missing; gives the path of the readable one.
/// Nothing is overwritten.
pub(crate) fn keep<R: Report>(report: &R, dir: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let stem = format!("{}_{}", R::STEM, report.written_at().format("%Y%m%d_%H%M%S"));
    let stems = (1_u32..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}_{n}") });
    // A link that leads nowhere takes its name, too.
    let is_taken = |form: &&str, stem: &String| fs::symlink_metadata(dir.join(format!("{stem}.{form}"))).is_ok();
    let is_free = |stem: &String| !["json", "md"].iter().any(|form| is_taken(form, stem));
    // There are more names than a directory has places.
    let Some(stem) = stems.into_iter().find(is_free) else { return Err(io::ErrorKind::AlreadyExists.into()) };
    let readable = dir.join(format!("{stem}.md"));
    let json = serde_json::to_string_pretty(report)?;
    let json = terminal::clean_json(&json);
    for (path, text) in [(&dir.join(format!("{stem}.json")), &*json), (&readable, &report.markdown())] {
        if !statefile::create(path, text.as_bytes())? {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("`{}` exists", path.display())));
        }
    }
    Ok(readable)
}

/// Removes what was being written here when an earlier start was killed.
///
/// Call it only while the state is locked, and for its own directory of reports: in one that several jobs share, it may
/// be somebody's work.
pub(crate) fn remove_leftovers(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy());
        // `summary_20260302_081500.md.tmp-a1b2c3`
        let report = name.as_ref().and_then(|name| name.split_once(".tmp-")?.0.split_once('.'));
        if report.is_some_and(|(stem, form)| {
            ["json", "md"].contains(&form) && stem.split_once('_').is_some_and(|(kind, _)| KINDS.contains(&kind))
        }) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// A report in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Listed {
    /// The readable form, or the JSON where there is none.
    pub(crate) path: String,
    /// One line; `None` where the JSON cannot be read.
    pub(crate) outcome: Option<String>,
}

/// The reports in `dir`, oldest first; none where there is no such directory.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Listed>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(stem) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")) else { continue };
        let Some((kind, stamp)) = stem.split_once('_') else { continue };
        if KINDS.contains(&kind) {
            found.push((stamp.to_owned(), path.clone()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| listed(&path)).collect())
}

fn listed(path: &Path) -> Listed {
    #[derive(Deserialize)]
    struct Outcome {
        outcome: String,
    }
    let readable = path.with_extension("md");
    let shown = if readable.exists() { &readable } else { path };
    let outcome =
        statefile::read(path, REPORT_BYTES_MAX).ok().and_then(|bytes| serde_json::from_slice::<Outcome>(&bytes).ok());
    Listed { path: shown.display().to_string(), outcome: outcome.map(|outcome| outcome.outcome) }
}
