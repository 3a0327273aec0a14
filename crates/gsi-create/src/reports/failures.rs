//! The failure report: for each index that failed, every attempt, what the table looks like now, and what a
//! person can do.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gsi_aws::{Outcome, RunReport, describe::TableDescription};
use gsi_state::{GsiKey, HistoryEntry, HistoryEvent};
use serde::Serialize;

use super::{Head, JobFacts, Report, markdown};
use crate::advice;

/// What is wrong, and why, and what to do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailureReport {
    #[serde(flatten)]
    head: Head,
    failures: Vec<Failure>,
}

#[derive(Debug, Clone, Serialize)]
struct Failure {
    table: String,
    index: String,
    /// Every different reason, in the order of its first appearance; the last one decided.
    reasons: Vec<String>,
    retry_history: Vec<Attempt>,
    /// `None` where the table could not be described.
    table_status: Option<String>,
    existing_indexes: Vec<Existing>,
    recommended_steps: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Attempt {
    at: DateTime<Utc>,
    number: u32,
    operation: String,
    error: String,
    error_type: String,
    strategy: String,
    next_delay_seconds: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct Existing {
    index: String,
    status: String,
}

/// The tables by name as they were seen last; one that could not be described is absent.
type Tables = HashMap<String, TableDescription>;

/// Makes the failure report of a run; `None` where nothing failed.
pub(crate) fn failure_report(
    run: &RunReport,
    history: &[HistoryEntry],
    tables: &Tables,
    job: &JobFacts<'_>,
    now: DateTime<Utc>,
) -> Option<FailureReport> {
    let failures: Vec<Failure> = run
        .outcomes
        .iter()
        .filter_map(|(key, outcome)| match outcome {
            Outcome::Failed { error } | Outcome::Unsettled { error } => Some(failure(key, error, history, tables)),
            _ => None,
        })
        .collect();
    let outcome = match failures.len() {
        0 => return None,
        1 => "1 index failed".to_owned(),
        n => format!("{n} indexes failed"),
    };
    Some(FailureReport { head: Head::new("failures", now, outcome, job), failures })
}

fn failure(key: &GsiKey, error: &str, history: &[HistoryEntry], tables: &Tables) -> Failure {
    let attempts: Vec<Attempt> = history.iter().filter(|entry| entry.is_about(key)).filter_map(attempt).collect();
    let mut reasons = Vec::new();
    for reason in attempts.iter().map(|attempt| attempt.error.as_str()).chain([error]) {
        if !reasons.iter().any(|known| known == reason) {
            reasons.push(reason.to_owned());
        }
    }
    let table = tables.get(key.table());
    let existing = table.map(|table| table.indexes.iter()).into_iter().flatten();
    Failure {
        table: key.table().to_owned(),
        index: key.index().to_owned(),
        reasons,
        retry_history: attempts,
        table_status: table.map(|table| table.status.to_string()),
        existing_indexes: existing
            .map(|index| Existing { index: index.name.clone(), status: index.status.to_string() })
            .collect(),
        recommended_steps: advice::steps(advice::cause_of(error), key),
    }
}

fn attempt(entry: &HistoryEntry) -> Option<Attempt> {
    match &entry.event {
        HistoryEvent::Refused { operation, attempt, class, message, strategy, next_delay_seconds } => Some(Attempt {
            at: entry.at,
            number: *attempt,
            operation: operation.clone(),
            error: message.clone(),
            error_type: class.clone(),
            strategy: strategy.clone(),
            next_delay_seconds: *next_delay_seconds,
        }),
        _ => None,
    }
}

impl Report for FailureReport {
    const STEM: &'static str = "failures";

    fn written_at(&self) -> DateTime<Utc> {
        self.head.written_at
    }

    fn markdown(&self) -> String {
        let head = format!(
            "# Index creation: {}\n\n{}, {}. State: {}\n",
            self.head.outcome,
            markdown::text(&self.head.script_name),
            self.head.written_at.format("%Y-%m-%d %H:%M:%S UTC"),
            markdown::text(&self.head.state_dir),
        );
        self.failures.iter().map(Failure::markdown).fold(head, |text, failure| text + &failure)
    }
}

impl Failure {
    fn markdown(&self) -> String {
        let reasons: Vec<_> = self.reasons.iter().map(|reason| format!("* {}", markdown::text(reason))).collect();
        let steps = (1..).zip(&self.recommended_steps).map(|(n, step)| format!("{n}. {}", markdown::text(step)));
        let steps = steps.collect::<Vec<_>>().join("\n");
        let attempts = self.retry_history.iter().map(|attempt| {
            let next = attempt.next_delay_seconds.map_or("–".to_owned(), markdown::seconds);
            vec![
                attempt.at.format("%Y-%m-%d %H:%M:%S").to_string(),
                attempt.number.to_string(),
                markdown::text(&attempt.operation),
                markdown::text(&attempt.error_type),
                markdown::text(&attempt.strategy),
                next,
                markdown::text(&attempt.error),
            ]
        });
        let head = ["time (UTC)", "attempt", "call", "error type", "strategy", "next after", "error"];
        let attempts = markdown::table(&head, attempts);
        let table = self.table_status.as_deref().unwrap_or("unknown: it could not be described");
        let existing: Vec<_> =
            self.existing_indexes.iter().map(|index| format!("{} ({})", index.index, index.status)).collect();
        let existing = if existing.is_empty() { "none known".to_owned() } else { existing.join(", ") };
        format!(
            "\n## {} of table {}\n\nWhy:\n\n{}\n\nWhat to do:\n\n{steps}\n\nThe table is {}; its indexes: {}\n{}",
            markdown::text(&self.index),
            markdown::text(&self.table),
            reasons.join("\n"),
            markdown::text(table),
            markdown::text(&existing),
            if attempts.is_empty() { String::new() } else { format!("\n### Attempts\n\n{attempts}") },
        )
    }
}
