//! The stages as a whole, against stores in memory that fail on request.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fuse;
mod fuzz;
mod growing;
mod guide;
mod history;
mod kill;
mod stores;
mod trouble;
mod world;

pub(crate) use fuse::Fuse;
pub(crate) use world::files_in;
