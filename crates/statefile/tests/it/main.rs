//! Tests of the promises in the crate's documentation, by number where one is meant.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::expect_used, reason = "tests")]

mod contention;
mod file;
mod journal;
mod lock;
mod replace;
mod security;

use statefile::{DecodeError, Document, Lock, ManualClock, Owner, StateFile, Version};
use std::path::Path;

/// A document with a counter and a text of any size.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Note {
    version: String,
    count: u64,
    text: String,
}

impl Note {
    fn fresh() -> Self {
        Self { version: "1.0".to_owned(), count: 0, text: String::new() }
    }
}

impl Document for Note {
    const KIND: &'static str = "note";
    const VERSION: Option<Version> = Some(Version::new(1, 0));

    fn decode(text: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(text)?)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

fn clock() -> ManualClock {
    ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap())
}

fn lock(path: &Path) -> Lock {
    Lock::acquire(StateFile::<Note>::lock_path(path), &Owner::current(&clock())).unwrap()
}

fn open(path: &Path) -> StateFile<Note> {
    StateFile::open(path, lock(path), Note::fresh).unwrap()
}

/// The names in a directory, sorted.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
