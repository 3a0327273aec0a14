//! A small laboratory: run directories, the state of both stages, both archives.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use artdaq_db::{ConfigStore, MemoryStore as ConfigMemory};
use fs_err as fs;
use run_record::{convert::Fhiclize, directory::Limits, schema::Schema};
use run_state::{RunNumber, RunSet};
use statefile::{Clock as _, Lock, ManualClock, Owner, SystemClock};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use ucon_db::{BlobStore, MemoryStore};

use super::Fuse;
use crate::{
    Event, EventKind, MigrateOptions, Mode, Observer, RecordSource, Stage, StageError, StageFiles, StageOptions,
    StagePaths, StageReport, StageSnapshot, import, migrate,
};

pub(super) fn runs(text: &str) -> RunSet {
    text.parse().unwrap()
}

pub(super) fn options(mode: Mode) -> StageOptions {
    StageOptions { mode, ..StageOptions::default() }
}

/// Remembers everything.
#[derive(Debug, Default)]
pub(super) struct Seen(pub(super) Mutex<Vec<EventKind>>);

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.kind.clone());
    }
}

pub(super) struct World {
    pub(super) dir: TempDir,
    pub(super) config: Arc<ConfigMemory>,
    pub(super) blobs: Arc<MemoryStore>,
    pub(super) seen: Arc<Seen>,
    pub(super) cancel: CancellationToken,
    /// It stands still until a test moves it.
    pub(super) clock: Arc<ManualClock>,
}

pub(super) const RECORD: &str = "run_number: 7\n";
pub(super) const MALFORMED: &str = "run_number: {\n";

impl World {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("records")).unwrap();
        Self {
            dir,
            config: Arc::default(),
            blobs: Arc::default(),
            seen: Arc::default(),
            cancel: CancellationToken::new(),
            clock: Arc::new(ManualClock::at(SystemClock.now())),
        }
    }

    pub(super) fn with_runs(text: &str) -> Self {
        let world = Self::new();
        world.add(text);
        world
    }

    pub(super) fn record_dir(&self, run: RunNumber) -> PathBuf {
        self.dir.path().join("records").join(run.to_string())
    }

    pub(super) fn write(&self, run: u64, text: &str) {
        self.write_file(run, "boot.fcl", text);
    }

    /// Writes a file of a run directory; both are as old as the clock says.
    pub(super) fn write_file(&self, run: u64, name: &str, text: &str) {
        let dir = self.record_dir(run.into());
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(name), text).unwrap();
        for path in [dir.join(name), dir] {
            let now = self.clock.now().into();
            fs::File::open(path).unwrap().into_parts().0.set_modified(now).unwrap();
        }
    }

    pub(super) fn add(&self, text: &str) {
        runs(text).iter().for_each(|run| self.write(run.get(), RECORD));
    }

    pub(super) fn source(&self) -> Arc<RecordSource> {
        Arc::new(RecordSource {
            records: self.dir.path().join("records"),
            schema: Schema::parse("schema.fcl", "run_history: []\n").unwrap(),
            fhiclize: Fhiclize::default(),
            limits: Limits::default(),
        })
    }

    pub(super) fn paths(&self, name: &str) -> StagePaths {
        let at = |file: String| self.dir.path().join(file);
        StagePaths {
            stage: if name == "importer" { Stage::Import } else { Stage::Migrate },
            state: at(format!("{name}_state.json")),
            failure_log: at(format!("{name}_failures.log")),
        }
    }

    pub(super) fn open(&self, stage: &str) -> StageFiles {
        let lock_file = self.dir.path().join(format!("{stage}.lock"));
        let lock = Arc::new(Lock::acquire(lock_file, &Owner::current(&SystemClock)).unwrap());
        StageFiles::open(&self.paths(stage), lock, Arc::clone(&self.clock) as _).unwrap()
    }

    pub(super) fn state(&self, stage: &str) -> StageSnapshot {
        StageSnapshot::read(&self.paths(stage)).unwrap()
    }

    /// Marks and failure log, as in `102/105 103`.
    pub(super) fn text(&self, stage: &str) -> String {
        let now = self.state(stage);
        assert!(now.in_flight.is_empty(), "{:?}", now.in_flight);
        format!("{} {}", now.marks, now.failed)
    }

    pub(super) async fn import(&self, mode: Mode) -> Result<StageReport, StageError> {
        self.import_to(Arc::clone(&self.config) as _, options(mode)).await
    }

    pub(super) async fn import_to(
        &self,
        store: Arc<dyn ConfigStore>,
        options: StageOptions,
    ) -> Result<StageReport, StageError> {
        self.import_with(store, options, None).await
    }

    pub(super) async fn import_with(
        &self,
        store: Arc<dyn ConfigStore>,
        options: StageOptions,
        fuse: Option<&Arc<Fuse>>,
    ) -> Result<StageReport, StageError> {
        let mut files = self.open("importer");
        files.fuse = fuse.map(Arc::clone);
        let seen = Arc::clone(&self.seen) as _;
        import(files, self.source(), store, options, seen, self.cancel.clone()).await.1
    }

    pub(super) async fn migrate(&self, mode: Mode) -> Result<StageReport, StageError> {
        self.migrate_to(Arc::clone(&self.blobs) as _, options(mode)).await
    }

    pub(super) async fn migrate_to(
        &self,
        store: Arc<dyn BlobStore>,
        options: StageOptions,
    ) -> Result<StageReport, StageError> {
        self.migrate_with(Arc::clone(&self.config) as _, store, options, None).await
    }

    pub(super) async fn migrate_with(
        &self,
        source: Arc<dyn ConfigStore>,
        store: Arc<dyn BlobStore>,
        options: StageOptions,
        fuse: Option<&Arc<Fuse>>,
    ) -> Result<StageReport, StageError> {
        let mut files = self.open("migrator");
        files.fuse = fuse.map(Arc::clone);
        let seen = Arc::clone(&self.seen) as _;
        let special = MigrateOptions { import: Some(self.paths("importer")), ..MigrateOptions::default() };
        migrate(files, source, store, special, options, seen, self.cancel.clone()).await.1
    }

    /// The runs that are complete in artdaqDB.
    pub(super) async fn imported(&self) -> RunSet {
        let runs = self.config.runs().await.unwrap();
        runs.into_iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| run).collect()
    }

    pub(super) async fn migrated(&self) -> RunSet {
        self.blobs.runs().await.unwrap().into_keys().collect()
    }

    pub(super) fn events(&self) -> Vec<EventKind> {
        std::mem::take(&mut self.seen.0.lock().unwrap())
    }
}

/// Every file below a directory with its content.
pub(crate) fn files_in(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files_in(&entry));
        } else {
            found.push((entry.clone(), fs::read(&entry).unwrap()));
        }
    }
    found.sort();
    found
}
