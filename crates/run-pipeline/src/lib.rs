//! The two stages of the run archiver: [`import`] takes run directories into artdaqDB, [`migrate`] takes
//! them on into UconDB.
//!
//! # Promises
//!
//! 1. What is about to be stored is on disk as *in flight* before it is; the next start looks at it again.
//! 2. A run counts as archived only when it is complete in the destination and what was read back is what
//!    was meant.
//! 3. Every run at or below `last_attempted_run` is archived or in the failure log, after a kill at any
//!    moment. A run that appears late, or whose work was cut off, goes into the failure log with a notice.
//! 4. A listing that failed, or came back implausibly short, changes no state.
//! 5. An outcome is on disk before it is announced, and within a moment (20 ms) after it is known. Outcomes that
//!    wait are saved together.
//! 6. A run that fails never stops the others; a store that fails as a whole stops the stage, and the
//!    runs that were not attempted stay so.
//!
//! | module | what it knows |
//! |---|---|
//! | `select`, `listing`, `retry` | decisions, as pure functions |
//! | `strays` | which numbers stand too far from all others |
//! | `hold` | which runs are still being taken |
//! | `paths`, `files`, `journal`, `ledger`, `record` | the state on disk, and the one task that writes it |
//! | `source`, `import`, `amend`, `migrate`, `whole` | the work |
//! | `plan`, `stage`, `workers` | what both stages share |
//! | `recover` | the state, rebuilt from the archives |
//! | [`status`] | the archive explains itself |
//! | `event`, `report` | what a caller sees, during and after |
//! | `fuzz` | stores that fail on purpose |
//!
//! # One execution
//!
//! Both sides are listed; what the last execution left in flight is settled; [`select`] chooses the runs;
//! workers take the lowest that waits, note it as in flight, and send the outcome to the one task that
//! owns the [`StageFiles`]. [`plan_import`] and [`plan_migrate`] go as far as the choice and touch nothing.
//!
//! # What is absent
//!
//! Locking (the caller's, at its `lock_file`), configuration, the screen, exit codes.

mod amend;
mod error;
mod event;
mod files;
mod fuzz;
mod hold;
mod import;
mod journal;
mod ledger;
mod listing;
mod migrate;
mod paths;
mod plan;
mod record;
mod recover;
mod report;
mod retry;
mod select;
mod source;
mod stage;
pub mod status;
mod strays;
mod whole;
mod workers;

#[cfg(test)]
mod tests;

pub use error::{ListingError, StageError};
pub use event::{Event, EventKind, Observer, Stage, Unobserved};
pub use files::{StageFiles, StageSnapshot};
pub use fuzz::{Fate, FuzzyBlobStore, FuzzyConfigStore, Rehearsal};
pub use hold::{HoldPolicy, HoldReason};
pub use import::{import, plan_import};
pub use journal::{Content, RunEvent, RunNote, Trouble, Turn, read_notes, read_troubles};
pub use listing::{Shrunk, Side, check_listings};
pub use migrate::{MigrateOptions, migrate, plan_migrate};
pub use paths::{Counts, StagePaths};
pub use plan::{Plan, StageOptions};
pub use record::RecordError;
pub use recover::{
    RecoverError, Recovery, RecoveryOptions, Sides, import_sides, migrate_sides, plan_recovery, recover,
};
pub use report::{Outcome, StageReport};
pub use retry::{Decision, FailureClass, RetryPolicy};
pub use select::{Holdings, Mode, Request, Selection, select};
pub use source::RecordSource;
