//! Acknowledged gaps: listed, added, withdrawn.

use chrono::SecondsFormat;
use run_state::{Acknowledgement, Acknowledgements};
use serde_json::{Value, json};
use statefile::{Clock as _, OpenError, Snapshot, StateFile, SystemClock};
use terminal::{Printer, clean, style};

use crate::{
    cli::{Cli, Word},
    exit::{Exit, Failure},
    job::Session,
    present::runs,
};
use run_config::Config;
use run_config::Level;

/// Lists them, those that have expired included.
pub(super) fn list(cli: &Cli, config: &Config, printer: Printer) -> Result<Exit, Failure> {
    let gaps = Snapshot::<Acknowledgements>::read(&config.app.acknowledged_gaps()).map_err(refused)?;
    let gaps = gaps.map(|snapshot| snapshot.document).unwrap_or_default();
    let answer = if cli.json {
        let list: Vec<Value> = gaps.list().iter().map(as_json).collect();
        format!("{:#}", json!({ "exit_code": 0, "acknowledgements": list }))
    } else if gaps.list().is_empty() {
        "no gap is acknowledged".to_owned()
    } else {
        gaps.list().iter().map(as_text).collect::<Vec<_>>().join("\n")
    };
    printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(Exit::Done)
}

fn as_text(one: &Acknowledgement) -> String {
    let (head, dim) = (style::HEAD, style::DIM);
    let until = one.until.map_or_else(|| "for ever".to_owned(), |until| format!("until {until}"));
    let expired = if one.is_active(SystemClock.now()) { "" } else { " (expired)" };
    format!(
        "{head}{}{head:#} ({}), {until}{expired}\n  {}\n  {dim}{}, {}{dim:#}",
        one.runs,
        runs(one.runs.len()),
        clean(&one.reason),
        clean(&one.person),
        one.at.format("%Y-%m-%d %H:%M UTC"),
    )
}

fn as_json(one: &Acknowledgement) -> Value {
    json!({
        "runs": one.runs.to_string(),
        "reason": one.reason,
        "person": one.person,
        "at": one.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "until": one.until,
        "is_active": one.is_active(SystemClock.now()),
    })
}

fn refused(error: OpenError) -> Failure {
    Failure::known(error).hint("nothing was changed. Mend the file, or move it away: no gap is acknowledged then")
}

/// Adds or withdraws. The lock of the session is held.
pub(crate) fn say(word: &Word, session: &Session<'_>) -> Result<Exit, Failure> {
    let path = session.config.app.acknowledged_gaps();
    let mut gaps = StateFile::open(&path, session.lock.clone(), Acknowledgements::default).map_err(refused)?;
    let (text, said) = match word {
        Word::Acknowledge { runs: set, reason, until } => {
            let reason = reason.trim();
            if reason.is_empty() {
                return Err(Failure::known(anyhow::anyhow!("the reason is empty")).hint("say why nobody minds"));
            }
            let now = SystemClock.now();
            if until.is_some_and(|until| until < now.date_naive()) {
                return Err(Failure::known(anyhow::anyhow!("the day of `--until` is past")).hint("nothing was changed"));
            }
            let one = Acknowledgement::new(set.clone(), reason, &session.owner.user, now, *until);
            let text = format!("acknowledged: {set} ({}): {reason}", runs(set.len()));
            let said = json!({ "exit_code": 0, "acknowledged": as_json(&one) });
            gaps.update(|gaps| gaps.add(one)).map_err(Failure::unexpected)?;
            (text, said)
        }
        Word::Withdraw(set) => {
            let mut next = gaps.document().clone();
            let withdrawn = next.withdraw(set);
            if withdrawn.is_empty() {
                let error = anyhow::anyhow!("no acknowledgement names any of the runs {set}");
                return Err(Failure::known(error).hint("nothing was changed; `--acknowledgements` lists them"));
            }
            gaps.update(|gaps| *gaps = next).map_err(Failure::unexpected)?;
            let text = format!("withdrawn: {withdrawn} ({})", runs(withdrawn.len()));
            (text, json!({ "exit_code": 0, "withdrawn": withdrawn.to_string() }))
        }
    };
    session.log.line(Level::Warning, &text);
    let answer = if session.cli.json { format!("{said:#}") } else { clean(&text).into_owned() };
    session.printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(Exit::Done)
}
