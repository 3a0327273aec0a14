//! A JSON document on disk that survives crashes.
//!
//! A long job writes down what it has done, is interrupted, and goes on where it stopped. This crate
//! keeps that record: one small document, rewritten as a whole, that people can read with `less`.
//!
//! # Promises
//!
//! 1. A reader sees the old document or the new one, never a mixture.
//! 2. When [`StateFile::update`] returns `Ok`, the new document is on stable storage; memory never
//!    believes what the disk does not.
//! 3. Two processes never write the same file; the second is told who holds it, and changes no byte.
//! 4. Missing and unreadable are different: a missing file starts fresh, an unreadable or newer one is
//!    refused, kept as it is, and the last good generation (`<file>.bak`) is offered.
//! 5. Fields that a program does not know survive its rewrite ([`UnknownFields`]).
//!
//! They rest on what the file system does. The crate `waymark-selftest` tries them on a mount.
//!
//! # Files
//!
//! | file | what it is |
//! |---|---|
//! | `state.json` | the document ([`StateFile`], [`Snapshot`]) |
//! | `state.json.lock` | who writes it ([`Lock`], [`Owner`]); never deleted, its content matters only while locked |
//! | `state.json.bak` | the generation before the last update |
//! | `history.jsonl` | an append-only record beside it ([`Journal`]) |
//! | `state.json.tmp-*` | a write in progress, or what a dead writer left; removed at the next start |
//!
//! # Example
//!
//! ```
//! use statefile::{Document, DecodeError, Lock, Owner, Snapshot, StateFile, Version};
//!
//! #[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
//! struct Progress { version: String, done: u64 }
//!
//! impl Document for Progress {
//!     const KIND: &'static str = "progress record";
//!     const VERSION: Option<Version> = Some(Version::new(1, 0));
//!     fn decode(text: &str) -> Result<Self, DecodeError> { Ok(serde_json::from_str(text)?) }
//!     fn encode(&self) -> Result<String, serde_json::Error> { serde_json::to_string_pretty(self) }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let path = dir.path().join("state.json");
//! let lock = Lock::acquire(StateFile::<Progress>::lock_path(&path), &Owner::current(&statefile::SystemClock))?;
//! let mut state = StateFile::open(&path, lock, || Progress { version: "1.0".into(), done: 0 })?;
//! state.update(|progress| progress.done += 1)?;
//!
//! let seen = Snapshot::<Progress>::read(&path)?.expect("the update above wrote it");
//! assert_eq!(seen.document.done, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Why not a database?
//!
//! A state file is small, written every few seconds, and read by people at 3 a.m. Whoever needs
//! queries, or millions of entries, is better served by `SQLite`.
//!
//! # What is absent
//!
//! No merging of concurrent writers (they are excluded), no encryption, no asynchronous interface:
//! an async program gives a `StateFile` to one task and sends it changes.

mod clock;
mod document;
mod error;
#[cfg(test)]
mod faults;
mod file;
mod journal;
mod lock;
mod plain;
mod replace;
mod sys;
mod unknown;
mod version;

pub use clock::{Clock, ManualClock, SystemClock};
pub use document::{DecodeError, Document, require_object};
pub use error::{ArchiveError, CommitError, LockError, OpenError, UpdateError};
pub use file::{Snapshot, StateFile};
pub use journal::{Journal, Record, for_each_record, read_journal};
pub use lock::{Lock, Owner};
pub use replace::{copy_aside, create, move_aside, read, remove_leftovers, replace};
pub use unknown::{Fields, UnknownFields};
pub use version::Version;
