//! Creating indexes against the embedded DynamoDB, on tokio's paused clock: no test waits for real time.
//!
//! The oracle is the ledger of the embedded database, which has every request with its time and what
//! came of it. `§4.1` in comments is the table of errors in the facts page on DynamoDB.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod adopt;
mod disk;
mod error_rows;
mod error_table;
mod errors;
mod interrupt;
mod items;
mod jobs;
mod peer;
mod plan;
mod preflight;
mod random;
mod resume;
mod rollback;
mod rollback_errors;
mod rollback_random;
mod schedule;
mod silence;
mod spy;
mod support;
mod tables;
mod validate;
