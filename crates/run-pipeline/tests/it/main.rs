//! The stages between real stores: run directories, a filesystemdb, an embedded UconDB.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod lab;
mod real;
