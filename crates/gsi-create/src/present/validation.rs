//! What a validation found.

use gsi_aws::validate::{Finding, ValidationReport};
use gsi_state::{GsiKey, Verdict};
use serde::Serialize;
use terminal::{Printer, clean, style};

use crate::exit::Exit;

/// Prints what `--validate` found.
pub(crate) fn validation(report: &ValidationReport, exit: Exit, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        let indexes = report.findings.iter().map(|(key, finding)| IndexAnswer::of(key, finding.as_ref())).collect();
        let answer = Answer { exit_code: exit as u8, is_interrupted: report.is_interrupted, indexes };
        printer.answer(serde_json::to_string_pretty(&answer)?)?;
        return Ok(());
    }
    for (key, finding) in &report.findings {
        printer.answer(line(key, finding.as_ref()))?;
    }
    if let Some(sum) = sum(report) {
        printer.answer(sum)?;
    }
    Ok(())
}

pub(super) fn line(key: &GsiKey, finding: Option<&Finding>) -> String {
    let key = key.to_string();
    let key = clean(&key);
    match finding {
        None => format!("  - {key} is not active: not validated"),
        Some(Finding { verdict, detail }) => {
            let (style, mark) = match verdict {
                Verdict::Functional => (style::GOOD, "✓"),
                Verdict::NonFunctional => (style::BAD, "✗"),
                Verdict::NotUsed | Verdict::ValidationError => (style::WARN, "!"),
            };
            format!("  {style}{mark}{style:#} {key} is {}: {}", verdict.as_str(), clean(detail))
        }
    }
}

/// The counts in a line; `None` where nothing was looked into.
pub(super) fn sum(report: &ValidationReport) -> Option<String> {
    let verdicts = [Verdict::Functional, Verdict::NonFunctional, Verdict::NotUsed, Verdict::ValidationError];
    let counts = verdicts.map(|verdict| (report.count(verdict), verdict.as_str()));
    let counts = counts.into_iter().chain([(report.not_active(), "not active")]).filter(|(count, _)| *count > 0);
    let parts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    (!parts.is_empty()).then(|| format!("validated: {}", parts.join(", ")))
}

#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    is_interrupted: bool,
    indexes: Vec<IndexAnswer<'a>>,
}

#[derive(Serialize)]
struct IndexAnswer<'a> {
    table: &'a str,
    index: &'a str,
    /// `null` where the index is not active.
    verdict: Option<&'static str>,
    detail: Option<&'a str>,
}

impl<'a> IndexAnswer<'a> {
    fn of(key: &'a GsiKey, finding: Option<&'a Finding>) -> Self {
        Self {
            table: key.table(),
            index: key.index(),
            verdict: finding.map(|finding| finding.verdict.as_str()),
            detail: finding.map(|finding| finding.detail.as_str()),
        }
    }
}
