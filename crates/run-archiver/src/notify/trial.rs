//! `--test-notifications`: a test message on every channel that is switched on.
//!
//! Takes no lock and changes no file. The textfile is not written; what is looked at is whether it could be.

use std::{io, path::Path, thread, time::SystemTime};

use serde_json::json;
use statefile::{Clock, Owner};
use terminal::{Printer, style};
use tokio::sync::oneshot;

use super::{
    channel::{self, DeliveryError},
    message::Message,
    place,
    secrets::Secrets,
    worker::bounded,
};
use crate::exit::{Exit, Failure};
use run_config::{Config, Reporting};

/// What came of a channel: nothing, or what went wrong.
type Found = (&'static str, Option<String>);

/// Sends the test messages and says what came of each.
pub(crate) async fn trial(
    config: &Config,
    path: &Path,
    clock: &'static dyn Clock,
    is_json: bool,
    printer: Printer,
) -> Result<Exit, Failure> {
    if !config.reporting.is_active() {
        return Err(Failure::known(anyhow::anyhow!("no channel of notification is switched on"))
            .hint("see the sections `reporting`, `carbon` and `metrics` in docs/run-archiver.md"));
    }
    let (owner, reporting) = (Owner::current(clock), std::sync::Arc::clone(&config.reporting));
    let (path, now) = (path.to_owned(), clock.now());
    // A thread of its own, so that a name that is looked up for minutes does not hold up the end of the program.
    let (done, found) = oneshot::channel();
    let deliver = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let message = Message::test(&place(&path, &owner));
        let found = runtime.block_on(deliver(&reporting, &message, &owner.host, now.into(), now.timestamp()));
        runtime.shutdown_background();
        drop(done.send(found));
        Ok::<_, io::Error>(())
    };
    thread::Builder::new().name("notify".to_owned()).spawn(deliver).map_err(Failure::unexpected)?;
    let found = found.await.map_err(Failure::unexpected)?;
    say(&found, is_json, printer).map_err(Failure::unexpected)
}

async fn deliver(
    reporting: &Reporting,
    message: &Message,
    host: &str,
    now: SystemTime,
    unix_seconds: i64,
) -> Vec<Found> {
    let limit = reporting.timeout;
    let secrets = Secrets::new(&reporting.secrets);
    let mut found = Vec::new();
    let mut note = |channel, outcome: Result<(), DeliveryError>| {
        found.push((channel, outcome.err().map(|error| secrets.line(&error))));
    };
    if let Some(email) = &reporting.email {
        note("mail", bounded(limit, channel::mail(email, message, host, now)).await);
    }
    if let Some(slack) = &reporting.slack {
        note("Slack", bounded(limit, channel::slack(slack, message)).await);
    }
    if let Some(carbon) = &reporting.carbon {
        let line = format!("{}.test 1 {unix_seconds}\n", carbon.prefix);
        note("Graphite", bounded(limit, channel::graphite(carbon, &line)).await);
    }
    if let Some(path) = &reporting.textfile {
        let tried = check_writable(path).map_err(|source| DeliveryError::File { path: path.clone(), source });
        note("textfile", tried);
    }
    found
}

/// Whether a file can be put beside `path`, which is how it is replaced.
fn check_writable(path: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(access(dir, Access::WRITE_OK | Access::EXEC_OK)?)
}

fn say(found: &[Found], is_json: bool, printer: Printer) -> io::Result<Exit> {
    let exit = if found.iter().any(|(_, error)| error.is_some()) { Exit::Failed } else { Exit::Done };
    if is_json {
        let channels: Vec<_> = found
            .iter()
            .map(|(channel, error)| json!({ "channel": channel, "ok": error.is_none(), "error": error }))
            .collect();
        let answer = json!({ "exit_code": exit as u8, "channels": channels });
        printer.answer(format_args!("{answer:#}"))?;
        return Ok(exit);
    }
    let (good, bad) = (style::GOOD, style::BAD);
    for (channel, error) in found {
        match error {
            None => printer.answer(format_args!("{good}ok{good:#}      {channel}"))?,
            Some(error) => printer.answer(format_args!("{bad}failed{bad:#}  {channel}: {error}"))?,
        }
    }
    Ok(exit)
}
