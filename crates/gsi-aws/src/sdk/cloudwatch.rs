//! CloudWatch through the AWS SDK.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    Client,
    operation::get_metric_statistics::GetMetricStatisticsOutput,
    primitives::DateTime as SdkTime,
    types::{Datapoint, Dimension, Statistic},
};
use chrono::DateTime;
use gsi_state::Clock;

use crate::{ApiError, Metrics, Operation, Sample};

/// How far back progress is asked for: enough for a rate.
const PROGRESS_HOURS: u64 = 3;

/// Metrics from CloudWatch. Asking costs a fraction of a cent per thousand requests.
#[derive(Clone)]
pub struct CloudWatch {
    client: Client,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for CloudWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudWatch").field("client", &self.client).finish_non_exhaustive()
    }
}

impl CloudWatch {
    /// Uses a client as it is; `clock` tells which hours are the last ones.
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock }
    }

    async fn samples(
        &self,
        (table, index): (&str, &str),
        metric: &str,
        statistic: Statistic,
        over: Duration,
        period: Duration,
    ) -> Result<Vec<Sample>, ApiError> {
        let end = self.clock.now().timestamp();
        let start = end - i64::try_from(over.as_secs()).unwrap_or(end);
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let call = self.client.get_metric_statistics().namespace("AWS/DynamoDB").metric_name(metric);
        let call =
            call.dimensions(dimension("TableName", table)).dimensions(dimension("GlobalSecondaryIndexName", index));
        let call = call.start_time(SdkTime::from_secs(start)).end_time(SdkTime::from_secs(end));
        let call = call.period(i32::try_from(period.as_secs()).unwrap_or(i32::MAX)).statistics(statistic.clone());
        let operation = Operation::GetMetricStatistics;
        let answer = call.send().await.map_err(|error| super::api_error(operation, &error))?;
        Ok(samples_of(&answer, &statistic))
    }
}

/// The data points of an answer in the order of time; CloudWatch gives them in any.
fn samples_of(answer: &GetMetricStatisticsOutput, statistic: &Statistic) -> Vec<Sample> {
    let sample = |point: &Datapoint| {
        let value = if *statistic == Statistic::Sum { point.sum() } else { point.maximum() };
        let at = DateTime::from_timestamp(point.timestamp()?.secs(), 0)?;
        Some(Sample { at, percent: value? })
    };
    let mut samples: Vec<Sample> = answer.datapoints().iter().filter_map(sample).collect();
    samples.sort_by_key(|sample| sample.at);
    samples
}

#[async_trait]
impl Metrics for CloudWatch {
    async fn build_progress(&self, table: &str, index: &str) -> Result<Vec<Sample>, ApiError> {
        let (over, period) = (Duration::from_hours(PROGRESS_HOURS), Duration::from_mins(5));
        self.samples((table, index), "OnlineIndexPercentageProgress", Statistic::Maximum, over, period).await
    }

    async fn consumed_read_units(&self, table: &str, index: &str, over: Duration) -> Result<Option<f64>, ApiError> {
        // One data point: a period of the whole time, in the whole minutes that CloudWatch wants.
        let period = Duration::from_mins(over.as_secs().div_ceil(60).max(1));
        let samples = self.samples((table, index), "ConsumedReadCapacityUnits", Statistic::Sum, over, period).await?;
        Ok((!samples.is_empty()).then(|| samples.iter().map(|sample| sample.percent).sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_in_the_order_of_time_and_of_the_statistic_asked_for() {
        let point = |secs, percent| Datapoint::builder().timestamp(SdkTime::from_secs(secs)).maximum(percent).build();
        let answer = GetMetricStatisticsOutput::builder()
            .datapoints(point(600, 20.0))
            .datapoints(point(300, 10.0))
            .datapoints(Datapoint::builder().timestamp(SdkTime::from_secs(0)).sum(7.0).build())
            .build();
        let of = |statistic| samples_of(&answer, &statistic).iter().map(|sample| sample.percent).collect::<Vec<_>>();
        assert_eq!(of(Statistic::Maximum), [10.0, 20.0]);
        assert_eq!(of(Statistic::Sum), [7.0]);
    }
}
