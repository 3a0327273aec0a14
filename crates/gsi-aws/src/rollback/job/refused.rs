//! What a deletion does about errors.

use std::time::Duration;

use gsi_state::{GsiStatus, HistoryEvent};

use super::{Job, Stop, Turn, Turned};
use crate::{
    api::ApiError,
    classify::{ErrorClass, classify},
    record::RecordError,
    rollback::{RollbackError, RollbackOutcome, RollbackStep},
};

impl Job<'_> {
    /// A request failed, or its answer was lost.
    pub(super) async fn refused(&mut self, error: ApiError) -> Turned {
        let class = classify(&error);
        let next = self.pause_after(class);
        let event = self.note(&error, class, next);
        self.record(GsiStatus::Deleting, Some(error.to_string()), vec![event]).await?;
        if class == ErrorClass::TableBusy {
            self.tries -= 1;
        }
        let Some(pause) = next else {
            if class.concerns_whole_run() {
                self.undo.hopeless.cancel();
                return Err(Stop::Table(error));
            }
            return Ok(Turn::Done(self.fail(error.to_string()).await?));
        };
        if self.undo.options.is_waiting || class.leaves_effect_unknown() {
            return Ok(self.pause(pause));
        }
        Ok(Turn::Done(RollbackOutcome::StillDeleting))
    }

    /// How long after an error of the class `class` the next look follows; `None` where another try would not help.
    ///
    /// | class | what happens | counts as a try |
    /// |---|---|---|
    /// | table busy | looked at again after `busy_pause` | no |
    /// | not found | the index, or its table, is gone: the next look tells which | yes |
    /// | credentials, unknown host | the whole run ends | |
    /// | quota, invalid | given up | |
    /// | all others | again after `pause` | yes |
    fn pause_after(&self, class: ErrorClass) -> Option<Duration> {
        let options = &self.undo.options;
        match class {
            ErrorClass::TableBusy | ErrorClass::IndexMissing | ErrorClass::TableMissing => Some(options.busy_pause),
            ErrorClass::Quota | ErrorClass::Invalid | ErrorClass::AttributeDefinitions => None,
            class if class.concerns_whole_run() => None,
            // The last try may have taken effect: one look more.
            _ if self.tries >= options.tries_max && !class.leaves_effect_unknown() => None,
            _ => Some(options.pause),
        }
    }

    /// The table could not be looked at.
    pub(super) async fn not_seen(&mut self, error: ApiError) -> Turned {
        let class = classify(&error);
        self.failed_looks += 1;
        let is_final = class.concerns_whole_run()
            || matches!(class, ErrorClass::TableMissing | ErrorClass::Invalid)
            || self.failed_looks >= self.undo.options.tries_max;
        let next = (!is_final).then_some(self.undo.options.pause);
        let event = self.note(&error, class, next);
        self.undo.recorder.note(&self.target.key, vec![event]).await?;
        let Some(pause) = next else {
            if class.concerns_whole_run() {
                self.undo.hopeless.cancel();
            }
            return Err(Stop::Table(error));
        };
        Ok(self.pause(pause))
    }

    /// Gives it up: an intent stays, so that the next rollback goes on; an index that nothing was asked for stays as it is.
    pub(in crate::rollback) async fn fail(&self, error: String) -> Result<RollbackOutcome, RecordError> {
        if self.status() == Some(GsiStatus::Deleting) {
            let settled = self.settled(GsiStatus::Deleting, Some(error.clone()));
            self.record(GsiStatus::Deleting, Some(error.clone()), vec![settled]).await?;
        }
        Ok(RollbackOutcome::Failed { error })
    }

    /// Notes a failed call for the report and the screen; gives its line of the history.
    fn note(&mut self, error: &ApiError, class: ErrorClass, next: Option<Duration>) -> HistoryEvent {
        self.errors.push(RollbackError {
            after_seconds: self.undo.started.elapsed().as_secs_f64(),
            operation: error.operation().as_str(),
            class: class.as_str(),
            message: error.to_string(),
            next_delay_seconds: next.map(|next| next.as_secs_f64()),
        });
        self.tell(RollbackStep::Refused { error: error.to_string(), next });
        HistoryEvent::Refused {
            operation: error.operation().as_str().to_owned(),
            attempt: self.tries,
            class: class.as_str().to_owned(),
            message: error.to_string(),
            strategy: if next.is_some() { "looked at again" } else { "given up" }.to_owned(),
            next_delay_seconds: next.map(|next| next.as_secs_f64()),
        }
    }
}
