//! Random histories against an oracle, and the odd cases one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod history;
mod rows;
mod verify;
