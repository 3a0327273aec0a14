//! The key-violation pre-flight: how much is read, how fast, and what its findings mean.

use clap::ValueEnum;

/// What looks at the items before an index is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct PreflightArgs {
    /// Look for items that the new indexes would leave out without a word, and that could not be written
    /// any more: in a `sample` of 1,000 items a table, in the `full` table (resumable), or not (`off`).
    #[arg(
        long, value_name = "EXTENT", default_value = "off", hide_possible_values = true, help_heading = HEADING,
        conflicts_with = "Modes",
    )]
    pub(crate) preflight: PreflightExtent,

    /// Read units a second for the pre-flight, over all tables.
    #[arg(long, value_name = "N", value_parser = read_units, help_heading = HEADING)]
    pub(crate) read_units_per_second: Option<f64>,

    /// Create an index even where the pre-flight finds items that it would leave out.
    #[arg(long, help_heading = HEADING)]
    pub(crate) allow_violations: bool,
}

const HEADING: &str = "Pre-flight";

/// How much of a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PreflightExtent {
    /// Nothing.
    Off,
    /// A little of every part.
    Sample,
    /// All of it.
    Full,
}

fn read_units(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(units) if (0.1..=1_000_000.0).contains(&units) => Ok(units),
        _ => Err("say how many read units a second may be used, from 0.1 to 1000000".to_owned()),
    }
}
