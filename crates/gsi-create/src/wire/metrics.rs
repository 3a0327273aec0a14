//! Progress from CloudWatch, as a courtesy: without the feature, or the permission, runs go on without.

use tokio::task::JoinHandle;

/// Asks for progress in the background while a run builds indexes; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct ProgressWatch(Option<JoinHandle<()>>);

impl Drop for ProgressWatch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

#[cfg(not(feature = "cloudwatch"))]
pub(crate) use without_cloudwatch::{metrics, watch_progress};

#[cfg(not(feature = "cloudwatch"))]
mod without_cloudwatch {
    use std::sync::Arc;

    use gsi_aws::Metrics;
    use terminal::Printer;

    use super::ProgressWatch;
    use crate::{cli::Cli, present::Follower, wire::RunClock};

    /// Nobody to ask.
    pub(crate) async fn metrics(_: &Cli, _: &RunClock) -> Option<Arc<dyn Metrics>> {
        None
    }

    /// Asks nobody.
    pub(crate) async fn watch_progress(_: &Cli, _: &Arc<Follower>, _: &RunClock, _: Printer) -> ProgressWatch {
        ProgressWatch(None)
    }
}

#[cfg(feature = "cloudwatch")]
pub(crate) use with_cloudwatch::{metrics, watch_progress};

#[cfg(feature = "cloudwatch")]
mod with_cloudwatch {
    use std::{sync::Arc, time::Duration};

    use gsi_aws::{Metrics, Progress, sdk::CloudWatch};
    use terminal::{Printer, clean};

    use super::ProgressWatch;
    use crate::{
        cli::{Cli, Endpoint},
        present::Follower,
        wire::{self, RunClock},
    };

    /// CloudWatch has a new value every few minutes.
    const INTERVAL: Duration = Duration::from_mins(1);

    /// Starts to ask, where there is somebody to ask: not for an embedded DynamoDB, nor for another endpoint
    /// than the region's own.
    pub(crate) async fn watch_progress(
        cli: &Cli,
        follower: &Arc<Follower>,
        clock: &RunClock,
        printer: Printer,
    ) -> ProgressWatch {
        let metrics = metrics(cli, clock).await;
        ProgressWatch(metrics.map(|metrics| tokio::spawn(ask(metrics, Arc::clone(follower), printer))))
    }

    /// CloudWatch, where it knows the tables: not those of an embedded DynamoDB, nor of another endpoint than the
    /// region's own.
    pub(crate) async fn metrics(cli: &Cli, clock: &RunClock) -> Option<Arc<dyn Metrics>> {
        if matches!(cli.endpoint, Some(Endpoint::Memory | Endpoint::File(_) | Endpoint::Url(_))) {
            return None;
        }
        let config = wire::sdk_config(cli).await;
        Some(Arc::new(CloudWatch::new(aws_sdk_cloudwatch::Client::new(&config), clock.for_state())))
    }

    async fn ask(metrics: Arc<dyn Metrics>, follower: Arc<Follower>, printer: Printer) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            for key in follower.being_built() {
                match metrics.build_progress(key.table(), key.index()).await {
                    Ok(samples) => {
                        if let Some(progress) = Progress::of(&samples) {
                            follower.is_so_far(&key, progress);
                        }
                    }
                    Err(error) => {
                        let error = error.to_string();
                        printer
                            .detail(format_args!("CloudWatch is not asked for progress any more: {}", clean(&error)));
                        return;
                    }
                }
            }
        }
    }
}
