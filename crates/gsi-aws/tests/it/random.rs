//! Random jobs under random faults, stopped and killed at random moments: each index is made once.
//!
//! The oracle is the ledger: however a job went, in the end every index was created exactly once, all
//! are active at the service and in the state, and no request came without its intent on disk (the
//! port's spy asserts that at each request).

use std::time::Duration;

use dynamo_embedded::Times;
use gsi_aws::{IndexSpec, Outcome, create_all, describe::IndexStatus};
use gsi_state::GsiStateManager;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::{spy::Strike, support::*};

const SHORT: Times =
    Times { allocation: Duration::from_secs(1), backfill: Duration::from_secs(4), delete: Duration::from_secs(1) };

/// How a run ends before its time.
#[derive(Debug, Clone, Copy)]
enum End {
    CancelAfter(Duration),
    DropAfter(Duration),
    Strike(usize, Strike),
}

fn end() -> impl Strategy<Value = End> {
    let time = || (0..20_000_u64).prop_map(Duration::from_millis);
    let strike = prop_oneof![Just(Strike::DieBefore), Just(Strike::DieAfter), Just(Strike::Cancel)];
    prop_oneof![
        time().prop_map(End::CancelAfter),
        time().prop_map(End::DropAfter),
        (1..30_usize, strike).prop_map(|(n, strike)| End::Strike(n, strike)),
    ]
}

const EFFECTS: [&str; 10] = [
    "ThrottlingException",
    "InternalServerError",
    "ServiceUnavailable",
    "ResourceInUseException",
    "LimitExceededException",
    "LimitExceededException(Too many operations for a given subscriber)",
    "AccessDeniedException",
    "ValidationException(AttributeDefinitions is not specified for index: x)",
    "lost",
    "unreachable",
];

/// One rule of a fault plan, about a few calls.
fn fault() -> impl Strategy<Value = String> {
    let operation = prop_oneof![3 => Just("UpdateTable"), 1 => Just("DescribeTable")];
    let scope = prop_oneof![Just(String::new()), (0..3_usize).prop_map(|table| format!("[table-{table}]"))];
    (operation, scope, 1..12_u32, 0..3_u32, prop::sample::select(&EFFECTS[..])).prop_map(
        |(operation, scope, first, more, effect)| format!("{operation}{scope}#{first}..{}={effect}", first + more),
    )
}

fn job() -> impl Strategy<Value = Vec<IndexSpec>> {
    prop::collection::vec(1..4_usize, 1..4).prop_map(|counts| {
        let of_table = |(table, count): (usize, &usize)| {
            (0..*count).map(|index| spec(&format!("table-{table}"), &format!("index-{index}"))).collect::<Vec<_>>()
        };
        counts.iter().enumerate().flat_map(of_table).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_index_is_made_exactly_once(
        specs in job(),
        faults in prop::collection::vec(fault(), 0..4),
        ends in prop::collection::vec(end(), 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(story(&specs, &faults.join("; "), &ends));
    }
}

async fn story(specs: &[IndexSpec], faults: &str, ends: &[End]) {
    let world = World::with(faults, SHORT).tables(&["table-0", "table-1", "table-2"]).await;
    for end in ends {
        one_run(&world, specs, *end).await;
        if let Some(view) = gsi_state::StatusView::read(world.dir.path()).unwrap() {
            assert!(view.summary().total == specs.len());
        }
    }
    world.spy.spare();
    // The faults are finite; each run takes some of them away.
    let mut runs = 0;
    while world.run(specs).await.count(Outcome::is_active) < specs.len() {
        runs += 1;
        assert!(runs < 50, "it never ends");
    }
    let manager = world.manager();
    assert!(manager.is_complete(), "{:?}", manager.summary());
    let creations = world.all_creations();
    for spec in specs {
        assert_eq!(creations.get(&spec.key()), Some(&1), "{}", spec.key());
        let table = world.describe(&spec.table).await;
        assert_eq!(table.index(&spec.name).unwrap().status, IndexStatus::Active);
    }
    assert_eq!(creations.len(), specs.len());
}

async fn one_run(world: &World, specs: &[IndexSpec], end: End) {
    let cancel = CancellationToken::new();
    *world.spy.cancel.lock().unwrap() = cancel.clone();
    world.spy.spare();
    if let End::Strike(n, strike) = end {
        world.spy.strike(n, strike);
    }
    let mut manager = opened(world).await;
    manager.initialize(specs.iter().map(IndexSpec::key)).unwrap();
    let run = create_all(
        manager,
        world.spy.clone(),
        specs.to_vec(),
        world.options.clone(),
        world.events.clone(),
        cancel.clone(),
    );
    let clock = async {
        match end {
            End::CancelAfter(time) => {
                tokio::time::sleep(time).await;
                cancel.cancel();
                std::future::pending::<()>().await;
            }
            End::DropAfter(time) => tokio::time::sleep(time).await,
            End::Strike(..) => world.spy.died.notified().await,
        }
    };
    // Dropping the run is its death: its workers are aborted wherever they wait.
    tokio::select! {
        (_, result) = run => drop(result.unwrap()),
        () = clock => {}
    }
    drop(opened(world).await);
}

/// The state, as soon as the last run's owner of it is gone.
async fn opened(world: &World) -> GsiStateManager {
    loop {
        match GsiStateManager::open("test", world.dir.path()) {
            Ok(manager) => return manager,
            Err(gsi_state::OpenError::Lock(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
