//! `gsi-create`: creates DynamoDB global secondary indexes and survives interruption.
//!
//! The program only parses, wires and presents; the work is done in `gsi-aws` and `gsi-state`.

mod advice;
mod cli;
mod exit;
mod job;
mod present;
mod rehearsal;
mod reports;
mod selftest;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(cli) => job::run(&cli).into(),
        Err(usage) => usage,
    }
}
