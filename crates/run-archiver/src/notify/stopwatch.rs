//! Notes how long each run took, as an observer between the pipeline and the screen.
//!
//! Events say when a run was settled, not when work on it began, and runs that are stored together are settled
//! together. So what is noted is the run's share of the wall time: the time since the last run was settled before,
//! divided among the runs that are settled at once. With one worker that is how long the run took, and the
//! shares always sum up to what the stage took.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use run_pipeline::{Event, EventKind, Observer, Outcome};
use statefile::Clock;

/// Runs that are settled within this time are settled at once.
const AT_ONCE: Duration = Duration::from_millis(2);

/// How long the runs of a stage took, and passes events on.
pub(crate) struct Stopwatch {
    inner: Arc<dyn Observer>,
    clock: &'static dyn Clock,
    laps: Mutex<Laps>,
}

/// A run's share of the wall time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lap {
    /// When it was settled.
    pub(crate) at: DateTime<Utc>,
    /// Its share.
    pub(crate) share: Duration,
}

#[derive(Debug, Default)]
struct Laps {
    /// When the last group of runs was settled, or work began.
    since: Option<Instant>,
    /// When the present group began to be settled, and its members.
    group: Option<(Instant, Vec<DateTime<Utc>>)>,
    done: Vec<Lap>,
}

impl Stopwatch {
    /// A stopwatch that passes every event on to `inner`.
    pub(crate) fn new(inner: Arc<dyn Observer>, clock: &'static dyn Clock) -> Self {
        Self { inner, clock, laps: Mutex::default() }
    }

    /// The shares of the runs since the last call.
    pub(crate) fn take(&self) -> Vec<Lap> {
        let mut laps = self.laps();
        laps.close();
        std::mem::take(&mut *laps).done
    }

    fn laps(&self) -> MutexGuard<'_, Laps> {
        self.laps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Laps {
    fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    fn settled(&mut self, now: Instant, at: DateTime<Utc>) {
        match &mut self.group {
            Some((begun, members)) if now.duration_since(*begun) < AT_ONCE => members.push(at),
            _ => {
                self.close();
                self.group = Some((now, vec![at]));
            }
        }
    }

    /// Shares the time among the present group.
    fn close(&mut self) {
        let Some((begun, members)) = self.group.take() else { return };
        let whole = self.since.map_or(Duration::ZERO, |since| begun.duration_since(since));
        let share = whole / u32::try_from(members.len()).unwrap_or(u32::MAX).max(1);
        self.done.extend(members.into_iter().map(|at| Lap { at, share }));
        self.since = Some(begun);
    }
}

impl Observer for Stopwatch {
    fn observe(&self, event: &Event) {
        match &event.kind {
            EventKind::Selected { .. } => self.laps().begin(Instant::now()),
            EventKind::Settled { outcome: Outcome::Archived { .. } | Outcome::Failed { .. }, .. } => {
                self.laps().settled(Instant::now(), self.clock.now());
            }
            _ => {}
        }
        self.inner.observe(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_time_is_shared_among_runs_that_are_settled_together() {
        let start = Instant::now();
        let mut laps = Laps::default();
        laps.begin(start);
        //                settled at milliseconds
        for milliseconds in [100, 400, 401, 401, 900] {
            laps.settled(start + Duration::from_millis(milliseconds), DateTime::UNIX_EPOCH);
        }
        laps.close();
        let shares: Vec<u128> = laps.done.iter().map(|lap| lap.share.as_millis()).collect();
        assert_eq!(shares, [100, 100, 100, 100, 500]);
    }
}
