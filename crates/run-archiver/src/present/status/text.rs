//! The report for people: no line is longer than a hundred columns.

use run_pipeline::status::{GapRow, MarkCheck, StateCheck, StoreReport, Unreadable, Weight};
use run_state::RunSet;
use terminal::{clean, style};

use super::{Picture, brief, runs, steps, thousands, verdict};

const COLUMNS: usize = 100;
/// Of a set of runs, so many ranges are shown.
const RANGES_MAX: usize = 12;
/// Of the table of gaps, so many rows.
const ROWS_MAX: usize = 40;

/// The whole report.
pub(crate) fn text(picture: &Picture) -> String {
    let mut page = Page::default();
    if picture.report.has_stores {
        page.title("ARCHIVE STATUS");
        for store in &picture.analysis.stores {
            page.store(store, picture.location(store.store));
        }
        page.gaps(picture);
    }
    if picture.report.has_states {
        page.title("STATE COMPARISON");
        for state in &picture.analysis.states {
            page.state(state, &picture.state_file(state.stage).display().to_string());
        }
    }
    for (part, reason) in picture.analysis.unread.iter().filter(|_| picture.report.has_stores) {
        page.unread(part, reason);
    }
    if let Some(verification) = &picture.verification {
        page.verification(picture, verification);
    }
    page.recommendations(picture);
    page.lines.join("\n")
}

#[derive(Default)]
pub(super) struct Page {
    lines: Vec<String>,
}

impl Page {
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// As the guide draws it.
    pub(super) fn title(&mut self, title: &str) {
        let (rule, head) = ("=".repeat(70), style::HEAD);
        if self.lines.last().is_some_and(|last| !last.is_empty()) {
            self.line("");
        }
        self.line(rule.clone());
        self.line(format!("{head}{title}{head:#}"));
        self.line(rule);
    }

    pub(super) fn wrapped(&mut self, label: &str, text: &str) {
        self.lines.extend(wrapped(label, text));
    }

    fn store(&mut self, report: &StoreReport, location: &str) {
        let (head, bad) = (style::HEAD, style::BAD);
        self.line(format!("{head}{}{head:#}: {}", capital(report.store.to_string()), clean(location)));
        let found = match &report.runs {
            Ok(found) => found,
            Err(Unreadable(reason)) => {
                self.line(format!("  {bad}could not be read{bad:#}; it is not taken for empty"));
                self.wrapped("    ", &clean(reason));
                self.line("");
                return;
            }
        };
        let total = found.len() - report.partial.len();
        self.line(format!("  Total runs: {}", thousands(total)));
        if let (Some(first), Some(last)) = (found.first(), found.last()) {
            self.line(format!("  Range: {first} - {last}"));
            let ranges = found.ranges().count();
            self.wrapped(&format!("  Contiguous ranges: {ranges}: "), &brief(found, RANGES_MAX));
            let gaps = report.gaps();
            if gaps.is_empty() {
                self.line("  Gaps: none");
            } else {
                self.wrapped(&format!("  Gaps: {}: ", runs(gaps.len())), &brief(&gaps, RANGES_MAX));
            }
        }
        self.set("  Half-imported: ", &report.partial);
        self.set("  Far from all others: ", &report.strays);
        if let Some(known) = report.shrunk_from_runs {
            let found = report.runs.as_ref().map_or(0, RunSet::len) + report.strays.len();
            self.line(format!(
                "  {bad}not believed{bad:#}: it lists {} where there were {}",
                runs(found),
                thousands(known)
            ));
        }
        self.line("");
    }

    pub(super) fn set(&mut self, label: &str, set: &RunSet) {
        if !set.is_empty() {
            self.wrapped(&format!("{label}{}: ", runs(set.len())), &brief(set, RANGES_MAX));
        }
    }

    fn gaps(&mut self, picture: &Picture) {
        let head = style::HEAD;
        if picture.rows.is_empty() {
            self.line("Nothing is missing that could be seen.");
            return;
        }
        self.line(format!("{head}{:<15} {:>9}  {:<10}  {}{head:#}", "Missing", "Runs", "From", "Why"));
        for row in picture.rows.iter().take(ROWS_MAX) {
            self.gap(row, picture);
        }
        if picture.rows.len() > ROWS_MAX {
            let more = picture.rows.len() - ROWS_MAX;
            self.line(format!("… and {} more rows; all of them with --json or --html FILE", thousands(more as u64)));
        }
    }

    fn gap(&mut self, row: &GapRow, picture: &Picture) {
        let (start, end) = (row.runs.start(), row.runs.end());
        let range = if start == end { start.to_string() } else { format!("{start}-{end}") };
        let label = format!("{range:<15} {:>9}  {:<10}  ", thousands(row.count()), row.missing_in.to_string());
        self.wrapped(&label, &clean(&why(row, picture)));
    }

    fn state(&mut self, state: &StateCheck, file: &str) {
        let head = style::HEAD;
        self.line(format!("{head}{} state{head:#}: {}", capital(state.stage.to_string()), clean(file)));
        let marks = &state.recorded;
        self.mark("contiguous", marks.last_contiguous_run.get(), state.actual_contiguous_run.get(), state.contiguous);
        self.mark("attempted", marks.last_attempted_run.get(), state.actual_attempted_run.get(), state.attempted);
        let log = format!("  Failure log: {}", runs(state.logged_runs));
        let is_accurate = [&state.logged_and_present, &state.logged_without_source, &state.not_logged];
        let is_accurate = is_accurate.iter().all(|set| set.is_empty());
        self.line(if is_accurate { format!("{log} ✓") } else { log });
        self.set("    logged, though in the destination (not verified): ", &state.logged_and_present);
        self.set("    logged, though no store has them: ", &state.logged_without_source);
        self.set("    not logged, though missing at or below the mark (late, or lost): ", &state.not_logged);
        self.set("  In flight (being worked on, or interrupted): ", &state.in_flight);
        self.set("  New: ", &state.new);
        self.line("");
    }

    fn mark(&mut self, name: &str, recorded: u64, actual: u64, check: MarkCheck) {
        let (bad, warn) = (style::BAD, style::WARN);
        let line = format!("  Last {name} run: {recorded}");
        self.line(match check {
            MarkCheck::Right => format!("{line} ✓"),
            MarkCheck::Behind => format!("{line} {warn}✗{warn:#} behind: the archives say {actual}"),
            MarkCheck::PastGaps => {
                format!("{line} ✓ (the unbroken sequence ends at {actual}; it had passed the gaps before)")
            }
            MarkCheck::Ahead => format!("{line} {bad}✗{bad:#} ahead: the archives say {actual}"),
        });
    }

    fn unread(&mut self, part: &str, Unreadable(reason): &Unreadable) {
        let bad = style::BAD;
        self.line(format!("{bad}Could not be read{bad:#}: the {part}"));
        self.wrapped("    ", &clean(reason));
    }

    fn recommendations(&mut self, picture: &Picture) {
        let colour = match picture.weight() {
            Weight::Fine => style::GOOD,
            Weight::Work => style::WARN,
            Weight::Wrong => style::BAD,
        };
        let steps = steps(picture);
        if !steps.is_empty() {
            self.title("RECOMMENDATIONS");
        }
        for (number, step) in (1..).zip(&steps) {
            self.wrapped(&format!("{number}. "), &clean(&capital(step.text.clone())));
            if let Some(command) = &step.command {
                self.line(format!("     {}", clean(command)));
            }
        }
        self.line("");
        self.line(format!("Verdict: {colour}{}{colour:#}", verdict(picture.weight())));
    }
}

/// The cause, and what is known beside it.
pub(crate) fn why(row: &GapRow, picture: &Picture) -> String {
    let name = row.cause.name();
    match (&row.story, picture.acknowledged_because(row)) {
        (Some(story), _) => {
            let times = match story.times {
                1 => "once".to_owned(),
                2 => "twice".to_owned(),
                times => format!("{times} times"),
            };
            let reason = story.last_reason.lines().next().unwrap_or_default();
            match row.cause {
                run_pipeline::status::Cause::Failed => format!("{name} {times}: {reason}"),
                _ => format!("{name}; failed {times}: {reason}"),
            }
        }
        (None, Some(reason)) if row.cause == run_pipeline::status::Cause::Acknowledged => format!("{name}: {reason}"),
        _ => name.to_owned(),
    }
}

/// With a capital letter at its beginning.
pub(crate) fn capital(text: String) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // A name that is spelled with a small letter stays so.
        Some(first) if first.is_lowercase() && !text.starts_with("artdaq") => {
            first.to_uppercase().collect::<String>() + letters.as_str()
        }
        _ => text,
    }
}

/// Lines of a text after a label, none longer than a hundred columns; all but the first are indented like it.
pub(crate) fn wrapped(label: &str, text: &str) -> Vec<String> {
    let indent = label.chars().count();
    let margin = |index: usize| if index == 0 { label.to_owned() } else { " ".repeat(indent) };
    let parts = wrap(text, COLUMNS.saturating_sub(indent).max(20)).into_iter().enumerate();
    parts.map(|(index, part)| margin(index) + &part).collect()
}

/// Breaks a text at spaces; a word that is too long is broken anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + rest.len() > width {
            lines.push(String::new());
            length = 0;
        } else if length > 0 {
            push(&mut lines, " ");
            length += 1;
        }
        while rest.len() > width {
            let tail = rest.split_off(width);
            push(&mut lines, &rest.into_iter().collect::<String>());
            lines.push(String::new());
            rest = tail;
        }
        length += rest.len();
        push(&mut lines, &rest.into_iter().collect::<String>());
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn texts_are_broken_at_spaces() {
        for (text, width, expect) in [
            ("", 5, vec![""]),
            ("one two three", 20, vec!["one two three"]),
            ("one two three", 7, vec!["one two", "three"]),
            ("abcdefgh i", 3, vec!["abc", "def", "gh", "i"]),
        ] {
            assert_eq!(wrap(text, width), expect, "{text}");
        }
    }
}
