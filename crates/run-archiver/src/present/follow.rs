//! The work while it is done: a progress bar for somebody who watches, plain lines otherwise, and the log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use run_pipeline::{Event, EventKind, HoldReason, Observer, Outcome, Stage};
use run_state::{RunNumber, RunSet};
use terminal::{LiveLines, Printer, Verbosity, clean, style};

use super::{count, name, runs, seconds};
use crate::log::Log;
use run_config::Level;

/// Follows the stages.
pub(crate) struct Follower {
    printer: Printer,
    log: Arc<Log>,
    live: Option<LiveLines>,
    progress: Mutex<Option<Progress>>,
}

/// How far the present stage is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Progress {
    done: u64,
    total: u64,
    started: Instant,
}

impl Follower {
    /// The follower that fits: a bar on a terminal, plain lines in a pipe.
    pub(crate) fn new(printer: Printer, is_json: bool, log: Arc<Log>) -> Self {
        let is_live = Printer::is_watched() && !is_json && printer.verbosity() == Verbosity::Normal;
        Self { printer, log, live: is_live.then(LiveLines::new), progress: Mutex::default() }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(live) = &self.live {
            live.clear();
        }
    }

    /// Says something that stays, on the screen and in the log.
    fn say(&self, level: Level, stage: Stage, text: &str) {
        self.log.line(level, &format!("{}: {text}", name(stage)));
        let line = format!("{} {}: {}", mark(level), name(stage), cleaned(text));
        match (&self.live, level) {
            (Some(_), Level::Debug) => {}
            (Some(lines), _) => lines.print(&line),
            (None, Level::Debug) => self.printer.detail(line),
            (None, Level::Info | Level::Warning) => self.printer.comment(line),
            // Quiet runs want it, too.
            (None, Level::Error) => self.printer.error(&format!("{line}\n")),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Option<Progress>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn selected(&self, stage: Stage, work: &RunSet, beyond_limit: &RunSet) {
        let rest = match beyond_limit.len() {
            0 => String::new(),
            more => format!("; {} more wait for the next start", runs(more)),
        };
        let text = match work.len() {
            0 => "nothing to do".to_owned(),
            total => format!("{} to do: {work}{rest}", runs(total)),
        };
        self.say(Level::Info, stage, &text);
        *self.progress() = Some(Progress { done: 0, total: work.len(), started: Instant::now() });
        self.draw(stage);
    }

    fn draw(&self, stage: Stage) {
        if let (Some(live), Some(progress)) = (&self.live, *self.progress()) {
            if progress.done < progress.total {
                live.set(name(stage), progress.line(progress.started.elapsed()));
            } else {
                live.remove(name(stage));
            }
        }
    }

    fn settled(&self, stage: Stage, run: run_state::RunNumber, outcome: &Outcome) {
        if let Some(progress) = self.progress().as_mut() {
            progress.done += 1;
        }
        match outcome {
            Outcome::Archived { was_there: false } => self.archived(stage, &format!("run {run}: archived")),
            Outcome::Archived { was_there: true } => {
                self.archived(stage, &format!("run {run}: was archived already, and verified"));
            }
            Outcome::Failed { reason } => self.say(Level::Error, stage, &format!("run {run} failed: {reason}")),
            Outcome::NotAttempted => self.say(Level::Debug, stage, &format!("run {run}: not attempted")),
        }
        self.draw(stage);
    }

    /// An archived run moves the bar; without one it is a line.
    fn archived(&self, stage: Stage, text: &str) {
        if self.live.is_some() {
            self.log.line(Level::Info, &format!("{}: {text}", name(stage)));
        } else {
            self.say(Level::Info, stage, text);
        }
    }
}

impl Observer for Follower {
    fn observe(&self, event: &Event) {
        let stage = event.stage;
        match &event.kind {
            EventKind::Listed { source_runs, destination_runs } => {
                let text = format!("{} in the source, {destination_runs} in the destination", runs(*source_runs));
                self.say(Level::Debug, stage, &text);
            }
            EventKind::Late(late) => {
                let text = format!("runs that appeared below the mark are put into the failure log: {late}");
                self.say(Level::Warning, stage, &text);
            }
            EventKind::Interrupted(cut) => {
                let text = format!("the last execution was cut off at these runs, put into the failure log: {cut}");
                self.say(Level::Warning, stage, &text);
            }
            EventKind::Unconfirmed(cut) => {
                let text = format!("the last execution was cut off after it had stored these runs: {cut}");
                self.say(Level::Warning, stage, &text);
            }
            EventKind::Held(held) => self.say(Level::Info, stage, &held_text(held)),
            EventKind::Selected { work, beyond_limit } => self.selected(stage, work, beyond_limit),
            EventKind::Skipped { run, files } => {
                self.say(Level::Debug, stage, &format!("run {run}: not part of a record: {}", files.join(", ")));
            }
            EventKind::Retrying { run, reason, after } => {
                let text = format!("run {run}: {reason}; again in {}", seconds(*after));
                self.say(Level::Warning, stage, &text);
            }
            EventKind::Invalid { run, problems } => {
                self.say(
                    Level::Warning,
                    stage,
                    &format!("run {run}: the record is not valid: {}", problems.join("; ")),
                );
            }
            EventKind::Settled { run, outcome } => self.settled(stage, *run, outcome),
            EventKind::Amended { run, version } => {
                self.archived(stage, &format!("run {run}: stop time added, as version {version}"));
            }
            EventKind::Renewed { run, version_id } => {
                let text = format!("run {run}: has changed, stored as version {version_id}; the one before is kept");
                self.archived(stage, &text);
            }
            EventKind::NotAmended { run, reason } => {
                let text = match stage {
                    Stage::Import => format!("run {run}: could not be brought up to date: {reason}"),
                    Stage::Migrate => format!("run {run}: the new version could not be stored: {reason}"),
                };
                self.say(Level::Error, stage, &text);
            }
            EventKind::Stopping { reason } => {
                self.say(Level::Error, stage, &format!("no further run is started: {reason}"));
            }
        }
    }
}

/// `held back: 103 (changed 12 s ago), 104 (no stop time yet)`
pub(super) fn held_text(held: &BTreeMap<RunNumber, HoldReason>) -> String {
    let first = held.iter().take(HELD_TOLD_MAX).map(|(run, reason)| format!("{run} ({reason})"));
    let first = first.collect::<Vec<_>>().join(", ");
    let more = held.len().saturating_sub(HELD_TOLD_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("still being taken, held back: {first}{more}")
}

/// Enough to see why; a whole disk that is being copied would fill the screen.
const HELD_TOLD_MAX: usize = 5;

fn mark(level: Level) -> String {
    let (good, warn, bad, dim) = (style::GOOD, style::WARN, style::BAD, style::DIM);
    match level {
        Level::Debug => format!("{dim}·{dim:#}"),
        Level::Info => format!("{good}✓{good:#}"),
        Level::Warning => format!("{warn}!{warn:#}"),
        Level::Error => format!("{bad}✗{bad:#}"),
    }
}

/// The text with its later lines indented (a syntax error quotes the line), each of them cleaned.
fn cleaned(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n    ")
}

/// Letters of the bar.
const WIDTH: u64 = 24;

impl Progress {
    /// `[######------------------] 15/60  7.5 runs/s  6.0 s to go`
    fn line(&self, elapsed: Duration) -> String {
        let Self { done, total, .. } = *self;
        let filled = (done * WIDTH).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
        let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '-' }).collect();
        let line = format!("[{bar}] {done}/{total}");
        let count = |runs: u64| f64::from(u32::try_from(runs).unwrap_or(u32::MAX));
        let rate = count(done) / elapsed.as_secs_f64();
        if !rate.is_finite() || rate <= 0.0 {
            return line;
        }
        let left = count(total.saturating_sub(done)) / rate;
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
        format!("{line}  {rate:.1} runs/s  {} to go", seconds(left))
    }
}

/// The runs of a finished stage, for its last line.
pub(super) fn summary(report: &run_pipeline::StageReport) -> String {
    let archived = count(report.archived_count());
    let rate = report.rate().filter(|_| archived > 0).map_or_else(String::new, |rate| format!(", {rate:.1} runs/s"));
    format!("{} archived, {} failed after {}{rate}", runs(archived), report.failed_count(), seconds(report.elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_share_rate_and_time_to_go() {
        for (done, total, milliseconds, expect) in [
            (0, 60, 0, "[------------------------] 0/60"),
            (0, 60, 2000, "[------------------------] 0/60"),
            (15, 60, 2000, "[######------------------] 15/60  7.5 runs/s  6.0 s to go"),
            (60, 60, 8000, "[########################] 60/60  7.5 runs/s  0.0 s to go"),
            (1, 1000, 1000, "[------------------------] 1/1000  1.0 runs/s  16m 39s to go"),
        ] {
            let progress = Progress { done, total, started: Instant::now() };
            assert_eq!(progress.line(Duration::from_millis(milliseconds)), expect);
        }
    }
}
