//! The program as its users meet it: started, interrupted, killed, fed with damaged files.
//!
//! The oracle for "each index is created once" is the ledger of the embedded database, read from its file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod damage;
mod disk;
mod earlier;
mod faults;
mod happy;
mod kill;
mod lock;
mod screens;
mod signals;
mod silence;
mod status;
mod support;
mod usage;
