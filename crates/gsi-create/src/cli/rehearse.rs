//! The rehearsal: what its tables are like, what goes wrong, and how fast its time passes.

use std::path::PathBuf;

use dynamo_embedded::FaultPlan;

/// What only `--rehearse` understands.
#[derive(Debug, clap::Args)]
pub(crate) struct RehearseArgs {
    /// What the tables are like: a `--plan --json` answer, a `describe-table` answer, or a directory of
    /// such files; may be repeated. Without it, the tables at the endpoint are described.
    #[arg(long, value_name = "FILE", requires = "rehearse", help_heading = HEADING)]
    pub(crate) from: Vec<PathBuf>,

    /// Errors to rehearse, as `UpdateTable[flights]#1=ThrottlingException; DescribeTable#9=lost`; may be
    /// repeated.
    #[arg(long, value_name = "PLAN", requires = "rehearse", help_heading = HEADING)]
    pub(crate) fault: Vec<FaultPlan>,

    /// Watch it at N times real time, instead of as fast as possible.
    #[arg(long, value_name = "N", requires = "rehearse", value_parser = speed, help_heading = HEADING)]
    pub(crate) speed: Option<f64>,

    /// Which of the possible build times are drawn; the same seed, the same rehearsal.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = HEADING)]
    pub(crate) seed: u64,
}

const HEADING: &str = "Rehearsal";

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (1.0..=1_000_000.0).contains(&speed) => Ok(speed),
        _ => Err("say how many times as fast as real time, from 1 to 1000000".to_owned()),
    }
}
