//! The status view.

use gsi_state::{GsiState, GsiStatus, HistoryEntry, StatusView};
use serde::Serialize;
use serde_json::value::RawValue;
use statefile::{Document, Version};
use terminal::{Printer, clean, style};

use super::{TIME, explain::told};

/// Prints the status view: the summary, then what is active, failed, in progress and pending; each with its
/// `history`, where that is wanted.
pub(crate) fn status(
    view: &StatusView,
    history: Option<&[HistoryEntry]>,
    is_json: bool,
    printer: Printer,
) -> anyhow::Result<()> {
    if is_json {
        let summary = view.summary();
        let answer = Answer {
            path: view.path.display().to_string(),
            format_version: view.version,
            is_complete: summary.is_complete(),
            is_settled: summary.is_settled(),
            // As text, so that fields which we do not know appear to the letter.
            state: RawValue::from_string(view.state.encode()?)?,
            history,
        };
        printer.answer(serde_json::to_string_pretty(&answer)?)?;
    } else {
        printer.answer(text(view, history.unwrap_or_default()).trim_end())?;
    }
    Ok(())
}

/// The answer of `--status --json`.
#[derive(Serialize)]
struct Answer<'a> {
    path: String,
    format_version: Option<Version>,
    is_complete: bool,
    is_settled: bool,
    state: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'a [HistoryEntry]>,
}

fn text(view: &StatusView, history: &[HistoryEntry]) -> String {
    let (head, dim) = (style::HEAD, style::DIM);
    let summary = view.summary();
    let state = &view.state;

    let mut lines = vec![
        format!("{head}Index creation by {}{head:#}", clean(&state.script_name)),
        format!("{dim}{}{dim:#}", clean(&view.path.display().to_string())),
        format!("started {}, last change {}", state.created_at.format(TIME), state.updated_at.format(TIME)),
        String::new(),
        format!("Total:       {:>4}", summary.total),
        format!("Active:      {:>4}", summary.active),
        format!("Failed:      {:>4}", summary.failed),
        format!("In progress: {:>4}", summary.in_progress),
        format!("Pending:     {:>4}", summary.pending),
    ];
    // Only a rollback leaves these.
    let rolled_back = [("Deleting:", summary.deleting), ("Deleted:", summary.deleted)];
    let rolled_back = rolled_back.iter().filter(|(_, count)| *count > 0);
    lines.extend(rolled_back.map(|(title, count)| format!("{title:<12} {count:>4}")));
    for (status, gsis) in view.sections() {
        if !gsis.is_empty() {
            lines.push(format!("\n{head}{}{head:#}", title(status)));
            for gsi in gsis {
                lines.extend(entry(status, gsi));
                lines.extend(
                    history.iter().filter(|line| line.is_about(&gsi.key)).map(|line| format!("    {}", told(line))),
                );
            }
        }
    }
    lines.join("\n")
}

const fn title(status: GsiStatus) -> &'static str {
    match status {
        GsiStatus::Active => "Active",
        GsiStatus::Failed => "Failed",
        GsiStatus::InProgress => "In progress",
        GsiStatus::Pending => "Pending",
        GsiStatus::Deleting => "Deleting",
        GsiStatus::Deleted => "Deleted",
    }
}

fn entry(status: GsiStatus, gsi: &GsiState) -> Vec<String> {
    let (good, bad, warn) = (style::GOOD, style::BAD, style::WARN);
    let key = gsi.key.to_string();
    let key = clean(&key);
    let attempts = match gsi.retry_count {
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    let mut lines = vec![match status {
        GsiStatus::Active => format!("  {good}✓{good:#} {key}"),
        GsiStatus::Failed => format!("  {bad}✗{bad:#} {key} ({attempts})"),
        GsiStatus::InProgress => format!("  {warn}…{warn:#} {key} ({attempts})"),
        GsiStatus::Deleting => format!("  {warn}…{warn:#} {key} is being rolled back"),
        GsiStatus::Pending | GsiStatus::Deleted => format!("  - {key}"),
    }];
    if let Some(error) = gsi.last_error.as_ref().filter(|_| status != GsiStatus::Active) {
        lines.extend(error.lines().map(|line| format!("      {}", clean(line))));
    }
    lines
}
