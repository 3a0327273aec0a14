//! How often to look.

use std::time::Duration;

/// The pause before the next look at what has been going on for `elapsed`.
///
/// A fiftieth of the time so far, but at least 0.2 s and at most 30 s: however long a build takes, at most 2 %
/// of it is wasted by noticing its end late, and what takes longer than 25 minutes costs two looks a
/// minute.
///
/// ```
/// use std::time::Duration;
/// use gsi_aws::poll_interval;
/// assert_eq!(poll_interval(Duration::ZERO), Duration::from_millis(200));
/// assert_eq!(poll_interval(Duration::from_mins(10)), Duration::from_secs(12));
/// assert_eq!(poll_interval(Duration::from_hours(24)), Duration::from_secs(30));
/// ```
pub fn poll_interval(elapsed: Duration) -> Duration {
    (elapsed / 50).clamp(POLL_MIN, POLL_MAX)
}

const POLL_MIN: Duration = Duration::from_millis(200);
const POLL_MAX: Duration = Duration::from_secs(30);
