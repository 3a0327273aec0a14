//! What to do about a failed attempt: a pure function of its class and of how often it was tried.
//!
//! | class | what happens |
//! |---|---|
//! | record | give the run up: the next attempt would fail alike |
//! | source | try again, then give the run up |
//! | store, transient | try again, then give the run up |
//! | store, permanent | give the run up |
//! | denied | give the stage up: no run can succeed |
//!
//! Runs given up for a store, one after the other, mean that the store is in trouble: after
//! [`RetryPolicy::store_failures_max`] of them no further run is started.

use std::{error::Error, time::Duration};

use artdaq_db::{ConfigError, ErrorClass as ConfigClass, Refused};
use serde::{Deserialize, Serialize};
use ucon_db::{BlobError, ErrorClass};

/// How often and how long. The defaults are those of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first; 2 (`run_process_retries`).
    pub retries: u32,
    /// Pause before each; 3 s (`retry_delay_seconds`).
    pub delay: Duration,
    /// How many runs in a row may fail for the store before the stage stops; 3. At least 1.
    pub store_failures_max: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 2, delay: Duration::from_secs(3), store_failures_max: 3 }
    }
}

/// Whose fault a failed attempt was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The record's: malformed, or archived already with other content.
    Record,
    /// The disk's, from which the record is read.
    Source,
    /// A store's, and it may pass.
    StoreTransient,
    /// A store's, and it will not pass by itself.
    StorePermanent,
    /// The store refuses whoever we are.
    Denied,
}

impl FailureClass {
    /// Whether it says something about the store rather than about the run.
    pub const fn concerns_store(self) -> bool {
        matches!(self, Self::StoreTransient | Self::StorePermanent | Self::Denied)
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again after the pause.
    Again {
        /// How long to wait first.
        after: Duration,
    },
    /// The run goes into the failure log.
    GiveUpRun,
    /// So does the run, and no further one is started.
    GiveUpStage,
}

impl RetryPolicy {
    /// Decides about an attempt that failed, the `attempts`-th of a run, counted from 1.
    ///
    /// ```
    /// use std::time::Duration;
    /// use run_pipeline::{Decision, FailureClass, RetryPolicy};
    /// let policy = RetryPolicy::default();
    /// let again = Decision::Again { after: Duration::from_secs(3) };
    /// assert_eq!(policy.decide(FailureClass::Source, 2), again);
    /// assert_eq!(policy.decide(FailureClass::Source, 3), Decision::GiveUpRun);
    /// assert_eq!(policy.decide(FailureClass::Record, 1), Decision::GiveUpRun);
    /// ```
    pub fn decide(&self, class: FailureClass, attempts: u32) -> Decision {
        match class {
            FailureClass::Source | FailureClass::StoreTransient if attempts <= self.retries => {
                Decision::Again { after: self.delay }
            }
            FailureClass::Record
            | FailureClass::Source
            | FailureClass::StoreTransient
            | FailureClass::StorePermanent => Decision::GiveUpRun,
            FailureClass::Denied => Decision::GiveUpStage,
        }
    }
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: FailureClass,
    pub(crate) reason: String,
}

impl Failure {
    pub(crate) fn new(class: FailureClass, error: &(dyn Error + 'static)) -> Self {
        Self { class, reason: chain(error) }
    }

    pub(crate) fn of_record(reason: impl Into<String>) -> Self {
        Self { class: FailureClass::Record, reason: reason.into() }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        let class = match (error.class(), &error) {
            (ErrorClass::Conflict, _) | (_, BlobError::ReadBackDiffers { .. }) => FailureClass::Record,
            (ErrorClass::Transient, _) => FailureClass::StoreTransient,
            (ErrorClass::Permanent, _) => FailureClass::StorePermanent,
            (ErrorClass::Authentication, _) => FailureClass::Denied,
        };
        Self::new(class, &error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let class = match error.class() {
            ConfigClass::Transient => FailureClass::StoreTransient,
            ConfigClass::Permanent => FailureClass::StorePermanent,
        };
        Self::new(class, &error)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let class = match refused.class() {
            ConfigClass::Transient => FailureClass::StoreTransient,
            ConfigClass::Permanent => FailureClass::Record,
        };
        Self::new(class, &refused)
    }
}

/// An error and its causes, joined by colons.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        use FailureClass::{Denied, Record, Source, StorePermanent, StoreTransient};
        let policy = RetryPolicy { retries: 1, ..RetryPolicy::default() };
        let again = Decision::Again { after: Duration::from_secs(3) };
        //           class          first attempt          second attempt
        let rows = [
            (Record, Decision::GiveUpRun, Decision::GiveUpRun),
            (Source, again, Decision::GiveUpRun),
            (StoreTransient, again, Decision::GiveUpRun),
            (StorePermanent, Decision::GiveUpRun, Decision::GiveUpRun),
            (Denied, Decision::GiveUpStage, Decision::GiveUpStage),
        ];
        for (class, first, second) in rows {
            assert_eq!((policy.decide(class, 1), policy.decide(class, 2)), (first, second), "{class:?}");
            let never = RetryPolicy { retries: 0, ..policy.clone() };
            assert_eq!(never.decide(class, 1), second, "{class:?}");
        }
    }
}
