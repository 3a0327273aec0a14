//! Tests of the state file as its users see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests")]

mod file_format;
mod golden;
mod history;
mod manager;
mod other_workspace;
mod refusals;
mod view;
