//! Run directories, and the real stores in files.

use std::{path::Path, sync::Arc};

use artdaq_db::{ConfigStore, FilesystemStore, FilesystemUri, RandomOids, Surroundings};
use fs_err as fs;
use run_pipeline::{
    MigrateOptions, RecordSource, Stage, StageError, StageFiles, StageOptions, StagePaths, StageReport, StageSnapshot,
    Unobserved, import, migrate,
};
use run_record::{convert::Fhiclize, directory::Limits, schema::Schema};
use statefile::{Lock, Owner, SystemClock};
use tokio_util::sync::CancellationToken;
use ucon_db::{BlobStore, EmbeddedStore};

const SCHEMA: &str = r"run_history: [{collection: RunHistory pattern: '(.*/)((?!schema)[^/]+)(\.fcl$)'}]
    system_layout: [{collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)'}]";

/// Writes a run directory of fifteen files.
pub(super) fn write_run(records: &Path, run: u64) {
    let dir = records.join(run.to_string());
    fs::create_dir_all(&dir).unwrap();
    let text = |name: &str, text: String| fs::write(dir.join(name), text).unwrap();
    text(
        "metadata.txt",
        format!(
            "Config name: demo\nComponent #0: component01\nComponent #1: component02\nsbndaq commit or version: v1_2\n\
             DAQInterface start time: Sat Nov 21 00:37:50 UTC 2026\nDAQInterface stop time: Sat Nov 21 01:00:{:02} UTC 2026\n",
            run % 60
        ),
    );
    text("boot.txt", "EventBuilder host: localhost\nEventBuilder port: 5235\n\nDataLogger host: daq02\n".into());
    text("settings.txt", "boardreader timeout: 60\n".into());
    text("environment.txt", "export DAQ_HOME=/home/daq\nexport NOTE=\"run\"\n".into());
    text("setup.txt", "source setup.sh\necho done\n".into());
    for number in 0..10 {
        let channels = (0..40).map(|channel| format!("  ch{channel}: {{ gain: {channel}.5 pedestal: {run} }}\n"));
        text(&format!("component{number:02}.fcl"), format!("# board\nboard: {{\n{}}}\n", channels.collect::<String>()));
    }
}

pub(super) struct Lab {
    pub(super) dir: tempfile::TempDir,
    pub(super) config: Arc<dyn ConfigStore>,
    pub(super) blobs: Arc<dyn BlobStore>,
}

impl Lab {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("records")).unwrap();
        let root = dir.path().to_str().unwrap().to_owned();
        let uri = FilesystemUri::parse("filesystemdb://$LAB/archive", |_| Some(root.clone())).unwrap();
        let clock = Arc::new(SystemClock);
        let surroundings = Surroundings { clock: clock.clone(), oids: Arc::new(RandomOids), user: "daq".into() };
        let config = Arc::new(FilesystemStore::new(&uri, surroundings));
        let (folder, object) = ("run_records".parse().unwrap(), "configuration".parse().unwrap());
        let blobs = Arc::new(EmbeddedStore::new(&dir.path().join("ucondb.sqlite"), &folder, &object, clock));
        Self { dir, config, blobs }
    }

    pub(super) fn records(&self) -> std::path::PathBuf {
        self.dir.path().join("records")
    }

    fn paths(&self, stage: &str) -> StagePaths {
        let at = |name: String| self.dir.path().join(name);
        StagePaths {
            stage: if stage == "importer" { Stage::Import } else { Stage::Migrate },
            state: at(format!("{stage}_state.json")),
            failure_log: at(format!("{stage}_failures.log")),
        }
    }

    fn open(&self, stage: &str) -> StageFiles {
        let lock = Lock::acquire(self.dir.path().join(".archiver.lock"), &Owner::current(&SystemClock)).unwrap();
        StageFiles::open(&self.paths(stage), Arc::new(lock), Arc::new(SystemClock)).unwrap()
    }

    pub(super) fn text(&self, stage: &str) -> String {
        let now = StageSnapshot::read(&self.paths(stage)).unwrap();
        format!("{} {}", now.marks, now.failed)
    }

    pub(super) async fn import(&self, options: StageOptions) -> Result<StageReport, StageError> {
        let source = RecordSource {
            records: self.records(),
            schema: Schema::parse("schema.fcl", SCHEMA).unwrap(),
            fhiclize: Fhiclize::default(),
            limits: Limits::default(),
        };
        let (files, store) = (self.open("importer"), Arc::clone(&self.config));
        import(files, Arc::new(source), store, options, Arc::new(Unobserved), CancellationToken::new()).await.1
    }

    pub(super) async fn migrate(&self, options: StageOptions) -> Result<StageReport, StageError> {
        let (source, store) = (Arc::clone(&self.config), Arc::clone(&self.blobs));
        let special = MigrateOptions { is_validating: true, ..MigrateOptions::default() };
        let files = self.open("migrator");
        migrate(files, source, store, special, options, Arc::new(Unobserved), CancellationToken::new()).await.1
    }
}
