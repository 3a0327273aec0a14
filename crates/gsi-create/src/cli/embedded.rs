//! The DynamoDB in this process: how it behaves, and how its time passes.

use clap::ValueEnum;
use dynamo_embedded::{FaultPlan, Times};

/// What only an embedded endpoint understands.
#[derive(Debug, clap::Args)]
pub(crate) struct EmbeddedArgs {
    /// How long allocation, backfill and deletion of an index take.
    #[arg(long = "embedded-times", value_name = "ALLOC,BACKFILL,DELETE", default_value = "500ms,1500ms,500ms", help_heading = HEADING)]
    pub(crate) times: Times,

    /// Errors to rehearse, as `UpdateTable#2=ThrottlingException; DescribeTable#1=lost`.
    #[arg(long = "embedded-faults", value_name = "PLAN", help_heading = HEADING)]
    pub(crate) faults: Option<FaultPlan>,

    /// How time passes: `real`, or `virtual`, where it jumps over every pause, so that hours take
    /// milliseconds; it begins now, or where an earlier run on the same file left it.
    #[arg(long = "embedded-clock", value_name = "CLOCK", default_value = "real", hide_possible_values = true, help_heading = HEADING)]
    pub(crate) clock: ClockKind,
}

const HEADING: &str = "Embedded DynamoDB";

/// How time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockKind {
    /// As on the wall.
    Real,
    /// It stands still while there is work, and jumps to the next timer when there is none.
    Virtual,
}
