//! Sees to one index: look, decide, act, look again – until it is settled.
//!
//! There is one loop. Each turn describes the table afresh and does what its answer calls for, so an
//! index that was interrupted, lost its answer, or was made by somebody else needs no path of its own.
//! The pause between two turns comes with the reason for it, and backon is the loop that sleeps it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use backon::{ConstantBuilder, Retryable};
use gsi_state::{GsiKey, GsiStatus, StatusChange};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{ApiError, CreateIndex},
    classify::classify,
    compare::{Comparison, compare, on_demand_for, refusal, throughput_for, unused_setting},
    describe::{IndexStatus, TableDescription, TableStatus},
    event::{Event, EventKind, WaitReason},
    poll::poll_interval,
    record::RecordError,
    report::Outcome,
    retry::Decision,
    schedule::Run,
    spec::{AttributeTypes, IndexSpec},
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
    /// The run was asked to stop.
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

/// One index on its way.
pub(crate) struct Job<'a> {
    run: &'a Run,
    spec: &'a IndexSpec,
    key: GsiKey,
    /// The status that the state had at the start of the run.
    found: GsiStatus,
    started: Instant,
    progress: Mutex<Progress>,
}

/// The answer to a look at a table.
pub(crate) type Look = Result<TableDescription, ApiError>;

/// What the turns learn.
#[derive(Default)]
struct Progress {
    /// For the first turn.
    look: Option<Look>,
    /// Requests of this run that count.
    attempts: u32,
    /// The last request does not count, so the next one has its number.
    is_unspent: bool,
    /// Failed looks in a row.
    failed_looks: u32,
    /// The state says in progress: asked for, now or in an earlier run.
    was_asked_for: bool,
    /// The table's definitions are merged into the request.
    is_merged: bool,
}

impl<'a> Job<'a> {
    /// The job of one index. `look` is a look at its table that was taken a moment ago.
    pub(crate) fn new(run: &'a Run, spec: &'a IndexSpec, look: Option<Look>) -> Self {
        let key = spec.key();
        let found = run.recorder.status_of(&key).map_or(GsiStatus::Pending, |gsi| gsi.status);
        let progress = Progress { look, was_asked_for: found == GsiStatus::InProgress, ..Progress::default() };
        Self { run, spec, key, found, started: Instant::now(), progress: Mutex::new(progress) }
    }

    /// Sees to the index until it is settled, or until something bigger ends the work.
    pub(crate) async fn settle(self) -> Result<Outcome, Stop> {
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
            Err(Turn::Stop(stop)) => Err(stop),
            // The loop has no end but an outcome or a stop.
            Err(Turn::Pause(_)) => Err(Stop::Interrupted),
        }
    }

    async fn turn(&self) -> Result<Outcome, Turn> {
        let early = self.progress().look.take();
        let look = match early {
            Some(look) => Some(look),
            None => self.run.look(&self.spec.table).await,
        };
        let table = match look {
            None => return Err(Turn::Stop(Stop::Interrupted)),
            Some(Ok(table)) => table,
            Some(Err(error)) => return self.not_seen(error).await,
        };
        if self.run.cancel.is_cancelled() {
            return Err(Turn::Stop(Stop::Interrupted));
        }
        self.progress().failed_looks = 0;
        match compare(self.spec, &table) {
            Comparison::Different { status: IndexStatus::Deleting, .. }
            | Comparison::Same { status: IndexStatus::Deleting, .. } => self.wait_for(WaitReason::Deleting),
            Comparison::Different { differences, .. } => {
                let text = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                self.fail(format!("an index of this name exists and differs: {text}")).await
            }
            Comparison::Same { status: IndexStatus::Active, .. } => self.is_active().await,
            Comparison::Same { backfilling, .. } => self.is_building(backfilling).await,
            Comparison::Missing => self.is_missing(&table).await,
        }
    }

    async fn is_active(&self) -> Result<Outcome, Turn> {
        let was_asked_for = self.progress().was_asked_for;
        let outcome = match self.found {
            GsiStatus::Active if !was_asked_for => return Ok(Outcome::StillActive),
            _ if was_asked_for => Outcome::Created { elapsed: self.started.elapsed() },
            _ => Outcome::Adopted,
        };
        self.record(GsiStatus::Active, None).await?;
        Ok(outcome)
    }

    async fn is_building(&self, backfilling: Option<bool>) -> Result<Outcome, Turn> {
        if !self.progress().was_asked_for {
            self.record(GsiStatus::InProgress, None).await?;
        }
        self.tell(EventKind::Building { backfilling, elapsed: self.started.elapsed() });
        self.look_again(Outcome::StillBuilding)
    }

    async fn is_missing(&self, table: &TableDescription) -> Result<Outcome, Turn> {
        // Before any waiting: whoever reads it in the morning wants to have known it in the evening.
        if let Some(refusal) = refusal(self.spec, table) {
            return self.fail(refusal.to_string()).await;
        }
        if let Some(busy) = table.busy_index() {
            return self.wait_for(WaitReason::OtherIndex(busy.name.clone()));
        }
        if table.status != TableStatus::Active {
            return self.wait_for(WaitReason::Table(table.status.clone()));
        }
        if self.found == GsiStatus::Active && !self.progress().was_asked_for {
            self.tell(EventKind::Vanished);
        }
        self.request(table).await
    }

    /// Asks for the index: the intent first, on disk; then the request.
    async fn request(&self, table: &TableDescription) -> Result<Outcome, Turn> {
        let earlier = self.run.recorder.status_of(&self.key).map_or(0, |gsi| gsi.retry_count);
        let attempt = earlier.saturating_add(u32::from(!self.progress().is_unspent));
        let intent = StatusChange::new(self.key.clone(), GsiStatus::InProgress).attempt(attempt);
        self.run.recorder.record(intent).await?;
        self.progress().was_asked_for = true;
        self.progress().is_unspent = false;
        self.progress().attempts += 1;
        if let Some(unused) = unused_setting(self.spec, table) {
            self.tell(EventKind::Unused(unused));
        }
        self.tell(EventKind::Requesting { attempt });

        let is_merged = self.progress().is_merged;
        let request = CreateIndex {
            spec: self.spec,
            throughput: throughput_for(self.spec, table),
            on_demand: on_demand_for(self.spec, table),
            attributes: if is_merged { merge(table, self.spec) } else { self.spec.attributes.clone() },
        };
        match self.run.api.create_index(&request).await {
            Ok(()) => self.look_again(Outcome::StillBuilding),
            Err(error) => self.refused(error).await,
        }
    }

    /// A request failed, or its answer was lost.
    async fn refused(&self, error: ApiError) -> Result<Outcome, Turn> {
        let attempts = self.progress().attempts;
        let is_merged = self.progress().is_merged;
        let class = classify(&error);
        let decision = self.run.options.retry.decide(class, attempts, is_merged);
        self.tell(EventKind::Refused { error: error.to_string(), decision });
        match decision {
            Decision::Again { after, spends_attempt } => {
                if !spends_attempt {
                    self.progress().attempts -= 1;
                    self.progress().is_unspent = true;
                }
                self.record(GsiStatus::InProgress, Some(error.to_string())).await?;
                if class.leaves_effect_unknown() {
                    return self.pause_to_learn(after, Outcome::Unsettled { error: error.to_string() });
                }
                self.pause(after, Outcome::NotStarted)
            }
            Decision::MergeAttributes => {
                self.progress().is_merged = true;
                Err(Turn::Pause(Duration::ZERO))
            }
            Decision::GiveUpIndex => self.fail(error.to_string()).await,
            Decision::GiveUpTable => {
                self.fail(error.to_string()).await?;
                Err(Turn::Stop(Stop::Table(error)))
            }
        }
    }

    /// The table could not be looked at.
    async fn not_seen(&self, error: ApiError) -> Result<Outcome, Turn> {
        let failed_looks = {
            let mut progress = self.progress();
            progress.failed_looks += 1;
            progress.failed_looks
        };
        let decision = self.run.options.retry.decide(classify(&error), failed_looks, true);
        self.tell(EventKind::Refused { error: error.to_string(), decision });
        if let Decision::Again { after, .. } = decision {
            let was_asked_for = self.progress().was_asked_for;
            if was_asked_for {
                return self.pause_to_learn(after, Outcome::Unsettled { error: error.to_string() });
            }
            return self.pause(after, Outcome::NotStarted);
        }
        // What was asked for may be building, and what was active may still be: "failed" would be a guess.
        let was_asked_for = self.progress().was_asked_for;
        if was_asked_for || self.found != GsiStatus::Active {
            let status = if was_asked_for { GsiStatus::InProgress } else { GsiStatus::Failed };
            self.record(status, Some(error.to_string())).await?;
        }
        // Whatever made the looks fail makes those for the table's other indexes fail, too.
        Err(Turn::Stop(Stop::Table(error)))
    }

    fn wait_for(&self, reason: WaitReason) -> Result<Outcome, Turn> {
        self.tell(EventKind::Waiting(reason));
        let was_asked_for = self.progress().was_asked_for;
        self.look_again(if was_asked_for { Outcome::StillBuilding } else { Outcome::NotStarted })
    }

    /// Looks again after the usual interval; see [`pause`](Self::pause).
    fn look_again(&self, otherwise: Outcome) -> Result<Outcome, Turn> {
        self.pause(poll_interval(self.started.elapsed()), otherwise)
    }

    /// Goes on after a pause, or ends with `otherwise` where the run does not wait (any longer).
    fn pause(&self, after: Duration, otherwise: Outcome) -> Result<Outcome, Turn> {
        if self.run.options.is_waiting { self.pause_to_learn(after, otherwise) } else { Ok(otherwise) }
    }

    /// Like [`pause`](Self::pause), for runs that do not wait, too: what came of a request must be learnt.
    fn pause_to_learn(&self, after: Duration, otherwise: Outcome) -> Result<Outcome, Turn> {
        let timeout = self.run.options.timeout_per_index;
        match timeout.map(|timeout| timeout.saturating_sub(self.started.elapsed())) {
            Some(Duration::ZERO) => Ok(otherwise),
            Some(left) => Err(Turn::Pause(after.min(left))),
            None => Err(Turn::Pause(after)),
        }
    }

    async fn fail(&self, error: String) -> Result<Outcome, Turn> {
        self.record(GsiStatus::Failed, Some(error.clone())).await?;
        Ok(Outcome::Failed { error })
    }

    async fn record(&self, status: GsiStatus, error: Option<String>) -> Result<(), RecordError> {
        let mut change = StatusChange::new(self.key.clone(), status);
        change.error = error;
        self.run.recorder.record(change).await?;
        self.progress().was_asked_for = status == GsiStatus::InProgress;
        Ok(())
    }

    fn tell(&self, kind: EventKind) {
        self.run.observer.observe(&Event { key: self.key.clone(), kind });
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // Held for single assignments only, which cannot panic half-way.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sleeps, or wakes at once when the run is asked to stop; the next turn looks at the token itself.
async fn pause_unless_cancelled(pause: Duration, cancel: CancellationToken) {
    cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
}

/// The table's definitions with the index's added: what the service wants where it misses some.
fn merge(table: &TableDescription, spec: &IndexSpec) -> AttributeTypes {
    let mut merged = table.attributes.clone();
    for (name, kind) in spec.attributes.iter() {
        merged.define(name, kind);
    }
    merged
}
