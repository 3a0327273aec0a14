//! What happened to runs, in their order: the journal of a stage, beside its state.
//!
//! | stage | file, in the directory of the state file |
//! |---|---|
//! | import | `imported.jsonl` |
//! | migration | `migrated.jsonl` |
//!
//! One line a commit, in the form of [`statefile::Journal`]; any text tool reads it:
//! `jq '.records[] | select(.run == 103)' imported.jsonl`.
//!
//! # Promises
//!
//! 1. A note tells what is true whatever comes after it: that content was verified, that an attempt failed,
//!    that a run appeared late. It is written *before* failure log and marks, so that a digest is never missing of
//!    a run that counts as archived. After a kill in between, the next start looks at the run again, since it is
//!    still in flight, and notes what it finds: a note may stand twice, and never contradicts the state.
//! 2. Nothing is decided by it but in which order failed runs are tried again: marks, failure log and runs in flight
//!    stay the truth. A journal that is removed costs explanations and digests, and nothing else.
//!
//! What is absent: a note that work on a run began (the runs in flight tell), and the order of notes of runs that
//! were worked on side by side.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use run_state::{RunNumber, RunSet};
use serde::{Deserialize, Serialize};
use statefile::{OpenError, Record, Version, for_each_record, read_journal};

use crate::retry::FailureClass;

/// One thing that happened to a run.
///
/// ```
/// use run_pipeline::{RunEvent, RunNote};
/// let note = RunNote {
///     at: "2026-11-21T06:40:00Z".parse().unwrap(),
///     run: 103.into(),
///     event: RunEvent::Amended { version: "103/demov1".to_owned() },
/// };
/// let text = serde_json::to_string(&note).unwrap();
/// assert_eq!(text, r#"{"at":"2026-11-21T06:40:00Z","run":103,"event":"amended","version":"103/demov1"}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNote {
    /// When it was written down, UTC.
    pub at: DateTime<Utc>,
    /// The run; 0 for what concerns the stage as a whole ([`RunEvent::Recovered`]).
    pub run: RunNumber,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// It is complete in the destination, and its content was verified.
    Archived {
        /// It was there before this execution.
        #[serde(default, skip_serializing_if = "is_false")]
        was_there: bool,
        /// What was verified.
        #[serde(flatten)]
        content: Content,
    },
    /// An execution gave it up; it is in the failure log.
    Failed {
        /// How many attempts that execution made.
        attempt: u32,
        /// Whose fault it was.
        class: FailureClass,
        /// Why: the chain of causes, as it was shown.
        reason: String,
    },
    /// It is held back, since it is still being taken. Written down once, however long that is so.
    Held {
        /// Why: `changed 12 s ago`.
        reason: String,
    },
    /// It appeared below the mark, and was put into the failure log.
    Late,
    /// The last execution died while it worked on the run, which was put into the failure log.
    Interrupted,
    /// Its stop time was added to what artdaqDB holds.
    Amended {
        /// Under this version.
        version: String,
    },
    /// Its record was compared again, and is current; where it had changed, what was archived before is kept beside it.
    Refreshed {
        /// What was verified, and is current.
        #[serde(flatten)]
        content: Content,
    },
    /// The state of the stage was rebuilt from what the archives hold. Its run is 0.
    Recovered {
        /// The marks as they are since, `contiguous/attempted`.
        marks: String,
        /// The runs that were found missing, and are in the failure log since.
        missing: String,
    },
}

/// What was verified of an archived run, as far as the stage knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Import: how many documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Import: the configuration's name, as in `103/demo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// Migration: the length of the blob in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Migration: its Adler-32 checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adler32: Option<u32>,
    /// Migration: its MD5 digest in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// Migration: the id of its version in UconDB, where this program put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// 1.0: first.
const NOTES_VERSION: Version = Version::new(1, 0);

impl Record for RunNote {
    const KIND: &'static str = "run journal";
    const VERSION: Version = NOTES_VERSION;
}

/// Reads every note of a journal, oldest first; none where there is no file.
///
/// # Errors
///
/// When the file is unreadable or damaged.
pub fn read_notes(path: &Path) -> Result<Vec<RunNote>, OpenError> {
    read_journal(path)
}

/// How often a run failed since it was last archived, and how the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// How many executions gave it up.
    pub times: u64,
    /// When the last one did.
    pub last_at: DateTime<Utc>,
    /// Whose fault that was.
    pub last_class: FailureClass,
    /// Why.
    pub last_reason: String,
}

/// What a journal tells about the failures of `runs`; those that it does not know are left out.
///
/// # Errors
///
/// When the file is unreadable or damaged.
pub fn read_troubles(path: &Path, runs: &RunSet) -> Result<BTreeMap<RunNumber, Trouble>, OpenError> {
    let mut troubles = BTreeMap::new();
    for_each_record(path, |note: RunNote| {
        if runs.contains(note.run) {
            take_in(&mut troubles, note);
        }
    })?;
    Ok(troubles)
}

/// When the last attempt at a failed run was, among all that the journal tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its place in the journal: whoever has a lower one waits longer.
    pub last_attempt: u64,
    /// It was given up for a store, which stops a stage when it happens some times in a row.
    pub concerns_store: bool,
}

/// In which order `runs` were given up last; those that the journal does not know are left out.
///
/// # Errors
///
/// When the file is unreadable or damaged.
pub(crate) fn read_turns(path: &Path, runs: &RunSet) -> Result<BTreeMap<RunNumber, Turn>, OpenError> {
    let mut turns = BTreeMap::new();
    if runs.is_empty() {
        return Ok(turns);
    }
    let mut last_attempt = 0;
    for_each_record(path, |note: RunNote| {
        last_attempt += 1;
        if let RunEvent::Failed { class, .. } = note.event
            && runs.contains(note.run)
        {
            turns.insert(note.run, Turn { last_attempt, concerns_store: class.concerns_store() });
        }
    })?;
    Ok(turns)
}

fn take_in(troubles: &mut BTreeMap<RunNumber, Trouble>, RunNote { at, run, event }: RunNote) {
    match event {
        RunEvent::Archived { .. } | RunEvent::Refreshed { .. } => drop(troubles.remove(&run)),
        RunEvent::Failed { class, reason, .. } => {
            let times = troubles.get(&run).map_or(0, |trouble| trouble.times) + 1;
            troubles.insert(run, Trouble { times, last_at: at, last_class: class, last_reason: reason });
        }
        RunEvent::Held { .. }
        | RunEvent::Late
        | RunEvent::Interrupted
        | RunEvent::Amended { .. }
        | RunEvent::Recovered { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn note(event: RunEvent) -> RunNote {
        RunNote { at: "2026-11-21T06:40:00Z".parse().unwrap(), run: 103.into(), event }
    }

    fn failed(reason: &str) -> RunEvent {
        RunEvent::Failed { attempt: 3, class: FailureClass::StoreTransient, reason: reason.to_owned() }
    }

    #[test]
    fn every_note_says_what_it_is_and_is_read_again() {
        let blob = Content {
            size_bytes: Some(20_000),
            adler32: Some(7),
            md5: Some("ab".to_owned()),
            version: Some(5),
            ..Content::default()
        };
        let rows = [
            (
                RunEvent::Archived { was_there: true, content: Content { documents: Some(9), ..Content::default() } },
                r#""event":"archived","was_there":true,"documents":9"#,
            ),
            (
                RunEvent::Archived { was_there: false, content: blob.clone() },
                r#""event":"archived","size_bytes":20000,"adler32":7,"md5":"ab","version":5"#,
            ),
            (RunEvent::Refreshed { content: Content::default() }, r#""event":"refreshed""#),
            (failed("no answer"), r#""event":"failed","attempt":3,"class":"store_transient","reason":"no answer""#),
            (RunEvent::Late, r#""event":"late""#),
            (RunEvent::Interrupted, r#""event":"interrupted""#),
            (
                RunEvent::Recovered { marks: "102/107".into(), missing: "103-104".into() },
                r#""event":"recovered","marks":"102/107","missing":"103-104""#,
            ),
        ];
        for (event, expect) in rows {
            let note = note(event);
            let text = serde_json::to_string(&note).unwrap();
            assert_eq!(text, format!(r#"{{"at":"2026-11-21T06:40:00Z","run":103,{expect}}}"#));
            assert_eq!(serde_json::from_str::<RunNote>(&text).unwrap(), note);
        }
    }

    #[test]
    fn failures_are_counted_from_the_last_success_on() {
        let mut troubles = BTreeMap::new();
        let archived = RunEvent::Archived { was_there: false, content: Content::default() };
        for event in [failed("a"), archived, RunEvent::Late, failed("b"), failed("c")] {
            take_in(&mut troubles, note(event));
        }
        let trouble = &troubles[&103.into()];
        assert_eq!((trouble.times, trouble.last_reason.as_str()), (2, "c"));
    }
}
