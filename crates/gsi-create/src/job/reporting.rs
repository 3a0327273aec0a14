//! Writing the reports of a run. The state has the facts, so what cannot be written is a warning.

use std::{io, path::PathBuf};

use chrono::{DateTime, Utc};
use gsi_aws::RunReport;
use gsi_state::{GsiStateManager, read_history};
use terminal::{Printer, clean};

use crate::{
    cli::Cli,
    reports::{self, JobFacts},
};

/// Writes what there is to report of a run, and says where: the readable forms.
pub(super) fn keep_reports(
    cli: &Cli,
    manager: &GsiStateManager,
    report: &RunReport,
    now: DateTime<Utc>,
    printer: Printer,
) -> Vec<PathBuf> {
    let dir = cli.report_dir();
    let job = JobFacts { script_name: &manager.state().script_name, state_dir: &cli.state_dir };
    let mut kept = Vec::new();
    let mut note = |written: io::Result<PathBuf>| match written {
        Ok(path) => kept.push(path),
        Err(error) => printer.warn(format_args!("a report was not written: {}", clean(&error.to_string()))),
    };
    if let Some(summary) = reports::summary_report(report, manager.state(), &job, now) {
        note(reports::keep(&summary, &dir));
    }
    let mut history = read_history(&cli.state_dir).unwrap_or_else(|error| {
        printer.warn(format_args!("the history cannot be read: {}", clean(&error.to_string())));
        Vec::new()
    });
    // The history is that of the directory; earlier jobs are none of this report's business.
    history.retain(|entry| entry.at >= manager.state().created_at);
    if let Some(failures) = reports::failure_report(report, &history, &report.tables, &job, now) {
        note(reports::keep(&failures, &dir));
    }
    kept
}

/// Clears away what a start that was killed left of a report. The state is locked, and its own directory with it.
pub(super) fn clear_reports(cli: &Cli, printer: Printer) {
    if let Err(error) = reports::remove_leftovers(&cli.state_dir.join(reports::DIRECTORY)) {
        printer.warn(format_args!("what is left of a report was not removed: {}", clean(&error.to_string())));
    }
}
