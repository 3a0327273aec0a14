//! Tells people and machines what came of a stage: mail, Slack, Graphite, a textfile for Prometheus.
//!
//! # Promises
//!
//! 1. Nothing in here can fail a run, delay it or hang the program. Deliveries have a thread of their own, each is
//!    bounded in time, and what cannot be delivered is dropped with a warning in the log.
//! 2. One message a stage and execution, when something went wrong (or always, where that is asked for). The same
//!    trouble is not told again within an interval, and the next message says how often it was held back.
//! 3. No message, warning or log line shows a password or token.
//!
//! Absent: a second attempt. The next execution tells again what could not be told.

mod channel;
mod ended;
mod figures;
mod memory;
mod message;
mod secrets;
mod stopwatch;
#[cfg(test)]
mod testing;
mod trial;
mod worker;

use std::{path::Path, sync::Arc, thread, time::Duration};

use run_pipeline::Stage;
use statefile::{Clock, Lock, Owner};
use terminal::Printer;
use tokio::sync::{mpsc, oneshot};

use self::{
    ended::{Ended, Place},
    secrets::Secrets,
    stopwatch::Lap,
    worker::Worker,
};
pub(crate) use self::{stopwatch::Stopwatch, trial::trial};
use crate::{exit::Failure, log::Log, present::StageEnd};
use run_config::Config;
use run_config::Level;

/// The name of the memory in the work directory.
const MEMORY: &str = ".notifications.json";

/// What is left beside two deliveries one after the other.
const MARGIN: Duration = Duration::from_secs(2);

/// Takes what happened, and has it delivered elsewhere.
pub(crate) struct Notifier {
    /// `None` where nobody is to be told.
    post: Option<Post>,
}

struct Post {
    outbox: mpsc::UnboundedSender<Ended>,
    /// The warnings, when everything is delivered or dropped.
    warnings: oneshot::Receiver<Vec<String>>,
    patience: Duration,
    log: Arc<Log>,
}

/// What a notifier is made of.
pub(crate) struct Setup<'a> {
    pub(crate) config: &'a Config,
    /// The path of the configuration as it was given.
    pub(crate) path: &'a Path,
    pub(crate) owner: &'a Owner,
    pub(crate) lock: Arc<Lock>,
    pub(crate) log: Arc<Log>,
    pub(crate) clock: &'static dyn Clock,
}

impl Notifier {
    /// Starts the thread that delivers, if there is anybody to be told.
    pub(crate) fn start(setup: Setup<'_>) -> Self {
        let Setup { config, path, owner, lock, log, clock } = setup;
        if !config.reporting.is_active() {
            return Self { post: None };
        }
        let rehearsal = config.rehearsal.as_ref().map(ToString::to_string);
        let place = Place { rehearsal, ..place(path, owner) };
        let worker = Worker::new(config, place, lock, Arc::clone(&log), clock);
        let (outbox, inbox) = mpsc::unbounded_channel();
        let (done, warnings) = oneshot::channel();
        let patience = config.reporting.timeout * 2 + MARGIN;
        let deliver = move || {
            let warnings = worker.serve(inbox);
            // Whoever waits no longer needs no answer.
            drop(done.send(warnings));
        };
        if let Err(error) = thread::Builder::new().name("notify".to_owned()).spawn(deliver) {
            log.line(Level::Warning, &format!("nobody will be told: {error}"));
            return Self { post: None };
        }
        Self { post: Some(Post { outbox, warnings, patience, log }) }
    }

    /// A stage is over. Returns at once.
    pub(crate) fn stage_ended(&self, stage: Stage, end: &StageEnd, laps: Vec<Lap>) {
        self.send(|| Ended::new(stage, end, laps));
    }

    /// A stage could not even begin. Returns at once.
    pub(crate) fn stage_not_begun(&self, stage: Stage, failure: &Failure) {
        self.send(|| Ended::not_begun(stage, failure));
    }

    fn send(&self, ended: impl FnOnce() -> Ended) {
        if let Some(post) = &self.post {
            // The thread is gone only if it panicked; the end will tell.
            drop(post.outbox.send(ended()));
        }
    }

    /// Waits for what is under way, not for long, and says what was not delivered.
    pub(crate) async fn finish(self, printer: Printer) {
        let Some(Post { outbox, warnings, patience, log }) = self.post else { return };
        drop(outbox);
        let warnings = match tokio::time::timeout(patience, warnings).await {
            Ok(Ok(warnings)) => warnings,
            Ok(Err(_)) => vec!["notifications ended unexpectedly; some may be missing".to_owned()],
            Err(_) => vec!["notifications took too long; some may be missing".to_owned()],
        };
        for warning in warnings {
            log.line(Level::Warning, &warning);
            printer.warn(warning);
        }
    }
}

fn place(config: &Path, owner: &Owner) -> Place {
    let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    Place { host: owner.host.clone(), config, rehearsal: None }
}

/// The warning about a delivery that failed.
fn warning(stage: &str, channel: &str, error: &channel::DeliveryError, secrets: &Secrets) -> String {
    format!("{stage}: no notification by {channel}: {}", secrets.line(error))
}
