//! A journal beside a document: records are appended, never changed, and survive crashes.
//!
//! Every append is one line of JSON with its own length and checksum, so any text tool reads it
//! (`jq '.records[]'`), and a line that a crash cut short is recognised:
//!
//! ```text
//! {"journal":"run history","version":"1.0"}
//! {"crc32":"9ae0daaf","bytes":23,"records":[{"run":1,"size":10}]}
//! ```
//!
//! # Promises
//!
//! 1. When [`Journal::append`] returns `Ok`, its records are on stable storage. They are there together
//!    or not at all.
//! 2. A line that was cut short by a crash was never acknowledged. Readers pass over it; the next writer
//!    cuts it off and goes on behind the last good one.
//! 3. Damage anywhere else is refused with the line, and the bytes are kept.
//!
//! What is absent: deletion and search. A reader goes over the whole file; [`Journal::compact`] replaces
//! it by what its owner still wants.

use std::{
    io::{self, Write},
    marker::PhantomData,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    CommitError, DecodeError, Lock, OpenError, Version,
    plain::to_plain_json,
    replace::{remove_leftovers, replace},
    sys,
};

/// What a journal holds.
pub trait Record: Serialize + DeserializeOwned {
    /// What people call the journal, as in `run history`.
    const KIND: &'static str;
    /// The newest version of the records that this program writes. A newer minor version may add
    /// fields, which older programs pass over when they read.
    const VERSION: Version;
}

/// A journal that this process alone may append to.
///
/// ```
/// use statefile::{Journal, Lock, Owner, Record, SystemClock, Version, read_journal};
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct Step { run: u64 }
/// impl Record for Step {
///     const KIND: &'static str = "list of steps";
///     const VERSION: Version = Version::new(1, 0);
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("steps.jsonl");
/// let lock = Lock::acquire(dir.path().join("lock"), &Owner::current(&SystemClock))?;
/// let mut journal = Journal::open(&path, lock)?;
/// journal.append(&[Step { run: 1 }, Step { run: 2 }])?;
/// assert_eq!(read_journal::<Step>(&path)?, [Step { run: 1 }, Step { run: 2 }]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Journal<R> {
    path: PathBuf,
    /// `None` before the first append of a journal that does not exist yet.
    file: Option<sys::File>,
    is_poisoned: bool,
    _lock: Arc<Lock>,
    record: PhantomData<fn(R)>,
}

impl<R: Record> Journal<R> {
    /// Opens the journal at `path`; one that does not exist is made by the first append. `lock` must
    /// guard it: it may be the lock of the document that the journal stands beside.
    ///
    /// # Errors
    ///
    /// When the file is unreadable, damaged before its last line, or newer; its bytes are kept.
    pub fn open(path: impl Into<PathBuf>, lock: impl Into<Arc<Lock>>) -> Result<Self, OpenError> {
        let path = path.into();
        let io_error = |source| OpenError::Io { path: path.clone(), source };
        remove_leftovers(&path).map_err(io_error)?;
        let file = match scan::<R>(&path, Writable::Required, |_| {})? {
            None => None,
            Some(good_bytes) => Some(open_for_append(&path, good_bytes).map_err(io_error)?),
        };
        Ok(Self { path, file, is_poisoned: false, _lock: lock.into(), record: PhantomData })
    }

    /// Where the journal lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends records: all of them, or none. Nothing is written for none.
    ///
    /// # Errors
    ///
    /// When they are not on stable storage. The journal takes no more records then; open it again.
    pub fn append(&mut self, records: &[R]) -> Result<(), CommitError> {
        if self.is_poisoned {
            return Err(CommitError::Poisoned { path: self.path.clone() });
        }
        if records.is_empty() {
            return Ok(());
        }
        let line = self.line(records)?;
        self.is_poisoned = true;
        self.write(line.as_bytes()).map_err(|source| CommitError::Write { path: self.path.clone(), source })?;
        self.is_poisoned = false;
        Ok(())
    }

    /// Replaces the whole journal by `records`, atomically: for an owner that knows which ones still matter.
    ///
    /// # Errors
    ///
    /// When the new journal is not in place; the old one is kept then.
    pub fn compact(&mut self, records: &[R]) -> Result<(), CommitError> {
        let mut text = self.header()?;
        for records in records.chunks(COMPACTED_PER_LINE) {
            text.push_str(&self.line(records)?);
        }
        self.is_poisoned = true;
        let replaced = replace(&self.path, text.as_bytes())
            .and_then(|()| sys::open_for_append(&self.path))
            .map_err(|source| CommitError::Write { path: self.path.clone(), source })?;
        self.file = Some(replaced);
        self.is_poisoned = false;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            missing => {
                // The header comes by an atomic replacement, so that no journal is ever without it.
                let header = self_header::<R>().map_err(io::Error::other)?;
                replace(&self.path, header.as_bytes())?;
                missing.insert(sys::open_for_append(&self.path)?)
            }
        };
        file.write_all(line)?;
        file.sync_data()
    }

    fn header(&self) -> Result<String, CommitError> {
        self_header::<R>().map_err(|source| CommitError::Encode { path: self.path.clone(), source })
    }

    fn line(&self, records: &[R]) -> Result<String, CommitError> {
        let encode = || {
            let records = RawValue::from_string(to_plain_json(records)?)?;
            let text = records.get();
            let line = Line { crc32: checksum(text), bytes: text.len(), records: &records };
            serde_json::to_string(&line).map(|line| line + "\n")
        };
        encode().map_err(|source| CommitError::Encode { path: self.path.clone(), source })
    }
}

/// Enough to keep lines readable and few.
const COMPACTED_PER_LINE: usize = 64;

/// Reads the records of the journal at `path`, oldest first, without a lock and without changing anything;
/// none where there is no file. A last line that is being written, or was cut short, is passed over.
///
/// # Errors
///
/// When the file is unreadable, damaged before its last line, or of a newer major version.
pub fn read_journal<R: Record>(path: &Path) -> Result<Vec<R>, OpenError> {
    let mut records = Vec::new();
    for_each_record(path, |record| records.push(record))?;
    Ok(records)
}

/// Like [`read_journal`], one record at a time: for journals of which little is wanted.
///
/// # Errors
///
/// As [`read_journal`].
pub fn for_each_record<R: Record>(path: &Path, visit: impl FnMut(R)) -> Result<(), OpenError> {
    scan(path, Writable::NotNeeded, visit).map(drop)
}

#[derive(Serialize, Deserialize)]
struct Header {
    journal: String,
    version: Version,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    crc32: String,
    bytes: usize,
    #[serde(borrow)]
    records: &'a RawValue,
}

fn self_header<R: Record>() -> serde_json::Result<String> {
    let header = Header { journal: R::KIND.to_owned(), version: R::VERSION };
    serde_json::to_string(&header).map(|line| line + "\n")
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

fn open_for_append(path: &Path, good_bytes: u64) -> io::Result<sys::File> {
    let file = sys::open_for_append(path)?;
    if file.len()? > good_bytes {
        file.set_len(good_bytes)?;
        file.sync_all()?;
    }
    Ok(file)
}

/// Whether the reader is going to append.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writable {
    Required,
    NotNeeded,
}

/// Visits every record; says how many bytes of the file are good, or `None` where there is no file.
fn scan<R: Record>(path: &Path, writable: Writable, mut visit: impl FnMut(R)) -> Result<Option<u64>, OpenError> {
    let bytes = match sys::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if path.exists() && !path.is_file() => return Err(OpenError::NotAFile { path: path.to_owned() }),
        Err(source) => return Err(OpenError::Io { path: path.to_owned(), source }),
    };
    scan_bytes(path, &bytes, writable, &mut visit).map(Some)
}

/// Visits every record in `bytes`, the content of `path`; says how many of them are good.
pub(crate) fn scan_bytes<R: Record>(
    path: &Path,
    bytes: &[u8],
    writable: Writable,
    visit: &mut dyn FnMut(R),
) -> Result<u64, OpenError> {
    let damaged = |source| OpenError::Damaged { path: path.to_owned(), kind: R::KIND, source, last_good: None };
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    let header = lines.next().map(|(_, line)| line).unwrap_or_default();
    let header: Header = serde_json::from_slice(header)
        .map_err(|error| damaged(DecodeError::invalid(format!("its first line is no journal header: {error}"))))?;
    if header.journal != R::KIND {
        return Err(damaged(DecodeError::invalid(format!("it is a {}", header.journal))));
    }
    let (found, supported) = (header.version, R::VERSION);
    if !found.is_readable_by(supported) || writable == Writable::Required && !found.is_writable_by(supported) {
        return Err(OpenError::TooNew { path: path.to_owned(), found, supported });
    }
    let mut good_bytes = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
    for (index, line) in lines {
        let is_last = good_bytes + line.len() == bytes.len();
        match records_of::<R>(line) {
            Ok(records) => records.into_iter().for_each(&mut *visit),
            Err(Flaw::Torn(_)) if is_last => break,
            Err(Flaw::Torn(reason) | Flaw::Foreign(reason)) => {
                return Err(damaged(DecodeError::invalid(format!("line {}: {reason}", index + 1))));
            }
        }
        good_bytes += line.len();
    }
    // A length of a file fits.
    Ok(good_bytes as u64)
}

/// What is wrong with a line.
enum Flaw {
    /// It is not what was appended.
    Torn(String),
    /// It is, but its records are not of the kind.
    Foreign(String),
}

fn records_of<R: Record>(line: &[u8]) -> Result<Vec<R>, Flaw> {
    let Some(line) = line.strip_suffix(b"\n") else { return Err(Flaw::Torn("it has no end".to_owned())) };
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| Flaw::Torn(error.to_string()))?;
    let text = line.records.get();
    if line.bytes != text.len() || line.crc32 != checksum(text) {
        return Err(Flaw::Torn("its checksum does not fit".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| Flaw::Foreign(error.to_string()))
}
