//! What to do about an error: a pure function of its class and of how often it was tried.
//!
//! | class | what happens | counts as an attempt |
//! |---|---|---|
//! | table busy, index not ready | wait until it is idle (looked at every `busy_pause`), ask again | no |
//! | too much at once | ask again after `limit_pause`, or when the service says | yes |
//! | throttled | ask again after the next step of `backoff`, or when the service says; at least 1 s | yes |
//! | server fault, no answer, unknown | ask again after the next step of `backoff` | yes |
//! | lasting fault | the same, but once only | yes |
//! | attribute definitions | ask again at once with the table's definitions merged in, once | yes |
//! | index exists | look at it after `busy_pause` | yes |
//! | quota, invalid, index missing | give this index up | |
//! | table missing | give this table up | |
//! | credentials, host not found | give the run up | |
//!
//! Before a request is sent again the table is always described, since the one before may have taken
//! effect. So there is no "retry" that could create an index twice.
//!
//! Many tables that are throttled together must not come back together: pauses are longer by a random part,
//! up to half of them. The randomness is an argument.

use std::time::Duration;

use crate::classify::ErrorClass;

/// How often and how long. The defaults are the requirement's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Requests for one index in one run; 5.
    pub attempts_max: u32,
    /// Pauses after the first, second … failed attempt; the last one is repeated. 30 s, 60 s, 120 s,
    /// 240 s, 480 s.
    pub backoff: Vec<Duration>,
    /// Pause after a limit on what goes on at once; 300 s.
    pub limit_pause: Duration,
    /// Pause before a busy table is looked at again; 5 s.
    pub busy_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            backoff: [30, 60, 120, 240, 480].map(Duration::from_secs).into(),
            limit_pause: Duration::from_mins(5),
            busy_pause: Duration::from_secs(5),
        }
    }
}

/// A call that failed, as far as the decision needs to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailedCall {
    /// What the error means.
    pub class: ErrorClass,
    /// Requests that count, this one included.
    pub attempts: u32,
    /// Whether the table's attribute definitions were merged into it already.
    pub is_merged: bool,
    /// How long the service asked to wait, where it did.
    pub asked_to_wait: Option<Duration>,
    /// Randomness, from 0 to 1: how much of the random part is added to the pause.
    pub jitter: f64,
}

impl FailedCall {
    /// The `attempts`-th request that counts failed; without randomness.
    pub const fn new(class: ErrorClass, attempts: u32) -> Self {
        Self { class, attempts, is_merged: false, asked_to_wait: None, jitter: 0.0 }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Look at the table after the pause, and ask again if the index is still missing.
    Again {
        /// How long to wait first.
        after: Duration,
        /// Whether the failed request counts against [`RetryPolicy::attempts_max`].
        spends_attempt: bool,
    },
    /// Ask again at once, with the table's attribute definitions merged in.
    MergeAttributes,
    /// This index cannot be had.
    GiveUpIndex,
    /// Nothing can be had of this table.
    GiveUpTable,
    /// Nothing can be had at all: every call would fail alike.
    GiveUpRun,
}

/// The shortest pause after throttling: about what the service takes to forget.
const THROTTLED_PAUSE_MIN: Duration = Duration::from_secs(1);

/// Requests in sum where the service fails in a way that does not pass: one to see whether that is so.
const LASTING_ATTEMPTS_MAX: u32 = 2;

impl RetryPolicy {
    /// Decides about a failed call.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gsi_aws::{Decision, ErrorClass, FailedCall, RetryPolicy};
    /// let policy = RetryPolicy::default();
    /// let again = |seconds| Decision::Again { after: Duration::from_secs(seconds), spends_attempt: true };
    /// let throttled = |attempts| FailedCall::new(ErrorClass::Throttled, attempts);
    /// assert_eq!(policy.decide(&throttled(1)), again(30));
    /// assert_eq!(policy.decide(&FailedCall { jitter: 1.0, ..throttled(1) }), again(45));
    /// assert_eq!(policy.decide(&FailedCall { asked_to_wait: Some(Duration::from_secs(7)), ..throttled(1) }), again(7));
    /// assert_eq!(policy.decide(&throttled(4)), again(240));
    /// assert_eq!(policy.decide(&throttled(5)), Decision::GiveUpIndex);
    /// assert_eq!(policy.decide(&FailedCall::new(ErrorClass::Credentials, 1)), Decision::GiveUpRun);
    /// ```
    pub fn decide(&self, call: &FailedCall) -> Decision {
        let is_last = call.attempts >= self.attempts_max;
        let again = |after| {
            if is_last { Decision::GiveUpIndex } else { Decision::Again { after, spends_attempt: true } }
        };
        let spread = |pause: Duration| {
            let part = if call.jitter.is_finite() { call.jitter.clamp(0.0, 1.0) } else { 0.0 };
            pause + (pause / 2).mul_f64(part)
        };
        // What the service asks for is spread over at least a second, for all who were told the same.
        let asked = call.asked_to_wait.map(|wait| wait.max(THROTTLED_PAUSE_MIN));
        match call.class {
            ErrorClass::TableBusy | ErrorClass::IndexNotReady => {
                Decision::Again { after: self.busy_pause, spends_attempt: false }
            }
            // It will show in the next description, which lags a little.
            ErrorClass::IndexExists => again(self.busy_pause),
            ErrorClass::TooMuchAtOnce => again(spread(asked.unwrap_or(self.limit_pause))),
            ErrorClass::Throttled => {
                again(spread(asked.unwrap_or(self.backoff_after(call.attempts).max(THROTTLED_PAUSE_MIN))))
            }
            ErrorClass::LastingFault if call.attempts >= LASTING_ATTEMPTS_MAX => Decision::GiveUpIndex,
            ErrorClass::LastingFault | ErrorClass::ServerFault | ErrorClass::NoAnswer | ErrorClass::Unknown => {
                again(spread(self.backoff_after(call.attempts)))
            }
            ErrorClass::AttributeDefinitions if !call.is_merged && !is_last => Decision::MergeAttributes,
            ErrorClass::AttributeDefinitions | ErrorClass::Quota | ErrorClass::Invalid | ErrorClass::IndexMissing => {
                Decision::GiveUpIndex
            }
            ErrorClass::TableMissing => Decision::GiveUpTable,
            ErrorClass::Credentials | ErrorClass::HostNotFound => Decision::GiveUpRun,
        }
    }

    /// The pause after the `attempts`-th failed attempt, counted from 1.
    fn backoff_after(&self, attempts: u32) -> Duration {
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        self.backoff.get(step).or(self.backoff.last()).copied().unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests;
