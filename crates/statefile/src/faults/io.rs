//! Every file operation fails once, in every way, in every job of this crate. Afterwards the document is the
//! old one or the new one, the error names its file and its cause, and the next start works and tidies up.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::{error::Error, path::Path};

use super::{
    Done, Failure, Script, begin, end,
    subject::{DOCUMENT, JOURNAL, Note, Step, open, open_journal},
};
use crate::{CommitError, Snapshot, copy_aside, read_journal};

/// EIO, ENOSPC, EDQUOT, EROFS, EINTR, EACCES, EMFILE.
const ERRNOS: [i32; 7] = [5, 28, 122, 30, 4, 13, 24];

type Outcome = Result<(), Box<dyn Error>>;

/// A job: how the directory is prepared, and what is done in it while something fails.
struct Job {
    name: &'static str,
    prepare: fn(&Path),
    run: fn(&Path) -> Outcome,
    /// What a later start may find: before the job, and after it.
    before: State,
    after: State,
}

/// The counter of the document, and the numbers in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    document: Option<usize>,
    journal: &'static [usize],
}

const fn state(document: Option<usize>, journal: &'static [usize]) -> State {
    State { document, journal }
}

fn count_once(dir: &Path) -> Outcome {
    Ok(open(dir)?.update(|note| note.count += 1)?)
}

fn append(dir: &Path, count: usize) -> Outcome {
    Ok(open_journal(dir)?.append(&[Step::new(count)])?)
}

/// What a writer leaves that died in the middle.
fn leave_ruins(dir: &Path) {
    count_once(dir).unwrap();
    append(dir, 1).unwrap();
    fs_err::write(dir.join("state.json.tmp-dead"), "half").unwrap();
    let mut torn = fs_err::read(dir.join(JOURNAL)).unwrap();
    torn.extend(br#"{"crc32":"00"#);
    fs_err::write(dir.join(JOURNAL), torn).unwrap();
}

const JOBS: [Job; 9] = [
    Job { name: "create", prepare: |_| {}, run: count_once, before: state(None, &[]), after: state(Some(1), &[]) },
    Job {
        name: "update",
        prepare: |dir| {
            count_once(dir).unwrap();
            count_once(dir).unwrap();
        },
        run: count_once,
        before: state(Some(2), &[]),
        after: state(Some(3), &[]),
    },
    Job {
        name: "archive",
        prepare: |dir| count_once(dir).unwrap(),
        run: |dir| open(dir)?.archive("done", ".json").map(drop).map_err(Into::into),
        before: state(Some(1), &[]),
        after: state(None, &[]),
    },
    Job {
        name: "first append",
        prepare: |_| {},
        run: |dir| append(dir, 1),
        before: state(None, &[]),
        after: state(None, &[1]),
    },
    Job {
        name: "later append",
        prepare: |dir| append(dir, 1).unwrap(),
        run: |dir| append(dir, 2),
        before: state(None, &[1]),
        after: state(None, &[1, 2]),
    },
    Job {
        name: "compaction",
        prepare: |dir| append(dir, 1).unwrap(),
        run: |dir| Ok(open_journal(dir)?.compact(&[Step::new(7), Step::new(8)])?),
        before: state(None, &[1]),
        after: state(None, &[7, 8]),
    },
    Job {
        name: "copy",
        prepare: |dir| count_once(dir).unwrap(),
        run: |dir| {
            let path = dir.join("state.json.copy");
            match copy_aside(&dir.join(DOCUMENT), &path) {
                Ok(_) => Ok(()),
                // The scripted failure has no path, which `fs_err` gives to a real one.
                Err(source) => Err(CommitError::Write { path, source }.into()),
            }
        },
        before: state(Some(1), &[]),
        after: state(Some(1), &[]),
    },
    Job {
        name: "recovery of a document",
        prepare: leave_ruins,
        run: count_once,
        before: state(Some(1), &[1]),
        after: state(Some(2), &[1]),
    },
    Job {
        name: "recovery of a journal",
        prepare: leave_ruins,
        run: |dir| append(dir, 2),
        before: state(Some(1), &[1]),
        after: state(Some(1), &[1, 2]),
    },
];

fn found(dir: &Path) -> (Option<usize>, Vec<usize>) {
    let document = Snapshot::<Note>::read(&dir.join(DOCUMENT)).unwrap().map(|snapshot| snapshot.document.count);
    let journal = read_journal::<Step>(&dir.join(JOURNAL)).unwrap().into_iter().map(|step| step.count).collect();
    (document, journal)
}

fn is(found: &(Option<usize>, Vec<usize>), state: &State) -> bool {
    found.0 == state.document && found.1 == state.journal
}

#[test]
fn every_operation_of_every_job_may_fail_in_every_way() {
    let mut trials = 0;
    for job in &JOBS {
        let dir = tempfile::tempdir().unwrap();
        (job.prepare)(dir.path());
        begin(None);
        (job.run)(dir.path()).unwrap();
        let calls = end().calls;
        assert!(calls > 3, "{} goes through the seam", job.name);
        for errno in ERRNOS {
            for failure in [Failure::Before(errno), Failure::After(errno), Failure::Short(errno)] {
                for at in 0..calls {
                    trial(job, at, failure);
                    trials += 1;
                }
            }
        }
    }
    let operations: usize = trials / (3 * ERRNOS.len());
    eprintln!(
        "evidence: {operations} operations of {} jobs, each failed in {} ways: {trials} trials, 0 wrong",
        JOBS.len(),
        3 * ERRNOS.len(),
    );
    // So that nobody takes a loop over nothing for a proof.
    assert!(trials > 1_500, "{trials}");
}

fn trial(job: &Job, at: usize, failure: Failure) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    (job.prepare)(dir);
    begin(Some((at, failure)));
    let outcome = (job.run)(dir);
    let script = end();
    let context = format!("{}: operation {at} of {:?} fails: {failure:?}; {outcome:?}", job.name, script.failed);
    let seen = found(dir);
    match &outcome {
        Ok(()) => assert!(is(&seen, &job.after), "success is claimed, but there is {seen:?}; {context}"),
        Err(error) => {
            assert!(is(&seen, &job.before) || is(&seen, &job.after), "{seen:?}; {context}");
            let text = error.to_string();
            assert!(text.contains(&dir.display().to_string()), "the error names no file: {text}; {context}");
            assert!(error.source().is_some(), "the error has no cause: {text}; {context}");
        }
    }
    no_second_flush(&script, &context);
    // The next start works, and leaves nothing behind but what belongs there.
    count_once(dir).unwrap();
    append(dir, 9).unwrap();
    let now = found(dir);
    assert_eq!(now.0, Some(seen.0.unwrap_or(0) + 1), "{context}");
    assert_eq!(now.1, [&seen.1[..], &[9]].concat(), "{context}");
    let is_temporary = |name: &str| name.contains(".tmp-");
    let names = fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| is_temporary(name)).collect::<Vec<_>>(), [""; 0], "{context}");
}

/// After a flush that failed, the same file is never flushed again: the kernel may have thrown its pages away
/// and would say yes.
fn no_second_flush(script: &Script, context: &str) {
    let Some(failed) = script.failed.iter().find_map(|call| call.strip_prefix("Sync(")) else { return };
    let failed = failed.trim_end_matches(')');
    let later = script.done.iter().skip_while(|done| **done != Done::Failing);
    // The flush that failed is among them when it failed after the effect.
    let flushes = later.filter(|done| matches!(done, Done::Sync(path) if format!("{path:?}") == failed));
    assert!(flushes.count() <= 1, "{context}");
}

#[test]
fn a_lock_that_cannot_be_written_is_not_held() {
    let dir = tempfile::tempdir().unwrap();
    begin(None);
    drop(super::subject::lock(dir.path()).unwrap());
    let calls = end().calls;
    assert!(calls >= 3, "{calls}");
    for errno in ERRNOS {
        for at in 0..calls {
            for failure in [Failure::Before(errno), Failure::After(errno)] {
                begin(Some((at, failure)));
                let outcome = super::subject::lock(dir.path());
                end();
                let error = outcome.err().map(|error| error.to_string());
                assert!(error.is_some_and(|error| error.contains("lock")), "{at}, {failure:?}");
                drop(super::subject::lock(dir.path()).unwrap());
            }
        }
    }
}

#[test]
fn a_document_that_is_archived_between_a_look_and_the_reading_is_none() {
    const ENOENT: i32 = 2;
    let dir = tempfile::tempdir().unwrap();
    count_once(dir.path()).unwrap();
    let read = |fails| {
        begin(fails);
        let found = Snapshot::<Note>::read(&dir.path().join(DOCUMENT));
        (found.map(|found| found.is_some()).map_err(|error| error.to_string()), end().calls)
    };
    let (found, calls) = read(None);
    assert_eq!((found, calls), (Ok(true), 2));
    assert_eq!(read(Some((0, Failure::Before(ENOENT)))).0, Ok(false));
    assert_eq!(read(Some((1, Failure::Before(ENOENT)))).0, Ok(false));
    assert!(read(Some((1, Failure::Before(13)))).0.is_err());
}
