//! The rollback report: which indexes are gone, which are not, and why.

use chrono::{DateTime, Utc};
use gsi_aws::rollback::{RollbackOutcome, RollbackReport, RolledBack};
use serde::Serialize;

use super::{Head, JobFacts, Report, markdown};

/// What came of a rollback, as it is kept.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeptRollback {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    rollback: RollbackReport,
}

/// Makes the report of a rollback; `None` where it was about no index.
pub(crate) fn rollback_report(
    rollback: &RollbackReport,
    job: &JobFacts<'_>,
    now: DateTime<Utc>,
) -> Option<KeptRollback> {
    if rollback.indexes.is_empty() {
        return None;
    }
    let gone = rollback.count(RollbackOutcome::is_gone);
    let outcome = format!("{gone} of {} indexes are gone", rollback.indexes.len());
    Some(KeptRollback { head: Head::new("rollback", now, outcome, job), rollback: rollback.clone() })
}

impl Report for KeptRollback {
    const STEM: &'static str = "rollback";

    fn written_at(&self) -> DateTime<Utc> {
        self.head.written_at
    }

    fn markdown(&self) -> String {
        let rows = self.rollback.indexes.iter().map(|index| {
            vec![
                markdown::text(&index.table),
                markdown::text(&index.index),
                markdown::text(&outcome(index)),
                index.tries.to_string(),
                markdown::seconds(index.elapsed_seconds),
            ]
        });
        let errors = self.rollback.indexes.iter().flat_map(|index| {
            index.errors.iter().map(|error| {
                vec![
                    markdown::text(&index.key().to_string()),
                    markdown::seconds(error.after_seconds),
                    markdown::text(error.operation),
                    markdown::text(error.class),
                    error.next_delay_seconds.map_or("–".to_owned(), markdown::seconds),
                    markdown::text(&error.message),
                ]
            })
        });
        let interrupted =
            if self.rollback.is_interrupted { " It was interrupted; run it again to finish." } else { "" };
        [
            format!(
                "# Rollback: {}\n\n{} ended {}; it took {}.{interrupted} State: {}\n",
                self.head.outcome,
                markdown::text(&self.head.script_name),
                self.head.written_at.format("%Y-%m-%d %H:%M:%S UTC"),
                markdown::seconds(self.rollback.elapsed_seconds),
                markdown::text(&self.head.state_dir),
            ),
            markdown::section("Indexes", &markdown::table(&["table", "index", "outcome", "tries", "took"], rows)),
            markdown::section(
                "Errors",
                &markdown::table(&["index", "after", "call", "error type", "next after", "error"], errors),
            ),
        ]
        .concat()
    }
}

fn outcome(index: &RolledBack) -> String {
    let outcome = match &index.outcome {
        RollbackOutcome::Deleted => "deleted".to_owned(),
        RollbackOutcome::AlreadyGone => "was gone already".to_owned(),
        RollbackOutcome::StillDeleting => "being deleted".to_owned(),
        RollbackOutcome::Kept => "kept: it is active".to_owned(),
        RollbackOutcome::Failed { error } => format!("failed: {error}"),
        RollbackOutcome::NotStarted => "not started".to_owned(),
    };
    if index.was_made_again { format!("{outcome}; somebody made one of its name again") } else { outcome }
}
