//! The run while it runs: live lines for somebody who watches, plain lines otherwise.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gsi_aws::{Decision, Event, EventKind, Observer, Outcome, WaitReason};
use gsi_state::GsiKey;
use terminal::{LiveLines, Printer, Verbosity, clean, style};

/// Follows a run on the screen.
#[derive(Debug)]
pub(crate) struct Follower {
    printer: Printer,
    live: Option<LiveLines>,
    /// What was last said of an index, so that plain lines say it once.
    said: Mutex<HashMap<GsiKey, String>>,
}

/// The follower that fits: live lines on a terminal, plain ones in a pipe.
pub(crate) fn observer(printer: Printer, is_json: bool) -> Arc<Follower> {
    let is_live = Printer::is_watched() && !is_json && printer.verbosity() == Verbosity::Normal;
    Arc::new(Follower { printer, live: is_live.then(LiveLines::new), said: Mutex::default() })
}

impl Follower {
    /// Takes the live lines away.
    pub(crate) fn finish(&self) {
        if let Some(live) = &self.live {
            live.clear();
        }
    }

    /// A line that stays.
    fn say(&self, text: String) {
        match &self.live {
            Some(live) => live.print(&text),
            None => self.printer.comment(text),
        }
    }

    /// What the index is doing: its table's line on a terminal, a line of its own otherwise, which only a
    /// verbose run repeats at every look.
    fn doing(&self, event: &Event, text: &str) {
        if let Some(live) = &self.live {
            live.set(event.key.table(), format!("{}: {text}", clean(event.key.index())));
            return;
        }
        let before = self.said().insert(event.key.clone(), text.to_owned());
        let line = format!("{}: {text}", clean(&event.key.to_string()));
        if before.as_deref() == Some(text) { self.printer.detail(line) } else { self.printer.comment(line) }
    }

    fn said(&self) -> MutexGuard<'_, HashMap<GsiKey, String>> {
        // Held for one insertion, which leaves the map whole.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled(&self, event: &Event, outcome: &Outcome) {
        if let Some(live) = &self.live {
            live.remove(event.key.table());
        }
        let key = event.key.to_string();
        let key = clean(&key);
        let (good, bad, warn) = (style::GOOD, style::BAD, style::WARN);
        self.say(match outcome {
            Outcome::Created { elapsed } => format!("{good}✓{good:#} {key} active after {}", seconds(*elapsed)),
            Outcome::Adopted => format!("{good}✓{good:#} {key} active already: adopted"),
            Outcome::StillActive => format!("{good}✓{good:#} {key} still active"),
            Outcome::Failed { error } => format!("{bad}✗{bad:#} {key} failed: {}", clean(error)),
            Outcome::Unsettled { error } => {
                format!("{warn}?{warn:#} {key} outcome unknown: {}", clean(error))
            }
            Outcome::StillBuilding => format!("{warn}…{warn:#} {key} is being built"),
            Outcome::NotStarted => format!("{warn}…{warn:#} {key} not started"),
        });
    }
}

impl Observer for Follower {
    fn observe(&self, event: &Event) {
        match &event.kind {
            EventKind::Vanished => {
                let (warn, key) = (style::WARN, event.key.to_string());
                self.say(format!(
                    "{warn}!{warn:#} {} was recorded as active, but the service has no such index: it is made again",
                    clean(&key)
                ));
            }
            EventKind::Unused(unused) => {
                let (warn, key) = (style::WARN, event.key.to_string());
                self.say(format!("{warn}!{warn:#} {}: {unused}", clean(&key)));
            }
            EventKind::Waiting(reason) => self.doing(event, &waiting(reason)),
            EventKind::Requesting { attempt: 1 } => self.doing(event, "asking for it"),
            EventKind::Requesting { attempt } => self.doing(event, &format!("asking for it (attempt {attempt})")),
            EventKind::Building { backfilling, elapsed } => {
                let phase = if *backfilling == Some(true) { "copying items" } else { "allocating resources" };
                self.doing(event, &format!("being built: {phase}"));
                self.printer.detail(format_args!("  looked after {}", seconds(*elapsed)));
            }
            EventKind::Refused { error, decision } => self.refused(event, error, *decision),
            EventKind::Settled(outcome) => self.settled(event, outcome),
        }
    }
}

impl Follower {
    fn refused(&self, event: &Event, error: &str, decision: Decision) {
        let next = match decision {
            Decision::Again { after, .. } => format!("; looking again in {}", seconds(after)),
            Decision::MergeAttributes => "; asking again with the table's attribute definitions".to_owned(),
            // The outcome follows and tells the rest.
            Decision::GiveUpIndex | Decision::GiveUpTable => return,
        };
        let (warn, key) = (style::WARN, event.key.to_string());
        self.say(format!("{warn}!{warn:#} {}: {}{next}", clean(&key), clean(error)));
    }
}

fn waiting(reason: &WaitReason) -> String {
    match reason {
        WaitReason::OtherIndex(other) => format!("waiting for the index {} of this table", clean(other)),
        WaitReason::Deleting => "waiting for the deletion of an index of this name".to_owned(),
        WaitReason::Table(status) => format!("waiting for the table, which is {status}"),
    }
}

/// A time for people: seconds with one decimal below a minute, whole seconds above.
pub(super) fn seconds(time: Duration) -> String {
    if time < Duration::from_mins(1) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
    }
}
