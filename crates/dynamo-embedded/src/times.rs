//! How long the phases of an index operation take.
//!
//! The real service needs 24–56 s to allocate, 510–1000 s in all for an empty table, and 2.6–5.1 s
//! to delete (facts \[Q148\], \[Q149\], \[Q458\]); the defaults here keep the shape and shrink the wait.

use std::{fmt, str::FromStr, time::Duration};

/// Durations of the three phases, written `ALLOC,BACKFILL,DELETE`.
///
/// The durations in force when an operation starts are stored with it, so another process with
/// other times sees the same progress.
///
/// ```
/// use dynamo_embedded::Times;
/// use std::time::Duration;
///
/// let times: Times = "500ms,1s 500ms,2s".parse()?;
/// assert_eq!(times.backfill, Duration::from_millis(1500));
/// assert_eq!(times.to_string(), "500ms,1s 500ms,2s");
/// assert_eq!(Times::default().to_string(), "500ms,1s 500ms,500ms");
/// # Ok::<(), dynamo_embedded::TimesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Times {
    /// Table UPDATING, index CREATING with `Backfilling=false`; the index cannot be deleted.
    pub allocation: Duration,
    /// Table ACTIVE, index CREATING with `Backfilling=true`; the index can be deleted, not read.
    pub backfill: Duration,
    /// Table UPDATING, index DELETING.
    pub delete: Duration,
}

impl Times {
    /// Every phase over at once: an index is ACTIVE in the answer that creates it.
    pub const INSTANT: Times = Times { allocation: Duration::ZERO, backfill: Duration::ZERO, delete: Duration::ZERO };
}

impl Default for Times {
    fn default() -> Self {
        Times {
            allocation: Duration::from_millis(500),
            backfill: Duration::from_millis(1500),
            delete: Duration::from_millis(500),
        }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [allocation, backfill, delete] =
            [self.allocation, self.backfill, self.delete].map(humantime::format_duration);
        write!(f, "{allocation},{backfill},{delete}")
    }
}

/// Why a text is not a [`Times`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimesError {
    /// Not three parts.
    #[error("expected three durations `ALLOC,BACKFILL,DELETE`, found {found}")]
    Count {
        /// How many parts there are.
        found: usize,
    },
    /// One part is not a duration such as `500ms` or `2s`.
    #[error("`{text}` is not a duration for {phase}")]
    Duration {
        /// `allocation`, `backfill` or `delete`.
        phase: &'static str,
        /// The part as written.
        text: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FromStr for Times {
    type Err = TimesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let &[allocation, backfill, delete] = parts.as_slice() else {
            return Err(TimesError::Count { found: parts.len() });
        };
        let duration = |phase, text: &str| {
            humantime::parse_duration(text).map_err(|source| TimesError::Duration {
                phase,
                text: text.to_owned(),
                source: Box::new(source),
            })
        };
        Ok(Times {
            allocation: duration("allocation", allocation)?,
            backfill: duration("backfill", backfill)?,
            delete: duration("delete", delete)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_not_times() {
        let check = |text: &str, expect: &str| {
            let error = text.parse::<Times>().map_or_else(|e| e.to_string(), |t| t.to_string());
            assert_eq!(error, expect, "{text:?}");
        };
        check("", "expected three durations `ALLOC,BACKFILL,DELETE`, found 1");
        check("1s,2s", "expected three durations `ALLOC,BACKFILL,DELETE`, found 2");
        check("1s,2s,3s,4s", "expected three durations `ALLOC,BACKFILL,DELETE`, found 4");
        check("1s,x,3s", "`x` is not a duration for backfill");
        check("1s,2s,", "`` is not a duration for delete");
        check("0s, 0ms ,0s", "0s,0s,0s");
    }
}
