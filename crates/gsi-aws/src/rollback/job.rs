//! Sees to the deletion of one index: look, decide, act, look again – until it is gone.
//!
//! As in [`crate::create_all`], each turn describes the table afresh and does what its answer calls for.

mod refused;

use std::time::Duration;

use gsi_state::{GsiKey, GsiStatus, HistoryEvent, StatusChange};
use tokio::time::Instant;

use super::{RollbackError, RollbackOutcome, RollbackStep, RollbackTarget, RolledBack, Undo};
use crate::{
    api::ApiError,
    describe::{IndexDescription, IndexStatus, TableDescription, TableStatus},
    event::{Event, EventKind, WaitReason},
    pacer,
    poll::poll_interval,
    record::RecordError,
};

/// Why the work on an index ends without an outcome of its own.
#[derive(Debug)]
pub(super) enum Stop {
    /// The run was asked to stop.
    Interrupted,
    /// The state cannot be saved, so nothing may be asked for.
    State(RecordError),
    /// Every call on this table fails alike.
    Table(ApiError),
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Self::State(error)
    }
}

/// What a turn comes to.
enum Turn {
    Done(RollbackOutcome),
    /// Look again after a pause.
    Pause(Duration),
}

type Turned = Result<Turn, Stop>;

/// After an accepted request a description may still show the index as it was.
const LAG_MAX: Duration = Duration::from_secs(30);

/// How long a request that was sent before this run may need to show, when the index is not there.
const ABSENCE_PAUSE: Duration = Duration::from_secs(1);

/// One index on its way out.
pub(super) struct Job<'a> {
    undo: &'a Undo,
    target: RollbackTarget,
    started: Instant,
    /// Requests that count.
    tries: u32,
    failed_looks: u32,
    /// When the service accepted a request of this run.
    accepted: Option<Instant>,
    /// It was seen in DELETING, by this run.
    was_leaving: bool,
    /// It was asked for, so that one absent look may be too early.
    may_yet_appear: bool,
    was_made_again: bool,
    /// The leave to send a request, got after the last look.
    leave: Option<pacer::Turn<'a>>,
    errors: Vec<RollbackError>,
}

impl<'a> Job<'a> {
    pub(super) fn new(undo: &'a Undo, target: RollbackTarget) -> Self {
        let may_yet_appear = status_of(undo, &target.key) == Some(GsiStatus::InProgress);
        Self {
            undo,
            target,
            started: Instant::now(),
            tries: 0,
            failed_looks: 0,
            accepted: None,
            was_leaving: false,
            may_yet_appear,
            was_made_again: false,
            leave: None,
            errors: Vec::new(),
        }
    }

    /// Sees to the index until it is settled, or until something bigger ends the work.
    pub(super) async fn settle(&mut self) -> Result<RollbackOutcome, Stop> {
        loop {
            match self.turn().await? {
                Turn::Done(outcome) => return Ok(outcome),
                Turn::Pause(pause) => {
                    // Woken at once when the run is asked to stop; the next turn looks at the token itself.
                    self.undo.cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
                }
            }
        }
    }

    /// The story for the report.
    pub(super) fn finish(self, outcome: RollbackOutcome) -> RolledBack {
        RolledBack {
            table: self.target.key.table().to_owned(),
            index: self.target.key.index().to_owned(),
            outcome,
            tries: self.tries,
            errors: self.errors,
            elapsed_seconds: self.started.elapsed().as_secs_f64(),
            was_made_again: self.was_made_again,
        }
    }

    async fn turn(&mut self) -> Turned {
        let undo = self.undo;
        // Holds others up, so it is for this turn or for none.
        let leave = self.leave.take();
        if undo.hopeless.is_cancelled() {
            let error = "not attempted: this call would be refused, as one about another table was".to_owned();
            return Ok(Turn::Done(RollbackOutcome::Failed { error }));
        }
        let look = undo.cancel.run_until_cancelled(undo.api.describe_table(self.target.key.table())).await;
        if undo.cancel.is_cancelled() {
            return Err(Stop::Interrupted);
        }
        let table = match look {
            None => return Err(Stop::Interrupted),
            Some(Err(error)) => return self.not_seen(error).await,
            Some(Ok(table)) => table,
        };
        self.failed_looks = 0;
        match table.index(self.target.key.index()) {
            None => self.is_missing().await,
            Some(index) if index.status == IndexStatus::Deleting => {
                self.was_leaving = true;
                self.tell(RollbackStep::Deleting { elapsed: self.started.elapsed() });
                Ok(self.look_again())
            }
            Some(_) if self.was_leaving => {
                self.was_made_again = true;
                self.is_gone().await
            }
            Some(index) => self.is_there(&table, index, leave).await,
        }
    }

    /// The index is not there.
    async fn is_missing(&mut self) -> Turned {
        if self.may_yet_appear {
            self.may_yet_appear = false;
            return Ok(Turn::Pause(ABSENCE_PAUSE));
        }
        self.is_gone().await
    }

    async fn is_gone(&mut self) -> Turned {
        let was_intended = self.status() == Some(GsiStatus::Deleting);
        if !was_intended {
            self.record(GsiStatus::Deleting, None, Vec::new()).await?;
        }
        let settled = self.settled(GsiStatus::Deleted, None);
        self.record(GsiStatus::Deleted, None, vec![settled]).await?;
        let is_ours = was_intended || self.was_leaving;
        Ok(Turn::Done(if is_ours { RollbackOutcome::Deleted } else { RollbackOutcome::AlreadyGone }))
    }

    /// The index is there, and not on its way out.
    async fn is_there(
        &mut self,
        table: &TableDescription,
        index: &IndexDescription,
        leave: Option<pacer::Turn<'a>>,
    ) -> Turned {
        let undo = self.undo;
        if self.accepted.is_some_and(|at| at.elapsed() < LAG_MAX) {
            return Ok(self.look_again());
        }
        if index.status != IndexStatus::Creating && !self.target.may_be_active {
            return self.keep().await;
        }
        if index.status == IndexStatus::Creating && index.backfilling == Some(false) {
            self.tell(RollbackStep::InAllocation);
            return Ok(self.look_again());
        }
        if let Some(busy) = table.busy_index().filter(|busy| busy.name != index.name) {
            self.say(EventKind::Waiting(WaitReason::OtherIndex(busy.name.clone())));
            return Ok(self.look_again());
        }
        if table.status != TableStatus::Active {
            self.say(EventKind::Waiting(WaitReason::Table(table.status.clone())));
            return Ok(self.look_again());
        }
        let Some(leave) = leave else {
            // The wait may be long, so the table is looked at again after it.
            let turn = undo.cancel.run_until_cancelled(undo.pacer.turn(Duration::ZERO)).await;
            self.leave = Some(turn.ok_or(Stop::Interrupted)?);
            return Ok(Turn::Pause(Duration::ZERO));
        };
        self.request(leave).await
    }

    /// It became active, and was to be deleted only before that.
    async fn keep(&mut self) -> Turned {
        if self.status() == Some(GsiStatus::Deleting) {
            let settled = self.settled(GsiStatus::Active, None);
            self.record(GsiStatus::Active, None, vec![settled]).await?;
        }
        Ok(Turn::Done(RollbackOutcome::Kept))
    }

    /// Asks for the deletion: the intent first, on disk; then the request.
    async fn request(&mut self, leave: pacer::Turn<'a>) -> Turned {
        let undo = self.undo;
        if self.tries >= undo.options.tries_max {
            let error = self.errors.last().map_or_else(
                || "DynamoDB accepts the request, and the index stays".to_owned(),
                |error| error.message.clone(),
            );
            return Ok(Turn::Done(self.fail(error).await?));
        }
        self.record(GsiStatus::Deleting, None, vec![HistoryEvent::DeletionRequested]).await?;
        self.tries += 1;
        self.tell(RollbackStep::Requesting { attempt: self.tries });
        let key = &self.target.key;
        leave.send();
        match undo.api.delete_index(key.table(), key.index()).await {
            Ok(()) => {
                self.accepted = Some(Instant::now());
                Ok(self.look_again())
            }
            Err(error) => self.refused(error).await,
        }
    }

    /// What an interrupted run leaves.
    pub(super) fn left_behind(&self) -> RollbackOutcome {
        match self.status() {
            Some(GsiStatus::Deleting) => RollbackOutcome::StillDeleting,
            _ => RollbackOutcome::NotStarted,
        }
    }

    fn look_again(&self) -> Turn {
        if self.undo.options.is_waiting {
            self.pause(poll_interval(self.started.elapsed()))
        } else {
            Turn::Done(self.left_behind())
        }
    }

    /// Goes on after a pause, or ends where this index was waited for long enough.
    fn pause(&self, after: Duration) -> Turn {
        match self.undo.options.timeout_per_index.map(|timeout| timeout.saturating_sub(self.started.elapsed())) {
            Some(Duration::ZERO) => Turn::Done(self.left_behind()),
            Some(left) => Turn::Pause(after.min(left)),
            None => Turn::Pause(after),
        }
    }

    async fn record(
        &self,
        status: GsiStatus,
        error: Option<String>,
        events: Vec<HistoryEvent>,
    ) -> Result<(), RecordError> {
        let mut change = StatusChange::new(self.target.key.clone(), status);
        change.error = error;
        self.undo.recorder.record(change, events).await
    }

    fn settled(&self, status: GsiStatus, error: Option<String>) -> HistoryEvent {
        let elapsed_seconds = Some(self.started.elapsed().as_secs_f64());
        HistoryEvent::Settled { status, origin: None, elapsed_seconds, error }
    }

    fn status(&self) -> Option<GsiStatus> {
        status_of(self.undo, &self.target.key)
    }

    fn tell(&self, step: RollbackStep) {
        self.say(EventKind::Rollback(step));
    }

    fn say(&self, kind: EventKind) {
        self.undo.observer.observe(&Event { key: self.target.key.clone(), kind });
    }
}

fn status_of(undo: &Undo, key: &GsiKey) -> Option<GsiStatus> {
    undo.recorder.status_of(key).map(|gsi| gsi.status)
}
