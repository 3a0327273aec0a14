//! `--timeout`: one bound for everything that a run does, from the pre-flight to the validation.

use std::time::Duration;

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// The time of a run, and the wish of its user to end it.
#[derive(Debug)]
pub(super) struct Deadline {
    at: Option<Instant>,
    wish: CancellationToken,
    /// Cancelled by either.
    end: CancellationToken,
    bell: Option<JoinHandle<()>>,
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(bell) = &self.bell {
            bell.abort();
        }
    }
}

impl Deadline {
    /// Begins now. Must be called within a runtime.
    pub(super) fn start(timeout: Option<Duration>, wish: &CancellationToken) -> Self {
        let at = timeout.map(|timeout| Instant::now() + timeout);
        let end = wish.child_token();
        let bell = at.map(|at| {
            let end = end.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(at).await;
                end.cancel();
            })
        });
        Self { at, wish: wish.clone(), end, bell }
    }

    /// Cancelled when the user wishes so, or the time is over.
    pub(super) fn end(&self) -> &CancellationToken {
        &self.end
    }

    /// How much time is left; `None` for as much as it takes.
    pub(super) fn left(&self) -> Option<Duration> {
        self.at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether the time is over, and nobody wished for the end before.
    pub(super) fn is_over(&self) -> bool {
        self.left() == Some(Duration::ZERO) && !self.wish.is_cancelled()
    }
}
