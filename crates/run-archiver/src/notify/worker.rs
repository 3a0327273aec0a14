//! The thread that delivers: one stage after the other, the channels of a stage side by side.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use statefile::{Clock, Lock, StateFile};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    channel::{self, DeliveryError},
    ended::{Ended, Place},
    figures::{self, Figures},
    memory::{Memory, Verdict},
    message::Message,
    secrets::Secrets,
    warning,
};
use crate::{log::Log, present};
use run_config::Level;
use run_config::{Config, Reporting, SendOn};

/// Everything that deliveries need.
pub(super) struct Worker {
    reporting: Arc<Reporting>,
    secrets: Secrets,
    place: Place,
    memory_file: PathBuf,
    lock: Arc<Lock>,
    log: Arc<Log>,
    clock: &'static dyn Clock,
}

/// What came of a channel.
enum Delivery {
    /// Nothing was to be sent.
    Nothing,
    /// It was sent.
    Sent,
    /// The same was told a short time ago.
    HeldBack,
    /// It was not.
    Failed(DeliveryError),
}

impl Worker {
    pub(super) fn new(
        config: &Config,
        place: Place,
        lock: Arc<Lock>,
        log: Arc<Log>,
        clock: &'static dyn Clock,
    ) -> Self {
        Self {
            reporting: Arc::clone(&config.reporting),
            secrets: Secrets::new(&config.reporting.secrets),
            place,
            memory_file: config.app.work_dir.join(super::MEMORY),
            lock,
            log,
            clock,
        }
    }

    /// Delivers until the outbox is closed and empty. Returns what could not be done.
    pub(super) fn serve(self, mut inbox: UnboundedReceiver<Ended>) -> Vec<String> {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return vec![format!("nobody was told: {error}")],
        };
        let warnings = runtime.block_on(async {
            let mut warnings = Vec::new();
            let mut memory = self.open_memory(&mut warnings);
            while let Some(ended) = inbox.recv().await {
                self.deliver(&ended, &mut memory, &mut warnings).await;
            }
            warnings
        });
        // A name that is still being looked up is nobody's concern any more.
        runtime.shutdown_background();
        warnings
    }

    /// The memory; without one that can be used everything is told every time.
    fn open_memory(&self, warnings: &mut Vec<String>) -> Option<StateFile<Memory>> {
        match StateFile::open(&self.memory_file, Arc::clone(&self.lock), Memory::default) {
            Ok(memory) => Some(memory),
            Err(error) => {
                let remedy = "move it away; until then the same failures are told at every start";
                warnings.push(format!("{}; {remedy}", self.secrets.line(&error)));
                None
            }
        }
    }

    async fn deliver(&self, ended: &Ended, memory: &mut Option<StateFile<Memory>>, warnings: &mut Vec<String>) {
        let now = self.clock.now();
        let known = memory.as_ref().map(|memory| memory.document().clone()).unwrap_or_default();
        let before = known.stages.get(present::name(ended.stage)).cloned().unwrap_or_default();
        let figures = before.after(ended, now);
        let (mail, slack, graphite) =
            tokio::join!(self.mail(ended, &known, now), self.slack(ended, &known, now), self.graphite(ended, &figures));
        let mut next = known;
        for (channel, delivery) in [("mail", &mail), ("Slack", &slack)] {
            match delivery {
                Delivery::Sent => {
                    next.note_sent(channel, ended.stage, &self.trouble(ended), now, self.reporting.min_interval);
                }
                Delivery::HeldBack => next.note_held_back(channel, ended.stage, &self.trouble(ended)),
                Delivery::Nothing | Delivery::Failed(_) => {}
            }
        }
        next.stages.insert(present::name(ended.stage).to_owned(), figures);
        let textfile = self.textfile(&next);
        for (channel, delivery) in [("mail", mail), ("Slack", slack), ("Graphite", graphite), ("textfile", textfile)] {
            self.tell(channel, ended, delivery, warnings);
        }
        if let Some(memory) = memory
            && let Err(error) = memory.update(|memory| *memory = next)
        {
            warnings.push(self.secrets.line(&error));
        }
    }

    /// What is the matter, as it is remembered: without secrets, since it goes to a file.
    fn trouble(&self, ended: &Ended) -> String {
        self.secrets.hide(&ended.trouble())
    }

    /// The message for a channel, unless nothing is to be said there.
    fn message(
        &self,
        channel: &str,
        on: SendOn,
        ended: &Ended,
        memory: &Memory,
        now: DateTime<Utc>,
    ) -> Result<Message, Delivery> {
        if on == SendOn::Failure && !ended.is_trouble() {
            return Err(Delivery::Nothing);
        }
        let interval = self.reporting.min_interval;
        match memory.judge(channel, ended.stage, &self.trouble(ended), now, interval) {
            Verdict::HoldBack => Err(Delivery::HeldBack),
            Verdict::Send(held_back) => Ok(Message::about(ended, &self.place, held_back, interval, &self.secrets)),
        }
    }

    async fn mail(&self, ended: &Ended, memory: &Memory, now: DateTime<Utc>) -> Delivery {
        let Some(email) = &self.reporting.email else { return Delivery::Nothing };
        match self.message("mail", email.on, ended, memory, now) {
            Ok(message) => {
                let time = SystemTime::from(now);
                bounded(self.reporting.timeout, channel::mail(email, &message, &self.place.host, time)).await.into()
            }
            Err(delivery) => delivery,
        }
    }

    async fn slack(&self, ended: &Ended, memory: &Memory, now: DateTime<Utc>) -> Delivery {
        let Some(slack) = &self.reporting.slack else { return Delivery::Nothing };
        match self.message("Slack", slack.on, ended, memory, now) {
            Ok(message) => bounded(self.reporting.timeout, channel::slack(slack, &message)).await.into(),
            Err(delivery) => delivery,
        }
    }

    async fn graphite(&self, ended: &Ended, figures: &Figures) -> Delivery {
        let Some(carbon) = &self.reporting.carbon else { return Delivery::Nothing };
        let lines = figures::graphite(&carbon.prefix, figures, ended);
        bounded(self.reporting.timeout, channel::graphite(carbon, &lines)).await.into()
    }

    fn textfile(&self, memory: &Memory) -> Delivery {
        let Some(path) = &self.reporting.textfile else { return Delivery::Nothing };
        let written = figures::write_textfile(path, &figures::prometheus(&memory.stages));
        written.map_err(|source| DeliveryError::File { path: path.clone(), source }).into()
    }

    fn tell(&self, channel: &str, ended: &Ended, delivery: Delivery, warnings: &mut Vec<String>) {
        let stage = present::name(ended.stage);
        match delivery {
            Delivery::Nothing => {}
            Delivery::Sent => self.log.line(Level::Debug, &format!("{stage}: told by {channel}")),
            Delivery::HeldBack => {
                self.log.line(Level::Info, &format!("{stage}: not told by {channel} again, it is the same as before"));
            }
            Delivery::Failed(error) => warnings.push(warning(stage, channel, &error, &self.secrets)),
        }
    }
}

impl From<Result<(), DeliveryError>> for Delivery {
    fn from(result: Result<(), DeliveryError>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Sent)
    }
}

/// Gives up what takes longer than `limit`.
pub(super) async fn bounded(
    limit: Duration,
    delivery: impl Future<Output = Result<(), DeliveryError>>,
) -> Result<(), DeliveryError> {
    let timeout = DeliveryError::Timeout { seconds: limit.as_secs() };
    tokio::time::timeout(limit, delivery).await.unwrap_or(Err(timeout))
}
