//! Values row by row; scans against a table in memory, on a clock that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

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

use super::*;
use crate::{
    AttributeValue, Item, ItemApi, Page, QueryAnswer, QueryIndex, ScanPage,
    api::{ApiError, Operation},
    spec::{AttributeType, Definitions, IndexSpec, KeyRole, KeySchema},
};

#[test]
fn values_that_can_be_keys_and_values_that_cannot() {
    use AttributeType as T;
    use KeyRole::{Hash, Range};
    let s = |text: &str| AttributeValue::String(text.to_owned());
    let x = |count: usize| AttributeValue::String("x".repeat(count));
    let n = |digits: &str| AttributeValue::Number(digits.to_owned());
    let b = |count: usize| AttributeValue::Binary(vec![7; count]);
    let check = |value: AttributeValue, wanted, role, expect: &str| {
        let said = violation(&value, wanted, role).map_or("fits".to_owned(), |violation| violation.to_string());
        assert_eq!(said, expect, "{value:?} as {wanted} {role}");
    };
    check(s("LH1"), T::String, Hash, "fits");
    check(s(" "), T::String, Hash, "fits"); // a blank is a byte
    check(s("\0"), T::String, Range, "fits");
    check(s(""), T::String, Hash, "is empty");
    check(s(""), T::String, Range, "is empty");
    check(x(2048), T::String, Hash, "fits");
    check(x(2049), T::String, Hash, "has 2049 bytes, more than 2048");
    check(x(1024), T::String, Range, "fits");
    check(x(1025), T::String, Range, "has 1025 bytes, more than 1024");
    check(s(&"ä".repeat(1024)), T::String, Hash, "fits"); // 2048 bytes: bytes count, not characters
    check(s(&"ä".repeat(1025)), T::String, Hash, "has 2050 bytes, more than 2048");
    check(s(&"🦀".repeat(257)), T::String, Range, "has 1028 bytes, more than 1024");
    check(n("1"), T::String, Hash, "is of type N, not S");
    check(n("0"), T::Number, Hash, "fits"); // zero is not empty
    check(n("-9.9999999999999999999999999999999999999E+125"), T::Number, Range, "fits");
    check(n(&"9".repeat(3000)), T::Number, Range, "fits"); // the digits are not the bytes
    check(s("1"), T::Number, Hash, "is of type S, not N");
    check(s(""), T::Number, Hash, "is of type S, not N"); // the type comes first
    check(b(1), T::Binary, Hash, "fits");
    check(b(0), T::Binary, Hash, "is empty");
    check(b(2048), T::Binary, Hash, "fits");
    check(b(2049), T::Binary, Hash, "has 2049 bytes, more than 2048");
    check(b(1025), T::Binary, Range, "has 1025 bytes, more than 1024");
    check(b(1), T::String, Hash, "is of type B, not S");
    for kind in ["BOOL", "NULL", "L", "M", "SS", "NS", "BS"] {
        check(AttributeValue::Other(kind), T::String, Hash, &format!("is of type {kind}, not S"));
    }
}

#[test]
fn a_violation_counts_even_beside_a_missing_key() {
    let spec = &specs()[0];
    let check = |flight: Option<AttributeValue>, at: Option<AttributeValue>, expect: Standing| {
        let values = [("flight", flight), ("at", at)].into_iter();
        let item: Item = values.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        assert_eq!(standing(&item, spec), expect);
    };
    let violates = |attribute: &str, violation| Standing::Violates { attribute: attribute.to_owned(), violation };
    let (text, number) =
        (|| Some(AttributeValue::String("a".to_owned())), || Some(AttributeValue::Number("1".to_owned())));
    let wrong = |found: &str, wanted: &str| Violation::WrongType { found: found.to_owned(), wanted: wanted.to_owned() };
    check(text(), number(), Standing::Fits);
    check(text(), None, Standing::Sparse);
    check(None, number(), Standing::Sparse);
    check(None, None, Standing::Sparse);
    check(None, text(), violates("at", wrong("S", "N")));
    check(number(), None, violates("flight", wrong("N", "S")));
    check(number(), text(), violates("flight", wrong("N", "S")));
}

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

fn place() -> (tempfile::TempDir, Arc<Lock>) {
    let dir = tempfile::tempdir().unwrap();
    let lock = Lock::acquire(dir.path().join("lock"), &Owner::current(&SystemClock)).unwrap();
    (dir, Arc::new(lock))
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_died_goes_on_where_it_was() {
    for dies_after in [0, 1, 5, 40, 99] {
        let (dir, lock) = place();
        let clock = Arc::new(ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap()));
        let attempt = async |table: Arc<Table>| {
            let file = ProgressFile::open(dir.path(), &lock).unwrap();
            scan(&Preflight::new(table, FULL, clock.clone()).with_progress(file), 1000).await
        };
        let died = attempt(Arc::new(Table { dies_after, ..Table::new(1000) })).await;
        assert!(died.unwrap_err().to_string().contains("`bookings`"));
        clock.advance(TimeDelta::hours(23));
        let rest = Arc::new(Table::new(1000));
        let found = attempt(rest.clone()).await.unwrap().unwrap();
        assert_whole(&found, 1000);
        // Pages that were under way when another segment failed are read again: three at most.
        assert!((100 - dies_after..=103 - dies_after).contains(&rest.pages()), "{dies_after}: {}", rest.pages());
        assert!(found.scanned_earlier <= dies_after as u64 * 10);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_scan_or_another_question_begins_anew() {
    let check = async |hours: i64, renamed: bool, expect_earlier: bool| {
        let (dir, lock) = place();
        let clock = Arc::new(ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap()));
        let open = || ProgressFile::open(dir.path(), &lock).unwrap();
        let dying = Arc::new(Table { dies_after: 50, ..Table::new(1000) });
        let died = scan(&Preflight::new(dying, FULL, clock.clone()).with_progress(open()), 1000).await;
        assert!(died.is_err());
        clock.advance(TimeDelta::hours(hours));
        let mut specs = specs();
        if renamed {
            specs.pop();
            specs[0].key_schema = KeySchema::new(["flight", "seat"], ["at"]);
            specs[0].attributes.define("seat", AttributeType::String);
        }
        let preflight = Preflight::new(Arc::new(Table::new(1000)), FULL, clock).with_progress(open());
        let specs: Vec<_> = specs.iter().collect();
        let found = preflight.scan(&bookings(1000), &specs, &CancellationToken::new()).await.unwrap().unwrap();
        assert_eq!((found.scanned, found.scanned_earlier > 0), (1000, expect_earlier), "{hours} {renamed}");
    };
    check(1, false, true).await;
    check(24, false, false).await;
    check(-1, false, false).await;
    check(1, true, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_clean_result_counts_for_a_day_and_a_bad_one_is_looked_at_again() {
    let clock = Arc::new(ManualClock::at("2026-02-01T10:30:00Z".parse().unwrap()));
    let check = async |count: u64, expect_pages_again: usize| {
        let (dir, lock) = place();
        let mut pages = Vec::new();
        for _ in 0..2 {
            let table = Arc::new(Table::new(count));
            let file = ProgressFile::open(dir.path(), &lock).unwrap();
            let seats = &specs()[1];
            let preflight = Preflight::new(table.clone(), FULL, clock.clone()).with_progress(file);
            let items = ScannedTable { key_schema: KeySchema::new(["id"], ["at"]), ..bookings(count) };
            let projected = IndexSpec { key_schema: KeySchema::new(["seat"], ["flight"]), ..seats.clone() };
            preflight.scan(&items, &[&projected], &CancellationToken::new()).await.unwrap().unwrap();
            pages.push(table.pages());
        }
        assert_eq!(pages[1], expect_pages_again, "{count}");
    };
    check(0, 0).await; // nothing violates
    check(30, 4).await; // item 0 has an empty seat
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

#[tokio::test(start_paused = true)]
async fn a_cancelled_scan_keeps_what_it_has() {
    let (dir, lock) = place();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let file = ProgressFile::open(dir.path(), &lock).unwrap();
    let preflight = Preflight::new(Arc::new(Table::new(1000)), FULL, Arc::new(SystemClock))
        .with_progress(file)
        .with_steps(move |step| {
            if step.scanned >= 400 {
                stop.cancel();
            }
        });
    let specs = specs();
    let found = preflight.scan(&bookings(1000), &specs.iter().collect::<Vec<_>>(), &cancel).await.unwrap();
    assert_eq!(found, None);
    let file = ProgressFile::open(dir.path(), &lock).unwrap();
    let preflight = Preflight::new(Arc::new(Table::new(1000)), FULL, Arc::new(SystemClock)).with_progress(file);
    let found = scan(&preflight, 1000).await.unwrap().unwrap();
    assert_whole(&found, 1000);
    assert!(found.scanned_earlier >= 400, "{}", found.scanned_earlier);
}

/// Nothing is saved at the end when the process is killed, so what counts is what was saved on the way.
#[tokio::test(start_paused = true)]
async fn a_scan_that_was_killed_goes_on_from_the_last_save() {
    let (dir, lock) = place();
    let open = || ProgressFile::open(dir.path(), &lock).unwrap();
    // 20,000 items are 2,000 pages of 10 ms, four at a time: 5 s.
    let killed = Preflight::new(Arc::new(Table::new(20_000)), FULL, Arc::new(SystemClock)).with_progress(open());
    assert!(tokio::time::timeout(Duration::from_secs(3), scan(&killed, 20_000)).await.is_err());
    let rest = Arc::new(Table::new(20_000));
    let found = scan(&Preflight::new(rest.clone(), FULL, Arc::new(SystemClock)).with_progress(open()), 20_000).await;
    let found = found.unwrap().unwrap();
    assert_whole(&found, 20_000);
    assert!((7_900..12_100).contains(&found.scanned_earlier), "saved every 2 s: {}", found.scanned_earlier);
    assert_eq!(rest.pages() as u64, (20_000 - found.scanned_earlier) / 10);
}
