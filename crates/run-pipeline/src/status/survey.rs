//! The look at everything: three stores side by side, then state, journals and acknowledgements.
//!
//! Nothing is locked and nothing is written. While an execution is at work, what is seen of stores and state
//! may be of neighbouring moments.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use artdaq_db::ConfigStore;
use chrono::{DateTime, Utc};
use fs_err as fs;
use run_state::{Acknowledgements, RunNumber, RunSet};
use statefile::Snapshot;
use ucon_db::{BlobInfo, BlobStore};

use super::{
    facts::{Facts, Imported, Seen, StageFacts, Unreadable},
    history::{Journals, read_journals},
    verify::Digest,
};
use crate::{files::StageSnapshot, paths::StagePaths, retry::chain, workers::blocking};

/// Where things lie.
#[derive(Debug, Clone)]
pub struct Places {
    /// The directory whose sub-directories are named by run number.
    pub records: PathBuf,
    /// The state of the import.
    pub import: StagePaths,
    /// The state of the migration.
    pub migrate: StagePaths,
    /// The document of acknowledged gaps.
    pub acknowledged: PathBuf,
}

/// What the survey looks at.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Files and directories.
    pub places: &'a Places,
    /// artdaqDB, or why it cannot even be asked.
    pub artdaq: Result<&'a dyn ConfigStore, &'a str>,
    /// UconDB, likewise.
    pub ucon: Result<&'a dyn BlobStore, &'a str>,
    /// By how much a listing may shrink against the last known count, in per cent.
    pub max_shrink_percent: u8,
    /// Whether contents are to be verified: digests and sizes are kept then.
    pub wants_digests: bool,
    /// Now: an acknowledgement may have expired.
    pub now: DateTime<Utc>,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("places", self.places).field("now", &self.now).finish_non_exhaustive()
    }
}

/// Everything that was seen.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What conclusions are drawn from.
    pub facts: Facts,
    /// Size and checksum of each blob, where they are wanted; empty where UconDB could not be read.
    pub blobs: BTreeMap<RunNumber, BlobInfo>,
    /// What was written down of each blob when it was uploaded.
    pub digests: BTreeMap<RunNumber, Digest>,
    /// The acknowledged gaps, those that have expired included.
    pub acknowledgements: Acknowledgements,
}

/// Looks at everything. Never fails as a whole: what could not be read is in the facts.
pub async fn survey(sources: Sources<'_>) -> Survey {
    let (places, wants_digests) = (sources.places.clone(), sources.wants_digests);
    let records = {
        let records = places.records.clone();
        blocking(move || run_numbers(&records).map_err(|error| Unreadable(chain(&error))))
    };
    let files = blocking(move || Files::read(&places, wants_digests));
    let (records, artdaq, ucon, files) = tokio::join!(records, imported(sources.artdaq), migrated(sources.ucon), files);
    let acknowledged = files.acknowledgements.as_ref().map_err(Unreadable::clone);
    let facts = Facts {
        records,
        artdaq,
        ucon: ucon.as_ref().map(|blobs| blobs.keys().copied().collect()).map_err(Unreadable::clone),
        import: StageFacts { state: files.import, history: files.journals.import },
        migrate: StageFacts { state: files.migrate, history: files.journals.migrate },
        acknowledged: acknowledged.map(|acknowledged| acknowledged.active(sources.now)),
        max_shrink_percent: sources.max_shrink_percent,
    };
    Survey {
        facts,
        blobs: ucon.unwrap_or_default(),
        digests: files.journals.digests,
        acknowledgements: files.acknowledgements.unwrap_or_default(),
    }
}

/// What the files of the program say.
struct Files {
    import: Seen<StageSnapshot>,
    migrate: Seen<StageSnapshot>,
    acknowledgements: Seen<Acknowledgements>,
    journals: Journals,
}

impl Files {
    fn read(places: &Places, wants_digests: bool) -> Self {
        let state = |paths| StageSnapshot::read(paths).map_err(|error| Unreadable(chain(&error)));
        let acknowledgements = Snapshot::<Acknowledgements>::read(&places.acknowledged)
            .map(|snapshot| snapshot.map(|snapshot| snapshot.document).unwrap_or_default())
            .map_err(|error| Unreadable(chain(&error)));
        Self {
            import: state(&places.import),
            migrate: state(&places.migrate),
            acknowledgements,
            journals: read_journals(&places.import, &places.migrate, wants_digests),
        }
    }
}

async fn imported(store: Result<&dyn ConfigStore, &str>) -> Seen<Imported> {
    let store = store.map_err(|reason| Unreadable(reason.to_owned()))?;
    let runs = store.runs().await.map_err(|error| Unreadable(chain(&error)))?;
    let (complete, partial): (Vec<_>, Vec<_>) = runs.iter().partition(|(_, entry)| entry.is_complete());
    let set = |runs: Vec<(&RunNumber, _)>| runs.into_iter().map(|(run, _)| *run).collect();
    Ok(Imported { complete: set(complete), partial: set(partial) })
}

async fn migrated(store: Result<&dyn BlobStore, &str>) -> Seen<BTreeMap<RunNumber, BlobInfo>> {
    let store = store.map_err(|reason| Unreadable(reason.to_owned()))?;
    store.runs().await.map_err(|error| Unreadable(chain(&error)))
}

/// The runs of a directory. Only names are read, a million of them in a second; as for the import, whatever is named
/// by a number is a run.
fn run_numbers(records: &Path) -> io::Result<RunSet> {
    let mut numbers: Vec<RunNumber> = Vec::new();
    for entry in fs::read_dir(records)? {
        if let Some(run) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            numbers.push(run);
        }
    }
    // In order they become ranges at once.
    numbers.sort_unstable();
    Ok(numbers.into_iter().collect())
}
