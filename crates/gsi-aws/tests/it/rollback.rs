//! Undoing: exactly what this job created goes, whatever happens on the way.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dynamo_embedded::{IndexAction, Times};
use gsi_aws::{
    EventKind, IndexSpec,
    rollback::{
        RollbackFilter, RollbackOptions, RollbackOutcome, RollbackReport, RollbackStep, RollbackTarget, known_indexes,
        roll_back, select,
    },
};
use gsi_state::{GsiKey, GsiStateManager, GsiStatus, HistoryEvent, StatusView, read_history};
use tokio_util::sync::CancellationToken;

use crate::{spy::Strike, support::*};

/// The end of a deletion falls between two looks.
pub(crate) const SHORT: Times =
    Times { allocation: Duration::from_secs(1), backfill: Duration::from_secs(4), delete: Duration::from_millis(2050) };

/// Everything that the state says may go.
pub(crate) fn ours(world: &World) -> Vec<RollbackTarget> {
    let view = StatusView::read(world.dir.path()).unwrap().expect("there is a state file");
    let known = known_indexes(Some(&view.state), &[]);
    let chosen = select(known, &RollbackFilter::default()).chosen;
    chosen.into_iter().map(|gsi| RollbackTarget { key: gsi.key, may_be_active: true }).collect()
}

pub(crate) async fn undo_with(world: &World, options: RollbackOptions, cancel: CancellationToken) -> RollbackReport {
    let targets = ours(world);
    let api: Arc<crate::spy::Spy> = world.spy.clone();
    let manager = opened(world).await;
    let (_, result) = roll_back(manager, api, targets, options, world.events.clone(), cancel).await;
    result.unwrap()
}

pub(crate) async fn undo(world: &World) -> RollbackReport {
    undo_with(world, RollbackOptions::default(), CancellationToken::new()).await
}

/// The state, as soon as the last run's owner of it is gone.
pub(crate) async fn opened(world: &World) -> GsiStateManager {
    loop {
        match GsiStateManager::open("test", world.dir.path()) {
            Ok(manager) => return manager,
            Err(gsi_state::OpenError::Lock(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// How often a deletion took effect, by index.
pub(crate) fn deletions(world: &World) -> BTreeMap<GsiKey, usize> {
    let mut counts = BTreeMap::new();
    for call in world.dynamo.calls().unwrap() {
        if call.action == Some(IndexAction::Delete) && call.outcome.took_effect() {
            *counts.entry(GsiKey::new(call.table.unwrap(), call.index.unwrap())).or_default() += 1;
        }
    }
    counts
}

/// Second and outcome of every request for a deletion.
pub(crate) fn delete_requests(world: &World) -> Vec<String> {
    let calls = world.dynamo.calls().unwrap().into_iter();
    calls.filter(|call| call.action == Some(IndexAction::Delete)).map(|call| call.outcome.to_string()).collect()
}

pub(crate) async fn names(world: &World, table: &str) -> Vec<String> {
    world.describe(table).await.indexes.into_iter().map(|index| index.name).collect()
}

pub(crate) fn status(world: &World, spec: &IndexSpec) -> GsiStatus {
    world.entry(spec).status
}

/// Two indexes of ours in `one`, one in `two`, and one in each that was there before.
pub(crate) async fn prepared(faults: &str) -> (World, [IndexSpec; 3], [IndexSpec; 2]) {
    prepared_with(faults, SHORT).await
}

pub(crate) async fn prepared_with(faults: &str, times: Times) -> (World, [IndexSpec; 3], [IndexSpec; 2]) {
    let mut world = World::with(faults, times).tables(&["one", "two"]).await;
    world.options.request_interval = None;
    let ours = [spec("one", "aaa"), spec("one", "bbb"), spec("two", "ccc")];
    let theirs = [spec("one", "old"), spec("two", "old")];
    for spec in &theirs {
        world.foreign_create(spec).await;
    }
    pass(10).await;
    let all: Vec<IndexSpec> = ours.iter().chain(&theirs).cloned().collect();
    let report = world.run(&all).await;
    assert!(!report.has_failures(), "{report:?}");
    (world, ours, theirs)
}

#[tokio::test(start_paused = true)]
async fn what_was_created_goes_one_by_one_and_what_was_adopted_stays() {
    let (world, ours, theirs) = prepared("").await;
    let report = undo(&world).await;
    assert_eq!(report.count(|outcome| *outcome == RollbackOutcome::Deleted), 3, "{report:#?}");
    assert!(!report.is_interrupted && !report.has_failures() && !report.has_unfinished());
    assert!(report.indexes.iter().all(|story| story.tries == 1 && story.errors.is_empty()), "{report:#?}");
    // Two deletions of 2 s after one another in one table, no refusal of our own making, nothing asked for twice.
    assert!((4.0..6.5).contains(&report.elapsed_seconds), "{report:#?}");
    assert_eq!(delete_requests(&world), ["ok", "ok", "ok"]);
    assert_eq!((names(&world, "one").await, names(&world, "two").await), (vec!["old".into()], vec!["old".into()]));
    assert!(ours.iter().all(|spec| status(&world, spec) == GsiStatus::Deleted));
    assert!(theirs.iter().all(|spec| status(&world, spec) == GsiStatus::Active));
    let mut manager = opened(&world).await;
    assert!(manager.is_complete());
    manager.cleanup().unwrap();
    drop(manager);

    let history = read_history(world.dir.path()).unwrap();
    let of = |spec: &IndexSpec| -> Vec<_> {
        let key = spec.key();
        history.iter().filter(|entry| entry.is_about(&key)).map(|entry| entry.event.clone()).collect()
    };
    assert!(of(&ours[0]).contains(&HistoryEvent::DeletionRequested));
    assert!(matches!(of(&ours[0]).last(), Some(HistoryEvent::Settled { status: GsiStatus::Deleted, .. })));
    assert!(!of(&theirs[0]).contains(&HistoryEvent::DeletionRequested));
}

#[tokio::test(start_paused = true)]
async fn an_index_in_allocation_is_waited_for_and_then_deleted() {
    let mut world = World::new().tables(&["one"]).await;
    world.options.is_waiting = false;
    let spec = spec("one", "aaa");
    world.run(std::slice::from_ref(&spec)).await;
    let report = undo(&world).await;
    assert_eq!(report.indexes[0].outcome, RollbackOutcome::Deleted);
    assert_eq!((report.indexes[0].tries, delete_requests(&world)), (1, vec!["ok".to_owned()]));
    // Allocation takes 30 s, deletion 5 s; the backfill of 500 s is not waited for.
    assert!((35.0..40.0).contains(&report.elapsed_seconds), "{report:?}");
    assert_eq!(status(&world, &spec), GsiStatus::Deleted);
}

#[tokio::test(start_paused = true)]
async fn what_is_active_stays_unless_somebody_agreed() {
    let (world, ours, _) = prepared("").await;
    let targets = vec![RollbackTarget { key: ours[0].key(), may_be_active: false }];
    let api: Arc<crate::spy::Spy> = world.spy.clone();
    let options = RollbackOptions::default();
    let manager = opened(&world).await;
    let (manager, result) =
        roll_back(manager, api, targets, options, world.events.clone(), CancellationToken::new()).await;
    drop(manager);
    assert_eq!(result.unwrap().indexes[0].outcome, RollbackOutcome::Kept);
    assert_eq!((status(&world, &ours[0]), delete_requests(&world).len()), (GsiStatus::Active, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_already_is_a_success() {
    let (world, ours, _) = prepared("").await;
    world.foreign_delete("one", "aaa").await;
    pass(5).await;
    let report = undo(&world).await;
    assert_eq!(report.indexes[0].outcome, RollbackOutcome::AlreadyGone);
    assert_eq!(report.count(RollbackOutcome::is_gone), 3);
    assert_eq!(status(&world, &ours[0]), GsiStatus::Deleted);
    // Ours twice, and the other one's.
    assert_eq!(delete_requests(&world).len(), 3);
}

pub(crate) fn ours_left(world: &World) -> Vec<String> {
    ours(world).into_iter().map(|target| target.key.index().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn without_waiting_one_deletion_a_table_is_asked_for() {
    use RollbackOutcome::{NotStarted, StillDeleting};

    let (world, ours, _) = prepared("").await;
    let options = RollbackOptions { is_waiting: false, request_interval: None, ..RollbackOptions::default() };
    let report = undo_with(&world, options.clone(), CancellationToken::new()).await;
    let outcomes: Vec<_> = report.indexes.iter().map(|story| story.outcome.clone()).collect();
    assert_eq!(outcomes, [StillDeleting, NotStarted, StillDeleting]);
    assert!(report.has_unfinished() && !report.has_failures());
    assert_eq!(status(&world, &ours[1]), GsiStatus::Active);
    pass(5).await;
    undo_with(&world, options, CancellationToken::new()).await;
    pass(5).await;
    let report = undo(&world).await;
    assert_eq!(report.count(RollbackOutcome::is_gone), 1, "the last one: {report:?}");
    assert_eq!(delete_requests(&world), ["ok", "ok", "ok"]);
}

#[tokio::test(start_paused = true)]
async fn an_index_made_again_by_somebody_else_is_not_touched() {
    let (world, ours, _) = prepared("").await;
    let world = Arc::new(world);
    let (rival, spec) = (Arc::clone(&world), ours[2].clone());
    // The service never shows the gap between the two: only the status tells.
    tokio::spawn(async move {
        loop {
            pass_milliseconds(1).await;
            let is_gone = rival.describe("two").await.index("ccc").is_none();
            if is_gone {
                rival.foreign_create(&spec).await;
                return;
            }
        }
    });
    let report = undo(&world).await;
    let story = report.indexes.iter().find(|story| story.index == "ccc").unwrap();
    assert_eq!((story.outcome.clone(), story.was_made_again), (RollbackOutcome::Deleted, true), "{story:#?}");
    pass(10).await;
    assert_eq!(names(&world, "two").await.len(), 2);
    assert_eq!(deletions(&world)[&ours[2].key()], 1);
    // And the next rollback knows that it is not ours.
    assert_eq!(ours_left(&world), Vec::<String>::new());
}

pub(crate) async fn pass_milliseconds(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// A run of the rollback that is struck at its `n`-th call of the port; whether it was.
async fn struck(world: &World, n: usize, strike: Strike) -> bool {
    let cancel = CancellationToken::new();
    *world.spy.cancel.lock().unwrap() = cancel.clone();
    world.spy.strike(n, strike);
    let options = RollbackOptions { request_interval: None, ..RollbackOptions::default() };
    let was_struck = tokio::select! {
        report = undo_with(world, options, cancel) => report.is_interrupted,
        () = world.spy.died.notified() => true,
    };
    world.spy.spare();
    drop(opened(world).await);
    was_struck
}

#[tokio::test(start_paused = true)]
async fn interrupted_at_every_step_and_resumed() {
    // As few looks as there are steps.
    let milliseconds = Duration::from_millis;
    let times = Times { allocation: milliseconds(50), backfill: milliseconds(50), delete: milliseconds(250) };
    for strike in [Strike::DieBefore, Strike::DieAfter, Strike::Cancel] {
        let mut struck_at = 0;
        for n in 1.. {
            let (world, ours, theirs) = prepared_with("", times).await;
            if !struck(&world, n, strike).await {
                break;
            }
            struck_at = n;
            let told = format!("{strike:?} at call {n}");
            for spec in &ours {
                let (status, times) = (status(&world, spec), deletions(&world).get(&spec.key()).copied());
                assert!(
                    times.is_none() || status != GsiStatus::Active,
                    "{told}: {}: no deletion without intent",
                    spec.key()
                );
            }
            let report = undo(&world).await;
            assert!(!report.has_failures() && !report.has_unfinished(), "{told}: {report:#?}");
            assert_eq!(deletions(&world), ours.iter().map(|spec| (spec.key(), 1)).collect(), "{told}");
            assert_eq!(
                (names(&world, "one").await, names(&world, "two").await),
                (vec!["old".into()], vec!["old".into()])
            );
            assert!(theirs.iter().all(|spec| status(&world, spec) == GsiStatus::Active), "{told}");
            assert!(opened(&world).await.is_complete(), "{told}");
        }
        assert!(struck_at > 10, "{strike:?}: only {struck_at} steps");
    }
}

#[tokio::test(start_paused = true)]
async fn the_steps_are_told() {
    let (world, ours, _) = prepared("").await;
    undo(&world).await;
    let at = |is: fn(&RollbackStep) -> bool| {
        world.events.position(&ours[0], |kind| matches!(kind, EventKind::Rollback(step) if is(step)))
    };
    let requesting = at(|step| matches!(step, RollbackStep::Requesting { attempt: 1 }));
    let deleting = at(|step| matches!(step, RollbackStep::Deleting { .. }));
    let settled = at(|step| matches!(step, RollbackStep::Settled(RollbackOutcome::Deleted)));
    assert!(
        requesting.is_some() && requesting < deleting && deleting < settled,
        "{requesting:?} {deleting:?} {settled:?}"
    );
}
