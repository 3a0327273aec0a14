//! The content of UconDB: by size and checksum out of one listing, or by downloading everything.
//!
//! What was uploaded is known from the digests that the migration writes down with every run. A run that was
//! archived before there was such a journal has none; only a download can tell about it then, compared with the
//! blob that artdaqDB gives today, the packing time aside.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use artdaq_db::ConfigStore;
use run_record::blob;
use run_state::{RunNumber, RunSet};
use ucon_db::{BlobError, BlobInfo, BlobStore, Md5Digest, adler32};

use super::facts::Unreadable;
use crate::{retry::chain, workers::side_by_side};

/// How closely contents are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Sizes and checksums of one listing, against the digests recorded at upload.
    #[default]
    Receipt,
    /// Every byte.
    Full,
}

/// What is known of a blob as it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Its Adler-32 checksum.
    pub adler32: u32,
    /// Its MD5 digest, where one was written down.
    pub md5: Option<Md5Digest>,
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { size_bytes: bytes.len() as u64, adler32: adler32(bytes), md5: Some(Md5Digest::of(bytes)) }
    }

    /// Whether both are of the same bytes, as far as both know.
    fn agrees_with(&self, other: &Self) -> bool {
        let md5_differs = self.md5.as_ref().zip(other.md5.as_ref()).is_some_and(|(one, other)| one != other);
        (self.size_bytes, self.adler32) == (other.size_bytes, other.adler32) && !md5_differs
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, adler32 {:08x}", self.size_bytes, self.adler32)?;
        self.md5.as_ref().map_or(Ok(()), |md5| write!(f, ", md5 {md5}"))
    }
}

/// A run whose blob is not what was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The run.
    pub run: RunNumber,
    /// What it should be, and how that is known.
    pub expected: String,
    /// What UconDB holds.
    pub found: String,
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// How closely it looked.
    pub depth: Depth,
    /// Runs that are what was archived.
    pub good: RunSet,
    /// Runs that are not, lowest first.
    pub differences: Vec<Difference>,
    /// Runs of which nothing is known to compare with. Receipts: [`Depth::Full`] can tell. Full: neither a digest
    /// nor artdaqDB has them.
    pub unknown: RunSet,
    /// Runs that were uploaded, as the digests tell, and that are not listed any more.
    pub missing: RunSet,
    /// Why it stopped before its end, if it did.
    pub stopped: Option<Unreadable>,
}

impl Verification {
    /// The runs whose content differs.
    pub fn differing(&self) -> RunSet {
        self.differences.iter().map(|difference| difference.run).collect()
    }
}

/// Compares a listing with the digests recorded at upload.
///
/// ```
/// use std::collections::BTreeMap;
/// use run_pipeline::status::{Digest, verify_receipts};
/// use ucon_db::BlobInfo;
/// let info = |size_bytes| BlobInfo { size_bytes, adler32: 1 };
/// let digest = |size_bytes| Digest { size_bytes, adler32: 1, md5: None };
/// let listing = BTreeMap::from([(100.into(), info(5)), (101.into(), info(6)), (102.into(), info(7))]);
/// let digests = BTreeMap::from([(100.into(), digest(5)), (101.into(), digest(9))]);
/// let verification = verify_receipts(&listing, &digests);
/// assert_eq!(verification.good.to_string(), "100");
/// assert_eq!(verification.differing().to_string(), "101");
/// assert_eq!(verification.unknown.to_string(), "102");
/// ```
pub fn verify_receipts(listing: &BTreeMap<RunNumber, BlobInfo>, digests: &BTreeMap<RunNumber, Digest>) -> Verification {
    let mut verification = Verification::default();
    for (&run, info) in listing {
        let found = Digest { size_bytes: info.size_bytes, adler32: info.adler32, md5: None };
        match digests.get(&run) {
            None => drop(verification.unknown.insert(run)),
            Some(expected) if expected.agrees_with(&found) => drop(verification.good.insert(run)),
            Some(expected) => verification.differences.push(recorded(run, expected, &found)),
        }
    }
    verification.missing = missing(listing, digests);
    verification
}

/// The runs that have a digest, and are not listed.
pub fn missing(listing: &BTreeMap<RunNumber, BlobInfo>, digests: &BTreeMap<RunNumber, Digest>) -> RunSet {
    digests.keys().copied().filter(|run| !listing.contains_key(run)).collect()
}

fn recorded(run: RunNumber, expected: &Digest, found: &Digest) -> Difference {
    Difference { run, expected: format!("{expected} (recorded at upload)"), found: found.to_string() }
}

/// Errors of the stores, one after the other, after which nothing more is downloaded.
const ERRORS_MAX: u32 = 3;

/// Downloads each of `runs`, `workers` at once, and compares it: with its digest, or, where none was recorded, with
/// what artdaqDB holds. `seen` is told of every run that is done.
pub async fn verify_full(
    blobs: Arc<dyn BlobStore>,
    configs: Arc<dyn ConfigStore>,
    runs: &RunSet,
    digests: &BTreeMap<RunNumber, Digest>,
    workers: usize,
    seen: Arc<dyn Fn(RunNumber) + Send + Sync>,
) -> Verification {
    let items: Vec<_> = runs.iter().map(|run| (run, digests.get(&run).cloned())).collect();
    let errors = Arc::new(AtomicU32::new(0));
    let work = move |(run, digest): (RunNumber, Option<Digest>)| {
        let (blobs, configs) = (Arc::clone(&blobs), Arc::clone(&configs));
        let (errors, seen) = (Arc::clone(&errors), Arc::clone(&seen));
        async move {
            if errors.load(Ordering::Relaxed) >= ERRORS_MAX {
                return (run, Look::Skipped);
            }
            let look = look(&*blobs, &*configs, run, digest).await;
            if matches!(look, Look::Error(_)) {
                errors.fetch_add(1, Ordering::Relaxed);
            } else {
                errors.store(0, Ordering::Relaxed);
            }
            seen(run);
            (run, look)
        }
    };
    let mut looks = side_by_side(workers, items, work).await;
    looks.sort_by_key(|(run, _)| *run);
    let mut verification = Verification { depth: Depth::Full, ..Verification::default() };
    let mut unread = RunSet::new();
    let mut reason = None;
    for (run, look) in looks {
        match look {
            Look::Good => drop(verification.good.insert(run)),
            Look::Differs(difference) => verification.differences.push(difference),
            Look::Unknown => drop(verification.unknown.insert(run)),
            Look::Skipped => drop(unread.insert(run)),
            Look::Error(error) => {
                unread.insert(run);
                reason.get_or_insert(format!("run {run}: {error}"));
            }
        }
    }
    verification.stopped =
        reason.map(|reason| Unreadable(format!("{} not compared: {}; {reason}", count(unread.len()), first(&unread))));
    verification
}

fn count(runs: u64) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}

/// Enough of a set to begin with.
fn first(runs: &RunSet) -> String {
    const RUNS_TOLD_MAX: usize = 10;
    let told: RunSet = runs.iter().take(RUNS_TOLD_MAX).collect();
    if told == *runs { told.to_string() } else { format!("{told} and more") }
}

/// What a look at one run showed.
enum Look {
    Good,
    Differs(Difference),
    /// There is nothing to compare with.
    Unknown,
    Error(String),
    Skipped,
}

/// Downloads a blob; once more, if it came damaged: that may have happened on the way.
async fn get(blobs: &dyn BlobStore, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
    match blobs.get(run).await {
        Err(error) if error.is_damage() => blobs.get(run).await,
        outcome => outcome,
    }
}

async fn look(blobs: &dyn BlobStore, configs: &dyn ConfigStore, run: RunNumber, digest: Option<Digest>) -> Look {
    let bytes = match get(blobs, run).await {
        Ok(bytes) => bytes,
        Err(error) if error.is_damage() => {
            let expected = digest.map(|digest| format!("{digest} (recorded at upload)"));
            let expected = expected.unwrap_or_else(|| "what has the checksum that the archive keeps of it".to_owned());
            return Look::Differs(Difference { run, expected, found: chain(&error) });
        }
        Err(error) => return Look::Error(chain(&error)),
    };
    let found = bytes.as_deref().map(Digest::of);
    let said = || found.as_ref().map_or_else(|| "nothing".to_owned(), Digest::to_string);
    if let Some(expected) = digest {
        return match &found {
            Some(found) if expected.agrees_with(found) => Look::Good,
            _ => Look::Differs(Difference { run, expected: format!("{expected} (recorded at upload)"), found: said() }),
        };
    }
    let export = match configs.export(run).await {
        Ok(export) => export.filter(|export| export.configuration.complete),
        Err(error) => return Look::Error(chain(&error)),
    };
    let Some(export) = export else { return Look::Unknown };
    let files = export.documents.into_iter().map(|document| (format!("{}.fcl", document.entity), document.text));
    let Ok(packed) = blob::pack(run, &files.collect()) else { return Look::Unknown };
    let stored = bytes.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
    if stored.is_some_and(|stored| stored == packed || blob::same_content(&packed, stored)) {
        return Look::Good;
    }
    let expected = format!("{} (packed anew from artdaqDB)", Digest::of(packed.as_bytes()));
    Look::Differs(Difference { run, expected, found: said() })
}
