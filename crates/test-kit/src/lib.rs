//! test-kit
//!
//! | part | what it is for |
//! |---|---|
//! | [`TestEnv`], [`Running`] | runs a program in a directory and an environment of its own |
//! | [`files_of`] | proves that nothing in a directory changed |
//! | [`Killer`] | kills a program at random moments until it gets to its end |
//! | [`strace`] | kills a program after its n-th change of a file, or request |
//! | [`story`] | stories of work that is killed after every change, thrice in a row, or at random |
//! | [`Tally`] | counts kills and what was wrong after them |
//! | [`Mutator`] | makes damaged inputs of good ones, the same in every run |
//! | [`hostile`] | what strangers do to screens and directories |
//! | [`selftest`] | what `--selftest` of every program must do |
//! | [`ucondb`] | a fake UconDB server |
//! | [`smtp`], [`slack`], [`lines`] | fakes of whom programs tell what happened: a mail server, Slack, Graphite |

mod env;
pub mod hostile;
mod kill;
pub mod lines;
mod mutate;
pub mod selftest;
pub mod slack;
pub mod smtp;
pub mod story;
pub mod strace;
mod tally;
pub mod ucondb;

pub use env::{Ended, FileRecord, Running, TestEnv, files_of};
pub use kill::{KillReport, Killer, Random};
pub use mutate::{Mutator, bombs};
pub use tally::{Tally, Wrong};
