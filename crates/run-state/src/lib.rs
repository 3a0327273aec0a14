//! Which runs are archived: run numbers, sets of runs, marks, failure logs.
//!
//! The files are those of the Python archiver, so that either program takes over from the other:
//!
//! | file | type | content |
//! |---|---|---|
//! | `importer_state.json`, `migrator_state.json` | [`Marks`] | `{"last_contiguous_run": N, "last_attempted_run": M}`, indent 2 |
//! | `import_failures.log`, `migrate_failures.log` | [`FailureLog`] | one run number a line, sorted, none twice |
//! | `acknowledged_gaps.json` (ours) | [`Acknowledgements`] | which missing runs people live with, who says so, why, and until when |
//!
//! Missing files are marks of 0/0 and an empty log; unreadable ones are refused by [`statefile`], which
//! also makes their rewriting atomic and durable. This crate does no I/O of its own.
//!
//! ```
//! use run_state::{Marks, RunSet};
//! // Runs 101 to 105 were attempted, 103 failed.
//! let archived: RunSet = "100-102, 104-105".parse().unwrap();
//! let mut marks = Marks::new(100.into(), 100.into());
//! marks.advance(&archived, 105.into());
//! assert_eq!((marks.last_contiguous_run, marks.last_attempted_run), (102.into(), 105.into()));
//! ```

mod acknowledged;
mod failures;
mod marks;
mod number;
mod set;

pub use acknowledged::{Acknowledgement, Acknowledgements};
pub use failures::FailureLog;
pub use marks::Marks;
pub use number::{NotARunNumber, RunNumber};
pub use set::{ParseRunSetError, RunSet};
