//! The program as its users meet it: started, interrupted, killed, fed with damaged files.
//!
//! The oracle for "each index is created once" is the ledger of the embedded database, read from its file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod by_hand;
mod cancel;
mod check_status;
mod damage;
mod disk;
mod earlier;
// The rows are those that the library is tested with.
#[path = "../../../gsi-aws/tests/it/error_rows.rs"]
mod error_rows;
mod error_table;
mod every_change;
mod faults;
mod happy;
mod kill;
mod kill_rollback;
mod lock;
mod ownership;
mod plan;
mod preflight;
mod rehearse;
mod reports;
mod rollback;
mod screens;
mod security;
mod selftest;
mod signals;
mod silence;
mod status;
mod support;
mod timeouts;
mod usage;
mod virtual_time;
