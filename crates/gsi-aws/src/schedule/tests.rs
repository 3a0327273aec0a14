//! 1,000 random jobs on virtual time: how long they take against how long they must.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod memory;
// Where they are held against the embedded service, which this crate's sources must not know.
#[path = "../../tests/it/jobs/model.rs"]
mod model;
#[path = "../../tests/it/jobs/scenario.rs"]
mod scenario;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use self::{
    memory::Memory,
    model::{Model, Seen},
    scenario::Scenario,
};
use super::create_all_in;
use crate::{event::Observer, poll::poll_interval, report::RunReport, run::RunOptions};

/// Runs a scenario on a paused clock of its own.
fn run(scenario: &Scenario) -> (RunReport, Seen) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let model = Arc::new(Model::new(scenario));
        let specs = scenario.specs();
        let book = Memory::new(&specs);
        let options = RunOptions {
            request_interval: scenario.request_interval,
            expected: scenario.expected.clone(),
            ..RunOptions::default()
        };
        let observer: Arc<dyn Observer> = model.clone();
        let (book, result) =
            create_all_in(book, model.clone(), specs, options, observer, CancellationToken::new()).await;
        let seen = model.seen();
        assert_eq!(seen.asked_without_intent, 0);
        book.check(scenario);
        (result.unwrap(), seen)
    })
}

/// What cannot be undercut.
///
/// Per table: its builds one after the other, since the service takes one at a time; plus the time in which the
/// retry policy forbids every call after a failed one, as far as no build of the table goes on meanwhile. That
/// time is a fault's effect, and the policy is a requirement (its pauses are tested elsewhere).
///
/// Over all: the greatest of these. With requests an interval apart, the k-th table cannot begin before the
/// (k-1)-th interval has passed, in whatever order: so the greatest of `(k-1) * interval` plus the k-th longest
/// table; and no run ends before its last request plus the shortest build.
fn lower_bound(scenario: &Scenario, seen: &Seen) -> Duration {
    let mut tables: Vec<Duration> = seen.tables.values().map(model::SeenTable::lower_bound).collect();
    tables.sort_unstable_by(|a, b| b.cmp(a));
    let interval = scenario.request_interval.unwrap_or_default();
    let staggered = (0_u32..).zip(&tables).map(|(before, table)| before * interval + *table).max();
    let requests: usize = seen.tables.values().map(|table| table.requests).sum();
    let shortest = seen.tables.values().flat_map(model::SeenTable::build_times).min();
    let paced = interval * u32::try_from(requests.saturating_sub(1)).unwrap() + shortest.unwrap_or_default();
    staggered.unwrap_or_default().max(if shortest.is_some() { paced } else { Duration::ZERO })
}

/// Asserts what must hold for every scenario; the ratio, for the record.
fn check(number: u64) -> f64 {
    let scenario = Scenario::random(number);
    let (report, seen) = run(&scenario);
    let context = format!("seed {number}: {} tables, {} indexes", scenario.tables.len(), scenario.specs().len());

    assert_eq!(report.outcomes.len(), scenario.specs().len(), "{context}");
    for (key, outcome) in &report.outcomes {
        let is_good = outcome.is_active() || scenario.may_fail(key);
        assert!(is_good, "{context}: {key}: {outcome:?}");
    }
    assert_eq!(seen.self_inflicted, 0, "{context}: refusals of its own making");
    for (name, table) in &seen.tables {
        assert!(table.made_once(), "{context}: {name}");
        let most = table.looks_a_minute_in_long_phases();
        assert!(most <= 2, "{context}: {name} was described {most} times within a minute of a long phase");
    }
    let least = lower_bound(&scenario, &seen);
    let longest = seen.tables.values().flat_map(model::SeenTable::build_times).max();
    let one_poll = poll_interval(longest.unwrap_or_default());
    let most = least.mul_f64(1.02) + one_poll;
    assert!(report.elapsed <= most, "{context}: took {:?}, at least {least:?}", report.elapsed);
    if least.is_zero() { 1.0 } else { report.elapsed.as_secs_f64() / least.as_secs_f64() }
}

fn check_all(seeds: std::ops::Range<u64>) {
    let ratios: Vec<f64> = seeds.map(check).collect();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    // Each is within 2 % and a poll; on average half of that is wasted, and where faults rule, less.
    assert!((1.0..1.01).contains(&mean), "{mean}");
}

// In four parts, so that they run side by side.

#[test]
fn random_jobs_take_hardly_longer_than_they_must_1() {
    check_all(0..250);
}

#[test]
fn random_jobs_take_hardly_longer_than_they_must_2() {
    check_all(250..500);
}

#[test]
fn random_jobs_take_hardly_longer_than_they_must_3() {
    check_all(500..750);
}

#[test]
fn random_jobs_take_hardly_longer_than_they_must_4() {
    check_all(750..1000);
}

/// The bound can be exceeded, or the test above would prove nothing: looking every half minute, as others
/// do, wastes more than 2 % of builds of eight and a half minutes.
#[test]
fn the_bound_tells_a_lazy_poll() {
    let builds = 20;
    let build = Duration::from_secs(515);
    let looks = build.as_secs().div_ceil(30) * 30;
    let lazy = Duration::from_secs(looks) * builds;
    assert!(lazy > (build * builds).mul_f64(1.02) + poll_interval(build), "{lazy:?}");
    assert!(poll_interval(build) * builds <= (build * builds).mul_f64(0.02));
}
