//! Integration tests of `artdaq-db`: one binary, because linking is slow.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod conformance;
mod genuine;
mod kill;
mod scars;
mod setup;
