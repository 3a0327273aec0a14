//! How often to look.

use std::time::Duration;

/// The pause before the next look at an index that this run has been at for `elapsed`.
///
/// A tenth of the time so far, but at least 0.2 s and at most 30 s: a short build is seen at once, a
/// long one costs two looks a minute, and never is more than a tenth of the time wasted.
///
/// ```
/// use std::time::Duration;
/// use gsi_aws::poll_interval;
/// assert_eq!(poll_interval(Duration::ZERO), Duration::from_millis(200));
/// assert_eq!(poll_interval(Duration::from_secs(60)), Duration::from_secs(6));
/// assert_eq!(poll_interval(Duration::from_secs(86_400)), Duration::from_secs(30));
/// ```
pub fn poll_interval(elapsed: Duration) -> Duration {
    (elapsed / 10).clamp(POLL_MIN, POLL_MAX)
}

const POLL_MIN: Duration = Duration::from_millis(200);
const POLL_MAX: Duration = Duration::from_secs(30);
