//! `gsi-create`: creates DynamoDB global secondary indexes and survives interruption.
//!
//! The program only parses, wires and presents; the work is done in `gsi-aws` and `gsi-state`.

mod cli;
mod exit;
mod present;
mod run;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(cli) => run::run(&cli).into(),
        Err(usage) => usage,
    }
}
