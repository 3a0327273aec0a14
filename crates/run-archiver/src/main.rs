//! `run-archiver`: archives run records, from disk to artdaqDB to UconDB, and survives interruption.
//!
//! The program only configures, wires and presents; the work is done in `run-pipeline` and the stores.

mod cli;
mod exit;
mod job;
mod log;
mod look;
mod notify;
mod present;
mod run;
mod selftest;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(cli) => run::run(&cli).into(),
        Err(usage) => usage,
    }
}
