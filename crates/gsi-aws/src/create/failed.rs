//! What follows a call that failed.

use gsi_state::{GsiStatus, HistoryEvent, Origin, StatusChange};

use std::time::Duration;

use super::{Job, Stop, Turn};
use crate::{api::ApiError, event::EventKind, report::Outcome, retry::Decision, words};

impl Job<'_> {
    /// A request failed, or its answer was lost.
    pub(super) async fn refused(&self, error: ApiError) -> Result<Outcome, Turn> {
        let (attempts, is_merged) = {
            let progress = self.progress();
            (progress.attempts, progress.is_merged)
        };
        let (class, decision) = self.run.decide(&error, attempts, is_merged);
        let (decision, origin) = {
            let mut progress = self.progress();
            let decision = progress.patient(class, decision);
            (decision, progress.is_refused(class, &error))
        };
        let story = vec![words::refused(&error, class, self.attempts_in_state(), decision)];
        self.tell(EventKind::Refused { error: error.to_string(), class, decision });
        match decision {
            Decision::Again { after, spends_attempt } => {
                if !spends_attempt {
                    self.progress().attempts -= 1;
                    self.progress().is_unspent = true;
                }
                let mut change = StatusChange::new(self.key.clone(), GsiStatus::InProgress).error(error.to_string());
                change.origin = origin;
                self.record(change, story).await?;
                if class.leaves_effect_unknown() {
                    return self.pause_to_learn(after, Outcome::Unsettled { error: error.to_string() });
                }
                self.pause(after, Outcome::NotStarted)
            }
            Decision::MergeAttributes => {
                self.progress().is_merged = true;
                self.run.recorder.note(&self.key, story).await?;
                Err(Turn::Pause(Duration::ZERO))
            }
            Decision::GiveUpIndex | Decision::GiveUpRun => self.fail_with(origin, error.to_string(), story).await,
            Decision::GiveUpTable => {
                self.fail_with(origin, error.to_string(), story).await?;
                Err(Turn::Stop(Stop::Table(error)))
            }
        }
    }

    /// The table could not be looked at.
    pub(super) async fn not_seen(&self, error: ApiError) -> Result<Outcome, Turn> {
        let (failed_looks, was_asked_for) = {
            let mut progress = self.progress();
            progress.failed_looks += 1;
            (progress.failed_looks, progress.was_asked_for)
        };
        // Whoever waits for days must not give up because the network was away for minutes.
        let last = self.run.options.retry.attempts_max.saturating_sub(1);
        let attempts = if was_asked_for { failed_looks.min(last) } else { failed_looks };
        let (class, decision) = self.run.decide(&error, attempts, true);
        let story = vec![words::refused(&error, class, self.attempts_in_state(), decision)];
        self.tell(EventKind::Refused { error: error.to_string(), class, decision });
        if let Decision::Again { after, .. } = decision {
            self.run.recorder.note(&self.key, story).await?;
            if was_asked_for {
                return self.pause_to_learn(after, Outcome::Unsettled { error: error.to_string() });
            }
            return self.pause(after, Outcome::NotStarted);
        }
        // What was asked for may be building, and what was active may still be: "failed" would be a guess.
        let outcome = if was_asked_for {
            self.record(StatusChange::new(self.key.clone(), GsiStatus::InProgress).error(error.to_string()), story)
                .await?;
            None
        } else if self.found == GsiStatus::Active {
            self.run.recorder.note(&self.key, story).await?;
            None
        } else {
            Some(self.fail(error.to_string(), story).await?)
        };
        if decision == Decision::GiveUpRun {
            return outcome.ok_or(Turn::Stop(Stop::Interrupted));
        }
        // Whatever made the looks fail makes those for the table's other indexes fail, too.
        Err(Turn::Stop(Stop::Table(error)))
    }

    /// Gives the index up.
    pub(super) async fn fail(&self, error: String, story: Vec<HistoryEvent>) -> Result<Outcome, Turn> {
        self.fail_with(None, error, story).await
    }

    /// Gives the index up, and says whose it is, if it is there.
    pub(super) async fn fail_with(
        &self,
        origin: Option<Origin>,
        error: String,
        mut story: Vec<HistoryEvent>,
    ) -> Result<Outcome, Turn> {
        let outcome = Outcome::Failed { error: error.clone() };
        story.extend(words::settled(&outcome, self.started.elapsed()));
        let mut change = StatusChange::new(self.key.clone(), GsiStatus::Failed).error(error);
        change.origin = origin;
        self.record(change, story).await?;
        Ok(outcome)
    }
}
