//! The program as its users meet it: started, interrupted, killed, fed with damaged files and bad servers.
//!
//! The oracle for "each run is archived once" is the content of the two stores, read with their own libraries, and
//! compared with what an undisturbed run leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod choice;
mod dry_run;
mod every_change;
mod example;
mod faults;
mod faults_disk;
#[cfg(feature = "mongodb")]
mod faults_mongod;
mod faults_place;
mod faults_ucondb;
mod growing;
mod guide;
mod kill;
mod kill_world;
mod lock;
#[cfg(feature = "mongodb")]
mod mongodb;
mod notify;
mod recovery;
mod rehearsal;
mod scenarios;
mod secrets;
mod security;
mod selftest;
mod server;
mod signals;
mod sources;
mod state;
mod status;
mod support;
mod takeover;
mod tools;
mod usage;
mod verify;
