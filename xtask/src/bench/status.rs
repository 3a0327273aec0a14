//! `cargo xtask bench status`: runs `benches/status.rs` and makes a table of its figures.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use xshell::cmd;

use super::place;
use crate::table::{self, Align};
use crate::{say, workspace};

/// Options of `bench status`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the directories are made: the file system to measure [default: target/bench]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Run directories
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
}

/// Builds, measures, prints.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let (parent, dir) = place(&shell, options.dir.as_deref(), "status-")?;
    let (path, runs) = (dir.path(), options.runs.to_string());
    say::line(format_args!("building, then making {runs} directories in `{}` …", parent.display()));
    let json = cmd!(shell, "cargo bench --quiet -p xtask --bench status -- {path} {runs}").quiet().read()?;
    say::line(format_args!("\n{}\n", render(&json)?));
    say::line(
        "Status and comparison of that many run directories against sparse stores, in one process; the best and the\n\
         worst of the rounds after the first, which warms the file system's caches.\n\
         Expected for 1,000,000: under 3 s and 128 MiB, with and without the stray directory.",
    );
    Ok(ExitCode::SUCCESS)
}

fn render(json: &str) -> Result<String> {
    let value: Value = serde_json::from_str(json).context("the bench did not answer with JSON")?;
    let rows = value["rows"].as_array().context("the bench answered without rows")?;
    let cells = rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    let columns = [
        ("status of", Align::Left),
        ("best s", Align::Right),
        ("worst s", Align::Right),
        ("peak MiB", Align::Right),
        ("rows of gaps", Align::Right),
    ];
    Ok(table::render(&columns, &cells))
}

fn row(value: &Value) -> Result<Vec<String>> {
    let times = value["nanoseconds"].as_array().context("a row without figures")?;
    let times = times.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>().context("a figure that is no number")?;
    let (best, worst) = times.iter().min().zip(times.iter().max()).context("a row without figures")?;
    let number = |name: &'static str| value[name].as_u64().with_context(|| format!("a row without `{name}`"));
    let seconds = |nanoseconds: u64| format!("{}.{:02}", nanoseconds / 1_000_000_000, nanoseconds / 10_000_000 % 100);
    Ok(vec![
        value["name"].as_str().context("a row without a name")?.to_owned(),
        seconds(*best),
        seconds(*worst),
        number("peak_kib")?.div_ceil(1024).to_string(),
        number("gap_rows")?.to_string(),
    ])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::render;

    #[test]
    fn figures_become_a_table() {
        let json = r#"{"rows": [{"name": "plain", "nanoseconds": [1500000000, 900000000], "gap_rows": 1, "peak_kib": 40961}]}"#;
        let expected = "\
status of  best s  worst s  peak MiB  rows of gaps
──────────────────────────────────────────────────
plain        0.90     1.50        41             1";
        assert_eq!(render(json).unwrap(), expected);
    }

    #[test]
    fn what_is_not_a_measurement_is_refused() {
        for json in ["", "{}", r#"{"rows": [{"name": "a", "nanoseconds": [], "gap_rows": 1, "peak_kib": 1}]}"#] {
            assert!(render(json).is_err(), "{json}");
        }
    }
}
