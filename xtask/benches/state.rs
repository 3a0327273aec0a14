//! Measures what one durable update of an index-creation state costs, beside one append + fdatasync.
//!
//! `cargo xtask bench state` runs this as `state DIR ROUNDS` in a release build and makes a table of the
//! JSON line that it prints. Everything is measured in one process and interleaved round by round, so that
//! a disk that slows down half way slows all rows alike.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use fs_err::OpenOptions;
use gsi_state::{GsiKey, GsiStateManager, GsiStatus};

/// How many indexes the measured states hold.
const SIZES: [usize; 3] = [10, 1_000, 10_000];
/// The bytes of one appended record: about what a journal entry of one status change takes.
const RECORD_BYTES: usize = 200;
/// Rounds that are run first and not counted: they pay for cold caches and for the first allocation.
const WARM_UP_ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds `--bench` to the arguments of every bench target.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(dir), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: cargo xtask bench state [--dir DIR] [--rounds N]".into());
    };
    let rounds: usize = rounds.parse()?;
    let results = measure(Path::new(&dir), rounds)?;
    writeln!(std::io::stdout(), "{}", serde_json::Value::from(results))?;
    Ok(())
}

/// One state under measurement.
struct Subject {
    manager: GsiStateManager,
    key: GsiKey,
    nanoseconds: Vec<u64>,
}

impl Subject {
    fn new(dir: &Path, entries: usize) -> Result<Self, Box<dyn Error>> {
        let mut manager = GsiStateManager::open("bench", dir.join(format!("{entries}-entries")))?;
        manager.initialize((0..entries).map(|n| GsiKey::new(format!("table-{n:05}"), "by-status-index")))?;
        // In the middle: neither the first nor the last entry may be a special case.
        Ok(Self {
            manager,
            key: GsiKey::new(format!("table-{:05}", entries / 2), "by-status-index"),
            nanoseconds: vec![],
        })
    }

    fn update(&mut self, attempt: u32) -> Result<u64, Box<dyn Error>> {
        let start = Instant::now();
        self.manager.update_status(&self.key, GsiStatus::InProgress, Some(attempt), None)?;
        Ok(nanoseconds_since(start))
    }
}

/// The rows, as JSON objects: `{"name", "bytes", "nanoseconds": [..]}`; the first is the append.
fn measure(dir: &Path, rounds: usize) -> Result<Vec<serde_json::Value>, Box<dyn Error>> {
    let mut subjects = SIZES.into_iter().map(|entries| Subject::new(dir, entries)).collect::<Result<Vec<_>, _>>()?;
    let mut journal = OpenOptions::new().create(true).append(true).open(dir.join("journal"))?;
    let record = vec![b'x'; RECORD_BYTES];
    let mut appends = Vec::with_capacity(rounds);
    for round in 0..WARM_UP_ROUNDS + rounds {
        let start = Instant::now();
        journal.write_all(&record)?;
        journal.sync_data()?;
        let append = nanoseconds_since(start);
        if round >= WARM_UP_ROUNDS {
            appends.push(append);
        }
        for subject in &mut subjects {
            let update = subject.update(u32::try_from(round)?)?;
            if round >= WARM_UP_ROUNDS {
                subject.nanoseconds.push(update);
            }
        }
    }
    let mut rows = vec![row("append + fdatasync", RECORD_BYTES as u64, &appends)];
    for (entries, subject) in SIZES.into_iter().zip(subjects) {
        let bytes = fs_err::metadata(subject.manager.path())?.len();
        rows.push(row(&format!("update_status, {entries} entries"), bytes, &subject.nanoseconds));
    }
    Ok(rows)
}

fn row(name: &str, bytes: u64, nanoseconds: &[u64]) -> serde_json::Value {
    serde_json::json!({ "name": name, "bytes": bytes, "nanoseconds": nanoseconds })
}

fn nanoseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
