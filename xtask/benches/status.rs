//! Measures the status of an archive with very many run directories, through the public functions of `run-pipeline`.
//!
//! `cargo xtask bench status` runs this as `status DIR RUNS` in a release build and makes a table of the JSON line that
//! it prints. There are RUNS empty run directories and sparse stores: artdaqDB in files and an embedded UconDB, both
//! empty. The same again with a stray directory `2026020110`. What is not read is the content of any directory.
//!
//! Absent: the start of the program and its screen.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use artdaq_db::{ConfigStore, FilesystemStore, FilesystemUri, RandomOids, Surroundings};
use fs_err as fs;
use run_pipeline::status::{Places, Sources, analyse, survey};
use run_pipeline::{Stage, StagePaths};
use serde_json::{Value, json};
use statefile::{Clock, SystemClock};
use ucon_db::{BlobStore, EmbeddedStore};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each row is measured; the first time warms the file system's caches.
const ROUNDS: usize = 4;
/// Somebody's note of a date.
const STRAY: &str = "2026020110";

fn main() -> Result<()> {
    // `cargo bench` adds `--bench` to the arguments of every bench target.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(dir), Some(runs)) = (arguments.next(), arguments.next()) else {
        return Err("usage: cargo xtask bench status [--dir DIR] [--runs N]".into());
    };
    let (dir, runs) = (Path::new(&dir), runs.parse()?);
    let records = dir.join("records");
    fs::create_dir_all(&records)?;
    for run in 1..=runs {
        fs::create_dir(records.join(u64::to_string(&run)))?;
    }
    let plain = measure(dir, "run directories alone")?;
    fs::create_dir(records.join(STRAY))?;
    let stray = measure(dir, "with a stray directory")?;
    writeln!(std::io::stdout(), "{}", json!({ "runs": runs, "rows": [plain, stray] }))?;
    Ok(())
}

/// Looks and concludes several times.
fn measure(dir: &Path, name: &str) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let uri = FilesystemUri::parse(&format!("filesystemdb://{}", dir.join("artdaqdb").display()), |_| None)?;
    let surroundings = Surroundings { clock: Arc::clone(&clock), oids: Arc::new(RandomOids), user: "bench".into() };
    let artdaq = FilesystemStore::new(&uri, surroundings);
    let (folder, object) = ("run_records".parse()?, "configuration".parse()?);
    let ucon = EmbeddedStore::new(&dir.join("ucondb.sqlite"), &folder, &object, Arc::clone(&clock));
    let paths = |stage, name: &str| StagePaths {
        stage,
        state: dir.join(format!("{name}_state.json")),
        failure_log: dir.join(format!("{name}_failures.log")),
    };
    let places = Places {
        records: dir.join("records"),
        import: paths(Stage::Import, "importer"),
        migrate: paths(Stage::Migrate, "migrator"),
        acknowledged: dir.join("acknowledged_gaps.json"),
    };
    let sources = Sources {
        places: &places,
        artdaq: Ok(&artdaq as &dyn ConfigStore),
        ucon: Ok(&ucon as &dyn BlobStore),
        max_shrink_percent: 10,
        wants_digests: false,
        now: clock.now(),
    };
    let mut nanoseconds = Vec::new();
    let mut gaps = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let survey = runtime.block_on(survey(sources));
        let analysis = analyse(&survey.facts, None);
        gaps = analysis.gap_rows(&survey.facts).len();
        nanoseconds.push(u64::try_from(started.elapsed().as_nanos())?);
    }
    // The first round filled the caches.
    Ok(json!({ "name": name, "nanoseconds": nanoseconds[1..], "gap_rows": gaps, "peak_kib": peak_kib()? }))
}

/// The largest resident set of this process so far, in KiB.
fn peak_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
