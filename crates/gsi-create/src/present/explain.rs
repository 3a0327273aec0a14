//! The story of one index, in sentences.

use gsi_state::{GsiKey, GsiState, GsiStatus, HistoryEntry, HistoryEvent};
use serde::Serialize;
use terminal::{Printer, clean, style};

use super::{TIME, follow::seconds};
use crate::advice;

/// What is known of one index.
pub(crate) struct Story<'a> {
    pub(crate) key: GsiKey,
    /// What the state, or the newest archive that knows it, says.
    pub(crate) gsi: Option<&'a GsiState>,
    /// Its lines of the history, oldest first.
    pub(crate) entries: Vec<&'a HistoryEntry>,
}

/// Tells the story, and what to do next.
pub(crate) fn explain(story: &Story<'_>, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        let answer = Answer {
            table: story.key.table(),
            index: story.key.index(),
            status: story.gsi.map(|gsi| gsi.status),
            attempts: story.gsi.map_or(0, |gsi| gsi.retry_count),
            error: story.gsi.and_then(|gsi| gsi.last_error.as_deref()),
            history: &story.entries,
            recommended_steps: next_steps(story),
        };
        printer.answer(serde_json::to_string_pretty(&answer)?)?;
        return Ok(());
    }
    for line in lines(story) {
        printer.answer(line)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Answer<'a> {
    table: &'a str,
    index: &'a str,
    status: Option<GsiStatus>,
    attempts: u32,
    error: Option<&'a str>,
    history: &'a [&'a HistoryEntry],
    recommended_steps: Vec<String>,
}

fn lines(story: &Story<'_>) -> Vec<String> {
    let head = style::HEAD;
    let key = story.key.to_string();
    let mut lines = vec![format!("{head}{}{head:#} {}", clean(&key), standing(story))];
    lines.push(format!("\n{head}What happened{head:#}"));
    if story.entries.is_empty() {
        lines.push("  the history has nothing about it: an older program, or another directory, knows more".to_owned());
    }
    lines.extend(story.entries.iter().map(|entry| told(entry)));
    let steps = next_steps(story);
    if !steps.is_empty() {
        lines.push(format!("\n{head}What to do next{head:#}"));
        lines.extend((1..).zip(steps).map(|(n, step)| format!("  {n}. {}", clean(&step))));
    }
    lines
}

/// Where it stands, as the end of a sentence that begins with its name.
fn standing(story: &Story<'_>) -> String {
    let Some(gsi) = story.gsi else { return "is in no state of this directory any more".to_owned() };
    let attempts = match gsi.retry_count {
        0 => String::new(),
        1 => " after 1 attempt".to_owned(),
        n => format!(" after {n} attempts"),
    };
    match gsi.status {
        GsiStatus::Pending => "was not asked for yet".to_owned(),
        GsiStatus::InProgress => "was asked for; what the service made of it is looked up by the next run".to_owned(),
        GsiStatus::Active => format!("is active{attempts}"),
        GsiStatus::Failed => format!("failed{attempts}"),
        GsiStatus::Deleting => "is being rolled back".to_owned(),
        GsiStatus::Deleted => "was rolled back".to_owned(),
    }
}

/// One line of the history as a sentence.
pub(super) fn told(entry: &HistoryEntry) -> String {
    let dim = style::DIM;
    format!("  {dim}{}{dim:#}  {}", entry.at.format(TIME), clean(&sentence(&entry.event)))
}

fn sentence(event: &HistoryEvent) -> String {
    match event {
        HistoryEvent::Requested { attempt } => format!("it was asked for (attempt {attempt})"),
        HistoryEvent::Refused { operation, class, message, strategy, next_delay_seconds, .. } => {
            let next = next_delay_seconds.map_or(String::new(), |delay| format!(" in {}", of_seconds(delay)));
            format!("{operation} failed ({class}): {message}; {strategy}{next}")
        }
        HistoryEvent::Building { phase } => format!("the service was at work on it: {phase}"),
        HistoryEvent::Waiting { reason } => format!("it had to wait: {reason}"),
        HistoryEvent::Settled { status, error, elapsed_seconds, .. } => {
            let after = elapsed_seconds.map_or(String::new(), |elapsed| format!(" after {}", of_seconds(elapsed)));
            let error = error.as_ref().map_or(String::new(), |error| format!(": {error}"));
            format!("{}{after}{error}", became(*status))
        }
        HistoryEvent::Validated { verdict, detail } => format!("it was found {}: {detail}", verdict.as_str()),
        HistoryEvent::DeletionRequested => "its deletion was asked for".to_owned(),
        HistoryEvent::ByHand { action, person, from, to } => {
            let from = from.map_or(String::new(), |from| format!(", was {from}"));
            let to = to.map_or(String::new(), |to| format!(" {to}"));
            format!("by hand: {action}{to} ({person}{from})")
        }
        HistoryEvent::Unknown => "something that a newer version of this program wrote down".to_owned(),
    }
}

/// What a status means as news.
const fn became(status: GsiStatus) -> &'static str {
    match status {
        GsiStatus::Pending => "it was left for later",
        GsiStatus::InProgress => "what became of it is not known",
        GsiStatus::Active => "it was active",
        GsiStatus::Failed => "it failed",
        GsiStatus::Deleting => "its deletion was not finished",
        GsiStatus::Deleted => "it was gone",
    }
}

fn of_seconds(seconds_: f64) -> String {
    seconds(std::time::Duration::try_from_secs_f64(seconds_).unwrap_or_default())
}

/// What a person can do, where there is something to do.
fn next_steps(story: &Story<'_>) -> Vec<String> {
    let Some(gsi) = story.gsi else { return Vec::new() };
    let again = "run `gsi-create` with the same definitions and `--state-dir`: it goes on where it stopped".to_owned();
    match gsi.status {
        GsiStatus::Pending | GsiStatus::InProgress => vec![again],
        GsiStatus::Failed => advice::steps(advice::cause_of(gsi.last_error.as_deref().unwrap_or_default()), &story.key),
        GsiStatus::Deleting => vec!["run `gsi-create --rollback` with the same `--state-dir` to finish it".to_owned()],
        GsiStatus::Active | GsiStatus::Deleted => Vec::new(),
    }
}
