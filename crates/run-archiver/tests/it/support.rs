//! A world of run records, a configuration, and eyes for the stores.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use artdaq_db::{ConfigStore, Configuration, FilesystemStore, FilesystemUri, RandomOids, Surroundings};
use fs_err as fs;
use run_pipeline::{Stage, StagePaths, StageSnapshot};
use run_state::RunSet;
use serde_json::Value;
use statefile::SystemClock;
use test_kit::TestEnv;
use ucon_db::{BlobStore as _, EmbeddedStore};

/// The smallest schema with the layout of the genuine one.
const SCHEMA: &str = r"
run_history: [{collection: RunHistory pattern: '(.*/)((?!schema|flags)[^/]+)(\.fcl$)'}]
system_layout: [{collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)'}]
";

/// No pauses, no retries: what fails in these tests fails for good.
const CONFIG: &str = "\
app: {work_dir: work, batch_size: 50, run_process_retries: 0, retry_delay_seconds: 0, log_file: '${work_dir}/archiver.log'}
source_files: {run_records_dir: records, settle_seconds: 0}
artdaq_db: {database_uri: 'filesystemdb://stores/artdaqdb', fcl_conf_dir: conf}
ucon_db: {server_url: 'embedded://stores/ucondb.sqlite', folder_name: test01, object_name: configuration}
";

/// A directory with records, a configuration `config.yaml`, and stores.
pub(crate) struct World {
    pub(crate) env: TestEnv,
    /// Where artdaqDB is, if not in the directory.
    #[cfg(feature = "mongodb")]
    pub(crate) mongodb: Option<crate::mongodb::Scratch>,
}

/// A run in artdaqDB.
#[derive(Debug, PartialEq)]
pub(crate) struct Imported {
    /// All versions counted.
    pub(crate) documents: usize,
    pub(crate) is_complete: bool,
    /// By entity, the greatest version of each.
    pub(crate) texts: Vec<(String, String)>,
}

/// What the two stores hold of each run, in a form that two executions can be compared by.
#[derive(Debug, PartialEq)]
pub(crate) struct Archived {
    pub(crate) artdaq: BTreeMap<u64, Imported>,
    /// The number of versions, and the current blob.
    pub(crate) ucon: BTreeMap<u64, (usize, String)>,
}

impl World {
    /// A world with the runs of `runs`.
    pub(crate) fn new(runs: &str) -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_run-archiver"));
        env.write("config.yaml", CONFIG);
        env.write("conf/schema.fcl", SCHEMA);
        fs::create_dir_all(env.join("records")).unwrap();
        let world = Self {
            env,
            #[cfg(feature = "mongodb")]
            mongodb: None,
        };
        world.add(runs);
        world
    }

    /// Adds run directories.
    pub(crate) fn add(&self, runs: &str) {
        let runs: RunSet = runs.parse().unwrap();
        for run in runs.iter() {
            self.write(run.get(), "metadata.txt", &format!("Config name: demo\nComponent #0: board{}\n\nsbndaq commit/version: v3 \"a\"\nDAQInterface start time: Mon Mar  2 08:14:09 UTC 2026\n", run.get() % 7));
            self.write(run.get(), "boot.txt", "DAQ setup script: /opt/setup\ndebug level: 1\n\nEventBuilder host: a\nEventBuilder label: EventBuilder1\n");
            self.write(
                run.get(),
                "board1.fcl",
                &format!("# board\nseed: {run}\ngains: [1.5, 2.5]\ntable: {{ a: \"µ\" }}\n"),
            );
        }
    }

    /// Writes a file of a run directory.
    pub(crate) fn write(&self, run: u64, name: &str, text: &str) {
        self.env.write(format!("records/{run}/{name}"), text);
    }

    /// Makes a run malformed.
    pub(crate) fn spoil(&self, run: u64) {
        self.write(run, "board1.fcl", "table: { open: 1\n");
    }

    /// Makes it sound again.
    pub(crate) fn mend(&self, run: u64) {
        self.add(&run.to_string());
    }

    /// Replaces a text in the configuration.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.env.join("config.yaml")).unwrap();
        assert!(text.contains(from), "{from}");
        self.env.write("config.yaml", text.replace(from, to));
    }

    /// Runs the program; its exit code must be `code`. Returns stdout and stderr.
    pub(crate) fn run(&self, arguments: &str, code: i32) -> (String, String) {
        let output = self.env.command(arguments.split_whitespace()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "`{arguments}`\nstdout:\n{stdout}\nstderr:\n{stderr}");
        (stdout, stderr)
    }

    /// Runs the program with `--json` and returns the document, which must be all of stdout.
    pub(crate) fn json(&self, arguments: &str, code: i32) -> Value {
        let (stdout, _) = self.run(&format!("{arguments} --json"), code);
        let answer: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
        assert_eq!(answer["exit_code"], code, "{answer:#}");
        answer
    }

    /// The marks and failure log of both stages: `105/105 none, 105/105 none`.
    pub(crate) fn state(&self) -> String {
        let stage = |marks: &str, log: &str| {
            let marks = fs::read_to_string(self.env.join(marks)).unwrap_or_else(|_| "{}".to_owned());
            let marks: Value = serde_json::from_str(&marks).unwrap();
            let number = |name: &str| marks[name].as_u64().unwrap_or(0);
            let log = fs::read_to_string(self.env.join(log)).unwrap_or_default();
            let failed: RunSet = log.lines().map(|line| line.parse().unwrap()).collect();
            format!("{}/{} {failed}", number("last_contiguous_run"), number("last_attempted_run"))
        };
        let import = stage("work/importer_state.json", "work/import_failures.log");
        let migrate = stage("work/migrator_state.json", "work/migrate_failures.log");
        format!("{import}, {migrate}")
    }

    /// The state of a stage, as the library reads it.
    pub(crate) fn snapshot(&self, marks: &str, log: &str) -> StageSnapshot {
        let stage = if marks.starts_with("importer") { Stage::Import } else { Stage::Migrate };
        let paths = StagePaths { stage, state: self.work(marks), failure_log: self.work(log) };
        StageSnapshot::read(&paths).unwrap()
    }

    /// The log file.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.work("archiver.log")).unwrap_or_default()
    }

    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.env.join("work").join(name)
    }

    pub(crate) fn artdaq(&self) -> Arc<dyn ConfigStore> {
        let surroundings =
            Surroundings { clock: Arc::new(SystemClock), oids: Arc::new(RandomOids), user: "tester".to_owned() };
        #[cfg(feature = "mongodb")]
        if let Some(scratch) = &self.mongodb {
            return Arc::new(scratch.store(surroundings));
        }
        let uri = format!("filesystemdb://{}", self.env.join("stores/artdaqdb").display());
        Arc::new(FilesystemStore::new(&FilesystemUri::parse(&uri, |_| None).unwrap(), surroundings))
    }

    fn ucon(&self) -> EmbeddedStore {
        let path = self.env.join("stores/ucondb.sqlite");
        EmbeddedStore::new(&path, &"test01".parse().unwrap(), &"configuration".parse().unwrap(), Arc::new(SystemClock))
    }

    /// What both stores hold.
    pub(crate) fn archived(&self) -> Archived {
        let (config, blobs) = (self.artdaq(), self.ucon());
        block_on(async {
            let mut artdaq = BTreeMap::new();
            for run in config.runs().await.unwrap().into_keys() {
                let export = config.export(run).await.unwrap().unwrap();
                let configuration = &export.configuration;
                let texts = export.documents.iter().map(|document| (document.entity.clone(), document.text.clone()));
                let Configuration { documents, complete: is_complete, .. } = *configuration;
                artdaq.insert(run.get(), Imported { documents, is_complete, texts: texts.collect() });
            }
            let mut ucon = BTreeMap::new();
            for run in blobs.runs().await.unwrap().into_keys() {
                let versions = blobs.versions(run).await.unwrap().len();
                let blob = String::from_utf8(blobs.get(run).await.unwrap().unwrap()).unwrap();
                ucon.insert(run.get(), (versions, blob));
            }
            Archived { artdaq, ucon }
        })
    }

    /// The runs that are in artdaqDB and in UconDB.
    pub(crate) fn runs(&self) -> (String, String) {
        let Archived { artdaq, ucon } = self.archived();
        let set = |runs: Vec<u64>| runs.into_iter().map(run_state::RunNumber::new).collect::<RunSet>().to_string();
        (set(artdaq.into_keys().collect()), set(ucon.into_keys().collect()))
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
