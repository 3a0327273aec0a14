//! The schedule that a rehearsal came to.

mod answer;

use std::time::Duration;

use gsi_aws::{EventKind, describe::TableDescription};
use terminal::{Printer, Verbosity, clean, style};

use self::answer::Answer;
use super::{end::named, follow::seconds};
use crate::{
    exit::Exit,
    rehearsal::schedule::{IndexSchedule, Schedule, TableSchedule, Told},
};

/// What there is to show.
#[derive(Debug)]
pub(crate) struct Rehearsal<'a> {
    pub(crate) schedule: Schedule,
    pub(crate) tables: &'a [TableDescription],
    pub(crate) told: &'a [Told],
    /// The rules of the fault plan, and how many calls each struck.
    pub(crate) strikes: &'a [(String, u64)],
    /// The same job without faults; `None` where there were none.
    pub(crate) undisturbed: Option<Schedule>,
    /// Calls of DescribeTable and of UpdateTable.
    pub(crate) calls: (usize, usize),
    pub(crate) seed: u64,
    pub(crate) exit: Exit,
}

/// Prints the schedule.
pub(crate) fn rehearsal(answer: &Rehearsal<'_>, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        printer.answer(serde_json::to_string_pretty(&Answer::of(answer))?)?;
        return Ok(());
    }
    for line in lines(answer, printer.verbosity() == Verbosity::Verbose) {
        printer.answer(line)?;
    }
    Ok(())
}

const NAME_COLUMNS: usize = 28;
const BAR_COLUMNS: usize = 40;
/// Of what went wrong; the JSON has all of it.
const TROUBLES_MAX: usize = 20;

fn lines(answer: &Rehearsal<'_>, is_verbose: bool) -> Vec<String> {
    let Schedule { tables, total } = &answer.schedule;
    let (head, dim) = (style::HEAD, style::DIM);
    let indexes: usize = tables.iter().map(|table| table.indexes.len()).sum();
    let mut lines = vec![
        format!("{head}Rehearsal{head:#} of {indexes} indexes of {} tables (seed {})", tables.len(), answer.seed),
        String::new(),
    ];
    let scale = seconds(*total);
    let ruler = format!("0{scale:>width$}", width = BAR_COLUMNS - 1);
    lines.push(format!("{dim}  {:<NAME_COLUMNS$} {:>3} {:>6}  {ruler}  ends{dim:#}", "table", "idx", "items"));
    for (position, table) in tables.iter().enumerate() {
        let mark = if position == 0 { format!("{head}*{head:#}") } else { " ".to_owned() };
        let items = answer.tables.iter().find(|known| known.name == table.name).and_then(|known| known.item_count);
        lines.push(format!(
            "{mark} {:<NAME_COLUMNS$} {:>3} {:>6}  {}  {}",
            shortened(&clean(&table.name)),
            table.indexes.len(),
            items.map_or_else(|| "?".to_owned(), counted),
            bar(table, *total),
            seconds(table.end),
        ));
        if is_verbose {
            lines.extend(table.indexes.iter().map(index_line));
        }
    }
    lines.push(String::new());
    lines.extend(critical(&answer.schedule));
    lines.extend(troubles(answer));
    let (looks, requests) = answer.calls;
    lines.push(format!("{head}total {scale}{head:#} ({requests} UpdateTable, {looks} DescribeTable)"));
    lines
}

fn index_line(index: &IndexSchedule) -> String {
    let start = index.start.map_or_else(|| "-".to_owned(), seconds);
    let (outcome, error) = named(&index.outcome);
    let error = error.map(|error| format!(": {}", clean(error))).unwrap_or_default();
    format!("      {}  {start} to {}  {outcome}{error}", clean(index.key.index()), seconds(index.end))
}

/// Which table decides the total, and by how much.
fn critical(schedule: &Schedule) -> Vec<String> {
    let head = style::HEAD;
    let Some(table) = schedule.critical() else { return Vec::new() };
    let indexes = match table.indexes.len() {
        1 => "one index".to_owned(),
        count => format!("{count} indexes, one after the other"),
    };
    let mut lines = vec![format!("{head}critical table: {}{head:#} ({indexes})", clean(&table.name))];
    if let Some(next) = schedule.tables.get(1) {
        let ahead = seconds(table.end.saturating_sub(next.end));
        lines.push(format!("  the next, {}, ends {ahead} before it", clean(&next.name)));
    }
    lines
}

/// What went wrong, and what it cost.
fn troubles(answer: &Rehearsal<'_>) -> Vec<String> {
    let (bad, warn) = (style::BAD, style::WARN);
    let mut lines = Vec::new();
    if let Some(undisturbed) = &answer.undisturbed {
        let cost = match later(answer.schedule.total, undisturbed.total) {
            Some(cost) => format!("the end comes {cost} later"),
            None => "the end comes no later".to_owned(),
        };
        lines.push(format!("faults: {cost} than without them ({})", seconds(undisturbed.total)));
        for (rule, strikes) in answer.strikes {
            let rule = clean(rule);
            lines.push(match strikes {
                0 => format!("  {warn}!{warn:#} {rule}: fitted no call"),
                1 => format!("  {rule}: struck once"),
                _ => format!("  {rule}: struck {strikes} times"),
            });
        }
    }
    lines.extend(delays(answer));
    let refused: Vec<_> = answer.told.iter().filter_map(refusal).collect();
    for (at, key, error) in refused.iter().take(TROUBLES_MAX) {
        lines.push(format!("  {warn}!{warn:#} {}", cut(&format!("at {}: {key}: {error}", seconds(*at)))));
    }
    if refused.len() > TROUBLES_MAX {
        lines.push(format!("  … and {} more", refused.len() - TROUBLES_MAX));
    }
    for index in answer.schedule.tables.iter().flat_map(|table| &table.indexes) {
        if let (outcome, Some(error)) = named(&index.outcome) {
            lines.push(format!("  {bad}✗{bad:#} {}: {outcome}: {}", clean(&index.key.to_string()), clean(error)));
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// The tables that the faults delay; the end of the job may not depend on them.
fn delays(answer: &Rehearsal<'_>) -> Vec<String> {
    let Some(undisturbed) = &answer.undisturbed else { return Vec::new() };
    let delay = |table: &TableSchedule| {
        let other = undisturbed.tables.iter().find(|other| other.name == table.name)?;
        Some(format!("  {} ends {} later", clean(&table.name), later(table.end, other.end)?))
    };
    let all: Vec<_> = answer.schedule.tables.iter().filter_map(delay).collect();
    let more = all.len().saturating_sub(TROUBLES_MAX);
    let and_more = (more > 0).then(|| format!("  … and {more} more tables"));
    all.into_iter().take(TROUBLES_MAX).chain(and_more).collect()
}

/// How much later, where it can be seen: looks are not made at the same moments.
fn later(time: Duration, than: Duration) -> Option<String> {
    let later = time.checked_sub(than)?;
    (later >= LATER_MIN).then(|| seconds(later))
}

const LATER_MIN: Duration = Duration::from_secs(5);

/// What fits the screen behind a mark.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A hundred columns less the mark and the ellipsis.
const LINE_CHARS_MAX: usize = 95;

fn refusal(told: &Told) -> Option<(Duration, String, String)> {
    match &told.event.kind {
        EventKind::Refused { error, .. } => {
            Some((told.at, clean(&told.event.key.to_string()).into_owned(), clean(error).into_owned()))
        }
        _ => None,
    }
}

/// A line of time: full and shaded blocks by turns for the indexes, dots before the table's turn.
fn bar(table: &TableSchedule, total: Duration) -> String {
    let mut cells = ['·'; BAR_COLUMNS];
    let column = |time: Duration| -> usize {
        let total = total.as_micros().max(1);
        let rounded = (time.as_micros() * BAR_COLUMNS as u128 + total / 2) / total;
        usize::try_from(rounded).unwrap_or(BAR_COLUMNS).min(BAR_COLUMNS)
    };
    cells[column(table.end)..].fill(' ');
    for (position, index) in table.indexes.iter().enumerate() {
        let start = column(index.start.unwrap_or(index.end)).min(BAR_COLUMNS - 1);
        let end = column(index.end).max(start + 1);
        let is_active = index.outcome.is_active();
        let glyph = match (is_active, position % 2) {
            (false, _) => '✗',
            (true, 0) => '█',
            (true, _) => '▒',
        };
        cells[start..end].fill(glyph);
    }
    cells.iter().collect()
}

/// A name within its column: the middle gives way.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= NAME_COLUMNS {
        return name.to_owned();
    }
    let half = (NAME_COLUMNS - 1) / 2;
    let (head, tail) = (name.chars().take(NAME_COLUMNS - 1 - half), name.chars().skip(count - half));
    head.chain(['…']).chain(tail).collect()
}

/// A count in at most five columns: 999, 1.2k, 45M, 1.3G.
fn counted(count: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut value = count as f64;
    for unit in ["", "k", "M", "G", "T"] {
        if value < 999.5 {
            return if unit.is_empty() || value >= 9.95 {
                format!("{value:.0}{unit}")
            } else {
                format!("{value:.1}{unit}")
            };
        }
        value /= 1000.0;
    }
    format!("{value:.0}P")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gsi_aws::Outcome;
    use gsi_state::GsiKey;

    #[test]
    fn counts_keep_to_their_column() {
        let check = |count, expect: &str| assert_eq!(counted(count), expect);
        check(0, "0");
        check(999, "999");
        check(1_000, "1.0k");
        check(9_949, "9.9k");
        check(9_950, "10k");
        check(999_500, "1.0M");
        check(45_000_000, "45M");
        check(i64::MAX, "9223P");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("bookings"), "bookings");
        let long = shortened("a-very-long-name-of-a-table-in-production");
        assert_eq!(long, "a-very-long-na…in-production");
        assert_eq!(long.chars().count(), NAME_COLUMNS);
    }

    #[test]
    fn a_bar_shows_every_index_however_short() {
        let check = |indexes: &[(u64, u64, bool)], expect: &str| {
            let indexes: Vec<_> = indexes
                .iter()
                .map(|&(start, end, is_active)| IndexSchedule {
                    key: GsiKey::new("t", "i"),
                    start: Some(Duration::from_secs(start)),
                    end: Duration::from_secs(end),
                    outcome: if is_active { Outcome::Adopted } else { Outcome::NotStarted },
                })
                .collect();
            let end = indexes.iter().map(|index| index.end).max().unwrap_or_default();
            let table = TableSchedule { name: "t".to_owned(), indexes, end };
            assert_eq!(bar(&table, Duration::from_secs(40)), format!("{expect:<40}"));
        };
        check(&[], "");
        check(&[(0, 4, true), (4, 8, true), (8, 10, false)], "████▒▒▒▒✗✗");
        check(&[(2, 4, true)], "··██");
        check(&[(0, 0, true)], "█");
        check(&[(40, 40, false)], "·······································✗");
    }
}
