//! The journal: what is acknowledged is there, what is torn is cut off, what is damaged is refused.

use std::{io::Write, path::Path};

use proptest::prelude::*;
use statefile::{Journal, Lock, OpenError, Owner, Record, Version, read_journal};
use test_strategy::proptest;

use crate::clock;

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Entry {
    run: u64,
    text: String,
}

impl Record for Entry {
    const KIND: &'static str = "list of entries";
    const VERSION: Version = Version::new(1, 1);
}

fn entry(run: u64) -> Entry {
    Entry { run, text: format!("entry\n{run} \u{fffd}\"") }
}

fn open(path: &Path) -> Result<Journal<Entry>, OpenError> {
    let lock = Lock::acquire(path.with_extension("lock"), &Owner::current(&clock())).unwrap();
    Journal::open(path, lock)
}

fn runs(path: &Path) -> Vec<u64> {
    read_journal::<Entry>(path).unwrap().into_iter().map(|entry| entry.run).collect()
}

#[test]
fn what_is_appended_is_read_in_order_by_later_processes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries.jsonl");
    assert_eq!(runs(&path), [0; 0]);
    let mut journal = open(&path).unwrap();
    journal.append(&[]).unwrap();
    assert!(!path.exists(), "nothing is written for nothing");
    journal.append(&[entry(1), entry(2)]).unwrap();
    drop(journal);
    open(&path).unwrap().append(&[entry(3)]).unwrap();
    assert_eq!(read_journal::<Entry>(&path).unwrap(), [entry(1), entry(2), entry(3)]);
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"journal\":\"list of entries\",\"version\":\"1.1\"}\n{\"crc32\":\""), "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "each line is JSON");
}

#[test]
fn compaction_replaces_all_and_appending_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries.jsonl");
    let mut journal = open(&path).unwrap();
    journal.append(&[entry(1), entry(2)]).unwrap();
    journal.compact(&(100..300).map(entry).collect::<Vec<_>>()).unwrap();
    journal.append(&[entry(300)]).unwrap();
    assert_eq!(runs(&path), (100..=300).collect::<Vec<_>>());
}

/// Cut anywhere, or overwritten with NUL from anywhere in its last append, a journal gives what was
/// acknowledged before, and takes more.
#[test]
fn a_torn_tail_is_cut_off_and_appending_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries.jsonl");
    let mut journal = open(&path).unwrap();
    journal.append(&[entry(1)]).unwrap();
    let acknowledged = fs_err::metadata(&path).unwrap().len();
    journal.append(&[entry(2), entry(3)]).unwrap();
    drop(journal);
    let whole = fs_err::read(&path).unwrap();
    for end in usize::try_from(acknowledged).unwrap()..whole.len() {
        for is_zeroed in [false, true] {
            let mut torn = whole[..end].to_vec();
            if is_zeroed {
                torn.resize(whole.len(), 0);
            }
            fs_err::write(&path, &torn).unwrap();
            assert_eq!(runs(&path), [1], "cut at {end}, zeroed: {is_zeroed}");
            assert_eq!(fs_err::read(&path).unwrap(), torn, "a reader changes nothing");
            open(&path).unwrap().append(&[entry(4)]).unwrap();
            assert_eq!(runs(&path), [1, 4], "cut at {end}, zeroed: {is_zeroed}");
        }
    }
}

#[test]
fn damage_before_the_last_line_is_refused_and_kept() {
    let check = |text: &dyn Fn(&str) -> String, reason: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("entries.jsonl");
        let mut journal = open(&path).unwrap();
        for run in 1..=3 {
            journal.append(&[entry(run)]).unwrap();
        }
        drop(journal);
        let bytes = text(&fs_err::read_to_string(&path).unwrap());
        fs_err::write(&path, &bytes).unwrap();
        let error = open(&path).unwrap_err();
        let text = format!("{error}: {}", std::error::Error::source(&error).map_or(String::new(), ToString::to_string));
        assert!(text.contains(reason), "{text}");
        assert_eq!(fs_err::read_to_string(&path).unwrap(), bytes);
    };
    check(&|text| text.replacen("\"run\":2", "\"run\":5", 1), "line 3: its checksum does not fit");
    check(&|text| text.replacen("list of entries", "list of exits", 1), "it is a list of exits");
    check(&|_| String::new(), "no journal header");
    check(&|text| text.replacen("1.1", "2.0", 1), "newer than 1.1");
    check(&|text| text.replacen("1.1", "1.2", 1), "newer than 1.1");
}

#[test]
fn a_newer_minor_version_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries.jsonl");
    open(&path).unwrap().append(&[entry(1)]).unwrap();
    let text = fs_err::read_to_string(&path).unwrap().replacen("1.1", "1.7", 1);
    fs_err::write(&path, text).unwrap();
    assert_eq!(runs(&path), [1]);
}

#[test]
fn after_a_failed_append_nothing_more_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing").join("entries.jsonl");
    fs_err::create_dir(dir.path().join("missing")).unwrap();
    let mut journal = open(&path).unwrap();
    fs_err::remove_dir_all(dir.path().join("missing")).unwrap();
    let error = journal.append(&[entry(1)]).unwrap_err();
    assert!(error.to_string().contains("entries.jsonl"), "{error}");
    assert!(journal.append(&[entry(1)]).unwrap_err().to_string().contains("takes no more changes"));
}

/// Against an oracle: appends of any size, restarts, and crashes that leave any part of an append.
#[proptest(cases = 40)]
fn acknowledged_records_are_there_after_any_crashes(
    #[strategy(prop::collection::vec((0_u64..4, any::<bool>(), 0.0..1.0), 1..20))] steps: Vec<(u64, bool, f64)>,
) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("entries.jsonl");
    let mut expected = Vec::new();
    for (step, (count, is_torn, share)) in (0_u64..).zip(steps) {
        let records: Vec<_> = (0..count).map(|n| entry(step * 10 + n)).collect();
        let mut journal = open(&path).unwrap();
        let before = fs_err::read(&path).unwrap_or_default();
        journal.append(&records).unwrap();
        if is_torn && !before.is_empty() {
            let after = fs_err::read(&path).unwrap();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a small size"
            )]
            let kept = ((after.len() - before.len()) as f64 * share) as usize;
            fs_err::write(&path, &after[..before.len() + kept]).unwrap();
            // What another writer of this file system's block size would leave behind it.
            fs_err::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\0\0").unwrap();
        } else {
            expected.extend(records);
        }
        prop_assert_eq!(&read_journal::<Entry>(&path).unwrap(), &expected);
    }
}
