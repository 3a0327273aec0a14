//! Random histories: directories come late, break and are mended, executions of all modes are killed
//! anywhere. Nothing is lost on the way, and in the end everything is archived.

use proptest::prelude::*;
use run_state::RunSet;

use super::{
    Fuse,
    stores::Faulty,
    world::{MALFORMED, RECORD, World, options},
};
use crate::{Mode, StageOptions, StageSnapshot};

#[derive(Debug, Clone)]
enum Step {
    Add(u64),
    Break(u64),
    Mend(u64),
    Import { mode: Mode, workers: usize, power: Option<i64> },
    Migrate { mode: Mode, workers: usize, power: Option<i64> },
}

fn step() -> impl Strategy<Value = Step> {
    let mode = || prop_oneof![Just(Mode::Full), Just(Mode::Incremental), Just(Mode::RetryFailed)];
    let power = || prop_oneof![Just(None), (0..40_i64).prop_map(Some)];
    prop_oneof![
        3 => (1..25_u64).prop_map(Step::Add),
        1 => (1..25_u64).prop_map(Step::Break),
        1 => (1..25_u64).prop_map(Step::Mend),
        3 => (mode(), 1..4_usize, power()).prop_map(|(mode, workers, power)| Step::Import { mode, workers, power }),
        2 => (mode(), 1..4_usize, power()).prop_map(|(mode, workers, power)| Step::Migrate { mode, workers, power }),
    ]
}

struct History {
    world: World,
    present: RunSet,
    broken: RunSet,
}

impl History {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Add(run) if !self.present.contains(run.into()) => {
                self.present.insert(run.into());
                self.world.write(run, RECORD);
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
            Step::Add(_) | Step::Mend(_) => {}
            Step::Import { mode, workers, power } => {
                let available = self.present.clone();
                let before = self.world.state("importer");
                let was_killed = self.execute("importer", mode, workers, power).await;
                let archived = self.world.imported().await;
                self.check("importer", &available, &archived, &before, was_killed);
            }
            Step::Migrate { mode, workers, power } => {
                let available = self.world.imported().await;
                let before = self.world.state("migrator");
                let was_killed = self.execute("migrator", mode, workers, power).await;
                let archived = self.world.migrated().await;
                self.check("migrator", &available, &archived, &before, was_killed);
            }
        }
    }

    async fn execute(&self, stage: &str, mode: Mode, workers: usize, power: Option<i64>) -> bool {
        let options = StageOptions { parallel_workers: workers, batch_size: 3, ..options(mode) };
        let fuse = Fuse::of(power.unwrap_or(i64::MAX));
        let config = Faulty::fused(&self.world.config, &fuse);
        let blobs = Faulty::fused(&self.world.blobs, &fuse);
        let work = async {
            if stage == "importer" {
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
        super::kill::settle(&self.world, stage).await;
        fuse.is_blown()
    }

    /// Every run that this execution found, at or below the mark, is archived or in the failure log.
    /// After a kill the late ones may still have to be noticed, but no mark has passed one.
    fn check(&self, stage: &str, available: &RunSet, archived: &RunSet, before: &StageSnapshot, was_killed: bool) {
        let (now, cut_off_before) = (self.world.state(stage), &before.in_flight);
        let before = &before.marks;
        let lost = available.up_to(now.marks.last_attempted_run).difference(archived).difference(&now.failed);
        let lost = if was_killed { lost.difference(&lost.up_to(before.last_attempted_run)) } else { lost };
        assert!(lost.is_empty(), "{stage}: {lost} lost at {} with log {}", now.marks, now.failed);
        assert!(now.marks.last_attempted_run >= before.last_attempted_run, "{stage}: {before} to {}", now.marks);
        let contiguous = now.marks.last_contiguous_run;
        let end = archived.contiguous_end().unwrap_or_default();
        assert!(contiguous == before.last_contiguous_run || contiguous <= end, "{stage}: {before} to {}", now.marks);
        // What was cut off before and did not fit in this execution waits for the next one.
        let left = now.in_flight.difference(cut_off_before);
        assert!(was_killed || left.is_empty(), "{stage}: {left} left in flight");
    }

    /// Mends everything and runs both stages until nothing is left to do.
    async fn finish(mut self) {
        for run in self.broken.clone().iter() {
            self.take(Step::Mend(run.get())).await;
        }
        for _ in 0..20 {
            self.execute("importer", Mode::Full, 2, None).await;
            self.execute("migrator", Mode::Full, 2, None).await;
        }
        for _ in 0..2 {
            self.execute("importer", Mode::RetryFailed, 2, None).await;
            self.execute("migrator", Mode::RetryFailed, 2, None).await;
        }
        let Self { world, present, .. } = self;
        assert_eq!((world.imported().await, world.migrated().await), (present.clone(), present.clone()));
        for stage in ["importer", "migrator"] {
            let now = world.state(stage);
            assert_eq!((now.failed, now.in_flight), (RunSet::new(), RunSet::new()));
            let marks = (now.marks.last_contiguous_run, now.marks.last_attempted_run);
            let expect = (present.contiguous_end().unwrap_or_default(), present.last().unwrap_or_default());
            // A contiguous mark that once stood higher, before a lower run appeared, does not move back.
            assert!(marks.0 >= expect.0 && marks.1 == expect.1, "{stage}: {} for {present}", now.marks);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_lost(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut history = History { world: World::new(), present: RunSet::new(), broken: RunSet::new() };
            for step in steps {
                history.take(step).await;
            }
            history.finish().await;
        });
    }
}
