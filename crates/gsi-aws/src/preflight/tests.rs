//! Scans against a table in memory, on a clock that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod keys;
mod resume;

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use statefile::{Lock, ManualClock, Owner, SystemClock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::resume::place;
use super::*;
use crate::{
    AttributeValue, Item, ItemApi, Page, QueryAnswer, QueryIndex, ScanPage,
    api::{ApiError, Operation},
    spec::{AttributeType, Definitions, IndexSpec, KeyRole, KeySchema},
};

/// `by-flight` (flight S, at N) and `by-seat` (seat S).
fn specs() -> Vec<IndexSpec> {
    let text = r#"{"bookings": [
        {"IndexName": "by-flight", "Projection": {"ProjectionType": "ALL"},
         "KeySchema": [{"AttributeName": "flight", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
         "AttributeDefinitions": [{"AttributeName": "flight", "AttributeType": "S"},
                                  {"AttributeName": "at", "AttributeType": "N"}]},
        {"IndexName": "by-seat", "Projection": {"ProjectionType": "ALL"},
         "KeySchema": [{"AttributeName": "seat", "KeyType": "HASH"}],
         "AttributeDefinitions": [{"AttributeName": "seat", "AttributeType": "S"}]}]}"#;
    Definitions::parse(text, Path::new("gsis.json")).unwrap().definitions.iter().cloned().collect()
}

/// A table of `count` items that answers in pages of 10 items, half a unit each; its key is a number.
struct Table {
    count: u64,
    pages: AtomicUsize,
    /// What happens instead of an answer, first the last.
    faults: Mutex<Vec<ApiError>>,
    /// After so many pages there are only errors: the process is as good as dead.
    dies_after: usize,
}

impl Table {
    fn new(count: u64) -> Self {
        Self { count, pages: AtomicUsize::new(0), faults: Mutex::default(), dies_after: usize::MAX }
    }

    fn pages(&self) -> usize {
        self.pages.load(Ordering::SeqCst)
    }

    /// Every 7th flight is a number, every 50th seat is empty, every third item has no seat.
    fn item(n: u64) -> Item {
        let text = |text: String| AttributeValue::String(text);
        let flight = if n.is_multiple_of(7) { AttributeValue::Number("1".to_owned()) } else { text(format!("LH{n}")) };
        let number = AttributeValue::Number(n.to_string());
        let mut item = vec![("id", number.clone()), ("flight", flight), ("at", number)];
        if n.is_multiple_of(50) {
            item.push(("seat", text(String::new())));
        } else if !n.is_multiple_of(3) {
            item.push(("seat", text(format!("{n}A"))));
        }
        item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn service(code: &str) -> ApiError {
    ApiError::Service { operation: Operation::Scan, code: code.to_owned(), message: String::new(), http_status: 400 }
}

#[async_trait]
impl ItemApi for Table {
    async fn scan_page(&self, request: &ScanPage<'_>) -> Result<Page, ApiError> {
        if let Some(fault) = self.faults.lock().unwrap().pop() {
            return Err(fault);
        }
        if self.pages.fetch_add(1, Ordering::SeqCst) >= self.dies_after {
            return Err(service("AccessDeniedException"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(request.projection, ["at", "flight", "id", "seat"], "no more than needed");
        let (segment, of) = request.segment.map_or((0, 1), |(segment, of)| (u64::from(segment), u64::from(of)));
        let begin = match request.start_key.map(|key| &key["id"]) {
            Some(AttributeValue::Number(last)) => last.parse::<u64>().unwrap() + of,
            Some(other) => panic!("{other:?}"),
            None => segment,
        };
        let limit = request.limit.unwrap_or(10).min(10) as usize;
        let numbers: Vec<u64> = (begin..self.count).step_by(usize::try_from(of).unwrap()).take(limit).collect();
        let last = numbers.last().copied().filter(|last| last + of < self.count);
        let key = |n: u64| Item::from([("id".to_owned(), AttributeValue::Number(n.to_string()))]);
        Ok(Page {
            items: numbers.iter().map(|n| Self::item(*n)).collect(),
            scanned: numbers.len() as u64,
            next_key: last.map(key),
            read_units: Some(0.5),
        })
    }

    async fn get_item(&self, _: &str, _: &Item, _: &[&str]) -> Result<Option<Item>, ApiError> {
        Err(service("ValidationException"))
    }

    async fn query_index(&self, _: &QueryIndex<'_>) -> Result<QueryAnswer, ApiError> {
        Err(service("ValidationException"))
    }
}

fn bookings(count: u64) -> ScannedTable {
    ScannedTable {
        name: "bookings".to_owned(),
        key_schema: KeySchema::new(["id"], []),
        item_count: Some(count),
        size_bytes: Some(count * 400),
    }
}

const FULL: PreflightOptions = PreflightOptions { extent: Extent::Full, read_units_per_second: None, segments: 4 };

async fn scan(preflight: &Preflight, count: u64) -> Result<Option<TableFindings>, PreflightError> {
    let specs = specs();
    preflight.scan(&bookings(count), &specs.iter().collect::<Vec<_>>(), &CancellationToken::new()).await
}

fn assert_whole(found: &TableFindings, count: u64) {
    let counted = |is: fn(u64) -> bool| (0..count).filter(|n| is(*n)).count() as u64;
    assert_eq!((found.scanned, found.is_whole), (count, true));
    let flight = &found.indexes["by-flight"];
    assert_eq!((flight.wrong_type, flight.empty, flight.sparse), (counted(|n| n % 7 == 0), 0, 0));
    assert_eq!(flight.fits, count - flight.wrong_type);
    let seat = &found.indexes["by-seat"];
    assert_eq!((seat.wrong_type, seat.empty), (0, counted(|n| n % 50 == 0)));
    assert_eq!(seat.sparse, counted(|n| n % 50 != 0 && n % 3 == 0));
    assert_eq!(seat.samples.len() as u64, seat.empty.min(SAMPLES_MAX as u64));
}

#[tokio::test(start_paused = true)]
async fn a_full_scan_counts_every_item_once_however_many_segments() {
    for segments in [1, 2, 3, 4, 16] {
        let options = PreflightOptions { segments, ..FULL };
        let preflight = Preflight::new(Arc::new(Table::new(1234)), options, Arc::new(SystemClock));
        let found = scan(&preflight, 1234).await.unwrap().unwrap();
        assert_whole(&found, 1234);
        assert!(found.read_units >= 1234.0 / 20.0, "{}", found.read_units);
        let sample = &found.indexes["by-seat"].samples[0];
        assert_eq!(sample.attribute, "seat");
        assert!(sample.key["id"].parse::<u64>().unwrap().is_multiple_of(50), "{sample:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sample_reads_a_little_of_every_part_and_keeps_nothing() {
    let (dir, lock) = place();
    let table = Arc::new(Table::new(100_000));
    let options = PreflightOptions { extent: Extent::Sample { items: 100 }, ..FULL };
    let preflight = Preflight::new(table.clone(), options, Arc::new(SystemClock))
        .with_progress(ProgressFile::open(dir.path(), &lock).unwrap());
    let found = scan(&preflight, 100_000).await.unwrap().unwrap();
    assert_eq!((found.scanned, found.is_whole, table.pages()), (100, false, 12)); // 10, 10 and 5 of each
    assert!(!dir.path().join(PROGRESS_FILE_NAME).exists());
}

#[tokio::test(start_paused = true)]
async fn the_budget_holds_over_all_segments() {
    // 1,000 items are 100 pages of half a unit: 50 units, 10 s at 5 a second.
    let options = PreflightOptions { read_units_per_second: Some(5.0), ..FULL };
    let preflight = Preflight::new(Arc::new(Table::new(1000)), options, Arc::new(SystemClock));
    let start = Instant::now();
    let found = scan(&preflight, 1000).await.unwrap().unwrap();
    let elapsed = start.elapsed().as_secs_f64();
    assert!((found.read_units - 50.0).abs() < 1.0, "{}", found.read_units);
    assert!((9.0..11.5).contains(&elapsed), "{elapsed}");
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for_and_what_does_not_ends_it() {
    let throttled = || service("ProvisionedThroughputExceededException");
    let check = async |faults: Vec<ApiError>, is_whole: bool| {
        let table = Table { faults: Mutex::new(faults), ..Table::new(100) };
        let options = PreflightOptions { segments: 1, ..FULL };
        let found = scan(&Preflight::new(Arc::new(table), options, Arc::new(SystemClock)), 100).await;
        assert_eq!(found.is_ok(), is_whole, "{found:?}");
    };
    check(vec![throttled(); 9], true).await;
    check(vec![throttled(); 10], false).await;
    check(vec![service("AccessDeniedException")], false).await;
    check(vec![service("ResourceNotFoundException")], false).await;
}
