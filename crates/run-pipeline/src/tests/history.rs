//! Random histories: directories come late, grow, break and are mended, runs are held back, named, refreshed and
//! lived without, executions of all modes are killed anywhere. Nothing is lost on the way, no note is missing, and in
//! the end everything is archived as it is on disk.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;
use run_state::{RunNumber, RunSet};
use ucon_db::{BlobStore as _, Md5Digest, adler32};

use super::{
    Fuse,
    stores::Faulty,
    world::{MALFORMED, RECORD, World, options, runs},
};
use crate::{Content, HoldPolicy, Mode, RunEvent, StageOptions, StageSnapshot, read_notes};

#[derive(Debug, Clone)]
enum Step {
    Add(u64),
    Break(u64),
    Mend(u64),
    /// The run ends.
    Stop(u64),
    /// Whatever is on disk has settled.
    Wait,
    Execute(Execution),
}

#[derive(Debug, Clone)]
struct Execution {
    is_import: bool,
    mode: Mode,
    workers: usize,
    power: Option<i64>,
    only: Option<RunSet>,
}

fn execution() -> impl Strategy<Value = Execution> {
    let mode = prop_oneof![
        3 => Just(Mode::Full),
        3 => Just(Mode::Incremental),
        2 => Just(Mode::RetryFailed),
        1 => Just(Mode::Refresh)
    ];
    let power = prop_oneof![Just(None), (0..60_i64).prop_map(Some)];
    let some = prop::collection::btree_set(1..25_u64, 1..6);
    let only =
        prop_oneof![4 => Just(None), 1 => some.prop_map(|runs| Some(runs.into_iter().map(RunNumber::new).collect()))];
    (prop::bool::weighted(0.6), mode, 1..4_usize, power, only)
        .prop_map(|(is_import, mode, workers, power, only)| Execution { is_import, mode, workers, power, only })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..25_u64).prop_map(Step::Add),
        1 => (1..25_u64).prop_map(Step::Break),
        1 => (1..25_u64).prop_map(Step::Mend),
        2 => (1..25_u64).prop_map(Step::Stop),
        3 => Just(Step::Wait),
        5 => execution().prop_map(Step::Execute),
    ]
}

const START: &str = "DAQInterface start time: Sat Nov 21 00:37:50 UTC 2026\n";
const STOP: &str = "DAQInterface stop time: Sat Nov 21 00:47:50 UTC 2026\n";

struct History {
    world: World,
    present: RunSet,
    broken: RunSet,
    acknowledged: RunSet,
}

impl History {
    fn new(acknowledged: RunSet) -> Self {
        Self { world: World::new(), present: RunSet::new(), broken: RunSet::new(), acknowledged }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Add(run) if !self.present.contains(run.into()) => {
                self.present.insert(run.into());
                self.world.write(run, RECORD);
                self.world.write_file(run, "metadata.txt", START);
            }
            Step::Break(run) => {
                self.present.insert(run.into());
                // What is imported is left alone: archives keep what was true.
                if !self.world.imported().await.contains(run.into()) {
                    self.broken.insert(run.into());
                    self.world.write(run, MALFORMED);
                }
            }
            Step::Mend(run) if self.broken.remove(run.into()) => self.world.write(run, RECORD),
            Step::Stop(run) if self.present.contains(run.into()) => {
                self.world.write_file(run, "metadata.txt", &format!("{START}{STOP}"));
            }
            Step::Wait => self.world.clock.advance(TimeDelta::seconds(61)),
            Step::Add(_) | Step::Mend(_) | Step::Stop(_) => {}
            Step::Execute(execution) => {
                let stage = if execution.is_import { "importer" } else { "migrator" };
                let available = if execution.is_import { self.present.clone() } else { self.world.imported().await };
                let before = self.world.state(stage);
                let was_killed = self.execute(&execution).await;
                let archived =
                    if execution.is_import { self.world.imported().await } else { self.world.migrated().await };
                self.check(stage, &available, &archived, &before, was_killed);
            }
        }
    }

    async fn execute(&self, execution: &Execution) -> bool {
        let Execution { is_import, mode, workers, power, only } = execution.clone();
        let options = StageOptions {
            parallel_workers: workers,
            batch_size: 3,
            only,
            hold: HoldPolicy { settle_seconds: 60, ..HoldPolicy::default() },
            acknowledged: self.acknowledged.clone(),
            ..options(mode)
        };
        let fuse = Fuse::of(power.unwrap_or(i64::MAX));
        let config = Faulty::fused(&self.world.config, &fuse);
        let blobs = Faulty::fused(&self.world.blobs, &fuse);
        let work = async {
            if is_import {
                self.world.import_with(config, options, Some(&fuse)).await
            } else {
                self.world.migrate_with(config, blobs, options, Some(&fuse)).await
            }
        };
        tokio::select! {
            biased;
            () = fuse.blown() => {}
            outcome = work => assert!(fuse.is_blown() || outcome.is_ok(), "{outcome:?}"),
        }
        super::kill::settle(&self.world, if is_import { "importer" } else { "migrator" }).await;
        fuse.is_blown()
    }

    /// Every run that this execution found, at or below the mark, is archived or in the failure log.
    /// After a kill the late ones may still have to be noticed, but no mark has passed one.
    fn check(&self, stage: &str, available: &RunSet, archived: &RunSet, before: &StageSnapshot, was_killed: bool) {
        let now = self.world.state(stage);
        let lost = available.up_to(now.marks.last_attempted_run).difference(archived).difference(&now.failed);
        let below = lost.up_to(before.marks.last_attempted_run);
        let lost = if was_killed { lost.difference(&below) } else { lost };
        assert!(lost.is_empty(), "{stage}: {lost} lost at {} with log {}", now.marks, now.failed);
        let marks = format!("{stage}: {} to {}", before.marks, now.marks);
        assert!(now.marks.last_attempted_run >= before.marks.last_attempted_run, "{marks}");
        let contiguous = now.marks.last_contiguous_run;
        let end = archived.contiguous_end_over(&self.acknowledged).unwrap_or_default();
        assert!(contiguous == before.marks.last_contiguous_run || contiguous <= end, "{marks}");
        // What was cut off before and did not fit in this execution waits for the next one.
        let left = now.in_flight.difference(&before.in_flight);
        assert!(was_killed || left.is_empty(), "{stage}: {left} left in flight");
        // Who is held back has not failed, and no mark has passed it.
        let start = before.marks.incremental_start();
        let held = now.held.difference(&now.held.up_to(start)).difference(&before.failed).difference(&before.in_flight);
        assert!(held.intersection(&now.failed).is_empty(), "{stage}: {held} held back, log {}", now.failed);
        assert!(held.up_to(now.marks.last_attempted_run).is_empty(), "{marks} past {held}");
        // Whatever counts as archived is in the journal.
        let counts = archived.up_to(now.marks.last_attempted_run).difference(&now.failed).difference(&now.in_flight);
        let noted = self.noted(stage).into_keys().collect();
        assert!(counts.difference(&noted).is_empty(), "{stage}: no note of {}", counts.difference(&noted));
    }

    /// What the journal last said of the content of each run.
    fn noted(&self, stage: &str) -> BTreeMap<RunNumber, Content> {
        let mut noted = BTreeMap::new();
        for note in read_notes(&self.world.paths(stage).journal()).unwrap() {
            if let RunEvent::Archived { content, .. } | RunEvent::Refreshed { content } = note.event {
                noted.insert(note.run, content);
            }
        }
        noted
    }

    /// Mends everything, lets everything end, and runs both stages until nothing is left to do.
    async fn finish(mut self) {
        for run in self.broken.clone().iter() {
            self.take(Step::Mend(run.get())).await;
        }
        for run in self.present.clone().iter() {
            self.take(Step::Stop(run.get())).await;
        }
        self.take(Step::Wait).await;
        let both = async |mode| {
            for is_import in [true, false] {
                self.execute(&Execution { is_import, mode, workers: 2, power: None, only: None }).await;
            }
        };
        for _ in 0..10 {
            both(Mode::Full).await;
        }
        both(Mode::RetryFailed).await;
        both(Mode::RetryFailed).await;
        let noted = self.noted("migrator");
        let Self { world, present, acknowledged, .. } = self;
        assert_eq!((world.imported().await, world.migrated().await), (present.clone(), present.clone()));
        for stage in ["importer", "migrator"] {
            let now = world.state(stage);
            assert_eq!((now.failed, now.in_flight, now.held), (RunSet::new(), RunSet::new(), RunSet::new()));
            let marks = (now.marks.last_contiguous_run, now.marks.last_attempted_run);
            let end = present.contiguous_end_over(&acknowledged).unwrap_or_default();
            let expect = (end, present.last().unwrap_or_default());
            // A contiguous mark that once stood higher, before a lower run appeared, does not move back.
            assert!(marks.0 >= expect.0 && marks.1 == expect.1, "{stage}: {} for {present}", now.marks);
        }
        let import = world.state("importer");
        assert_eq!((import.unfinished, import.amended), (RunSet::new(), RunSet::new()));
        for run in present.iter() {
            let blob = world.blobs.get(run).await.unwrap().unwrap();
            assert!(str::from_utf8(&blob).unwrap().contains("DAQInterface_stop_time"), "{run} has no stop time");
            let Content { size_bytes, adler32: checksum, md5, .. } = &noted[&run];
            let expect = (Some(blob.len() as u64), Some(adler32(&blob)), Some(Md5Digest::of(&blob).to_string()));
            assert_eq!((*size_bytes, *checksum, md5.clone()), expect, "{run}");
            // Once without a stop time, perhaps, and once with it.
            assert!(world.blobs.versions(run).await.unwrap().len() <= 2, "{run}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_lost(
        steps in prop::collection::vec(step(), 1..30),
        acknowledged in prop_oneof![Just("none"), Just("3, 7-9"), Just("1-5, 20-40")],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut history = History::new(runs(acknowledged));
            for step in steps {
                history.take(step).await;
            }
            history.finish().await;
        });
    }
}
