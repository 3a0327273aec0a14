//! Loss of power at every moment: from what a workload did to the disk, every state is made that the disk may
//! be in afterwards, and each of them is read.
//!
//! The model is harsher than any real file system. Of what was not flushed:
//!
//! * each change of a name may have happened or not, in any order (a rename is one change);
//! * each write may be absent, there in full, cut at any multiple of 512 bytes, or there as NUL bytes from any
//!   such point on.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    Done, begin, end, note,
    subject::{DOCUMENT, JOURNAL, Note, Step, open, open_journal},
};
use crate::{
    document::{Decoded, decode},
    journal::{Writable, scan_bytes},
};

const SECTOR: usize = 512;

/// A change of names, bound to the file that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NameChange {
    /// The name that is set, and to which file.
    sets: Option<(PathBuf, usize)>,
    removes: Option<PathBuf>,
}

/// What the disk certainly has, and what it may have.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    /// Content that was flushed, and writes since.
    files: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    names: BTreeMap<PathBuf, usize>,
    changes: Vec<NameChange>,
    /// What the running system sees.
    seen: BTreeMap<PathBuf, usize>,
}

impl Disk {
    fn apply(&mut self, done: &Done) {
        match done {
            Done::Create(path) => {
                self.files.push(Default::default());
                self.set(path, self.files.len() - 1, None);
            }
            Done::Write(path, bytes) => {
                // The lock file is older than the recording; its content matters to nobody.
                if let Some(file) = self.seen.get(path) {
                    self.files[*file].1.push(bytes.clone());
                }
            }
            Done::Cut(path, len) => {
                if let Some(file) = self.seen.get(path) {
                    // Cutting happens when a journal is opened, and is flushed at once.
                    self.files[*file].0.truncate(usize::try_from(*len).unwrap());
                }
            }
            Done::Sync(path) => {
                if let Some(file) = self.seen.get(path) {
                    let (flushed, pending) = &mut self.files[*file];
                    flushed.extend(pending.drain(..).flatten());
                }
            }
            Done::Rename(from, to) => {
                let file = self.seen.remove(from).unwrap();
                self.set(to, file, Some(from));
            }
            Done::Link(from, to) => self.set(to, self.seen[from], None),
            Done::Remove(path) => {
                self.seen.remove(path);
                self.changes.push(NameChange { sets: None, removes: Some(path.clone()) });
            }
            Done::SyncDirectory => {
                for change in std::mem::take(&mut self.changes) {
                    change.apply(&mut self.names);
                }
            }
            Done::Acknowledged(_) | Done::Failing => {}
        }
    }

    fn set(&mut self, path: &Path, file: usize, removes: Option<&PathBuf>) {
        self.seen.insert(path.to_owned(), file);
        self.changes.push(NameChange { sets: Some((path.to_owned(), file)), removes: removes.cloned() });
    }

    /// Every content that the file `name` may have after a loss of power now; `None` for no such file.
    fn contents(&self, name: &Path) -> HashSet<Option<Vec<u8>>> {
        let mut contents = HashSet::new();
        for names in self.directories() {
            match names.get(name) {
                None => drop(contents.insert(None)),
                Some(file) => contents.extend(self.versions(*file).into_iter().map(Some)),
            }
        }
        contents
    }

    /// Every directory that there may be: any of the changes, in any order.
    pub(super) fn directories(&self) -> HashSet<BTreeMap<PathBuf, usize>> {
        let mut found = HashSet::new();
        let mut open = vec![(self.names.clone(), self.changes.clone())];
        while let Some((names, rest)) = open.pop() {
            for position in 0..rest.len() {
                let mut rest = rest.clone();
                let change = rest.remove(position);
                let mut names = names.clone();
                change.apply(&mut names);
                open.push((names, rest));
            }
            found.insert(names);
        }
        found
    }

    /// Every content that a file may have.
    pub(super) fn versions(&self, file: usize) -> Vec<Vec<u8>> {
        let (flushed, pending) = &self.files[file];
        let whole: Vec<u8> = pending.iter().flatten().copied().collect();
        let mut versions = vec![flushed.clone(), [&flushed[..], &whole].concat()];
        let first = SECTOR - flushed.len() % SECTOR;
        for kept in (first..whole.len()).step_by(SECTOR) {
            let torn = [&flushed[..], &whole[..kept]].concat();
            let mut zeroed = torn.clone();
            zeroed.resize(flushed.len() + whole.len(), 0);
            versions.extend([torn, zeroed]);
        }
        if !whole.is_empty() {
            let mut zeroed = flushed.clone();
            zeroed.resize(flushed.len() + whole.len(), 0);
            versions.push(zeroed);
        }
        versions
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(name) = &self.removes {
            names.remove(name);
        }
        if let Some((name, file)) = &self.sets {
            names.insert(name.clone(), *file);
        }
    }
}

/// What a workload did to the disk.
pub(super) struct Recording {
    dir: tempfile::TempDir,
    done: Vec<Done>,
}

/// Records a workload.
pub(super) fn at_every_moment(workload: impl FnOnce(&Path)) -> Recording {
    let dir = tempfile::tempdir().unwrap();
    begin(None);
    workload(dir.path());
    Recording { done: end().done, dir }
}

impl Recording {
    /// Visits the disk after each operation, with the number of the last change that was acknowledged; says how
    /// many operations there were.
    pub(super) fn visit(&self, mut visit: impl FnMut(&Disk, &Path, usize)) -> usize {
        let (mut disk, mut acknowledged) = (Disk::default(), 0);
        for operation in &self.done {
            disk.apply(operation);
            if let Done::Acknowledged(count) = operation {
                acknowledged = *count;
            }
            visit(&disk, self.dir.path(), acknowledged);
        }
        self.done.len()
    }
}

pub(super) fn acknowledge(count: usize) {
    note(Done::Acknowledged(count));
}

/// The counter of a document; 0 where there is no file.
pub(super) fn count(content: Option<&[u8]>, what: &str) -> usize {
    let Some(bytes) = content else { return 0 };
    match decode::<Note>(bytes) {
        Ok(Decoded::Document { document, .. }) => document.count,
        other => panic!("{what}: {other:?} in {:?}", String::from_utf8_lossy(bytes)),
    }
}

#[test]
fn a_document_is_the_acknowledged_one_or_the_next() {
    let mut states = 0;
    let updates = |dir: &Path| {
        let mut file = open(dir).unwrap();
        for n in 1..=4 {
            file.update(|note| note.count = n).unwrap();
            acknowledge(n);
        }
    };
    let operations = at_every_moment(updates).visit(|disk, dir, acknowledged| {
        for content in disk.contents(&dir.join(DOCUMENT)) {
            let found = count(content.as_deref(), "document");
            assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} after {acknowledged}");
            states += 1;
        }
        // The generation before is readable wherever it is.
        for content in disk.contents(&dir.join("state.json.bak")) {
            assert!(count(content.as_deref(), "backup") <= acknowledged + 1);
        }
    });
    assert!(operations > 30 && states > operations, "{operations} operations, {states} states");
}

#[test]
fn an_archived_document_is_in_one_of_its_two_places() {
    let archive = |dir: &Path| {
        let mut file = open(dir).unwrap();
        file.update(|note| note.count = 1).unwrap();
        acknowledge(1);
        file.archive("done", ".json").unwrap();
        acknowledge(2);
    };
    at_every_moment(archive).visit(|disk, dir, acknowledged| {
        for names in disk.directories() {
            let of = |name: &str| names.get(&dir.join(name)).map(|file| disk.versions(*file));
            let (state, archive) = (of(DOCUMENT), of("done.json"));
            let expect = match acknowledged {
                0 => continue,
                1 => state.is_some() ^ archive.is_some(),
                _ => archive.is_some() && state.is_none(),
            };
            assert!(expect, "after {acknowledged}: {names:?}");
            for content in state.into_iter().chain(archive).flatten() {
                assert_eq!(count(Some(&content), "archive"), 1);
            }
        }
    });
}

/// What a journal with this content says; nothing where there is no file.
pub(super) fn steps(content: Option<&[u8]>) -> Vec<usize> {
    let mut steps = Vec::new();
    if let Some(bytes) = content {
        scan_bytes(Path::new(JOURNAL), bytes, Writable::Required, &mut |step: Step| steps.push(step.count)).unwrap();
    }
    steps
}

#[test]
fn a_journal_has_all_that_was_acknowledged_and_the_rest_whole_or_not_at_all() {
    let appends = |dir: &Path| {
        let mut journal = open_journal(dir).unwrap();
        for n in 1..=3 {
            journal.append(&[Step::new(n * 10), Step::new(n * 10 + 1)]).unwrap();
            acknowledge(n);
        }
        journal.compact(&[Step::new(30), Step::new(31)]).unwrap();
        acknowledge(4);
        journal.append(&[Step::new(50), Step::new(51)]).unwrap();
        acknowledge(5);
    };
    let after: [&[usize]; 6] =
        [&[], &[10, 11], &[10, 11, 20, 21], &[10, 11, 20, 21, 30, 31], &[30, 31], &[30, 31, 50, 51]];
    let mut states = 0;
    let operations = at_every_moment(appends).visit(|disk, dir, acknowledged| {
        for content in disk.contents(&dir.join(JOURNAL)) {
            let found = steps(content.as_deref());
            let allowed = &after[acknowledged..(acknowledged + 2).min(after.len())];
            assert!(allowed.contains(&&found[..]), "{found:?} after {acknowledged}");
            states += 1;
        }
    });
    assert!(operations > 15 && states > operations, "{operations} operations, {states} states");
}

/// The instrument itself: where a flush is left out, it finds the damage.
#[test]
fn the_model_finds_a_missing_flush() {
    let without = |is_left_out: fn(&Done) -> bool| {
        let dir = tempfile::tempdir().unwrap();
        begin(None);
        let mut file = open(dir.path()).unwrap();
        file.update(|note| note.count = 1).unwrap();
        acknowledge(1);
        file.update(|note| note.count = 2).unwrap();
        acknowledge(2);
        let mut disk = Disk::default();
        end().done.iter().filter(|done| !is_left_out(done)).for_each(|done| disk.apply(done));
        disk.contents(&dir.path().join(DOCUMENT))
    };
    let torn = without(|done| matches!(done, Done::Sync(_)));
    assert!(torn.iter().flatten().any(|content| decode::<Note>(content).is_err()), "content that was not flushed");
    let old = without(|done| matches!(done, Done::SyncDirectory));
    assert!(old.contains(&None), "names that were not flushed");
    assert_eq!(without(|_| false).len(), 1, "everything is flushed");
}
