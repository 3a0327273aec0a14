//! The state of DynamoDB global secondary index creation, in a file that survives crashes.
//!
//! Creating an index on a large table takes hours or days. A script that creates several must know,
//! when it is started again, which are done, which were under way, and which failed and why. This
//! crate remembers that; it knows nothing of AWS.
//!
//! # A script that can be interrupted
//!
//! ```
//! use gsi_state::{GsiKey, GsiStateManager, GsiStatus};
//! # fn create(_: &GsiKey) -> Result<(), String> { Ok(()) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let state_dir = dir.path();
//! let wanted = [GsiKey::new("bookings", "flight-status-index"), GsiKey::new("flights", "aircraft-rotation-index")];
//!
//! let mut manager = GsiStateManager::open("my_script", state_dir)?; // loads what an earlier run left
//! manager.initialize(wanted.clone())?;                              // adds what is new
//! for key in &wanted {
//!     if manager.should_skip(key) {
//!         continue;
//!     }
//!     let attempt = manager.status_of(key).map_or(0, |gsi| gsi.retry_count) + 1;
//!     manager.update_status(key, GsiStatus::InProgress, Some(attempt), None)?; // before the effect
//!     match create(key) {
//!         Ok(()) => manager.update_status(key, GsiStatus::Active, None, None)?,
//!         Err(error) => manager.update_status(key, GsiStatus::Failed, None, Some(&error))?,
//!     }
//! }
//! if manager.is_complete() {
//!     println!("archived as {}", manager.cleanup()?.display());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `examples/resume_loop.rs` is this script in full. To look at a job from another process, without
//! its lock and without write permission, read a [`StatusView`].
//!
//! # The file
//!
//! `.gsi_creation_state.json` in the state directory, version 1.0 (1.1 while a rollback is recorded in it), the layout of the Python
//! `gsi_state_manager`:
//!
//! ```json
//! {
//!   "version": "1.0",
//!   "created_at": "2026-02-01T10:30:00Z",
//!   "updated_at": "2026-02-01T10:35:00Z",
//!   "script_name": "my_script",
//!   "gsis": {
//!     "bookings.flight-status-index": {
//!       "table_name": "bookings",
//!       "index_name": "flight-status-index",
//!       "status": "active",
//!       "creation_time": "2026-02-01T10:31:00Z",
//!       "retry_count": 1,
//!       "last_error": null
//!     }
//!   },
//!   "summary": { "total": 1, "pending": 0, "in_progress": 0, "active": 1, "failed": 0 }
//! }
//! ```
//!
//! * Times are RFC 3339 in UTC. The Python program wrote local times without a zone; they are read as
//!   UTC, and written with `Z` from then on.
//! * Fields that this crate does not know are kept, at every level. The summary is derived.
//! * Two indexes whose `table.index` read alike (`a.b` + `c`, `a` + `b.c`) get different keys: the
//!   second one's dots are written `%2E`.
//! * A file that is unreadable, or of a newer version, is refused and kept; see [`OpenError`].
//! * Beside it: `.lock` (who writes), `.bak` (the generation before the last update), and
//!   `.gsi_creation_history.jsonl`, a journal of what was done when (see [`HistoryEntry`]).
//!
//! # Rules
//!
//! | rule | why |
//! |---|---|
//! | a status follows another only as [`GsiStatus::next`] says | "asked for" must never become "not yet attempted" |
//! | success clears `last_error` | an active index with an error misleads whoever reads the file |
//! | [`is_complete`](GsiStateManager::is_complete) means all active, [`is_settled`](GsiStateManager::is_settled) nothing pending or in progress | a failed index is work left to do |
//! | [`cleanup`](GsiStateManager::cleanup) refuses unless complete | a later retry must find what failed |
//! | every change is on stable storage when its call returns | the next process knows what this one knew |

mod ascii;
mod change;
mod format;
mod history;
mod key;
mod manager;
mod state;
mod status;
mod summary;
mod time;
mod view;

pub use change::{ChangeError, StatusChange};
pub use history::{HISTORY_FILE_NAME, HistoryEntry, HistoryEvent, read_history};
pub use key::GsiKey;
pub use manager::{CleanupError, GsiStateManager, OpenError, STATE_FILE_NAME};
pub use state::{CreationState, GsiState, Origin, Validation, Verdict};
pub use statefile::{self, ArchiveError, Clock, CommitError, LockError, ManualClock, SystemClock, UpdateError};
pub use status::{GsiStatus, IllegalTransition};
pub use summary::Summary;
pub use view::{StatusView, archives};
