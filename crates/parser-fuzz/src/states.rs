//! The state files of both programs, and the journal.

use std::sync::Arc;

use gsi_state::{CreationState, HistoryEntry};
use run_state::{Acknowledgements, FailureLog, Marks, RunSet};
use serde::{Deserialize, Serialize};
use statefile::{Document, Journal, Lock, OpenError, Record, Snapshot, UnknownFields, Version, read_journal};

use crate::{messages::assert_explained, scratch::with_file};

/// The state of index creation: what was read and written again is the same, unknown fields included.
pub(crate) fn gsi_state(bytes: &[u8]) {
    let known = ["version", "created_at", "updated_at", "script_name", "gsis", "summary"];
    document::<CreationState>(bytes, Some(&known));
}

/// The marks, the failure log, the acknowledgements, and runs as people write them.
pub(crate) fn run_state(bytes: &[u8]) {
    document::<Marks>(bytes, Some(&["last_contiguous_run", "last_attempted_run"]));
    document::<Acknowledgements>(bytes, Some(&["version", "acknowledgements"]));
    // Its text has a line for every run, so that only the log itself says how long it is.
    document::<FailureLog>(bytes, None);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(runs) = text.parse::<RunSet>() {
        assert_eq!(runs.to_string().parse(), Ok(runs.clone()), "runs are read as they are written");
        assert_eq!(runs.gaps().intersection(&runs), RunSet::new(), "a gap is no run");
        assert!(runs.contiguous_end() <= runs.last());
        let mut marks = Marks::default();
        marks.advance_over(&runs, &runs.gaps(), runs.last().unwrap_or_default());
        assert_eq!(marks.last_contiguous_run, runs.last().unwrap_or_default(), "without gaps all is contiguous");
    }
}

/// Reads a document as a program does, and what it writes of it.
fn document<D: Document + PartialEq + std::fmt::Debug>(bytes: &[u8], known: Option<&[&str]>) {
    let read = with_file(bytes, |path, _| Snapshot::<D>::read(path));
    let first = match read {
        Ok(snapshot) => snapshot.map(|snapshot| snapshot.document),
        Err(error) => return assert_explained(&error),
    };
    let Some(first) = first else { return };
    let (text, second) = written(&first);
    // Times lose their fractions at the first writing; from then on nothing changes.
    let (text_again, third) = written(&second);
    assert_eq!(text, text_again, "what is read and written again is the same text");
    assert_eq!(second, third, "what is written is read as it was");
    if let Some(known) = known {
        let text_read = String::from_utf8_lossy(bytes);
        let before = unknown(text_read.trim_start_matches('\u{feff}'), known);
        assert_eq!(before, unknown(&text, known), "unknown fields are kept");
    }
}

#[expect(clippy::expect_used, reason = "this is what a target is for")]
fn written<D: Document>(document: &D) -> (String, D) {
    let text = document.encode().expect("what was read can be written");
    let read = D::decode(&text).expect("what is written can be read");
    (text, read)
}

/// The fields that are not known, by their meaning: the text may be written with other escapes.
fn unknown(text: &str, known: &[&str]) -> Vec<(String, Result<serde_json::Value, String>)> {
    let Ok(fields) = UnknownFields::of(text, known) else { return Vec::new() };
    let meaning = |name: &str| {
        let text = fields.get(name).unwrap_or_default();
        (name.to_owned(), serde_json::from_str(text).map_err(|_| text.escape_default().to_string()))
    };
    fields.names().map(meaning).collect()
}

/// A record of the journal that is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Step {
    run: u64,
}

impl Record for Step {
    const KIND: &'static str = "list of steps";
    const VERSION: Version = Version::new(1, 0);
}

/// The header that a journal of steps has.
const HEADER: &[u8] = b"{\"journal\":\"list of steps\",\"version\":\"1.0\"}\n";
/// A line that was acknowledged.
const ACKNOWLEDGED: &[u8] = b"{\"crc32\":\"7a9585cb\",\"bytes\":11,\"records\":[{\"run\":7}]}\n";

/// A journal of arbitrary bytes, and one whose tail is what is left of an append.
pub(crate) fn journal(bytes: &[u8]) {
    with_file(bytes, |path, lock| {
        if let Err(error) = read_journal::<HistoryEntry>(path) {
            assert_explained(&error);
        }
        appended(path, lock, &[]);
    });
    let torn = [HEADER, ACKNOWLEDGED, bytes].concat();
    with_file(&torn, |path, lock| {
        let opened = appended(path, lock, &[Step { run: 7 }]);
        // What one append leaves behind has at most one line end, its last byte.
        assert!(opened || bytes.contains(&b'\n'), "a torn tail does not keep the journal from being opened");
    });
}

/// Opens the journal at `path` and appends to it; `false` where it was refused, unchanged.
#[expect(clippy::expect_used, reason = "this is what a target is for")]
fn appended(path: &std::path::Path, lock: &Arc<Lock>, acknowledged: &[Step]) -> bool {
    let before = fs_err::read(path).expect("a file of ours");
    let seen = read_journal::<Step>(path);
    match Journal::<Step>::open(path, Arc::clone(lock)) {
        Ok(mut journal) => {
            let mut expect = seen.expect("what can be written can be read");
            assert!(expect.starts_with(acknowledged), "{expect:?}");
            journal.append(&[Step { run: 9 }]).expect("appending goes on");
            expect.push(Step { run: 9 });
            assert_eq!(read_journal::<Step>(path).expect("a journal that was just written"), expect);
            true
        }
        Err(error) => {
            assert_explained(&error);
            // A journal of a newer minor version is read and not written.
            assert!(seen.is_err() || matches!(error, OpenError::TooNew { .. }), "{error:?}");
            assert_eq!(fs_err::read(path).expect("a file of ours"), before, "the bytes are kept");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_acknowledged_line_is_one() {
        let text = [HEADER, ACKNOWLEDGED].concat();
        let read = with_file(&text, |path, _| read_journal::<Step>(path)).map_err(|error| error.to_string());
        assert_eq!(read, Ok(vec![Step { run: 7 }]), "crc32 of [{{\"run\":7}}]");
    }
}
