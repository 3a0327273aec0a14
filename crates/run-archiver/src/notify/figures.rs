//! The figures of a stage: for Graphite as lines, for Prometheus as a file.
//!
//! The Python archiver's metric names are not known to this project; these follow its form, `prefix.path value
//! unix_seconds`. Absent: metrics of single runs by number, since each would be a series of its own.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    path::Path,
    time::Duration,
};

use chrono::{DateTime, Utc};
use fs_err as fs;
use run_pipeline::Outcome;
use serde::{Deserialize, Serialize};

use super::{
    ended::{End, Ended},
    memory::seconds,
};
use crate::present;

/// A stage after its last execution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// When it ended.
    #[serde(with = "seconds")]
    pub(crate) ended_at: DateTime<Utc>,
    /// When it last ended without trouble, in seconds since 1970; 0: never.
    pub(crate) succeeded_at_unix_seconds: i64,
    /// Whether the last execution ended without trouble.
    pub(crate) is_good: bool,
    pub(crate) archived: u64,
    pub(crate) failed: u64,
    pub(crate) not_attempted: u64,
    pub(crate) archived_total: u64,
    pub(crate) failed_total: u64,
    /// Runs in the failure log.
    pub(crate) failure_log: u64,
    pub(crate) last_contiguous_run: u64,
    pub(crate) last_attempted_run: u64,
    pub(crate) duration_seconds: f64,
    pub(crate) run_seconds_mean: f64,
    pub(crate) run_seconds_max: f64,
}

impl Figures {
    /// The figures after `ended`, which was at `now`; `self` are those before.
    pub(crate) fn after(&self, ended: &Ended, now: DateTime<Utc>) -> Self {
        let mut next = self.clone();
        next.ended_at = now;
        (next.archived, next.failed, next.not_attempted, next.duration_seconds) = (0, 0, 0, 0.0);
        next.is_good = !ended.is_trouble();
        if let End::Ran(report) = &ended.end {
            let count = |is_of_sort: fn(&Outcome) -> bool| report.count(is_of_sort) as u64;
            next.archived = count(|outcome| matches!(outcome, Outcome::Archived { .. }));
            next.failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
            next.not_attempted = count(|outcome| matches!(outcome, Outcome::NotAttempted));
            next.failure_log = report.still_failed.len();
            next.last_contiguous_run = report.marks_after.last_contiguous_run.get();
            next.last_attempted_run = report.marks_after.last_attempted_run.get();
            next.duration_seconds = report.elapsed.as_secs_f64();
            next.is_good &= !report.is_interrupted;
        }
        next.archived_total += next.archived;
        next.failed_total += next.failed;
        let times = ended.laps.iter().map(|lap| lap.share);
        next.run_seconds_max = times.clone().max().unwrap_or_default().as_secs_f64();
        let runs = u32::try_from(ended.laps.len()).unwrap_or(u32::MAX).max(1);
        next.run_seconds_mean = (times.sum::<Duration>() / runs).as_secs_f64();
        if next.is_good {
            next.succeeded_at_unix_seconds = now.timestamp();
        }
        next
    }
}

/// A figure in both forms.
struct Row {
    /// For Graphite.
    path: &'static str,
    /// For Prometheus.
    name: &'static str,
    kind: &'static str,
    value: fn(&Figures) -> Value,
    help: &'static str,
}

use Value::{Count, Seconds, Time};

/// A number as it is written.
#[derive(Debug, Clone, Copy)]
enum Value {
    Count(u64),
    Time(i64),
    Seconds(f64),
}

const fn gauge(path: &'static str, name: &'static str, value: fn(&Figures) -> Value, help: &'static str) -> Row {
    Row { path, name, kind: "gauge", value, help }
}

const ROWS: [Row; 14] = [
    gauge("runs.archived", "runs_archived", |it| Count(it.archived), "Runs archived by the last execution"),
    gauge("runs.failed", "runs_failed", |it| Count(it.failed), "Runs that failed in the last execution"),
    gauge("runs.not_attempted", "runs_not_attempted", |it| Count(it.not_attempted), "Runs selected and not attempted"),
    Row {
        kind: "counter",
        ..gauge("total.archived", "archived_runs_total", |it| Count(it.archived_total), "Runs archived so far")
    },
    Row {
        kind: "counter",
        ..gauge("total.failed", "failed_runs_total", |it| Count(it.failed_total), "Failures so far")
    },
    gauge("failure_log.runs", "failure_log_runs", |it| Count(it.failure_log), "Runs in the failure log"),
    gauge(
        "marks.last_contiguous_run",
        "last_contiguous_run",
        |it| Count(it.last_contiguous_run),
        "No run is missing up to this one",
    ),
    gauge(
        "marks.last_attempted_run",
        "last_attempted_run",
        |it| Count(it.last_attempted_run),
        "The highest run attempted",
    ),
    gauge("success", "success", |it| Count(it.is_good.into()), "Whether the last execution was without trouble"),
    gauge(
        "last_success_seconds",
        "last_success_timestamp_seconds",
        |it| Time(it.succeeded_at_unix_seconds),
        "When an execution was last without trouble; 0: never",
    ),
    gauge(
        "last_end_seconds",
        "last_end_timestamp_seconds",
        |it| Time(it.ended_at.timestamp()),
        "When the last execution ended",
    ),
    gauge(
        "duration_seconds",
        "duration_seconds",
        |it| Seconds(it.duration_seconds),
        "How long the last execution took",
    ),
    gauge(
        "run.mean_seconds",
        "run_seconds_mean",
        |it| Seconds(it.run_seconds_mean),
        "A run's share of that time, on average",
    ),
    gauge("run.max_seconds", "run_seconds_max", |it| Seconds(it.run_seconds_max), "The greatest share of a run"),
];

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count(count) => write!(f, "{count}"),
            Time(time) => write!(f, "{time}"),
            Seconds(seconds) => write!(f, "{seconds:.3}"),
        }
    }
}

/// The lines for Graphite: the figures, and one line a run at the time when it was settled.
pub(crate) fn graphite(prefix: &str, figures: &Figures, ended: &Ended) -> String {
    let stage = present::name(ended.stage);
    let now = figures.ended_at.timestamp();
    let mut lines = String::new();
    // Writing to a `String` cannot fail.
    for lap in &ended.laps {
        let _ = writeln!(lines, "{prefix}.{stage}.run.seconds {:.3} {}", lap.share.as_secs_f64(), lap.at.timestamp());
    }
    for Row { path, value, .. } in &ROWS {
        let _ = writeln!(lines, "{prefix}.{stage}.{path} {} {now}", value(figures));
    }
    lines
}

/// The text for Prometheus' node exporter, all stages.
pub(crate) fn prometheus(stages: &BTreeMap<String, Figures>) -> String {
    let mut text = String::new();
    for Row { name, kind, help, value, .. } in &ROWS {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "# HELP run_archiver_{name} {help}.\n# TYPE run_archiver_{name} {kind}");
        for (stage, figures) in stages {
            let _ = writeln!(text, "run_archiver_{name}{{stage=\"{stage}\"}} {}", value(figures));
        }
    }
    text
}

/// Writes the text as a whole, readable by everybody: the exporter runs as another user.
pub(crate) fn write_textfile(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    statefile::replace(path, text.as_bytes())?;
    let mut permissions = fs::metadata(path)?.permissions();
    let mode = permissions.mode();
    if mode & 0o444 != 0o444 {
        permissions.set_mode(mode | 0o444);
        fs::set_permissions(path, permissions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use run_pipeline::Stage;

    use super::*;
    use crate::notify::{stopwatch::Lap, testing::report};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn lap(second: i64, milliseconds: u64) -> Lap {
        Lap { at: at(second), share: Duration::from_millis(milliseconds) }
    }

    #[test]
    fn figures_go_on_from_those_before() {
        let good = Ended {
            stage: Stage::Import,
            end: End::Ran(Box::new(report("100-104", "", None))),
            laps: vec![lap(1, 100), lap(2, 300)],
        };
        let first = Figures::default().after(&good, at(10));
        assert_eq!((first.archived, first.archived_total, first.is_good), (5, 5, true));
        assert_eq!((first.run_seconds_mean, first.run_seconds_max), (0.2, 0.3));
        assert_eq!(first.succeeded_at_unix_seconds, at(10).timestamp());
        let bad =
            Ended { stage: Stage::Import, end: End::Ran(Box::new(report("105", "106-107", None))), laps: Vec::new() };
        let second = first.after(&bad, at(70));
        assert_eq!((second.archived, second.archived_total, second.failed, second.failed_total), (1, 6, 2, 2));
        assert_eq!((second.is_good, second.succeeded_at_unix_seconds), (false, at(10).timestamp()));
        let broke = Ended {
            stage: Stage::Import,
            end: End::Broke { chain: vec!["x".to_owned()], hint: None },
            laps: Vec::new(),
        };
        let third = second.after(&broke, at(130));
        assert_eq!((third.archived, third.failed_total, third.is_good), (0, 2, false));
        assert_eq!(third.last_attempted_run, second.last_attempted_run, "what is not known stays");
    }

    #[test]
    fn both_forms_say_the_same() {
        let ended = Ended {
            stage: Stage::Import,
            end: End::Ran(Box::new(report("100-101", "102", None))),
            laps: vec![lap(1, 250)],
        };
        let figures = Figures::default().after(&ended, at(9));
        let lines = graphite("daq.archiver", &figures, &ended);
        for line in [
            "daq.archiver.import.run.seconds 0.250 1790000001",
            "daq.archiver.import.runs.archived 2 1790000009",
            "daq.archiver.import.runs.failed 1 1790000009",
            "daq.archiver.import.success 0 1790000009",
        ] {
            assert!(lines.lines().any(|seen| seen == line), "{line}\n{lines}");
        }
        let stages = [("import".to_owned(), figures.clone()), ("migrate".to_owned(), figures)].into();
        let text = prometheus(&stages);
        for line in [
            "# TYPE run_archiver_runs_archived gauge",
            "run_archiver_runs_archived{stage=\"import\"} 2",
            "run_archiver_runs_archived{stage=\"migrate\"} 2",
            "run_archiver_last_success_timestamp_seconds{stage=\"import\"} 0",
        ] {
            assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
        }
        assert!(text.ends_with('\n') && !text.contains("\n\n"));
        assert_eq!(text.matches("# HELP").count(), 14);
    }

    #[test]
    fn everybody_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archiver.prom");
        write_textfile(&path, "a 1\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_mode(0o600);
        fs::set_permissions(&path, permissions).unwrap();
        write_textfile(&path, "a 2\n").unwrap();
        assert_eq!((mode(&path) & 0o444, fs::read_to_string(&path).unwrap()), (0o444, "a 2\n".to_owned()));
    }
}
