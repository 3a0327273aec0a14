//! The integration tests of `run-record`: against data of the genuine programs, and properties.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod archive;
mod golden;
mod prepared;
mod probe;
mod properties;
mod records;
