//! Undoing: the question before it, and what came of it.

use std::path::Path;

use gsi_aws::rollback::{LeftAlone, RollbackOutcome, RollbackReport};
use gsi_state::{GsiKey, GsiStatus};
use serde::Serialize;
use terminal::{Printer, clean, style};

use super::{TIME, check, follow::seconds};
use crate::{
    exit::Exit,
    job::{Candidate, READS_OVER, Reads},
};

/// What there is to say at the end.
pub(crate) struct Undone<'a> {
    pub(crate) report: &'a RollbackReport,
    /// Somebody chose to keep them.
    pub(crate) kept: &'a [GsiKey],
    pub(crate) left_alone: &'a [(GsiKey, LeftAlone)],
    /// Where the state was archived.
    pub(crate) archive: Option<&'a Path>,
    /// The report, in its readable form.
    pub(crate) kept_report: Option<&'a Path>,
    pub(crate) exit: Exit,
}

/// The question for the name of an index that somebody may read.
pub(crate) fn asking(candidate: &Candidate) -> String {
    let (head, dim) = (style::HEAD, style::DIM);
    let gsi = &candidate.gsi;
    let key = gsi.key.to_string();
    let what = match (&candidate.index, &candidate.error) {
        (Some(index), _) => {
            let (items, size) = (check::count(index.item_count), check::size(index.size_bytes));
            format!("is {}: {items} items, {size}", index.status)
        }
        (None, Some(error)) => format!("could not be looked at: {}", clean(error)),
        (None, None) => "is gone".to_owned(),
    };
    let whose = match (gsi.status, gsi.was_created_here(), gsi.creation_time) {
        (GsiStatus::Deleting, ..) => "its rollback was begun".to_owned(),
        (_, true, Some(at)) => format!("created by this job, {}", at.format(TIME)),
        (_, true, None) => "created by this job".to_owned(),
        (_, false, _) => "found in place, not created by this job".to_owned(),
    };
    format!(
        "{head}{}{head:#} {what}; {whose}\n  {dim}{}{dim:#}\n  \
         type its name to delete it, or press Enter to keep it: ",
        clean(&key),
        reads(&candidate.reads),
    )
}

fn reads(reads: &Reads) -> String {
    let over = humantime::format_duration(READS_OVER);
    match reads {
        Reads::NotAsked => "recent read traffic: unknown, CloudWatch is not asked".to_owned(),
        Reads::Unknown(why) => format!("recent read traffic: unknown: {}", clean(why)),
        Reads::Units(None) => format!("not read in the last {over}, says CloudWatch"),
        Reads::Units(Some(units)) => format!("read in the last {over}: {units:.1} units, says CloudWatch"),
    }
}

/// What came of an index, in a line.
pub(super) fn line(key: &str, outcome: &RollbackOutcome) -> String {
    let (good, bad, warn) = (style::GOOD, style::BAD, style::WARN);
    match outcome {
        RollbackOutcome::Deleted => format!("{good}✓{good:#} {key} deleted"),
        RollbackOutcome::AlreadyGone => format!("{good}✓{good:#} {key} was gone already"),
        RollbackOutcome::StillDeleting => format!("{warn}…{warn:#} {key} is to be deleted"),
        RollbackOutcome::Kept => format!("{warn}!{warn:#} {key} is kept: it became active meanwhile"),
        RollbackOutcome::Failed { error } => format!("{bad}✗{bad:#} {key} is not deleted: {}", clean(error)),
        RollbackOutcome::NotStarted => format!("{warn}-{warn:#} {key} is not deleted: its turn did not come"),
    }
}

/// Prints the end of a rollback.
pub(crate) fn undone(undone: &Undone<'_>, state_dir: &Path, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        printer.answer(serde_json::to_string_pretty(&Answer::of(undone, state_dir))?)?;
        return Ok(());
    }
    for line in lines(undone, state_dir) {
        printer.answer(line)?;
    }
    Ok(())
}

fn lines(undone: &Undone<'_>, state_dir: &Path) -> Vec<String> {
    let Undone { report, kept, left_alone, archive, kept_report, .. } = undone;
    let head = style::HEAD;
    let total = report.indexes.len() + kept.len();
    if total == 0 {
        let rest = if left_alone.is_empty() { String::new() } else { format!("; {} left alone", left_alone.len()) };
        let archived = archive.map(|archive| format!("archived as {}", clean(&archive.display().to_string())));
        return [format!("there is nothing to roll back{rest}")].into_iter().chain(archived).collect();
    }
    let mut lines = vec![format!(
        "{head}{} of {total} indexes gone{head:#} after {}",
        report.count(RollbackOutcome::is_gone),
        seconds(report.elapsed()),
    )];
    for story in &report.indexes {
        let key = story.key().to_string();
        if !story.outcome.is_gone() {
            lines.push(format!("  {}", line(&clean(&key), &story.outcome)));
        }
        if matches!(&story.outcome, RollbackOutcome::Failed { error } if error.starts_with("ResourceNotFound")) {
            lines.push(format!(
                "    are the region and the account right? If the table is gone for good: `--mark {} deleted`",
                clean(&key)
            ));
        }
        if story.was_made_again {
            lines.push(format!("  {} was made again by somebody else meanwhile, and is left alone", clean(&key)));
        }
    }
    lines.extend(kept.iter().map(|key| format!("  {} is kept, as you chose", clean(&key.to_string()))));
    if let Some(archive) = archive {
        lines.push(format!("archived as {}", clean(&archive.display().to_string())));
    }
    if let Some(report) = kept_report {
        lines.push(format!("report: {}", clean(&report.display().to_string())));
    }
    let next = if report.has_failures() {
        Some("remove the cause, then run the same command again")
    } else if report.is_interrupted || report.has_unfinished() {
        Some("run the same command again to finish")
    } else {
        None
    };
    lines.extend(next.map(|next| format!("next: {next} (state: {})", clean(&state_dir.display().to_string()))));
    lines
}

/// The answer of `--rollback --json` and `--cancel --json`.
#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    #[serde(flatten)]
    undone: &'a RollbackReport,
    kept: Vec<String>,
    left_alone: Vec<LeftAloneAnswer>,
    state_dir: String,
    archive: Option<String>,
    report: Option<String>,
}

#[derive(Serialize)]
struct LeftAloneAnswer {
    table: String,
    index: String,
    reason: String,
}

impl<'a> Answer<'a> {
    fn of(undone: &'a Undone<'a>, state_dir: &Path) -> Self {
        let left_alone = undone.left_alone.iter().map(|(key, reason)| LeftAloneAnswer {
            table: key.table().to_owned(),
            index: key.index().to_owned(),
            reason: reason.to_string(),
        });
        Self {
            exit_code: undone.exit as u8,
            undone: undone.report,
            kept: undone.kept.iter().map(ToString::to_string).collect(),
            left_alone: left_alone.collect(),
            state_dir: state_dir.display().to_string(),
            archive: undone.archive.map(|archive| archive.display().to_string()),
            report: undone.kept_report.map(|report| report.display().to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_traffic_is_told_or_said_to_be_unknown() {
        let check = |found: Reads, expect: &str| assert_eq!(reads(&found), expect);
        check(Reads::NotAsked, "recent read traffic: unknown, CloudWatch is not asked");
        check(Reads::Unknown("AccessDenied\u{1b}".to_owned()), "recent read traffic: unknown: AccessDenied\u{fffd}");
        check(Reads::Units(None), "not read in the last 1day, says CloudWatch");
        check(Reads::Units(Some(1234.56)), "read in the last 1day: 1234.6 units, says CloudWatch");
    }
}
