//! How long until the next turn, or whether there is one.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Job, Turn};
use crate::{poll::poll_interval, report::Outcome};

/// A run that does not wait still learns what came of a request, but no longer than this.
const LEARNING_PAUSE_MAX: Duration = Duration::from_secs(30);

impl Job<'_> {
    /// Looks again after the usual interval; see [`pause`](Self::pause).
    pub(super) fn look_again(&self, otherwise: Outcome) -> Result<Outcome, Turn> {
        let since = self.progress().since;
        self.pause(poll_interval(since.elapsed()), otherwise)
    }

    /// Goes on after a pause, or ends with `otherwise` where the run does not wait (any longer).
    pub(super) fn pause(&self, after: Duration, otherwise: Outcome) -> Result<Outcome, Turn> {
        if self.run.options.is_waiting { self.pause_in_time(after, otherwise) } else { Ok(otherwise) }
    }

    /// Like [`pause`](Self::pause), but a run that does not wait makes one short pause, too: what came of a
    /// request must be learnt.
    pub(super) fn pause_to_learn(&self, after: Duration, otherwise: Outcome) -> Result<Outcome, Turn> {
        if self.run.options.is_waiting {
            return self.pause_in_time(after, otherwise);
        }
        if std::mem::replace(&mut self.progress().has_learnt, true) {
            return Ok(otherwise);
        }
        self.pause_in_time(after.min(LEARNING_PAUSE_MAX), otherwise)
    }

    fn pause_in_time(&self, after: Duration, otherwise: Outcome) -> Result<Outcome, Turn> {
        let timeout = self.run.options.timeout_per_index;
        match timeout.map(|timeout| timeout.saturating_sub(self.started.elapsed())) {
            Some(Duration::ZERO) => Ok(otherwise),
            Some(left) => Err(Turn::Pause(after.min(left))),
            None => Err(Turn::Pause(after)),
        }
    }
}

/// Sleeps, or wakes at once when the run is asked to stop; the next turn looks at the token itself.
pub(super) async fn pause_unless_cancelled(pause: Duration, cancel: CancellationToken) {
    cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
}
