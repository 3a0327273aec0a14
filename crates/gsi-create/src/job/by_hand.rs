//! Changes of the state by hand, each with a backup and a line in the history.

use std::path::Path;

use gsi_state::{GsiKey, GsiStateManager, GsiStatus, HistoryEvent, STATE_FILE_NAME, StatusView};
use serde::Serialize;
use statefile::{Lock, Owner, SystemClock};
use terminal::{Printer, clean};

use super::{SCRIPT_NAME, names, no_state};
use crate::{
    cli::{self, Cli},
    exit::{Exit, Failure},
};

/// Takes an index out of the state.
pub(super) fn forget(cli: &Cli, text: &str, printer: Printer) -> Result<Exit, Failure> {
    change(cli, text, "forget", None, printer)
}

/// Sets the status of an index.
pub(super) fn mark(cli: &Cli, text: &str, status: &str, printer: Printer) -> Result<Exit, Failure> {
    let Some(to) = cli::status(status) else {
        let known: Vec<_> = GsiStatus::ALL.into_iter().map(GsiStatus::as_str).collect();
        let error = anyhow::anyhow!("`{status}` is not a status");
        return Err(Failure::new(Exit::Usage, error).hint(format!("say one of: {}", known.join(", "))));
    };
    change(cli, text, "mark", Some(to), printer)
}

fn change(cli: &Cli, text: &str, action: &str, to: Option<GsiStatus>, printer: Printer) -> Result<Exit, Failure> {
    // Before the lock, so that a directory without a state stays without files.
    let Some(view) = StatusView::read(&cli.state_dir)? else { return Err(no_state(&cli.state_dir)) };
    let key = names::resolve(text, view.state.gsis().map(|gsi| gsi.key.clone()))?;
    let mut manager = GsiStateManager::open(SCRIPT_NAME, &cli.state_dir)?;
    let unexpected = |error: anyhow::Error| Failure::new(Exit::Unexpected, error);
    let backup = manager.back_up().map_err(|error| unexpected(error.into()))?;
    let from = manager.status_of(&key).map(|gsi| gsi.status);
    // The history first: a change that nobody can explain later is worse than a line about one that failed.
    manager
        .note([(key.clone(), HistoryEvent::ByHand { action: action.to_owned(), person: person(), from, to })])
        .map_err(Failure::unsaved)?;
    match to {
        Some(status) => manager.force(&key, status).map_err(Failure::unsaved)?,
        None => drop(manager.forget(&key).map_err(Failure::unsaved)?),
    }
    if cli.json {
        let (table, index) = (key.table(), key.index());
        let backup = backup.map(|backup| backup.display().to_string());
        let answer = ChangeAnswer { exit_code: Exit::Done as u8, action, table, index, from, to, backup };
        return answer_json(&answer, printer);
    }
    let key = key.to_string();
    let (key, was) = (clean(&key), from.map_or("unknown", GsiStatus::as_str));
    let told = match to {
        Some(status) => format!("{key} is marked {status} (it was {was})"),
        None => format!("{key} is forgotten (it was {was}); what the table has is not touched"),
    };
    let kept = backup.map_or(String::new(), |backup| format!("; the state before: {}", backup.display()));
    printer.answer(format_args!("{told}{}", clean(&kept))).map_err(|error| unexpected(error.into()))?;
    Ok(Exit::Done)
}

/// The answer of `--forget --json` and `--mark --json`.
#[derive(Serialize)]
struct ChangeAnswer<'a> {
    exit_code: u8,
    action: &'a str,
    table: &'a str,
    index: &'a str,
    from: Option<GsiStatus>,
    /// `null` where it was forgotten.
    to: Option<GsiStatus>,
    /// The state before.
    backup: Option<String>,
}

/// The answer of `--unlock --json`.
#[derive(Serialize)]
struct UnlockAnswer {
    exit_code: u8,
    action: &'static str,
    /// Whether a lock was broken; otherwise nobody held it.
    is_broken: bool,
    holder: Option<String>,
    /// Where the file of a lock that was broken is kept.
    set_aside: Option<String>,
}

fn answer_json(answer: &impl Serialize, printer: Printer) -> Result<Exit, Failure> {
    let unexpected = |error: anyhow::Error| Failure::new(Exit::Unexpected, error);
    let text = serde_json::to_string_pretty(answer).map_err(|error| unexpected(error.into()))?;
    printer.answer(text).map_err(|error| unexpected(error.into()))?;
    Ok(Exit::Done)
}

/// Frees the lock of the state: only where its holder is certainly dead, or a person insists.
pub(super) fn unlock(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    let path = statefile::StateFile::<gsi_state::CreationState>::lock_path(&cli.state_dir.join(STATE_FILE_NAME));
    let answer = |text: String, holder: Option<String>, set_aside: Option<&Path>| -> Result<Exit, Failure> {
        if cli.json {
            let set_aside = set_aside.map(|path| path.display().to_string());
            let is_broken = set_aside.is_some();
            let answer = UnlockAnswer { exit_code: Exit::Done as u8, action: "unlock", is_broken, holder, set_aside };
            return answer_json(&answer, printer);
        }
        printer.answer(clean(&text)).map_err(|error| Failure::new(Exit::Unexpected, error))?;
        Ok(Exit::Done)
    };
    if !path.exists() {
        let text = format!("`{}` does not exist: nobody ever locked this state", path.display());
        return answer(text, None, None);
    }
    let me = Owner::current(&SystemClock);
    let holder = match Lock::acquire(&path, &me) {
        Ok(_) => {
            let text = "nobody holds the lock: the system freed it when its holder ended";
            return answer(text.to_owned(), None, None);
        }
        Err(statefile::LockError::InUse { holder, .. }) => holder,
        Err(error) => return Err(Failure::new(Exit::Unexpected, error)),
    };
    let who = holder.as_deref().map_or_else(|| "a process that has not said who it is".to_owned(), ToString::to_string);
    let is_dead = holder.as_deref().is_some_and(Owner::is_dead);
    if !is_dead && !cli.yes {
        let error = anyhow::anyhow!("the state is held by {who}, which may be alive");
        return Err(Failure::new(Exit::Locked, error).hint(
            "stop it with `kill -INT`. If you are certain that it is gone (say, its host is), add `--yes`: \
             two processes that write one state would ruin it",
        ));
    }
    let aside = Lock::set_aside(&path).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let mut manager = GsiStateManager::open(SCRIPT_NAME, &cli.state_dir)?;
    let event = HistoryEvent::ByHand { action: "unlock".to_owned(), person: person(), from: None, to: None };
    manager.note([(GsiKey::new("", ""), event)]).map_err(Failure::unsaved)?;
    let text = format!("the lock of {who} is broken; its file is kept as {}", aside.display());
    answer(text, Some(who), Some(&aside))
}

/// Who does it, for the history.
fn person() -> String {
    let Owner { user, host, .. } = Owner::current(&SystemClock);
    format!("{user}@{host}")
}
