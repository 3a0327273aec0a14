//! Requests that change tables, at a pace: the account's limit on them is shared by everybody.
//!
//! AWS documents 2,500 control plane requests a second; in fact an account-wide limiter lets about one
//! effective change a second through and throttles the rest (facts on DynamoDB, section 4). A refusal costs
//! more than waiting for one's turn. Reads are exempt.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Lets requests through one at a time, at least an interval apart; the weightiest that waits goes first.
///
/// ```
/// # use std::time::Duration;
/// # use gsi_aws::Pacer;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let started = tokio::time::Instant::now();
/// let pacer = Pacer::new(Some(Duration::from_secs(1)));
/// for _ in 0..3 {
///     pacer.turn(Duration::ZERO).await.send();
///     // The request goes here.
/// }
/// assert_eq!(started.elapsed(), Duration::from_secs(2));
/// # }
/// ```
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    queue: Mutex<Queue>,
    changed: Notify,
}

/// Weight, and how early it came: the greatest goes first.
type Place = (Duration, Reverse<u64>);

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeSet<Place>,
    arrivals: u64,
    /// A turn is given, and its request not yet sent.
    is_taken: bool,
    last_sent: Option<Instant>,
}

impl Pacer {
    /// A pacer that keeps requests `interval` apart; `None` lets everything through at once.
    pub fn new(interval: Option<Duration>) -> Self {
        Self { interval: interval.unwrap_or_default(), queue: Mutex::default(), changed: Notify::new() }
    }

    /// Waits for a turn. Of several that wait, the one with the greatest `weight` is next: how much work
    /// hangs on the request. May be dropped at any time.
    ///
    /// The turn holds the others up until [`send`](Turn::send) is called or it is dropped.
    pub async fn turn(&self, weight: Duration) -> Turn<'_> {
        if self.interval.is_zero() {
            return Turn { pacer: None };
        }
        let place = self.arrive(weight);
        let _leaves = Leaving { pacer: self, place };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before the look at the queue, so that no change is missed.
            changed.as_mut().enable();
            match self.try_take(place) {
                Attempt::Taken => return Turn { pacer: Some(self) },
                Attempt::NotBefore(time) => tokio::select! {
                    () = sleep_until(time) => {}
                    () = changed => {}
                },
                Attempt::NotNext => changed.await,
            }
        }
    }

    fn arrive(&self, weight: Duration) -> Place {
        let mut queue = self.queue();
        queue.arrivals += 1;
        let place = (weight, Reverse(queue.arrivals));
        queue.waiting.insert(place);
        place
    }

    fn try_take(&self, place: Place) -> Attempt {
        let mut queue = self.queue();
        if queue.is_taken || queue.waiting.last() != Some(&place) {
            return Attempt::NotNext;
        }
        match queue.last_sent.map(|sent| sent + self.interval) {
            Some(free_at) if free_at > Instant::now() => Attempt::NotBefore(free_at),
            _ => {
                queue.is_taken = true;
                Attempt::Taken
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Held for single steps that leave the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Attempt {
    Taken,
    NotBefore(Instant),
    NotNext,
}

/// Takes a place out of the queue, whether its turn came or its owner went away.
struct Leaving<'a> {
    pacer: &'a Pacer,
    place: Place,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.pacer.queue().waiting.remove(&self.place);
        self.pacer.changed.notify_waiters();
    }
}

/// Leave to send one request. Dropped unused, it goes to the next without a pause.
#[derive(Debug)]
#[must_use = "a turn that is dropped goes to the next"]
pub struct Turn<'a> {
    pacer: Option<&'a Pacer>,
}

impl Turn<'_> {
    /// To be called right before the request: the pause until the next one begins.
    pub fn send(self) {
        if let Some(pacer) = self.pacer {
            pacer.queue().last_sent = Some(Instant::now());
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(pacer) = self.pacer {
            pacer.queue().is_taken = false;
            pacer.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
