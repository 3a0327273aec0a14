//! Sees to one index: look, decide, act, look again – until it is settled.
//!
//! There is one loop. Each turn describes the table afresh and does what its answer calls for, so an
//! index that was interrupted, lost its answer, or was made by somebody else needs no path of its own.
//! The pause between two turns comes with the reason for it, and backon is the loop that sleeps it.
//!
//! What changes goes into the state and the history before it is acted on; a look that shows what the last
//! one showed leaves no trace.

mod failed;
mod pause;
mod progress;
mod request;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use backon::{ConstantBuilder, Retryable};
use gsi_state::{GsiKey, GsiStatus, HistoryEvent, Origin, StatusChange};
use tokio::time::Instant;

use self::{pause::pause_unless_cancelled, progress::Progress};
use crate::{
    api::ApiError,
    compare::{Comparison, Difference, compare},
    describe::{IndexStatus, TableDescription},
    event::{EventKind, WaitReason},
    record::RecordError,
    report::Outcome,
    rollback::is_disputed,
    run::Run,
    spec::IndexSpec,
    words,
};

/// Why a turn of the loop was not the last.
enum Turn {
    /// Look again after a pause.
    Pause(Duration),
    /// The loop ends without an outcome for this index.
    Stop(Stop),
}

/// Why the work on a table ends.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The run is over: it was asked to stop, its time is up, or every call would be refused.
    Interrupted,
    /// The state cannot be saved, so nothing may be asked for.
    State(RecordError),
    /// Every call on this table fails alike.
    Table(ApiError),
}

impl From<RecordError> for Turn {
    fn from(error: RecordError) -> Self {
        Self::Stop(Stop::State(error))
    }
}

/// The answer to a look at a table.
pub(crate) type Look = Result<Arc<TableDescription>, ApiError>;

/// One index on its way.
pub(crate) struct Job<'a> {
    run: &'a Run,
    spec: &'a IndexSpec,
    key: GsiKey,
    /// The status that the state had at the start of the run.
    found: GsiStatus,
    /// It was created here, and an earlier run saw another one than was wanted.
    was_disputed: bool,
    started: Instant,
    /// How much work hangs on this index: its own, and the table's other indexes'.
    work_ahead: Duration,
    progress: Mutex<Progress<'a>>,
}

impl<'a> Job<'a> {
    /// The job of one index. `look` is a look at its table that was taken a moment ago.
    pub(crate) fn new(run: &'a Run, spec: &'a IndexSpec, look: Option<Look>, work_ahead: Duration) -> Self {
        let key = spec.key();
        let known = run.recorder.status_of(&key);
        let found = known.as_ref().map_or(GsiStatus::Pending, |gsi| gsi.status);
        let was_disputed = known.as_ref().is_some_and(is_disputed);
        let progress = Mutex::new(Progress::new(known.as_ref(), look));
        Self { run, spec, key, found, was_disputed, started: Instant::now(), work_ahead, progress }
    }

    /// Sees to the index until it is settled, or until something bigger ends the work; then with what is
    /// left of this index.
    pub(crate) async fn settle(self) -> Result<Outcome, (Outcome, Stop)> {
        let cancel = self.run.cancel.clone();
        let forever = ConstantBuilder::new().with_delay(Duration::ZERO).without_max_times();
        let settled = (|| self.turn())
            .retry(forever)
            .sleep(move |pause| pause_unless_cancelled(pause, cancel.clone()))
            .when(|turn| matches!(turn, Turn::Pause(_)))
            .adjust(|turn, _| match turn {
                Turn::Pause(pause) => Some(*pause),
                Turn::Stop(_) => None,
            })
            .await;
        match settled {
            Ok(outcome) => {
                self.tell(EventKind::Settled(outcome.clone()));
                Ok(outcome)
            }
            Err(Turn::Stop(stop)) => Err((self.leave_behind(), stop)),
            // The loop has no end but an outcome or a stop.
            Err(Turn::Pause(_)) => Err((self.leave_behind(), Stop::Interrupted)),
        }
    }

    fn leave_behind(&self) -> Outcome {
        let left = self.left();
        if let Outcome::Unsettled { .. } = left {
            self.tell(EventKind::Settled(left.clone()));
        }
        left
    }

    /// What a run that stops leaves of this index.
    fn left(&self) -> Outcome {
        let progress = self.progress();
        let refusal = self.run.refusal();
        if progress.is_at_service {
            progress.unknown.clone().or(refusal).map_or(Outcome::StillBuilding, |error| Outcome::Unsettled { error })
        } else if self.found == GsiStatus::Active && !progress.was_asked_for && !progress.was_lost {
            refusal.map_or(Outcome::StillActive, |error| Outcome::Unsettled { error })
        } else {
            Outcome::NotStarted
        }
    }

    async fn turn(&self) -> Result<Outcome, Turn> {
        let early = self.progress().look.take();
        let look = match early {
            Some(look) => Some(look),
            None => self.run.look(&self.spec.table).await,
        };
        // Kept only on the way from the wait for a turn to the request.
        let leave = self.progress().leave.take();
        let table = match look {
            None => return Err(Turn::Stop(Stop::Interrupted)),
            Some(Ok(table)) => table,
            Some(Err(error)) => return self.not_seen(error).await,
        };
        if self.run.cancel.is_cancelled() {
            return Err(Turn::Stop(Stop::Interrupted));
        }
        let comparison = compare(self.spec, &table);
        self.progress().was_seen();
        if self.found == GsiStatus::Active && is_gone(&comparison) {
            self.progress().is_gone();
        }
        match comparison {
            Comparison::Different { status: IndexStatus::Deleting, .. }
            | Comparison::Same { status: IndexStatus::Deleting, .. } => self.wait_for(WaitReason::Deleting).await,
            Comparison::Different { differences, .. } => self.is_different(&differences).await,
            Comparison::Same { status: IndexStatus::Active, .. } => self.is_active().await,
            Comparison::Same { backfilling, .. } => self.is_building(backfilling).await,
            Comparison::Missing => self.is_missing(&table, leave).await,
        }
    }

    /// There is another index of the name. Unless it was seen active as ours, nobody knows that it is: the state has only
    /// the intent of a request, and what was asked for looks different. One that was seen as ours stays disputed.
    async fn is_different(&self, differences: &[Difference]) -> Result<Outcome, Turn> {
        let text = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let was_seen_as_ours = self.found == GsiStatus::Active || self.was_disputed;
        let is_doubtful = !was_seen_as_ours || self.progress().was_lost;
        let origin = is_doubtful.then_some(Origin::Adopted);
        self.fail_with(origin, format!("{}: {text}", words::DIFFERS), Vec::new()).await
    }

    async fn is_active(&self) -> Result<Outcome, Turn> {
        let (was_asked_for, was_lost, origin) = {
            let progress = self.progress();
            (progress.was_asked_for, progress.was_lost, progress.origin())
        };
        let outcome = match (self.found, origin) {
            (GsiStatus::Active, _) if !was_asked_for && !was_lost => return Ok(Outcome::StillActive),
            (_, Origin::Created) => Outcome::Created { elapsed: self.started.elapsed() },
            (_, Origin::Adopted) => Outcome::Adopted,
        };
        let change = StatusChange::new(self.key.clone(), GsiStatus::Active).origin(origin);
        let story = words::settled(&outcome, self.started.elapsed()).into_iter().collect();
        self.record(change, story).await?;
        Ok(outcome)
    }

    async fn is_building(&self, backfilling: Option<bool>) -> Result<Outcome, Turn> {
        let (is_known, origin, story) = {
            let mut progress = self.progress();
            progress.is_at_service = true;
            (progress.was_asked_for, progress.origin(), progress.news(words::building(backfilling)))
        };
        if is_known {
            self.run.recorder.note(&self.key, story).await?;
        } else {
            let change = StatusChange::new(self.key.clone(), GsiStatus::InProgress).origin(origin);
            self.record(change, story).await?;
        }
        self.tell(EventKind::Building { backfilling, elapsed: self.started.elapsed() });
        self.look_again(Outcome::StillBuilding)
    }

    async fn wait_for(&self, reason: WaitReason) -> Result<Outcome, Turn> {
        let (story, is_at_service) = {
            let mut progress = self.progress();
            (progress.news(words::waiting(&reason)), progress.is_at_service)
        };
        self.run.recorder.note(&self.key, story).await?;
        self.tell(EventKind::Waiting(reason));
        self.look_again(if is_at_service { Outcome::StillBuilding } else { Outcome::NotStarted })
    }

    async fn record(&self, change: StatusChange, story: Vec<HistoryEvent>) -> Result<(), RecordError> {
        let status = change.status;
        self.run.recorder.record(change, story).await?;
        self.progress().was_asked_for = status == GsiStatus::InProgress;
        Ok(())
    }

    /// Attempts over all runs.
    fn attempts_in_state(&self) -> u32 {
        self.run.recorder.status_of(&self.key).map_or(0, |gsi| gsi.retry_count)
    }

    fn tell(&self, kind: EventKind) {
        self.run.tell(&self.key, kind);
    }

    fn progress(&self) -> MutexGuard<'_, Progress<'a>> {
        // Held for single assignments only, which cannot panic half-way.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what was seen active once is there no more: an index that is ACTIVE is never CREATING again.
const fn is_gone(comparison: &Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Missing
            | Comparison::Same { status: IndexStatus::Creating | IndexStatus::Deleting, .. }
            | Comparison::Different { status: IndexStatus::Deleting, .. }
    )
}
