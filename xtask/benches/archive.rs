//! Measures the import and the migration of run records, through the public functions of `run-pipeline`.
//!
//! `cargo xtask bench archive` runs this as `archive DIR RUNS` in a release build and makes a table of the
//! JSON line that it prints. Two archives are filled with the same records: artdaqDB in files and then an
//! embedded UconDB; artdaqDB in files and then the fake UconDB server of `test-kit`, on a thread of its own.
//!
//! First as cron would: [`STEP_RUNS`] runs appear, both archives take them in one execution each (all stores
//! and state files opened anew), and so on. Then two fresh archives take all runs in one execution. The
//! archives take turns, and plain appends are measured in between, so that a disk that slows down is seen.
//!
//! Absent: the start of the program, its configuration and its screen.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use artdaq_db::{FilesystemStore, FilesystemUri, RandomOids, Surroundings};
use fs_err as fs;
use run_pipeline::{
    Event, EventKind, MigrateOptions, Observer, RecordSource, Stage, StageError, StageFiles, StageOptions, StagePaths,
    StageReport, import, migrate,
};
use run_record::{convert::Fhiclize, directory::Limits, schema::Schema};
use serde_json::{Value, json};
use statefile::{Lock, Owner, SystemClock};
use test_kit::ucondb::{FakeUconDb, Front, Options};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use ucon_db::{BlobStore, EmbeddedStore, HttpConfig, HttpStore, ServerUrl, Timeouts, Tls};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs of one figure, and of one execution as cron starts it: ten times the default `batch_size`.
const STEP_RUNS: usize = 50;
const FIRST_RUN: usize = 10_001;
/// What each plain append writes: a block of most file systems.
const APPEND_BYTES: usize = 4096;
/// The account that [`Options::default`] knows.
const WRITER: (&str, &str) = ("writer", "secret");
/// The folder that [`Options::default`] knows, and any object.
const FOLDER_AND_OBJECT: (&str, &str) = ("test01", "configuration");
const SCHEMA: &str = include_str!("../../examples/run-archiver/schema.fcl");

fn main() -> Result<()> {
    // `cargo bench` adds `--bench` to the arguments of every bench target.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(dir), Some(runs)) = (arguments.next(), arguments.next()) else {
        return Err("usage: cargo xtask bench archive [--dir DIR] [--runs N]".into());
    };
    let figures = measure(Path::new(&dir), runs.parse()?)?;
    writeln!(std::io::stdout(), "{figures}")?;
    Ok(())
}

fn measure(dir: &Path, runs: usize) -> Result<Value> {
    let (waiting, records) = (dir.join("waiting"), dir.join("records"));
    fs::create_dir_all(&records)?;
    let numbers: Vec<usize> = (FIRST_RUN..FIRST_RUN + runs).collect();
    let mut record_bytes = 0;
    for run in &numbers {
        record_bytes += write_record(&waiting.join(run.to_string()), *run)?;
    }
    // What the generation left in memory must not be written on the time of the first who flushes.
    rustix::fs::syncfs(fs::File::open(dir)?)?;

    // As the program's.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let server = serve()?;
    let place = |name: &str, server| Place::new(&dir.join(name), &records, server);
    let mut by_cron = [place("cron-embedded", None)?, place("cron-http", Some(Arc::clone(&server)))?];
    let mut appends = Series::default();
    let mut journal = fs::OpenOptions::new().create(true).append(true).open(dir.join("appends"))?;
    for step in numbers.chunks(STEP_RUNS) {
        for run in step {
            fs::rename(waiting.join(run.to_string()), records.join(run.to_string()))?;
        }
        rustix::fs::syncfs(fs::File::open(dir)?)?;
        append(&mut journal, step.len(), &mut appends)?;
        for place in &mut by_cron {
            place.execute(&runtime, StageOptions::default().batch_size, step.len())?;
        }
    }
    // A second server, so that its archive is as empty as the other.
    let mut at_once = [place("once-embedded", None)?, place("once-http", Some(serve()?))?];
    for place in &mut at_once {
        place.execute(&runtime, u64::try_from(runs)?, runs)?;
    }
    let executions = runs.div_ceil(STEP_RUNS);
    let mut rows = vec![json!({ "name": "append + fdatasync of 4 KiB", "executions": null, "steps": appends.steps })];
    for (places, executions) in [(by_cron, executions), (at_once, 1)] {
        rows.extend(places.into_iter().flat_map(|place| place.into_rows(executions)));
    }
    Ok(json!({ "record_bytes": record_bytes / runs, "rows": rows }))
}

/// Starts a server that shares no thread with the client. It ends with the process.
fn serve() -> Result<Arc<FakeUconDb>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || -> std::io::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let server = FakeUconDb::start(Options { front: Front::Apache, ..Options::default() }).await;
            // Where nobody waits for it any more, nothing is to be served.
            drop(sender.send(server));
            std::future::pending().await
        })
    });
    Ok(Arc::new(receiver.recv()??))
}

fn append(journal: &mut fs::File, count: usize, series: &mut Series) -> Result<()> {
    let start = Instant::now();
    for _ in 0..count {
        journal.write_all(&[b'x'; APPEND_BYTES])?;
        journal.sync_data()?;
    }
    series.push(count, start, Instant::now());
    Ok(())
}

/// Figures in the order of the runs: `{"runs", "nanoseconds"}`.
#[derive(Debug, Default)]
struct Series {
    steps: Vec<Value>,
    /// Requests to the server.
    requests: usize,
}

impl Series {
    fn push(&mut self, runs: usize, start: Instant, end: Instant) {
        let nanoseconds = u64::try_from((end - start).as_nanos()).unwrap_or(u64::MAX);
        self.steps.push(json!({ "runs": runs, "nanoseconds": nanoseconds }));
    }

    /// Adds one execution; what comes before its first run and after its last is theirs.
    fn push_execution(&mut self, start: Instant, settled: &[Instant], end: Instant) {
        let mut start = start;
        let count = settled.len().div_ceil(STEP_RUNS);
        for (number, step) in settled.chunks(STEP_RUNS).enumerate() {
            let step_end = if number + 1 == count { end } else { step[step.len() - 1] };
            self.push(step.len(), start, step_end);
            start = step_end;
        }
    }
}

/// When each run was settled.
#[derive(Debug, Default)]
struct Stopwatch(Mutex<Vec<Instant>>);

impl Observer for Stopwatch {
    fn observe(&self, event: &Event) {
        if matches!(event.kind, EventKind::Settled { .. }) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
    }
}

/// The archives and the state of one installation, and what they cost.
struct Place {
    dir: PathBuf,
    source: Arc<RecordSource>,
    lock: Arc<Lock>,
    /// `None` = an embedded UconDB.
    server: Option<Arc<FakeUconDb>>,
    import: Series,
    migrate: Series,
}

impl Place {
    fn new(dir: &Path, records: &Path, server: Option<Arc<FakeUconDb>>) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let source = RecordSource {
            records: records.to_owned(),
            schema: Schema::parse("schema.fcl", SCHEMA)?,
            fhiclize: Fhiclize::default(),
            limits: Limits::default(),
        };
        Ok(Self {
            dir: dir.to_owned(),
            source: Arc::new(source),
            lock: Arc::new(Lock::acquire(dir.join("lock"), &Owner::current(&SystemClock))?),
            server,
            import: Series::default(),
            migrate: Series::default(),
        })
    }

    fn artdaq(&self) -> Result<FilesystemStore> {
        let uri = FilesystemUri::parse(&format!("filesystemdb://{}/artdaqdb", self.dir.display()), |_| None)?;
        let surroundings =
            Surroundings { clock: Arc::new(SystemClock), oids: Arc::new(RandomOids), user: "bench".to_owned() };
        Ok(FilesystemStore::new(&uri, surroundings))
    }

    fn ucon(&self) -> Result<Arc<dyn BlobStore>> {
        let (folder, object) = (FOLDER_AND_OBJECT.0.parse()?, FOLDER_AND_OBJECT.1.parse()?);
        let Some(server) = &self.server else {
            let path = self.dir.join("ucondb.sqlite");
            return Ok(Arc::new(EmbeddedStore::new(&path, &folder, &object, Arc::new(SystemClock))));
        };
        let ServerUrl::Http(server) = server.url().parse()? else { return Err("no address of a server".into()) };
        Ok(Arc::new(HttpStore::new(HttpConfig {
            server,
            folder,
            object,
            user: WRITER.0.to_owned(),
            password: WRITER.1.to_owned().into(),
            timeouts: Timeouts::default(),
            tls: Tls::default(),
            response_bytes_max: HttpConfig::RESPONSE_BYTES_MAX,
        })?))
    }

    fn open(&self, stage: &str) -> Result<StageFiles> {
        let stage_kind = if stage == "importer" { Stage::Import } else { Stage::Migrate };
        let paths = StagePaths {
            stage: stage_kind,
            state: self.dir.join(format!("{stage}_state.json")),
            failure_log: self.dir.join(format!("{stage}_failures.log")),
        };
        Ok(StageFiles::open(&paths, Arc::clone(&self.lock), Arc::new(SystemClock))?)
    }

    /// Imports and then migrates, as one execution of the program does; `expected` runs must be archived.
    fn execute(&mut self, runtime: &Runtime, batch_size: u64, expected: usize) -> Result<()> {
        let options = StageOptions { batch_size, ..StageOptions::default() };
        let start = Instant::now();
        let (artdaq, source) = (Arc::new(self.artdaq()?), Arc::clone(&self.source));
        let (files, store, watch) = (self.open("importer")?, Arc::clone(&artdaq) as _, Arc::new(Stopwatch::default()));
        let work = import(files, source, store, options.clone(), Arc::clone(&watch) as _, CancellationToken::new());
        let settled = outcome(runtime.block_on(work).1, expected, &watch)?;
        self.import.push_execution(start, &settled, Instant::now());

        if let Some(server) = &self.server {
            server.clear_ledger();
        }
        let (start, extra) = (Instant::now(), MigrateOptions::default());
        let (files, store, watch) = (self.open("migrator")?, self.ucon()?, Arc::new(Stopwatch::default()));
        let work = migrate(files, artdaq, store, extra, options, Arc::clone(&watch) as _, CancellationToken::new());
        let settled = outcome(runtime.block_on(work).1, expected, &watch)?;
        self.migrate.push_execution(start, &settled, Instant::now());
        self.migrate.requests += self.server.as_ref().map_or(0, |server| server.ledger().len());
        Ok(())
    }

    fn into_rows(self, executions: usize) -> [Value; 2] {
        let (target, requests) = match &self.server {
            Some(_) => ("UconDB over HTTP", Some(self.migrate.requests)),
            None => ("embedded UconDB", None),
        };
        let import = json!({ "name": "import to filesystemdb", "executions": executions, "steps": self.import.steps });
        let name = format!("migrate to {target}");
        let steps = self.migrate.steps;
        [import, json!({ "name": name, "executions": executions, "steps": steps, "requests": requests })]
    }
}

/// When the runs were settled, if all went well: a figure of something else would be worth nothing.
fn outcome(
    report: std::result::Result<StageReport, StageError>,
    expected: usize,
    watch: &Stopwatch,
) -> Result<Vec<Instant>> {
    let report = report?;
    let settled = watch.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if report.has_failures() || report.archived_count() != expected || settled.len() != expected {
        return Err(format!("{expected} runs should have been archived: {report:?}").into());
    }
    Ok(settled)
}

/// Writes a run record of fifteen files, about 20 kB; gives its size in bytes.
fn write_record(dir: &Path, run: usize) -> Result<usize> {
    fs::create_dir_all(dir)?;
    let mut files = texts(run);
    for number in 1..=4 {
        files.push((format!("tpc_crate{number:02}.fcl"), crate_fcl(run, number)));
    }
    for (name, entries) in [("EventBuilder1", 24), ("EventBuilder2", 24), ("DataLogger1", 20), ("Dispatcher1", 8)] {
        files.push((format!("{name}.fcl"), process_fcl(run, name, entries)));
    }
    for (name, text) in &files {
        fs::write(dir.join(name), text)?;
    }
    Ok(files.iter().map(|(_, text)| text.len()).sum())
}

/// One line for each number.
fn lines(numbers: std::ops::RangeInclusive<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(|number| line(number) + "\n").collect()
}

fn texts(run: usize) -> Vec<(String, String)> {
    let host = "/var/log/teststand/";
    let (minute, second) = (run / 60 % 60, run % 60);
    let metadata = format!(
        "Config name: physics\n{}DAQInterface directory: ts-run01.example.org:/opt/teststand/daq/DAQInterface\n\
         artdaq commit/version: v3_13_02 \"05-Feb-2026 10:02:17 UTC\" \"v3_13_02\"\n\nboardreader logfiles: \n{}\n\
         eventbuilder logfiles: \n{}\nDAQInterface start time: Mon Mar  2 09:{minute:02}:{second:02} UTC 2026\n\n\
         DAQInterface stop time: Mon Mar  2 11:{minute:02}:{second:02} UTC 2026\n\nTotal events: {}\n",
        lines(0..=3, |n| format!("Component #{n}: tpc_crate{:02}", n + 1)),
        lines(1..=4, |n| format!("ts-run01.example.org:{host}tpc_crate{n:02}/tpc_crate{n:02}-{run}-{}.log", run * n)),
        lines(1..=2, |n| format!("ts-evb{n:02}.example.org:{host}EventBuilder{n}/EventBuilder{n}-{run}.log")),
        run * 7
    );
    let boot = lines(1..=3, |n| {
        format!(
            "EventBuilder host: ts-evb{n:02}.example.org\nEventBuilder label: EventBuilder{n}\nEventBuilder port: 523{n}\n"
        )
    });
    let settings = lines(1..=30, |n| format!("setting_{n:02}_of_readout timeout: {}", n * 5));
    let environment = lines(1..=10, |n| format!("export DAQINTERFACE_{n:02}=/opt/teststand/run/{run}"));
    let setup =
        "#!/bin/bash\nsource /opt/teststand/products/setup\nsetup teststand_daq v2_07_01 -q e26:prof\n".to_owned();
    let known = lines(1..=4, |n| format!("tpc_crate{n:02} ts-crate{n:02}.example.org -1 1"));
    let ranks = "host  port  label  subsystem  rank\n\n".to_owned()
        + &lines(1..=8, |n| {
            format!("ts-crate{n:02}.example.org        1020{n}     tpc_crate{n:02}         1      {n}")
        });
    let named = [
        ("metadata.txt", metadata),
        ("boot.txt", boot),
        ("settings.txt", settings),
        ("environment.txt", environment),
        ("setup.txt", setup),
        ("known_boardreaders_list.txt", known),
        ("ranks.txt", ranks),
    ];
    named.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A readout crate; its pedestals are those of the run.
fn crate_fcl(run: usize, number: usize) -> String {
    let channels = lines(1..=40, |channel| {
        let pedestal = 2000 + (run * 31 + number * 7 + channel) % 100;
        format!("    channel{channel:02}: {{ gain: 7.8 pedestal: {pedestal} threshold: 12 }}")
    });
    format!(
        "# Readout of one TPC crate\ndaq: {{\n  fragment_receiver: {{\n    generator: TpcCrate\n    fragment_id: {number}\n\
         {channels}    request_mode: \"Window\" # as triggered\n  }}\n}}\nprocess_name: tpc_crate{number:02}\n"
    )
}

/// A process with `entries` filters.
fn process_fcl(run: usize, name: &str, entries: usize) -> String {
    let filters = lines(1..=entries, |n| {
        let factor = 1 + run % n.max(2);
        format!("    prescale{n:02}: {{ module_type: Prescaler prescaleFactor: {factor} prescaleOffset: 0 }}")
    });
    format!(
        "daq: {{\n  event_builder: {{ buffer_count: 20 max_incomplete_events: 50 send_requests: true }}\n}}\n\
         physics: {{\n  filters: {{\n{filters}  }}\n  p1: [ prescale01 ]\n  trigger_paths: [ p1 ]\n}}\nprocess_name: {name}\n"
    )
}
