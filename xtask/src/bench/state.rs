//! `cargo xtask bench state`: runs `benches/state.rs` and makes a table of its figures.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use xshell::cmd;

use super::place;
use crate::table::{self, Align};
use crate::{say, workspace};

/// Options of `bench state`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to write: the disk to measure [default: target/bench]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// How often each row is measured
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// One measured row.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    /// What is written each time.
    bytes: u64,
    /// One figure a round, ascending, never empty.
    nanoseconds: Vec<u64>,
}

/// Builds, measures, prints.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let (parent, dir) = place(&shell, options.dir.as_deref(), "state-")?;
    let (path, rounds) = (dir.path(), options.rounds.to_string());
    say::line(format_args!("building and measuring in `{}`, {rounds} rounds …", parent.display()));
    let json = cmd!(shell, "cargo bench --quiet -p xtask --bench state -- {path} {rounds}").quiet().read()?;
    let rows = parse(&json)?;
    say::line(format_args!("\n{}\n", render(&rows)));
    say::line("times in milliseconds; one process, the rows taken in turn; ratio = median / median of the append");
    Ok(ExitCode::SUCCESS)
}

fn parse(json: &str) -> Result<Vec<Row>> {
    let value: Value = serde_json::from_str(json).context("the bench did not answer with JSON")?;
    let rows = value.as_array().context("the bench did not answer with an array")?;
    rows.iter().map(row).collect()
}

fn row(value: &Value) -> Result<Row> {
    let mut nanoseconds = value["nanoseconds"]
        .as_array()
        .and_then(|all| all.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>())
        .context("a row without figures")?;
    ensure!(!nanoseconds.is_empty(), "a row without figures");
    nanoseconds.sort_unstable();
    Ok(Row {
        name: value["name"].as_str().context("a row without a name")?.to_owned(),
        bytes: value["bytes"].as_u64().context("a row without a size")?,
        nanoseconds,
    })
}

impl Row {
    /// The value below which `percent` of the figures lie (nearest rank).
    fn percentile(&self, percent: usize) -> u64 {
        let rank = (self.nanoseconds.len() * percent).div_ceil(100).max(1);
        self.nanoseconds[rank - 1]
    }
}

/// The first row is what the others are compared with.
fn render(rows: &[Row]) -> String {
    let base = rows.first().map_or(1, |row| row.percentile(50)).max(1);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let median = row.percentile(50);
            vec![
                row.name.clone(),
                row.bytes.to_string(),
                milliseconds(median),
                milliseconds(row.percentile(95)),
                ratio(median, base),
            ]
        })
        .collect();
    let columns = [
        ("durable write of", Align::Left),
        ("bytes", Align::Right),
        ("median", Align::Right),
        ("95 %", Align::Right),
        ("ratio", Align::Right),
    ];
    table::render(&columns, &cells)
}

fn milliseconds(nanoseconds: u64) -> String {
    let microseconds = nanoseconds / 1_000;
    format!("{}.{:03}", microseconds / 1_000, microseconds % 1_000)
}

/// `value / base` with one decimal, rounded.
fn ratio(value: u64, base: u64) -> String {
    let tenths = (u128::from(value) * 10 + u128::from(base) / 2) / u128::from(base);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{parse, ratio, render};

    #[test]
    fn figures_become_medians_and_ratios() {
        let rows = parse(
            r#"[{"name": "append", "bytes": 200, "nanoseconds": [9000000, 1000000, 2000000]},
                {"name": "update", "bytes": 1234, "nanoseconds": [5000000, 4500000, 3000000]}]"#,
        )
        .unwrap();
        let expected = "\
durable write of  bytes  median   95 %  ratio
─────────────────────────────────────────────
append              200   2.000  9.000    1.0
update             1234   4.500  5.000    2.3";
        assert_eq!(render(&rows), expected);
    }

    #[test]
    fn ratios_are_rounded() {
        for (value, base, expect) in [(1, 1, "1.0"), (149, 100, "1.5"), (144, 100, "1.4"), (1, 3, "0.3"), (0, 7, "0.0")]
        {
            assert_eq!(ratio(value, base), expect, "{value}/{base}");
        }
    }

    #[test]
    fn what_is_not_a_measurement_is_refused() {
        for json in
            ["", "{}", r#"[{"name": "a", "bytes": 1, "nanoseconds": []}]"#, r#"[{"bytes": 1, "nanoseconds": [1]}]"#]
        {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
