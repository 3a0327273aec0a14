//! Integration tests of `artdaq-db`: one binary, because linking is slow.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod conformance;
mod genuine;
mod kill;
#[cfg(feature = "mongodb")]
mod mongodb;
mod scars;
mod security;
mod setup;
mod tools;
