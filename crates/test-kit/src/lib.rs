//! test-kit
//!
//! | part | what it is for |
//! |---|---|
//! | [`TestEnv`], [`Running`] | runs a program in a directory and an environment of its own |
//! | [`files_of`] | proves that nothing in a directory changed |
//! | [`Killer`] | kills a program at random moments until it gets to its end |
//! | [`ucondb`] | a fake UconDB server |

mod env;
mod kill;
pub mod ucondb;

pub use env::{Ended, FileRecord, Running, TestEnv, files_of};
pub use kill::{KillReport, Killer, Random};
