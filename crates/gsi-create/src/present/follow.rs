//! The run while it runs: live lines for somebody who watches, plain lines otherwise.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gsi_aws::{
    Decision, Event, EventKind, Observer, Outcome, Progress, WaitReason, rollback::RollbackStep, validate::Finding,
};
use gsi_state::{GsiKey, Verdict};
use terminal::{LiveLines, Printer, Verbosity, clean, style};

/// Follows a run on the screen.
#[derive(Debug)]
pub(crate) struct Follower {
    printer: Printer,
    live: Option<LiveLines>,
    /// What was last said of an index, so that plain lines say it once.
    said: Mutex<HashMap<GsiKey, String>>,
    /// The indexes that are being built, each with how far it is, where that is known.
    building: Mutex<HashMap<GsiKey, Option<String>>>,
}

/// The follower that fits: live lines on a terminal, plain ones in a pipe.
pub(crate) fn observer(printer: Printer, is_json: bool) -> Arc<Follower> {
    let is_live = Printer::is_watched() && !is_json && printer.verbosity() == Verbosity::Normal;
    Arc::new(Follower {
        printer,
        live: is_live.then(LiveLines::new),
        said: Mutex::default(),
        building: Mutex::default(),
    })
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

    fn building(&self) -> MutexGuard<'_, HashMap<GsiKey, Option<String>>> {
        // Held for single map operations, which leave the map whole.
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The indexes that are being built.
    #[cfg_attr(not(feature = "cloudwatch"), expect(dead_code, reason = "only metrics ask"))]
    pub(crate) fn being_built(&self) -> Vec<GsiKey> {
        self.building().keys().cloned().collect()
    }

    /// How far an index is; shown with the next look at it.
    #[cfg_attr(not(feature = "cloudwatch"), expect(dead_code, reason = "only metrics tell"))]
    pub(crate) fn is_so_far(&self, key: &GsiKey, progress: Progress) {
        if let Some(far) = self.building().get_mut(key) {
            *far = Some(so_far(progress));
        }
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
                let known = self.building().entry(event.key.clone()).or_default().clone();
                let far = known.map_or(String::new(), |far| format!(", {far}"));
                self.doing(event, &format!("being built: {phase}{far}"));
                self.printer.detail(format_args!("  looked after {}", seconds(*elapsed)));
            }
            EventKind::Refused { error, decision, .. } => self.refused(event, error, *decision),
            EventKind::Settled(outcome) => {
                self.building().remove(&event.key);
                self.settled(event, outcome);
            }
            EventKind::Validated(finding) => self.validated(event, finding),
            EventKind::Rollback(step) => self.rollback(event, step),
        }
    }
}

impl Follower {
    /// A good verdict is a detail; the others stay on the screen.
    fn validated(&self, event: &Event, finding: &Finding) {
        let (key, verdict) = (event.key.to_string(), finding.verdict);
        let line = format!("{} is {}: {}", clean(&key), verdict.as_str(), clean(&finding.detail));
        match verdict {
            Verdict::Functional => self.printer.detail(format_args!("  {line}")),
            Verdict::NonFunctional => {
                let bad = style::BAD;
                self.say(format!("{bad}✗{bad:#} {line}"));
            }
            Verdict::NotUsed | Verdict::ValidationError => {
                let warn = style::WARN;
                self.say(format!("{warn}!{warn:#} {line}"));
            }
        }
    }

    fn rollback(&self, event: &Event, step: &RollbackStep) {
        let key = event.key.to_string();
        let key = clean(&key);
        match step {
            RollbackStep::InAllocation => {
                self.doing(event, "waiting: it can be deleted when its resources are allocated");
            }
            RollbackStep::Requesting { attempt: 1 } => self.doing(event, "asking for its deletion"),
            RollbackStep::Requesting { attempt } => {
                self.doing(event, &format!("asking for its deletion (try {attempt})"));
            }
            RollbackStep::Deleting { elapsed } => {
                self.doing(event, "being deleted");
                self.printer.detail(format_args!("  looked after {}", seconds(*elapsed)));
            }
            RollbackStep::Refused { error, next: Some(next) } => {
                let warn = style::WARN;
                self.say(format!("{warn}!{warn:#} {key}: {}; looking again in {}", clean(error), seconds(*next)));
            }
            // The outcome follows and tells the rest.
            RollbackStep::Refused { next: None, .. } => {}
            RollbackStep::Settled(outcome) => {
                if let Some(live) = &self.live {
                    live.remove(event.key.table());
                }
                self.say(super::rollback::line(&key, outcome));
            }
        }
    }

    fn refused(&self, event: &Event, error: &str, decision: Decision) {
        let next = match decision {
            Decision::Again { after, .. } => format!("; looking again in {}", seconds(after)),
            Decision::MergeAttributes => "; asking again with the table's attribute definitions".to_owned(),
            // The outcome follows and tells the rest.
            Decision::GiveUpRun => "; the run stops, since every call would be refused".to_owned(),
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

/// How far a build is, in words: `42 %, at 12 % an hour, about 4h 50m left`.
fn so_far(Progress { percent, percent_per_hour, left }: Progress) -> String {
    let rate = percent_per_hour.map_or(String::new(), |rate| format!(", at {rate:.0} % an hour"));
    // More digits would promise what nobody knows.
    let left = left.map(|left| Duration::from_mins(left.as_secs() / 60));
    let left = left.map_or(String::new(), |left| format!(", about {} left", humantime::format_duration(left)));
    format!("{percent:.0} %{rate}{left}")
}

/// A time for people: seconds with one decimal below a minute, whole seconds above.
pub(super) fn seconds(time: Duration) -> String {
    if time < Duration::from_mins(1) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_as_far_as_it_is_known() {
        let check = |percent_per_hour, left: Option<u64>, expect: &str| {
            let progress = Progress { percent: 42.3, percent_per_hour, left: left.map(Duration::from_secs) };
            assert_eq!(so_far(progress), expect);
        };
        check(None, None, "42 %");
        check(Some(12.2), Some(17_444), "42 %, at 12 % an hour, about 4h 50m left");
    }
}
