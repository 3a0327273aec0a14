//! The summary: every index of a run, with times and reasons.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gsi_aws::{Outcome, RunReport, plan::Span};
use gsi_state::{CreationState, GsiKey, Validation};
use serde::Serialize;

use super::{Head, JobFacts, Report, markdown};

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SummaryReport {
    #[serde(flatten)]
    head: Head,
    elapsed_seconds: f64,
    /// What was foreseen for all of it, tables side by side.
    forecast_seconds: Option<(u64, u64)>,
    is_interrupted: bool,
    total: usize,
    /// Of the indexes that were settled, how many are active; absent where none was settled.
    success_rate_percent: Option<f64>,
    created: Vec<Created>,
    already_existing: Vec<Named>,
    failed: Vec<Failed>,
    /// Being built, unknown, or not started.
    unfinished: Vec<Unfinished>,
}

#[derive(Debug, Clone, Serialize)]
struct Named {
    table: String,
    index: String,
}

#[derive(Debug, Clone, Serialize)]
struct Created {
    #[serde(flatten)]
    name: Named,
    elapsed_seconds: f64,
    attempts: u32,
    /// What was foreseen when the table was seen first, from and to; absent where nothing was.
    forecast_seconds: Option<(u64, u64)>,
    against_forecast: Option<Against>,
    validation: Option<Validation>,
}

#[derive(Debug, Clone, Serialize)]
struct Failed {
    #[serde(flatten)]
    name: Named,
    attempts: u32,
    reason: String,
}

#[derive(Debug, Clone, Serialize)]
struct Unfinished {
    #[serde(flatten)]
    name: Named,
    what: &'static str,
    error: Option<String>,
}

/// What a time is like, held against its forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Against {
    Sooner,
    AsForeseen,
    Later,
}

impl Against {
    fn of(elapsed: Duration, foreseen: Span) -> Self {
        if elapsed < Duration::from_secs(foreseen.low) {
            Self::Sooner
        } else if elapsed <= Duration::from_secs(foreseen.high) {
            Self::AsForeseen
        } else {
            Self::Later
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sooner => "sooner",
            Self::AsForeseen => "as foreseen",
            Self::Later => "later",
        }
    }
}

const fn pair(span: Span) -> (u64, u64) {
    (span.low, span.high)
}

/// A forecast in words.
fn from_to((from, to): (u64, u64)) -> String {
    format!("{} to {}", markdown::whole_seconds(from), markdown::whole_seconds(to))
}

/// Makes the summary of a run; `None` where it settled nothing.
pub(crate) fn summary_report(
    run: &RunReport,
    state: &CreationState,
    job: &JobFacts<'_>,
    now: DateTime<Utc>,
) -> Option<SummaryReport> {
    let mut report = SummaryReport {
        head: Head::new("summary", now, String::new(), job),
        elapsed_seconds: run.elapsed.as_secs_f64(),
        forecast_seconds: run.foreseen_in_all.map(pair),
        is_interrupted: run.is_interrupted,
        total: run.outcomes.len(),
        success_rate_percent: None,
        created: Vec::new(),
        already_existing: Vec::new(),
        failed: Vec::new(),
        unfinished: Vec::new(),
    };
    for (key, outcome) in &run.outcomes {
        report.add(key, outcome, state, run.foreseen.get(key).copied());
    }
    let is_news = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Created { .. } | Outcome::Adopted | Outcome::Failed { .. } | Outcome::Unsettled { .. }
        )
    };
    if run.count(is_news) == 0 {
        return None;
    }
    let active = report.created.len() + report.already_existing.len();
    report.success_rate_percent = percent(active, active + report.failed.len());
    report.head.outcome = format!("{active} of {} indexes active, {} failed", report.total, report.failed.len());
    Some(report)
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer indexes than a float counts")]
fn percent(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1000.0).round() / 10.0)
}

impl SummaryReport {
    fn add(&mut self, key: &GsiKey, outcome: &Outcome, state: &CreationState, foreseen: Option<Span>) {
        let name = Named { table: key.table().to_owned(), index: key.index().to_owned() };
        let gsi = state.get(key);
        let attempts = gsi.map_or(0, |gsi| gsi.retry_count);
        let unfinished = |what, error: Option<&String>| Unfinished { name: name.clone(), what, error: error.cloned() };
        match outcome {
            Outcome::Created { elapsed } => self.created.push(Created {
                name,
                elapsed_seconds: elapsed.as_secs_f64(),
                attempts,
                forecast_seconds: foreseen.map(pair),
                against_forecast: foreseen.map(|foreseen| Against::of(*elapsed, foreseen)),
                validation: gsi.and_then(|gsi| gsi.validation.clone()),
            }),
            Outcome::Adopted | Outcome::StillActive => self.already_existing.push(name),
            Outcome::Failed { error } => self.failed.push(Failed { name, attempts, reason: error.clone() }),
            Outcome::StillBuilding => self.unfinished.push(unfinished("being built", None)),
            Outcome::Unsettled { error } => self.unfinished.push(unfinished("outcome unknown", Some(error))),
            Outcome::NotStarted => self.unfinished.push(unfinished("not started", None)),
        }
    }
}

impl Report for SummaryReport {
    const STEM: &'static str = "summary";

    fn written_at(&self) -> DateTime<Utc> {
        self.head.written_at
    }

    fn markdown(&self) -> String {
        let name = |name: &Named| [markdown::text(&name.table), markdown::text(&name.index)];
        let created = self.created.iter().map(|created| {
            let forecast = created.forecast_seconds.map_or("–".to_owned(), from_to);
            let against = created.against_forecast.map_or("–", Against::as_str).to_owned();
            let verdict = created.validation.as_ref().map_or("–", |validation| validation.verdict.as_str());
            let times = [markdown::seconds(created.elapsed_seconds), forecast, against];
            [name(&created.name).to_vec(), times.to_vec(), vec![created.attempts.to_string(), verdict.to_owned()]]
                .concat()
        });
        let failed = self.failed.iter().map(|failed| {
            [name(&failed.name).to_vec(), vec![failed.attempts.to_string(), markdown::text(&failed.reason)]].concat()
        });
        let unfinished = self.unfinished.iter().map(|open| {
            let what = [open.what, open.error.as_deref().unwrap_or_default()];
            [name(&open.name).to_vec(), vec![markdown::text(what.join(" ").trim())]].concat()
        });
        let rate = self.success_rate_percent.map_or(String::new(), |rate| format!(", success rate {rate} %"));
        let foreseen =
            self.forecast_seconds.map_or(String::new(), |foreseen| format!(" (forecast: {})", from_to(foreseen)));
        let interrupted = if self.is_interrupted { " The run was interrupted." } else { "" };
        [
            format!(
                "# Index creation: {}\n\n{} ended {}; it took {}{foreseen}{rate}.{interrupted} State: {}\n",
                self.head.outcome,
                markdown::text(&self.head.script_name),
                self.head.written_at.format("%Y-%m-%d %H:%M:%S UTC"),
                markdown::seconds(self.elapsed_seconds),
                markdown::text(&self.head.state_dir),
            ),
            markdown::section(
                "Created",
                &markdown::table(
                    &["table", "index", "took", "forecast", "against it", "attempts", "answers queries"],
                    created,
                ),
            ),
            markdown::section("Failed", &markdown::table(&["table", "index", "attempts", "reason"], failed)),
            markdown::section("Unfinished", &markdown::table(&["table", "index", "what"], unfinished)),
            markdown::section(
                "Already existing",
                &markdown::table(&["table", "index"], self.already_existing.iter().map(|own| name(own).to_vec())),
            ),
        ]
        .concat()
    }
}
