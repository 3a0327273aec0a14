//! `--plan`: one table for all verdicts, then the order and the forecast. Fits 100 columns.

use gsi_aws::plan::{Cost, Counts, Forecast, IndexPlan, Plan, Span, TablePlan, Verdict};
use serde::Serialize;
use terminal::{Printer, clean, style};

use crate::exit::Exit;

/// Columns of the screen.
const WIDTH: usize = 100;
/// Columns that a table's name and an index's have together, beside the other cells at their widest.
const NAMES_WIDTH: usize = 46;
/// What a table's name gets of them where both are long.
const TABLE_WIDTH: usize = 20;

/// Prints the plan.
pub(crate) fn plan(plan: &Plan, exit: Exit, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        printer.answer(serde_json::to_string_pretty(&Answer { exit_code: exit as u8, plan })?)?;
        return Ok(());
    }
    for line in lines(plan) {
        printer.answer(line)?;
    }
    Ok(())
}

/// The answer of `--plan --json`.
#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    #[serde(flatten)]
    plan: &'a Plan,
}

fn lines(plan: &Plan) -> Vec<String> {
    let (head, dim) = (style::HEAD, style::DIM);
    let count = plan.indexes().count();
    let mut lines = vec![format!(
        "{head}Plan for {} of {}{head:#}  {dim}(nothing was changed){dim:#}",
        plural(count, "index", "indexes"),
        plural(plan.tables.len(), "table", "tables"),
    )];
    if count == 0 {
        return lines;
    }
    lines.push(String::new());
    lines.extend(rows(plan));
    lines.push(String::new());
    lines.push(sum(&plan.counts));
    if plan.has_work() {
        lines.extend(order(plan));
        lines.extend(forecast(plan));
    }
    lines.extend(next(plan).map(|next| format!("next: {next}")));
    lines
}

fn rows(plan: &Plan) -> Vec<String> {
    let dim = style::DIM;
    let longest = |names: &mut dyn Iterator<Item = &str>| names.map(|name| name.chars().count()).max().unwrap_or(0);
    let table = longest(&mut plan.tables.iter().map(|table| table.table.as_str())).max("TABLE".len());
    let index = longest(&mut plan.indexes().map(|(_, index)| index.index.as_str())).max("INDEX".len());
    let widths = widths(table, index);
    let title = cells(widths, ["VERDICT", "TABLE", "INDEX", "TURN", "BUILD TIME", "WRITES"].map(str::to_owned));
    let mut rows = vec![format!("{dim}    {title}{dim:#}")];
    for (table, index) in plan.indexes() {
        rows.extend(row(widths, table, index));
    }
    rows
}

/// The columns of the two names, of which the longest need `table` and `index`.
fn widths(table: usize, index: usize) -> (usize, usize) {
    let table = table.min(TABLE_WIDTH.max(NAMES_WIDTH.saturating_sub(index)));
    (table, index.min(NAMES_WIDTH - table))
}

fn row(widths: (usize, usize), table: &TablePlan, index: &IndexPlan) -> Vec<String> {
    let (style, mark) = match index.verdict {
        Verdict::Create => (style::GOOD, "+"),
        Verdict::Wait { .. } => (style::WARN, "…"),
        Verdict::Adopt => (style::GOOD, "="),
        Verdict::Done => (style::GOOD, "✓"),
        Verdict::Conflict { .. } | Verdict::Refused { .. } => (style::BAD, "✗"),
    };
    let cells = cells(
        widths,
        [
            index.verdict.as_str().to_owned(),
            clean(&table.table).into_owned(),
            clean(&index.index).into_owned(),
            index.turn.map_or_else(String::new, |turn| turn.to_string()),
            index.forecast.map_or_else(String::new, |forecast| time(forecast.seconds)),
            index.forecast.and_then(|forecast| forecast.write_units).map_or_else(String::new, range),
        ],
    );
    let (verdict, rest) = cells.split_at(cells.find(' ').unwrap_or(cells.len()));
    let mut lines = vec![format!("  {style}{mark} {verdict}{style:#}{rest}")];
    let mut detail = |text: &str| lines.extend(wrapped(text, 14));
    match &index.verdict {
        Verdict::Wait { what } => detail(&what.to_string()),
        Verdict::Refused { reason } => detail(reason),
        Verdict::Conflict { differences } => {
            for one in differences {
                detail(&format!("{} is {}; wanted {}", one.what, one.is, one.wanted));
            }
        }
        Verdict::Create | Verdict::Adopt | Verdict::Done => {}
    }
    for note in &index.notes {
        detail(&format!("note: {note}"));
    }
    lines
}

fn cells((table_width, index_width): (usize, usize), cells: [String; 6]) -> String {
    let [verdict, table, index, turn, time, writes] = cells;
    let (table, index) = (cut(&table, table_width), cut(&index, index_width));
    let line = format!("{verdict:<8}  {table:<table_width$}  {index:<index_width$}  {turn:>4}  {time:<16}  {writes}");
    line.trim_end().to_owned()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A text in lines of at most [`WIDTH`] columns, each `indent` deep.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let text = clean(text);
    for word in text.split(' ') {
        let word = cut(word, WIDTH - indent);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(format!("{}{word}", " ".repeat(indent))),
        }
    }
    lines
}

fn sum(counts: &Counts) -> String {
    let (good, warn, bad) = (style::GOOD, style::WARN, style::BAD);
    let Counts { create, wait, adopt, done, conflict, refused } = *counts;
    let parts = [
        (create, good, "to create"),
        (wait, warn, "to wait for"),
        (adopt, good, "to adopt"),
        (done, good, "done"),
        (conflict, bad, "in conflict"),
        (refused, bad, "refused"),
    ];
    let told = parts.iter().filter(|(count, ..)| *count > 0);
    let told = told.map(|(count, style, text)| format!("{style}{count}{style:#} {text}"));
    told.collect::<Vec<_>>().join(", ")
}

fn order(plan: &Plan) -> Vec<String> {
    let head = style::HEAD;
    let side_by_side = plan.order.len().min(plan.tables_parallel_max);
    let how = match (plan.order.len(), side_by_side) {
        (1, _) => "one index after the other".to_owned(),
        (_, 1) => "one table after the other, one index after the other".to_owned(),
        (all, some) if some < all => {
            format!("{some} of {all} tables side by side, the indexes of a table one after the other")
        }
        (all, _) => format!("{all} tables side by side, the indexes of a table one after the other"),
    };
    let mut lines = vec![String::new(), format!("{head}Order{head:#}: {how}")];
    let tables = plan.order.iter().filter_map(|name| plan.tables.iter().find(|table| table.table == *name));
    for table in tables {
        let mut turns: Vec<_> = table.indexes.iter().filter_map(|index| Some((index.turn?, &index.index))).collect();
        turns.sort_unstable();
        let names: Vec<_> = turns.iter().map(|(_, name)| name.as_str()).collect();
        let time = table.forecast.map_or_else(String::new, |forecast| time(forecast.seconds));
        let text = format!("{}: {}", clean(&table.table), names.join(" → "));
        let mut wrapped = wrapped(&text, 20);
        if let Some(first) = wrapped.first_mut() {
            *first = format!("  {time:<16}  {}", first.trim_start());
        }
        lines.extend(wrapped);
    }
    lines
}

fn forecast(plan: &Plan) -> Vec<String> {
    let (head, dim) = (style::HEAD, style::DIM);
    let Forecast { seconds, write_units, cost } = plan.forecast;
    let last = match &plan.critical_table {
        Some(table) if is_alone(plan, table) => format!("; `{}` ends last", clean(table)),
        _ => String::new(),
    };
    let mut lines = vec![String::new(), format!("{head}Forecast{head:#}: {} in all{last}", time(seconds))];
    if let Some(units) = write_units {
        let price = match (cost, plan.price_per_million_writes) {
            (Some(Cost { high, .. }), Some(price)) if high < 0.005 => {
                format!("; less than 0.01 at {price} a million on demand")
            }
            (Some(Cost { low, high }), Some(price)) if same(low, high) => {
                format!("; {high:.2} at {price} a million on demand")
            }
            (Some(Cost { low, high }), Some(price)) => {
                format!("; {low:.2} to {high:.2} at {price} a million on demand")
            }
            _ => String::new(),
        };
        lines.push(format!("          {} write units{price}", range(units)));
    }
    lines.push(format!(
        "          {dim}at AWS, where an index takes 8 to 17 min even if it is empty, and items add to that{dim:#}"
    ));
    lines
}

/// Whether no other table may take as long.
fn is_alone(plan: &Plan, critical: &str) -> bool {
    let high = |table: &TablePlan| table.forecast.map(|forecast| forecast.seconds.high);
    let most = plan.tables.iter().find(|table| table.table == critical).and_then(high);
    plan.order.len() > 1 && plan.tables.iter().filter(|table| high(table) >= most).count() == 1
}

fn same(low: f64, high: f64) -> bool {
    format!("{low:.2}") == format!("{high:.2}")
}

fn next(plan: &Plan) -> Option<&'static str> {
    match (plan.has_obstacles(), plan.has_work()) {
        (true, true) => Some("settle what is in conflict or refused; the same command without `--plan` does the rest"),
        (true, false) => Some("settle what is in conflict or refused"),
        (false, true) => Some("the same command without `--plan`"),
        (false, false) if plan.counts.adopt > 0 => {
            Some("nothing has to be done; without `--plan`, what is there is checked and recorded")
        }
        (false, false) => None,
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A range of time in the unit that suits its upper end; the lower end has its own where it would vanish.
fn time(Span { low, high }: Span) -> String {
    let unit = |seconds: u64| match seconds {
        0..=119 => (1, "s"),
        120..=7_199 => (60, "min"),
        7_200..=172_799 => (3_600, "h"),
        _ => (86_400, "days"),
    };
    let (size, name) = unit(high);
    let most = high.div_ceil(size);
    if low > 0 && low < 2 * size && size > 1 {
        let (size, own) = unit(low);
        return format!("{} {own} to {most} {name}", low / size);
    }
    let least = low / size;
    if least == most { format!("{most} {name}") } else { format!("{least} to {most} {name}") }
}

fn range(Span { low, high }: Span) -> String {
    let (low, high) = (number(low), number(high));
    if low == high { high } else { format!("{low} to {high}") }
}

/// A number of three digits or so.
fn number(number: u64) -> String {
    let (unit, name) = match number {
        0..=9_999 => return number.to_string(),
        10_000..=999_999 => (1_000, "k"),
        1_000_000..=999_999_999 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    let (whole, tenth) = (number / unit, number % unit * 10 / unit);
    if whole < 10 { format!("{whole}.{tenth}{name}") } else { format!("{whole}{name}") }
}

#[cfg(test)]
mod tests;
