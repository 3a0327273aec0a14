//! Integration tests of `ucon-db`: one binary, because linking is slow.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod archiving;
mod authentication;
mod conformance;
mod embedded;
mod faults;
mod requests;
mod security;
mod setup;
mod tls;
