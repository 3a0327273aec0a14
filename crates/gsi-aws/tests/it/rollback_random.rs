//! Undoing under random faults, stopped and killed at random moments: exactly what we created is gone.
//!
//! The oracle is the ledger, and what the service has in the end.

use gsi_aws::{IndexSpec, rollback::RollbackOptions};
use gsi_state::GsiKey;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::{
    rollback::{SHORT, deletions, opened, ours, pass_milliseconds, undo_with},
    spy::Strike,
    support::*,
};

/// How a run ends before its time.
#[derive(Debug, Clone, Copy)]
enum End {
    CancelAfter(u64),
    DropAfter(u64),
    Strike(usize, Strike),
}

fn end() -> impl Strategy<Value = End> {
    let strike = prop_oneof![Just(Strike::DieBefore), Just(Strike::DieAfter), Just(Strike::Cancel)];
    prop_oneof![
        (0..15_000_u64).prop_map(End::CancelAfter),
        (0..15_000_u64).prop_map(End::DropAfter),
        (1..25_usize, strike).prop_map(|(n, strike)| End::Strike(n, strike)),
    ]
}

fn fault() -> impl Strategy<Value = String> {
    let effects = [
        "ThrottlingException",
        "InternalServerError",
        "ResourceInUseException",
        "LimitExceededException",
        "AccessDeniedException",
        "lost",
        "unreachable",
    ];
    let operation = prop_oneof![3 => Just("UpdateTable"), 1 => Just("DescribeTable")];
    (operation, 1..25_u32, 0..4_u32, prop::sample::select(effects.to_vec()))
        .prop_map(|(operation, first, more, effect)| format!("{operation}#{first}..{}={effect}", first + more))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the creation went and however often the rollback was stopped: in the end exactly what was there
    /// before is left, and nothing of it was ever touched.
    #[test]
    fn exactly_what_we_created_is_gone(
        indexes in prop::collection::vec((0..3_usize, any::<bool>()), 1..6),
        faults in prop::collection::vec(fault(), 0..4),
        create_end in prop::option::of(end()),
        ends in prop::collection::vec(end(), 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(story(&indexes, &faults.join("; "), create_end, &ends));
    }
}

async fn story(indexes: &[(usize, bool)], faults: &str, create_end: Option<End>, ends: &[End]) {
    let tables = ["table-0", "table-1", "table-2"];
    let mut world = World::with(faults, SHORT);
    for table in tables {
        world.table_keyed_by(table, "id", "S").await;
    }
    world.options.request_interval = None;
    let (mut specs, mut theirs) = (Vec::new(), Vec::new());
    for (n, (table, is_theirs)) in indexes.iter().enumerate() {
        let spec = spec(tables[*table], &format!("index-{n}"));
        if *is_theirs {
            made_by_others(&world, &spec).await;
            theirs.push(spec.key());
        }
        specs.push(spec);
    }
    created(&world, &specs, create_end).await;
    for end in ends {
        undone(&world, Some(*end)).await;
    }
    // The faults are finite; each run takes some of them away.
    for runs in 0.. {
        assert!(runs < 60, "it never ends");
        if ours(&world).is_empty() {
            break;
        }
        undone(&world, None).await;
    }
    pass(10).await;
    let mut left = Vec::new();
    for table in tables {
        let described = world.describe(table).await;
        left.extend(described.indexes.iter().map(|index| GsiKey::new(table, &index.name)));
    }
    left.sort();
    theirs.sort();
    assert_eq!(left, theirs);
    let deletions = deletions(&world);
    assert!(theirs.iter().all(|key| !deletions.contains_key(key)), "{deletions:?}");
    assert_eq!(deletions, world.all_creations().into_iter().filter(|(key, _)| !theirs.contains(key)).collect());
}

/// Somebody else makes an index, however long the faults take.
async fn made_by_others(world: &World, spec: &IndexSpec) {
    for _ in 0..60 {
        if world.describe(&spec.table).await.index(&spec.name).is_some() {
            pass(10).await;
            return;
        }
        drop(world.try_foreign_create(spec).await);
        pass(10).await;
    }
    panic!("{} cannot be made", spec.key());
}

async fn created(world: &World, specs: &[IndexSpec], end: Option<End>) {
    let cancel = CancellationToken::new();
    arm(world, end, &cancel);
    tokio::select! {
        result = world.try_run(specs, cancel.clone()) => drop(result.unwrap()),
        () = clock(world, end, &cancel) => {}
    }
    world.spy.spare();
    drop(opened(world).await);
}

async fn undone(world: &World, end: Option<End>) {
    let cancel = CancellationToken::new();
    arm(world, end, &cancel);
    let options = RollbackOptions { request_interval: None, ..RollbackOptions::default() };
    // Dropping the run is its death: its workers are aborted wherever they wait.
    tokio::select! {
        report = undo_with(world, options, cancel.clone()) => drop(report),
        () = clock(world, end, &cancel) => {}
    }
    world.spy.spare();
    drop(opened(world).await);
}

fn arm(world: &World, end: Option<End>, cancel: &CancellationToken) {
    *world.spy.cancel.lock().unwrap() = cancel.clone();
    match end {
        Some(End::Strike(n, strike)) => world.spy.strike(n, strike),
        _ => world.spy.spare(),
    }
}

async fn clock(world: &World, end: Option<End>, cancel: &CancellationToken) {
    match end {
        Some(End::DropAfter(time)) => pass_milliseconds(time).await,
        Some(End::Strike(..)) => world.spy.died.notified().await,
        Some(End::CancelAfter(time)) => {
            pass_milliseconds(time).await;
            cancel.cancel();
            std::future::pending::<()>().await;
        }
        None => std::future::pending().await,
    }
}
