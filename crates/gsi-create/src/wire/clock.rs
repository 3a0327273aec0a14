//! The time of a run: the machine's, or one that jumps over every pause.
//!
//! Virtual time is tokio's paused clock. While anything runs, time stands still; when every task
//! waits for a timer, it jumps to the next one. Work on tokio's threads for blocking work (the flush
//! of the state) holds the jump back until it is done, and an embedded DynamoDB answers on the thread
//! that asks, so nothing ever finds that time ran ahead of it. Signals are looked for at every turn.
//!
//! The state, its history and the embedded service's ledger are all told the time by one [`RunClock`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use statefile::{Clock, SystemClock};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::Instant,
};

use crate::exit::{Exit, Failure};

/// Tells the time of a run; clones tell the same.
#[derive(Debug, Clone)]
pub(crate) enum RunClock {
    /// As on the wall.
    Real,
    /// As fast as the work allows.
    Virtual(Arc<VirtualClock>),
}

/// Time that passes with a runtime's timers.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    runtime: Handle,
    origin: Instant,
    /// What it showed at `origin`.
    start: Mutex<DateTime<Utc>>,
}

/// The runtime of a job, and the clock that agrees with its timers. A virtual one begins now.
pub(crate) fn runtime(is_virtual: bool) -> Result<(Runtime, RunClock), Failure> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(is_virtual).build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let clock = if is_virtual {
        let _entered = runtime.enter();
        RunClock::Virtual(Arc::new(VirtualClock {
            runtime: runtime.handle().clone(),
            origin: Instant::now(),
            start: Mutex::new(SystemClock.now()),
        }))
    } else {
        RunClock::Real
    };
    Ok((runtime, clock))
}

/// Holds virtual time back, so that it passes `speed` times as fast as real time; until it is dropped.
///
/// The waiting is blocking work, which keeps time from jumping, on a thread that is not the runtime's, so
/// that signals are heard meanwhile.
#[expect(clippy::disallowed_methods, reason = "real time is what is wanted")]
pub(crate) async fn throttle(speed: f64) {
    // Ten steps a second look smooth, and cost nothing.
    let pause = Duration::from_millis(100);
    loop {
        tokio::time::sleep(pause.mul_f64(speed)).await;
        // A runtime that shuts down cancels it, and this task with it.
        let waited = tokio::task::spawn_blocking(move || std::thread::sleep(pause)).await;
        if waited.is_err() {
            return;
        }
    }
}

impl RunClock {
    /// Whether time jumps over pauses.
    pub(crate) const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// For the state and its history.
    pub(crate) fn for_state(&self) -> Arc<dyn Clock> {
        Arc::new(self.clone())
    }

    /// For an embedded DynamoDB.
    pub(crate) fn for_service(&self) -> dynamo_embedded::Clock {
        let clock = self.clone();
        Arc::new(move || clock.now().into())
    }

    /// Sets a virtual clock forward to `time`, if that lies ahead: where a database was used in
    /// virtual time before, time goes on from there.
    pub(crate) fn not_before(&self, time: SystemTime) {
        let (Self::Virtual(clock), time) = (self, DateTime::<Utc>::from(time)) else { return };
        let behind = time - self.now();
        if behind > chrono::TimeDelta::zero() {
            *clock.start() += behind;
        }
    }
}

impl Clock for RunClock {
    fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Real => SystemClock.now(),
            Self::Virtual(clock) => *clock.start() + clock.elapsed(),
        }
    }
}

impl VirtualClock {
    fn start(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        // Held for one addition, which leaves a valid time behind.
        self.start.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        // Outside of the runtime an instant would be the machine's.
        let _entered = self.runtime.enter();
        self.origin.elapsed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn virtual_time_passes_with_timers_and_nothing_else() {
        let (runtime, clock) = runtime(true).unwrap();
        let start = clock.now();
        runtime.block_on(async { tokio::time::sleep(Duration::from_hours(17)).await });
        assert_eq!(clock.now() - start, chrono::TimeDelta::hours(17), "asked from outside the runtime");
        let service = clock.for_service();
        assert_eq!(DateTime::<Utc>::from(service()), clock.now(), "state and ledger agree");
        clock.not_before((start + chrono::TimeDelta::hours(18)).into());
        assert_eq!(clock.now() - start, chrono::TimeDelta::hours(18));
        clock.not_before(start.into());
        assert_eq!(clock.now() - start, chrono::TimeDelta::hours(18), "never back");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "blocking work that takes time is what is tested")]
    fn time_does_not_run_ahead_of_blocking_work() {
        let (runtime, clock) = runtime(true).unwrap();
        let start = clock.now();
        let other = clock.clone();
        let finished = runtime.block_on(async move {
            let timer = tokio::spawn(tokio::time::sleep(Duration::from_hours(1)));
            let finished = tokio::task::spawn_blocking(move || {
                std::thread::sleep(Duration::from_millis(30));
                other.now()
            });
            let finished = finished.await.unwrap();
            timer.await.unwrap();
            finished
        });
        assert_eq!(finished, start, "the hour passed after the work");
        assert_eq!(clock.now() - start, chrono::TimeDelta::hours(1));
    }
}
