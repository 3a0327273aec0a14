//! Loss of power at every moment of every workload of three operations: updates and archiving of a document,
//! appends and compaction of a journal, in any order. Each operation opens its file anew, as a start would.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::Path;

use super::{
    power::{Disk, acknowledge, at_every_moment, count, steps},
    subject::{DOCUMENT, JOURNAL, Step, open, open_journal},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Update,
    Archive,
    Append,
    Compact,
}

const OPERATIONS: [Operation; 4] = [Operation::Update, Operation::Archive, Operation::Append, Operation::Compact];

/// What is durable: the document, its archives in their order, the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    document: Option<usize>,
    archives: Vec<usize>,
    journal: Vec<usize>,
}

impl Operation {
    /// Does it as the `n`-th of a workload; on the disk, and in what is expected of the disk.
    fn perform(self, n: usize, dir: &Path, state: &mut State) {
        match self {
            Self::Update => {
                open(dir).unwrap().update(|note| note.count = n).unwrap();
                state.document = Some(n);
            }
            Self::Archive if state.document.is_none() => {
                open(dir).unwrap().archive("done", ".json").unwrap_err();
            }
            Self::Archive => {
                open(dir).unwrap().archive("done", ".json").unwrap();
                state.archives.extend(state.document.take());
            }
            Self::Append => {
                open_journal(dir).unwrap().append(&[Step::new(10 * n), Step::new(10 * n + 1)]).unwrap();
                state.journal.extend([10 * n, 10 * n + 1]);
            }
            Self::Compact => {
                open_journal(dir).unwrap().compact(&[Step::new(n)]).unwrap();
                state.journal = vec![n];
            }
        }
    }
}

/// Reads every disk that there may be now; what it holds is the acknowledged state, or for each file the next.
fn check(disk: &Disk, dir: &Path, before: &State, after: &State) -> usize {
    let mut states = 0;
    for names in disk.directories() {
        let contents = |name: &str| match names.get(&dir.join(name)) {
            Some(file) => disk.versions(*file).into_iter().map(Some).collect(),
            None => vec![None],
        };
        let counts = |name: &str| {
            let contents = contents(name).into_iter();
            contents.map(|content| content.map(|bytes| count(Some(&bytes), name))).collect::<Vec<_>>()
        };
        let documents = counts(DOCUMENT);
        for document in &documents {
            assert!([before.document, after.document].contains(document), "{document:?}: {before:?} -> {after:?}");
        }
        let archives = ["done.json", "done_2.json", "done_3.json"].map(counts);
        for (place, found) in archives.iter().enumerate() {
            let allowed = [before, after].map(|state| state.archives.get(place).copied());
            assert!(found.iter().all(|count| allowed.contains(count)), "{found:?}: {before:?} -> {after:?}");
        }
        // While a document is moved, it is in exactly one of its two places.
        let there =
            documents.iter().chain(archives.iter().flatten()).flatten().collect::<std::collections::BTreeSet<_>>();
        if let Some(count) = before.document.filter(|_| after.document.is_none()) {
            assert!(there.contains(&count), "{count} is nowhere: {before:?} -> {after:?}");
        }
        let journals = contents(JOURNAL);
        for journal in &journals {
            let found = steps(journal.as_deref());
            assert!([&before.journal, &after.journal].contains(&&found), "{found:?}: {before:?} -> {after:?}");
        }
        for backup in contents("state.json.bak") {
            count(backup.as_deref(), "backup");
        }
        states += documents.len() * journals.len() * archives.iter().map(Vec::len).product::<usize>();
    }
    states
}

#[test]
fn every_workload_of_three_operations_survives_a_loss_of_power_at_every_moment() {
    let (mut workloads, mut moments, mut states) = (0, 0, 0);
    for number in 0..OPERATIONS.len().pow(3) {
        let operations = [number / 16, number / 4 % 4, number % 4].map(|index| OPERATIONS[index]);
        let mut expected = vec![State::default()];
        let work = |dir: &Path| {
            for (index, operation) in operations.into_iter().enumerate() {
                let mut state = expected[index].clone();
                operation.perform(index + 1, dir, &mut state);
                expected.push(state);
                acknowledge(index + 1);
            }
        };
        let recording = at_every_moment(work);
        moments += recording.visit(|disk, dir, acknowledged| {
            let next = (acknowledged + 1).min(3);
            states += check(disk, dir, &expected[acknowledged], &expected[next]);
        });
        workloads += 1;
    }
    eprintln!("evidence: {workloads} workloads, {moments} moments, {states} states of the disk read, 0 wrong");
    assert!(states > moments && moments > 5 * workloads, "{workloads} workloads, {moments} moments, {states} states");
}
