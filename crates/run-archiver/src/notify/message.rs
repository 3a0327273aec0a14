//! The message about a stage, in words. Pure text: each channel dresses it up.

use std::{fmt::Write as _, path::Path, time::Duration};

use chrono::SecondsFormat;
use run_pipeline::{Outcome, Stage, StageReport};
use run_state::RunSet;

use super::{
    ended::{End, Ended, Place},
    memory::HeldBack,
    secrets::Secrets,
};
use crate::present;

/// So many failed runs are named with their reasons.
const REASONS_MAX: usize = 10;

/// Letters of a reason; a chain of causes with a quoted line has about 300.
const REASON_LETTERS_MAX: usize = 500;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// One line.
    pub(crate) subject: String,
    /// Lines that end with a line break.
    pub(crate) body: String,
    /// Whether somebody should look.
    pub(crate) is_trouble: bool,
}

impl Message {
    /// The message about `ended`.
    pub(crate) fn about(
        ended: &Ended,
        place: &Place,
        held_back: HeldBack,
        interval: Duration,
        secrets: &Secrets,
    ) -> Self {
        let stage = present::name(ended.stage);
        let outcome = outcome(ended);
        let mut body = String::new();
        if let Some(rehearsal) = &place.rehearsal {
            let _ = writeln!(body, "REHEARSAL of failures, runs fail on purpose: {rehearsal}\n");
        }
        let _ = write!(
            body,
            "stage:          {stage}\noutcome:        {outcome}\nhost:           {}\nconfiguration:  {}\n",
            place.host,
            config(place)
        );
        // Writing to a `String` cannot fail.
        match &ended.end {
            End::Ran(report) => body.push_str(&figures(ended, report)),
            End::Broke { chain, .. } => {
                let _ = write!(body, "\n{}\n", lines(&chain.join("\n  caused by: ")));
            }
        }
        body.push_str(&reasons(ended));
        if let Some(next) = next(ended, &place.config) {
            let _ = write!(body, "\nWhat to do next: {next}\n");
        }
        if let HeldBack { count: count @ 1.., since: Some(since) } = held_back {
            let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            let messages = if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
            let minutes = interval.as_secs() / 60;
            let _ = write!(
                body,
                "\n{messages} about this stage held back since {since}: the same is told once in {minutes} minutes.\n"
            );
        }
        let rehearsal = if place.rehearsal.is_some() { "REHEARSAL: " } else { "" };
        let subject = format!("[run-archiver] {rehearsal}{stage} on {}: {outcome}", place.host);
        Self {
            subject: terminal::clean(&secrets.hide(&subject)).into_owned(),
            body: cleaned(&secrets.hide(&body)),
            is_trouble: ended.is_trouble(),
        }
    }

    /// The message of `--test-notifications`.
    pub(crate) fn test(place: &Place) -> Self {
        let (host, config) = (terminal::clean(&place.host), config(place));
        Self {
            subject: format!("[run-archiver] test of notifications on {host}"),
            body: format!(
                "This is a test, sent by `run-archiver '{config}' --test-notifications` on {host}.\n\
                 Failures will be reported to you in the same way.\n"
            ),
            is_trouble: false,
        }
    }
}

/// One line: what came of it.
fn outcome(ended: &Ended) -> String {
    let report = match &ended.end {
        End::Broke { .. } => return "could not be done".to_owned(),
        End::Ran(report) => report,
    };
    let mut parts = Vec::new();
    if report.stopped.is_some() {
        parts.push("stopped early".to_owned());
    }
    let failed = report.failed_count();
    if failed > 0 {
        parts.push(format!("{} failed", present::runs(failed as u64)));
    }
    if !report.invalid.is_empty() {
        parts.push(format!("{} not valid", present::runs(report.invalid.len() as u64)));
    }
    let left_behind = ended.left_behind().len();
    if left_behind > 0 {
        parts.push(format!("{} late or cut off, in the failure log", present::runs(left_behind)));
    }
    if report.is_interrupted {
        parts.push("interrupted".to_owned());
    }
    if parts.is_empty() {
        parts.push(format!("done, {} archived", present::runs(report.archived_count() as u64)));
    }
    parts.join(", ")
}

/// The totals.
fn figures(ended: &Ended, report: &StageReport) -> String {
    let not_attempted = report.count(|outcome| matches!(outcome, Outcome::NotAttempted));
    let (before, after) = (&report.marks_before, &report.marks_after);
    let mut text = format!(
        "duration:       {}\n\
         runs:           {} archived, {} failed, {not_attempted} not attempted, {} for the next start\n\
         failure log:    {}: {}\n\
         marks:          {before} before, {after} now (contiguous/attempted)\n",
        present::seconds(report.elapsed),
        report.archived_count(),
        report.failed_count(),
        report.beyond_limit.len(),
        present::runs(report.still_failed.len()),
        report.still_failed,
    );
    if let Some(reason) = &report.stopped {
        let _ = writeln!(text, "stopped since:  {}", lines(&shortened(reason)));
    }
    if !report.invalid.is_empty() {
        let runs: RunSet = report.invalid.keys().copied().collect();
        let _ = writeln!(text, "not valid:      {runs}");
    }
    let left_behind = ended.left_behind();
    if !left_behind.is_empty() {
        let _ = writeln!(text, "late, cut off:  {left_behind}");
    }
    text
}

/// The first failed runs, with why they failed.
fn reasons(ended: &Ended) -> String {
    let failed = ended.failed();
    let mut text = String::new();
    if !failed.is_empty() {
        text.push_str("\nFailed runs:\n");
    }
    for (run, reason) in failed.iter().take(REASONS_MAX) {
        let _ = writeln!(text, "  run {run}: {}", lines(&shortened(reason)));
    }
    if failed.len() > REASONS_MAX {
        let _ = writeln!(text, "  and {} more", failed.len() - REASONS_MAX);
    }
    text
}

/// What to do, with the command.
fn next(ended: &Ended, config: &Path) -> Option<String> {
    let program = format!("  run-archiver '{}'", terminal::clean(&config.display().to_string()));
    let report = match &ended.end {
        End::Broke { hint: Some(hint), .. } => return Some(hint.clone()),
        End::Broke { hint: None, .. } => return Some(format!("remove the cause, then start again:\n{program}")),
        End::Ran(report) => report,
    };
    let retry = match ended.stage {
        Stage::Import => "--retry-failed-import",
        Stage::Migrate => "--retry-failed-migrate",
    };
    if report.stopped.is_some() && report.still_failed.is_empty() {
        return Some(format!("see to the store; the next start goes on:\n{program}"));
    }
    if !report.still_failed.is_empty() {
        return Some(format!("remove the cause, then take the runs of the failure log:\n{program} {retry}"));
    }
    if !report.invalid.is_empty() {
        return Some("the records are archived, but lack what they should say of themselves; see the log".to_owned());
    }
    report.is_interrupted.then(|| format!("nothing is lost; the next start goes on:\n{program}"))
}

fn shortened(reason: &str) -> String {
    match reason.char_indices().nth(REASON_LETTERS_MAX) {
        Some((end, _)) => format!("{} …", &reason[..end]),
        None => reason.to_owned(),
    }
}

/// The path of the configuration, on one line.
fn config(place: &Place) -> String {
    terminal::clean(&place.config.display().to_string()).into_owned()
}

/// Each line cleaned.
fn cleaned(text: &str) -> String {
    text.lines().flat_map(|line| [terminal::clean(line), "\n".into()]).collect()
}

/// Each line cleaned, the later ones indented.
fn lines(text: &str) -> String {
    text.lines().map(terminal::clean).collect::<Vec<_>>().join("\n    ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::notify::testing::report;

    fn about(end: End, held_back: u64) -> Message {
        about_rehearsal(end, held_back, None)
    }

    fn about_rehearsal(end: End, held_back: u64, rehearsal: Option<String>) -> Message {
        let since = (held_back > 0).then(|| "2026-03-01T10:00:00Z".parse().unwrap());
        let place = Place { host: "daq01".to_owned(), config: "/etc/waymark/config.yaml".into(), rehearsal };
        let ended = Ended { stage: Stage::Import, end, laps: Vec::new() };
        let held_back = HeldBack { count: held_back, since };
        Message::about(&ended, &place, held_back, Duration::from_hours(1), &Secrets::new(&["hush-hush".into()]))
    }

    #[test]
    fn a_message_says_what_where_why_and_what_to_do() {
        let message = about(End::Ran(Box::new(report("100-102, 105", "103-104", None))), 59);
        assert_eq!(message.subject, "[run-archiver] import on daq01: 2 runs failed");
        assert_eq!(
            message.body,
            "stage:          import
outcome:        2 runs failed
host:           daq01
configuration:  /etc/waymark/config.yaml
duration:       1.5 s
runs:           4 archived, 2 failed, 0 not attempted, 0 for the next start
failure log:    2 runs: 103-104
marks:          99/99 before, 102/105 now (contiguous/attempted)

Failed runs:
  run 103: line 103 is � malformed
    x: [1
  run 104: line 104 is � malformed
    x: [1

What to do next: remove the cause, then take the runs of the failure log:
  run-archiver '/etc/waymark/config.yaml' --retry-failed-import

59 messages about this stage held back since 2026-03-01T10:00:00Z: the same is told once in 60 minutes.
"
        );
        assert!(message.is_trouble);
    }

    #[test]
    fn a_host_a_path_or_a_reason_begins_no_header_and_no_line() {
        let evil = "x\r\nBcc: everybody@example.org\n\u{1b}[2J\u{202e}\u{9b}y";
        let place = Place { host: evil.to_owned(), config: evil.into(), rehearsal: Some(evil.to_owned()) };
        let end = End::Broke { chain: vec![evil.to_owned()], hint: Some(evil.to_owned()) };
        let ended = Ended { stage: Stage::Import, end, laps: Vec::new() };
        let held_back = HeldBack { count: 0, since: None };
        let about = Message::about(&ended, &place, held_back, Duration::from_hours(1), &Secrets::default());
        for message in [about, Message::test(&place)] {
            assert!(!message.subject.chars().any(char::is_control), "{:?}", message.subject);
            assert!(message.body.ends_with('\n'), "{:?}", message.body);
            for line in message.body.lines() {
                assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
            }
        }
        let paths = format!("configuration:  {}\n", terminal::clean(evil));
        let message = Message::about(&ended, &place, held_back, Duration::from_hours(1), &Secrets::default());
        assert!(message.body.contains(&paths), "{}", message.body);
    }

    #[test]
    fn a_rehearsal_is_called_one_before_anything_else() {
        let rehearsal = Some("20 % fail; seed 7".to_owned());
        let message = about_rehearsal(End::Ran(Box::new(report("100-102", "103", None))), 0, rehearsal);
        assert_eq!(message.subject, "[run-archiver] REHEARSAL: import on daq01: 1 run failed");
        let first = "REHEARSAL of failures, runs fail on purpose: 20 % fail; seed 7\n\nstage:          import\n";
        assert!(message.body.starts_with(first), "{}", message.body);
    }

    #[test]
    fn ten_reasons_are_enough_and_secrets_stay_here() {
        let message = about(End::Ran(Box::new(report("1", "100-114", Some("no route; hush-hush")))), 0);
        assert_eq!(message.subject, "[run-archiver] import on daq01: stopped early, 15 runs failed");
        assert_eq!(message.body.matches("  run 1").count(), 10);
        assert!(
            message.body.contains("  and 5 more\n") && message.body.contains("no route; ***\n"),
            "{}",
            message.body
        );
        assert!(!message.body.contains("held back"));
    }

    #[test]
    fn a_stage_that_broke_tells_the_chain_and_the_hint() {
        let chain = vec!["no listing".to_owned(), "refused".to_owned()];
        let message = about(End::Broke { chain, hint: Some("repeat it".to_owned()) }, 0);
        assert_eq!(message.subject, "[run-archiver] import on daq01: could not be done");
        assert!(message.body.contains("\nno listing\n      caused by: refused\n"), "{}", message.body);
        assert!(message.body.contains("What to do next: repeat it\n"));
        let quiet = about(End::Ran(Box::new(report("1-3", "", None))), 0);
        assert_eq!(quiet.subject, "[run-archiver] import on daq01: done, 3 runs archived");
        assert!(!quiet.body.contains("What to do") && !quiet.is_trouble);
    }
}
