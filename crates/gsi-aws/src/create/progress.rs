//! What the turns about one index learn.

use std::time::Duration;

use gsi_state::{GsiState, GsiStatus, HistoryEvent, Origin};
use tokio::time::Instant;

use super::Look;
use crate::{api::ApiError, classify::ErrorClass, pacer, poll::poll_interval, retry::Decision};

/// What the turns learn.
#[expect(clippy::struct_excessive_bools, reason = "facts that are learnt independently of each other")]
pub(super) struct Progress<'a> {
    /// For the first turn.
    pub(super) look: Option<Look>,
    /// Leave to send a request, on the way to it.
    pub(super) leave: Option<pacer::Turn<'a>>,
    /// Requests of this run that count.
    pub(super) attempts: u32,
    /// The last request does not count, so the next one has its number.
    pub(super) is_unspent: bool,
    /// Failed looks in a row.
    pub(super) failed_looks: u32,
    /// The state says in progress: asked for, now or in an earlier run.
    pub(super) was_asked_for: bool,
    /// The service is at work on it, as far as anybody knows.
    pub(super) is_at_service: bool,
    /// The table's definitions are merged into the request.
    pub(super) is_merged: bool,
    /// A run that does not wait has made its one pause to learn what came of a request.
    pub(super) has_learnt: bool,
    /// Why it is not known what came of the last request; until the next look that succeeds.
    pub(super) unknown: Option<String>,
    /// When what is going on began: the last request, the last change of the reason to wait.
    pub(super) since: Instant,
    /// What the state calls active was not there, or not active any more.
    pub(super) was_lost: bool,
    /// A request of this job, in whatever run, may have taken effect.
    may_be_ours: bool,
    /// Since when the table is said to be busy, without showing it.
    busy_since: Option<Instant>,
    /// What the history heard last of what is going on.
    told: Option<HistoryEvent>,
}

impl Progress<'_> {
    /// The progress of an index of which the state knows `known`.
    pub(super) fn new(known: Option<&GsiState>, look: Option<Look>) -> Self {
        let was_asked_for = known.is_some_and(|gsi| gsi.status == GsiStatus::InProgress);
        let may_be_ours = known.is_some_and(|gsi| match (gsi.origin, gsi.status) {
            // What bears the name of ours now was made by somebody else.
            (_, GsiStatus::Deleted) => false,
            (Some(origin), _) => origin == Origin::Created,
            // Files of older programs do not say. What failed there was refused.
            (None, GsiStatus::InProgress | GsiStatus::Active) => gsi.was_created_here(),
            (None, _) => false,
        });
        Self {
            look,
            leave: None,
            attempts: 0,
            is_unspent: false,
            failed_looks: 0,
            was_asked_for,
            is_at_service: was_asked_for,
            is_merged: false,
            has_learnt: false,
            unknown: None,
            since: Instant::now(),
            was_lost: false,
            may_be_ours,
            busy_since: None,
            told: None,
        }
    }

    /// Whose the index is, if it is there.
    pub(super) const fn origin(&self) -> Origin {
        if self.may_be_ours { Origin::Created } else { Origin::Adopted }
    }

    /// A look succeeded.
    pub(super) fn was_seen(&mut self) {
        self.failed_looks = 0;
        self.unknown = None;
    }

    /// What was seen active before this run is gone: what appears under its name is somebody else's, until it is asked
    /// for again.
    pub(super) fn is_gone(&mut self) {
        if !self.was_asked_for {
            self.was_lost = true;
            self.may_be_ours = false;
        }
    }

    /// A request is about to be sent; its intent is on disk.
    pub(super) fn is_requested(&mut self) {
        self.was_asked_for = true;
        self.is_unspent = false;
        self.attempts += 1;
    }

    /// The service took the request.
    pub(super) fn is_accepted(&mut self) {
        self.may_be_ours = true;
        self.is_at_service = true;
        self.busy_since = None;
        self.since = Instant::now();
    }

    /// A request failed. What the state is to say of the origin, where that is not what the intent said: after
    /// a definite refusal, an index that appears all the same is somebody else's.
    pub(super) fn is_refused(&mut self, class: ErrorClass, error: &ApiError) -> Option<Origin> {
        self.since = Instant::now();
        if class.leaves_effect_unknown() {
            self.may_be_ours = true;
            self.is_at_service = true;
            self.unknown = Some(error.to_string());
            return None;
        }
        self.is_at_service = false;
        (!self.may_be_ours).then_some(Origin::Adopted)
    }

    /// A table that stays busy without showing why is asked less and less often.
    pub(super) fn patient(&mut self, class: ErrorClass, decision: Decision) -> Decision {
        if class != ErrorClass::TableBusy {
            self.busy_since = None;
            return decision;
        }
        let since = *self.busy_since.get_or_insert_with(Instant::now);
        match decision {
            Decision::Again { after, spends_attempt } => {
                let after: Duration = after.max(poll_interval(since.elapsed()));
                Decision::Again { after, spends_attempt }
            }
            other => other,
        }
    }

    /// What the history is to hear of what is going on: nothing, unless it changed.
    pub(super) fn news(&mut self, event: HistoryEvent) -> Vec<HistoryEvent> {
        if self.told.as_ref() == Some(&event) {
            return Vec::new();
        }
        // A build goes on through its phases; everything else begins anew.
        let goes_on = |event: &HistoryEvent| matches!(event, HistoryEvent::Building { .. });
        let is_same_build = goes_on(&event) && self.told.as_ref().is_none_or(goes_on);
        if !is_same_build {
            self.since = Instant::now();
        }
        self.told = Some(event.clone());
        vec![event]
    }
}
