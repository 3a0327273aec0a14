//! What to do about an error: a pure function of its class and of how often it was tried.
//!
//! | class | what happens | counts as an attempt |
//! |---|---|---|
//! | table busy | wait until the table is idle (looked at every `busy_pause`), ask again | no |
//! | too much at once | ask again after `limit_pause` | yes |
//! | throttled, server fault, no answer, unknown | ask again after the next step of `backoff` | yes |
//! | attribute definitions | ask again at once with the table's definitions merged in, once | yes |
//! | index exists | look at it after `busy_pause` | yes |
//! | quota, invalid | give this index up | |
//! | table missing, credentials | give this table up | |
//!
//! Before a request is sent again the table is always described, since the one before may have taken
//! effect. So there is no "retry" that could create an index twice.

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
}

impl RetryPolicy {
    /// Decides about an error of the class `class`, after `attempts` requests that count (this one
    /// included) and, where that matters, with the definitions `merged` already.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gsi_aws::{Decision, ErrorClass, RetryPolicy};
    /// let policy = RetryPolicy::default();
    /// let again = |seconds| Decision::Again { after: Duration::from_secs(seconds), spends_attempt: true };
    /// assert_eq!(policy.decide(ErrorClass::Throttled, 1, false), again(30));
    /// assert_eq!(policy.decide(ErrorClass::Throttled, 4, false), again(240));
    /// assert_eq!(policy.decide(ErrorClass::Throttled, 5, false), Decision::GiveUpIndex);
    /// assert_eq!(policy.decide(ErrorClass::Credentials, 1, false), Decision::GiveUpTable);
    /// ```
    pub fn decide(&self, class: ErrorClass, attempts: u32, merged: bool) -> Decision {
        let is_last = attempts >= self.attempts_max;
        let again = |after| {
            if is_last { Decision::GiveUpIndex } else { Decision::Again { after, spends_attempt: true } }
        };
        match class {
            ErrorClass::TableBusy => Decision::Again { after: self.busy_pause, spends_attempt: false },
            // It will show in the next description, which lags a little.
            ErrorClass::IndexExists => again(self.busy_pause),
            ErrorClass::TooMuchAtOnce => again(self.limit_pause),
            ErrorClass::Throttled | ErrorClass::ServerFault | ErrorClass::NoAnswer | ErrorClass::Unknown => {
                again(self.backoff_after(attempts))
            }
            ErrorClass::AttributeDefinitions if !merged && !is_last => Decision::MergeAttributes,
            ErrorClass::AttributeDefinitions | ErrorClass::Quota | ErrorClass::Invalid => Decision::GiveUpIndex,
            ErrorClass::TableMissing | ErrorClass::Credentials => Decision::GiveUpTable,
        }
    }

    /// The pause after the `attempts`-th failed attempt, counted from 1.
    fn backoff_after(&self, attempts: u32) -> Duration {
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        self.backoff.get(step).or(self.backoff.last()).copied().unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ErrorClass; 12] = [
        ErrorClass::TableBusy,
        ErrorClass::TooMuchAtOnce,
        ErrorClass::Quota,
        ErrorClass::Throttled,
        ErrorClass::ServerFault,
        ErrorClass::NoAnswer,
        ErrorClass::AttributeDefinitions,
        ErrorClass::IndexExists,
        ErrorClass::TableMissing,
        ErrorClass::Credentials,
        ErrorClass::Invalid,
        ErrorClass::Unknown,
    ];

    #[test]
    fn what_does_not_pass_is_never_tried_again() {
        let policy = RetryPolicy::default();
        for class in ALL {
            let is_final = matches!(policy.decide(class, 1, true), Decision::GiveUpIndex | Decision::GiveUpTable);
            let wanted = [
                ErrorClass::Quota,
                ErrorClass::AttributeDefinitions, // merged already
                ErrorClass::TableMissing,
                ErrorClass::Credentials,
                ErrorClass::Invalid,
            ];
            assert_eq!(is_final, wanted.contains(&class), "{class:?}");
        }
    }

    #[test]
    fn the_last_attempt_is_the_last_except_for_a_busy_table() {
        for attempts_max in [1, 2, 5] {
            let policy = RetryPolicy { attempts_max, ..RetryPolicy::default() };
            for class in ALL {
                let goes_on = matches!(
                    policy.decide(class, attempts_max, false),
                    Decision::Again { .. } | Decision::MergeAttributes
                );
                assert_eq!(goes_on, class == ErrorClass::TableBusy, "{class:?}");
            }
        }
    }

    #[test]
    fn the_delays_are_the_requirements() {
        let check = |attempts: u32, seconds: u64| {
            let policy = RetryPolicy { attempts_max: 99, ..RetryPolicy::default() };
            let after = Duration::from_secs(seconds);
            assert_eq!(
                policy.decide(ErrorClass::Unknown, attempts, false),
                Decision::Again { after, spends_attempt: true }
            );
        };
        check(1, 30);
        check(2, 60);
        check(3, 120);
        check(4, 240);
        check(5, 480);
        check(6, 480);
        let policy = RetryPolicy { backoff: vec![], ..RetryPolicy::default() };
        assert_eq!(
            policy.decide(ErrorClass::Unknown, 1, false),
            Decision::Again { after: Duration::ZERO, spends_attempt: true }
        );
    }
}
