//! Scans that were broken off, and go on.

use super::*;

pub(super) fn place() -> (tempfile::TempDir, Arc<Lock>) {
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
