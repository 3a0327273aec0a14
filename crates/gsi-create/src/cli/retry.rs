//! How hard to try, how fast to ask, and how long to wait.

use std::time::Duration;

use super::duration;

/// What tells a run how to go about its work.
#[derive(Debug, clap::Args)]
pub(crate) struct RetryArgs {
    /// Ask for what can be asked for now and return; what is being built goes on at the service.
    #[arg(long, help_heading = HEADING)]
    pub(crate) no_wait: bool,

    /// Wait until everything is settled, also for what an earlier `--no-wait` asked for: the default.
    #[arg(long, conflicts_with = "no_wait", help_heading = HEADING)]
    wait: bool,

    /// Requests for one index before it is given up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..), help_heading = HEADING)]
    pub(crate) max_attempts: u32,

    /// Pauses after failed requests: the first, the second ... the last is repeated.
    #[arg(long, value_name = "LIST", default_value = "30s,60s,120s,240s,480s", value_delimiter = ',', value_parser = duration, help_heading = HEADING)]
    pub(crate) backoff: Vec<Duration>,

    /// Requests that change tables are at least this far apart, over all tables [default: 1s, embedded 0].
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = HEADING)]
    pub(crate) request_interval: Option<Duration>,

    /// Stop waiting for an index after this time, say 90m or 2h (it goes on at the service); 0: never.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration, help_heading = HEADING)]
    timeout_per_index: Duration,

    /// How long the whole run may take, pre-flight and validation included, or a rollback; 0: as long as it takes.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration, help_heading = HEADING)]
    timeout: Duration,

    /// Tables worked on at once; where there are more, those with the most work go first.
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u16).range(1..=500), help_heading = HEADING)]
    pub(crate) max_parallel: u16,
}

const HEADING: &str = "Trying and waiting";

/// More is throttled in practice, whatever the documented limit is.
const INTERVAL_OF_AWS: Duration = Duration::from_secs(1);

impl RetryArgs {
    /// How long to wait for one index.
    pub(crate) fn timeout_per_index(&self) -> Option<Duration> {
        (!self.timeout_per_index.is_zero()).then_some(self.timeout_per_index)
    }

    /// How long to wait in all.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        (!self.timeout.is_zero()).then_some(self.timeout)
    }

    /// How far apart requests that change tables are; `is_real`: at a service that counts them.
    pub(crate) fn request_interval(&self, is_real: bool) -> Option<Duration> {
        self.request_interval.or(is_real.then_some(INTERVAL_OF_AWS)).filter(|interval| !interval.is_zero())
    }
}
