//! What a recovery says: the guide's output, and beyond it the difference to the state before.

use std::path::{Path, PathBuf};

use run_pipeline::{Recovery, Stage, StagePaths};
use run_state::RunSet;
use serde_json::{Value, json};

use super::name;

/// Width of the guide's rules.
const RULE: usize = 70;

/// Runs in the preview.
const PREVIEW: usize = 10;

/// What became of a recovery.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Written<'a> {
    /// Nothing: it was a rehearsal.
    Nothing,
    /// The new state, and copies of the old one.
    State(&'a [PathBuf]),
}

/// The names of the sides: in sentences, and as headings.
struct Names {
    source: &'static str,
    source_count: &'static str,
    destination: &'static str,
    destination_count: &'static str,
    scan: &'static str,
    query: &'static str,
}

const fn names(stage: Stage) -> Names {
    match stage {
        Stage::Import => Names {
            source: "filesystem",
            source_count: "Filesystem runs",
            destination: "artdaqDB",
            destination_count: "ArtdaqDB runs",
            scan: "Scanning filesystem for run records...",
            query: "Querying artdaqDB for available runs...",
        },
        Stage::Migrate => Names {
            source: "artdaqDB",
            source_count: "ArtdaqDB runs",
            destination: "UconDB",
            destination_count: "UconDB runs",
            scan: "Querying artdaqDB for available runs...",
            query: "Querying UconDB for migrated runs...",
        },
    }
}

/// The guide's output.
pub(crate) fn recovery_text(recovery: &Recovery, paths: &StagePaths, written: Written<'_>) -> String {
    let Recovery { stage, sides, marks, missing, .. } = recovery;
    let Names { source, source_count, destination, destination_count, scan, query } = names(*stage);
    let rule = "=".repeat(RULE);
    let title = match stage {
        Stage::Import => "IMPORT STATE RECOVERY",
        Stage::Migrate => "MIGRATION STATE RECOVERY",
    };
    let (sources, complete) = (sides.source.len(), sides.complete.len());
    let mut lines = vec![rule.clone(), title.to_owned(), rule.clone()];
    lines.extend([scan.to_owned(), format!("Found {sources} runs in {source}"), String::new()]);
    lines.extend([query.to_owned(), format!("Found {complete} runs in {destination}")]);
    if !sides.partial.is_empty() {
        lines.push(format!("Found {} more in part, which count as missing: {}", sides.partial.len(), sides.partial));
    }
    lines.extend([String::new(), format!("Last attempted run: {}", marks.last_attempted_run)]);
    lines.extend([format!("Last contiguous run: {}", marks.last_contiguous_run), String::new()]);
    lines.push(format!("Found {} missing runs to add to failure log", missing.len()));
    let (state, log) = (file_name(&paths.state), file_name(&paths.failure_log));
    match written {
        Written::Nothing => lines.push(format!("Rehearsal: neither {state} nor {log} was written")),
        Written::State(kept) => {
            lines.push(format!("✓ Written {state}"));
            lines.push(format!("✓ Written {log} with {} runs", missing.len()));
            lines.extend(kept.iter().map(|path| format!("  Kept {}", path.display())));
        }
    }
    lines.push(String::new());
    lines.extend(difference(recovery));
    let end = if matches!(written, Written::Nothing) { "REHEARSED" } else { "COMPLETE" };
    lines.extend([rule.clone(), format!("{title} {end}")]);
    lines.push(format!("  {source_count}: {sources}"));
    lines.push(format!("  {destination_count}: {complete}"));
    lines.push(format!("  Last contiguous: {}", marks.last_contiguous_run));
    lines.push(format!("  Last attempted: {}", marks.last_attempted_run));
    lines.push(format!("  Missing runs: {}", missing.len()));
    if !missing.is_empty() {
        lines.push(format!("  Missing runs (preview): {}", preview(missing)));
    }
    lines.push(rule);
    lines.join("\n")
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// `[12345, 12347, 12349, ...]`
fn preview(runs: &RunSet) -> String {
    let mut first: Vec<String> = runs.iter().take(PREVIEW).map(|run| run.to_string()).collect();
    if runs.len() > PREVIEW as u64 {
        first.push("...".to_owned());
    }
    format!("[{}]", first.join(", "))
}

/// What is different from the state before.
fn difference(recovery: &Recovery) -> Vec<String> {
    let Recovery { marks_before, marks, failed_before, missing, .. } = recovery;
    let marks_before = marks_before.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let mut lines = vec!["Difference to the state before:".to_owned()];
    if marks_before == marks.to_string() {
        lines.push(format!("  Marks: {marks}, as before"));
    } else {
        lines.push(format!("  Marks: {marks_before} -> {marks}"));
    }
    match failed_before {
        None => lines.push(format!("  Failure log: unknown -> {missing}")),
        Some(before) if before == missing => lines.push(format!("  Failure log: {missing}, as before")),
        Some(before) => {
            lines.push(format!("  Failure log, new: {}", missing.difference(before)));
            lines.push(format!("  Failure log, gone: {}", before.difference(missing)));
        }
    }
    lines.push(String::new());
    lines
}

/// The same for machines.
pub(crate) fn recovery_json(recovery: &Recovery, written: Written<'_>) -> Value {
    let Recovery { stage, sides, marks_before, marks, failed_before, missing, damaged } = recovery;
    let kept = match written {
        Written::Nothing => None,
        Written::State(kept) => Some(kept),
    };
    json!({
        "exit_code": 0,
        "dry_run": kept.is_none(),
        "stage": name(*stage),
        "source_runs": sides.source.to_string(),
        "destination_runs": sides.complete.to_string(),
        "partial_runs": sides.partial.to_string(),
        "marks_before": marks_before,
        "marks": marks,
        "failure_log_before": failed_before.as_ref().map(ToString::to_string),
        "failure_log": missing.to_string(),
        "damaged": damaged,
        "kept": kept,
    })
}
