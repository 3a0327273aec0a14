//! `cargo xtask bench archive`: runs `benches/archive.rs` and makes a table of its figures.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use xshell::cmd;

use super::place;
use crate::table::{self, Align};
use crate::{say, workspace};

/// The runs of each mean that the growth compares: these, and as many at the end.
const EARLY: std::ops::RangeInclusive<u64> = 101..=200;
const WINDOW_RUNS: u64 = 100;

/// Options of `bench archive`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to write: the disk to measure [default: target/bench]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// How many runs are archived; below 300 no growth is shown
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    runs: u64,
}

/// Everything that was measured.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    /// The files of one run, on the average.
    record_bytes: u64,
    rows: Vec<Row>,
}

/// One measured row.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    /// `None` where it is no work of the archiver.
    executions: Option<u64>,
    /// In the order of the runs, never empty.
    steps: Vec<Step>,
    /// To the server; `None` where there is none.
    requests: Option<u64>,
}

/// Some runs in a row, at least one, and what they took together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    runs: u64,
    nanoseconds: u64,
}

/// Builds, measures, prints.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let (parent, dir) = place(&shell, options.dir.as_deref(), "archive-")?;
    let (path, runs) = (dir.path(), options.runs.to_string());
    say::line(format_args!("building and measuring in `{}`, {runs} runs …", parent.display()));
    let json = cmd!(shell, "cargo bench --quiet -p xtask --bench archive -- {path} {runs}").quiet().read()?;
    let figures = parse(&json)?;
    say::line(format_args!("\n{}\n", render(&figures.rows)));
    say::line(format_args!(
        "{runs} runs of 15 files, {} bytes a run, each row from and to empty archives; one process.\n\
         Several executions: the runs appear 50 at a time, each execution opens stores and state anew and lists\n\
         both sides. One execution: all runs wait. Settled runs are verified and their state is on disk.\n\
         runs/s = runs / wall time; early, late = milliseconds a run, mean of runs {}-{} and of the last {WINDOW_RUNS};\n\
         growth = late / early (1.00: the cost of a run does not depend on how many are archived).\n\
         The appends are made before each of the executions: their growth is the disk's own drift.\n\
         requests/run: all that the fake server saw, listings included. Its work is on a thread beside the client's.\n\
         Expected: import at least 200 runs/s, growth at most 1.10.",
        figures.record_bytes,
        EARLY.start(),
        EARLY.end()
    ));
    Ok(ExitCode::SUCCESS)
}

fn parse(json: &str) -> Result<Figures> {
    let value: Value = serde_json::from_str(json).context("the bench did not answer with JSON")?;
    let rows = value["rows"].as_array().context("the bench answered without rows")?;
    Ok(Figures {
        record_bytes: value["record_bytes"].as_u64().context("no size of a record")?,
        rows: rows.iter().map(row).collect::<Result<_>>()?,
    })
}

fn row(value: &Value) -> Result<Row> {
    let steps = value["steps"].as_array().context("a row without steps")?;
    let steps: Vec<Step> = steps.iter().map(step).collect::<Result<_>>()?;
    ensure!(!steps.is_empty(), "a row without steps");
    Ok(Row {
        name: value["name"].as_str().context("a row without a name")?.to_owned(),
        executions: value["executions"].as_u64(),
        steps,
        requests: value["requests"].as_u64(),
    })
}

fn step(value: &Value) -> Result<Step> {
    let runs = value["runs"].as_u64().filter(|runs| *runs > 0).context("a step without runs")?;
    Ok(Step { runs, nanoseconds: value["nanoseconds"].as_u64().context("a step without time")? })
}

impl Step {
    fn sum<'a>(steps: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        steps.into_iter().copied().reduce(|sum, step| Self {
            runs: sum.runs + step.runs,
            nanoseconds: sum.nanoseconds.saturating_add(step.nanoseconds),
        })
    }

    /// The mean of a run.
    fn mean_nanoseconds(self) -> u64 {
        self.nanoseconds / self.runs
    }
}

impl Row {
    /// The mean of a run, in nanoseconds, over the steps that lie within these runs, counted from 1.
    fn mean_within(&self, first: u64, last: u64) -> Option<u64> {
        let mut end = 0;
        let within: Vec<&Step> = self
            .steps
            .iter()
            .filter(|step| {
                let start = end + 1;
                end += step.runs;
                start >= first && end <= last
            })
            .collect();
        Step::sum(within).map(Step::mean_nanoseconds)
    }

    /// What a run takes early and late; `None` where there are too few for both.
    fn early_and_late(&self) -> Option<(u64, u64)> {
        let runs = Step::sum(&self.steps)?.runs;
        if runs < EARLY.end() + WINDOW_RUNS {
            return None;
        }
        Some((self.mean_within(*EARLY.start(), *EARLY.end())?, self.mean_within(runs - WINDOW_RUNS + 1, runs)?))
    }

    fn cells(&self) -> Vec<String> {
        let none = || "–".to_owned();
        let total = Step::sum(&self.steps).unwrap_or(Step { runs: 0, nanoseconds: 0 });
        let rate = u128::from(total.runs) * 1_000_000_000 / u128::from(total.nanoseconds.max(1));
        let (early, late, growth) = match self.early_and_late() {
            Some((early, late)) => (hundredths(early, 1_000_000), hundredths(late, 1_000_000), hundredths(late, early)),
            None => (none(), none(), none()),
        };
        let executions = self.executions.map_or_else(none, |count| count.to_string());
        let requests = self.requests.map_or_else(none, |count| hundredths(count, total.runs));
        vec![self.name.clone(), executions, rate.to_string(), early, late, growth, requests]
    }
}

fn render(rows: &[Row]) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
    let columns = [
        ("work", Align::Left),
        ("executions", Align::Right),
        ("runs/s", Align::Right),
        ("early", Align::Right),
        ("late", Align::Right),
        ("growth", Align::Right),
        ("requests/run", Align::Right),
    ];
    table::render(&columns, &cells)
}

/// `value / base` with two decimals, rounded.
fn hundredths(value: u64, base: u64) -> String {
    let base = u128::from(base.max(1));
    let hundredths = (u128::from(value) * 100 + base / 2) / base;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Row, Step, hundredths, parse, render};

    /// Steps of fifty runs, milliseconds each.
    fn steps(milliseconds: &[u64]) -> Vec<Step> {
        milliseconds.iter().map(|ms| Step { runs: 50, nanoseconds: ms * 1_000_000 }).collect()
    }

    #[test]
    fn steps_become_rates_and_growth() {
        let figures = parse(
            r#"{"record_bytes": 20480, "rows": [
                {"name": "import", "executions": 2, "steps": [{"runs": 50, "nanoseconds": 250000000}]},
                {"name": "migrate", "executions": 1, "steps": [{"runs": 4, "nanoseconds": 1000}], "requests": 13}]}"#,
        )
        .unwrap();
        assert_eq!(figures.record_bytes, 20480);
        let mut rows = figures.rows;
        rows[0].steps = steps(&[900, 900, 100, 200, 999, 999, 150, 210]);
        let expected = "\
work     executions   runs/s  early  late  growth  requests/run
───────────────────────────────────────────────────────────────
import            2       89   3.00  3.60    1.20             –
migrate           1  4000000      –     –       –          3.25";
        assert_eq!(render(&rows), expected);
    }

    #[test]
    fn growth_needs_two_windows_that_do_not_overlap() {
        for (count, expect) in [(4, None), (5, None), (6, Some((1_000_000, 1_000_000)))] {
            let row = Row { name: String::new(), executions: None, steps: steps(&vec![50; count]), requests: None };
            assert_eq!(row.early_and_late(), expect, "{count} steps");
        }
    }

    #[test]
    fn ratios_are_rounded() {
        for (value, base, expect) in [(1, 1, "1.00"), (1, 3, "0.33"), (2, 3, "0.67"), (1999, 1000, "2.00")] {
            assert_eq!(hundredths(value, base), expect, "{value}/{base}");
        }
    }

    #[test]
    fn what_is_not_a_measurement_is_refused() {
        for json in [
            "",
            "[]",
            r#"{"record_bytes": 1, "rows": [{"name": "a", "steps": []}]}"#,
            r#"{"record_bytes": 1, "rows": [{"name": "a", "steps": [{"runs": 0, "nanoseconds": 1}]}]}"#,
            r#"{"record_bytes": 1, "rows": [{"steps": [{"runs": 1, "nanoseconds": 1}]}]}"#,
            r#"{"rows": []}"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
