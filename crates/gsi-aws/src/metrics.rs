//! What CloudWatch knows and `DescribeTable` does not: how far a build is, and who reads an index.
//!
//! The port, and the arithmetic on its answers. The adapter is [`crate::sdk::CloudWatch`], behind the feature
//! `cloudwatch`. Metrics are a courtesy: whoever uses them goes on without.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ApiError;

/// Metrics of an index.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// `OnlineIndexPercentageProgress` of the last hours, oldest first; empty where there is none (yet).
    async fn build_progress(&self, table: &str, index: &str) -> Result<Vec<Sample>, ApiError>;

    /// `ConsumedReadCapacityUnits` of the last `over`, summed; `None` where nothing was recorded.
    async fn consumed_read_units(&self, table: &str, index: &str, over: Duration) -> Result<Option<f64>, ApiError>;
}

/// How far a build was at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When.
    pub at: DateTime<Utc>,
    /// From 0 to 100.
    pub percent: f64,
}

/// How far a build is, how fast it goes, and how long it will take at that rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// From 0 to 100, at the last sample.
    pub percent: f64,
    /// Percent an hour; `None` where the samples tell no rate.
    pub percent_per_hour: Option<f64>,
    /// Until 100 %; `None` likewise.
    pub left: Option<Duration>,
}

impl Progress {
    /// What samples say, oldest first; `None` for none.
    ///
    /// The rate is that of the last hour, since a build slows down and speeds up with the table's traffic.
    ///
    /// ```
    /// use gsi_aws::{Progress, Sample};
    /// let at = |minute| chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute);
    /// let progress = Progress::of(&[Sample { at: at(0), percent: 10.0 }, Sample { at: at(30), percent: 40.0 }]).unwrap();
    /// assert_eq!((progress.percent, progress.percent_per_hour), (40.0, Some(60.0)));
    /// assert_eq!(progress.left, Some(std::time::Duration::from_secs(3600)));
    /// ```
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let last = samples.last()?;
        let recent = samples.iter().find(|sample| last.at - sample.at <= chrono::TimeDelta::hours(1)).unwrap_or(last);
        let hours = (last.at - recent.at).as_seconds_f64() / 3600.0;
        let rate = (last.percent - recent.percent) / hours;
        let percent_per_hour = (hours > 0.0 && rate > 0.0).then_some(rate);
        let left = percent_per_hour
            .and_then(|rate| Duration::try_from_secs_f64((100.0 - last.percent).max(0.0) / rate * 3600.0).ok());
        Some(Self { percent: last.percent, percent_per_hour, left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_what_the_last_hour_says() {
        let check = |samples: &[(i64, f64)], expect: Option<(f64, Option<f64>, Option<u64>)>| {
            let at = |minute| DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute);
            let samples: Vec<_> = samples.iter().map(|&(minute, percent)| Sample { at: at(minute), percent }).collect();
            let seen = Progress::of(&samples).map(|progress| {
                (progress.percent, progress.percent_per_hour, progress.left.map(|left| left.as_secs()))
            });
            assert_eq!(seen, expect, "{samples:?}");
        };
        check(&[], None);
        check(&[(0, 3.0)], Some((3.0, None, None)));
        check(&[(0, 3.0), (5, 3.0)], Some((3.0, None, None))); // stands still
        check(&[(0, 0.0), (600, 50.0), (660, 60.0)], Some((60.0, Some(10.0), Some(4 * 3600))));
        check(&[(0, 0.0), (30, 100.0)], Some((100.0, Some(200.0), Some(0))));
        check(&[(0, 50.0), (30, 20.0)], Some((20.0, None, None))); // begun anew
    }
}
