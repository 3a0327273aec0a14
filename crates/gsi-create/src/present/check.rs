//! `--check-status`: every index of the tables, and how it stands to its definition.

use gsi_aws::{
    ApiError,
    describe::{Billing, IndexDescription, IndexStatus, TableDescription},
    drift::{IndexStanding, Standing, standings},
    spec::Definitions,
};
use indexmap::IndexMap;
use serde::Serialize;
use terminal::{Printer, clean, style};

use crate::exit::Exit;

/// What there is to show.
pub(crate) struct Check<'a> {
    pub(crate) definitions: &'a Definitions,
    /// Each table of the definitions, in their order.
    pub(crate) tables: &'a IndexMap<String, Result<TableDescription, ApiError>>,
}

impl Check<'_> {
    /// Drift, and a table that cannot be described, come before what a run would mend by itself.
    pub(crate) fn exit(&self) -> Exit {
        let mut exit = Exit::Done;
        for (name, table) in self.tables {
            let Ok(table) = table else { return Exit::SomeFailed };
            for row in standings(self.definitions.table(name).unwrap_or_default(), table) {
                match row.standing {
                    Standing::Differs(_) => return Exit::SomeFailed,
                    Standing::Missing | Standing::Building => exit = Exit::ToDo,
                    Standing::Wanted | Standing::Extra => {}
                }
            }
        }
        exit
    }
}

/// Prints the tables.
pub(crate) fn check(check: &Check<'_>, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        printer.answer(serde_json::to_string_pretty(&Answer::of(check))?)?;
        return Ok(());
    }
    for line in lines(check) {
        printer.answer(line)?;
    }
    Ok(())
}

fn lines(check: &Check<'_>) -> Vec<String> {
    let (head, dim, bad) = (style::HEAD, style::DIM, style::BAD);
    let mut lines = Vec::new();
    for (name, table) in check.tables {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let name = clean(name);
        let table = match table {
            Ok(table) => table,
            Err(error) => {
                let error = error.to_string();
                lines.push(format!("{head}{name}{head:#}  {bad}cannot be described{bad:#}: {}", clean(&error)));
                continue;
            }
        };
        lines.push(format!("{head}{name}{head:#}  {}", facts(table)));
        let rows = standings(check.definitions.table(&table.name).unwrap_or_default(), table);
        if rows.is_empty() {
            lines.push("  no index".to_owned());
            continue;
        }
        let titles = ["INDEX", "STATE", "STATUS", "ITEMS", "SIZE", "READ/WRITE"];
        lines.push(format!("{dim}    {}{dim:#}", cells(titles.map(str::to_owned))));
        lines.extend(rows.iter().flat_map(row));
    }
    lines.push(String::new());
    lines.push(sum(check));
    lines
}

/// The table itself, in a line.
fn facts(table: &TableDescription) -> String {
    let billing = match table.billing {
        Billing::OnDemand => "on-demand".to_owned(),
        Billing::Provisioned { read_units, write_units } => format!("provisioned {read_units}/{write_units}"),
    };
    format!("{}, {billing}, {} items, {}", table.status, count(table.item_count), size(table.size_bytes))
}

fn row(row: &IndexStanding<'_>) -> Vec<String> {
    let (good, bad, warn) = (style::GOOD, style::BAD, style::WARN);
    let (style, mark, word) = match &row.standing {
        Standing::Wanted => (good, "✓", "wanted"),
        Standing::Building => (warn, "…", "building"),
        Standing::Missing => (warn, "-", "missing"),
        Standing::Differs(_) => (bad, "✗", "differs"),
        Standing::Extra => (style::DIM, "+", "extra"),
    };
    let of_index = |show: fn(&IndexDescription) -> String| row.index.map_or("–".to_owned(), show);
    let cells = cells([
        clean(row.name).into_owned(),
        word.to_owned(),
        of_index(status),
        of_index(|index| count(index.item_count)),
        of_index(|index| size(index.size_bytes)),
        of_index(throughput),
    ]);
    let mut lines = vec![format!("  {style}{mark}{style:#} {cells}")];
    if let Standing::Differs(differences) = &row.standing {
        lines.extend(differences.iter().map(|difference| format!("      {}", clean(&difference.to_string()))));
    }
    lines
}

/// A row of 95 columns; a name that is too long is cut.
fn cells([name, word, status, items, size, throughput]: [String; 6]) -> String {
    let name = if name.chars().count() > NAME_WIDTH {
        name.chars().take(NAME_WIDTH - 1).chain(['…']).collect()
    } else {
        name
    };
    let line = format!("{name:<NAME_WIDTH$} {word:<8} {status:<21} {items:>9} {size:>9} {throughput:>11}");
    line.trim_end().to_owned()
}

const NAME_WIDTH: usize = 32;

fn status(index: &IndexDescription) -> String {
    match (&index.status, index.backfilling) {
        (IndexStatus::Creating, Some(true)) => "CREATING, backfilling".to_owned(),
        (IndexStatus::Creating, Some(false)) => "CREATING, allocating".to_owned(),
        (status, _) => status.to_string(),
    }
}

fn throughput(index: &IndexDescription) -> String {
    index.provisioned.map_or("on-demand".to_owned(), |units| format!("{}/{}", units.read_units, units.write_units))
}

pub(super) fn count(items: Option<i64>) -> String {
    items.map_or("?".to_owned(), |items| items.to_string())
}

pub(super) fn size(bytes: Option<i64>) -> String {
    let Some(bytes) = bytes else { return "?".to_owned() };
    let mut rest = bytes;
    let mut tenths = 0;
    let mut unit = 0;
    while rest >= 1024 && unit + 1 < UNITS.len() {
        tenths = rest % 1024 * 10 / 1024;
        rest /= 1024;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    if bytes < 1024 { format!("{rest} {unit}") } else { format!("{rest}.{tenths} {unit}") }
}

const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// How many there are of each sort.
fn sum(check: &Check<'_>) -> String {
    let mut counts = IndexMap::from([("wanted", 0), ("building", 0), ("missing", 0), ("differ", 0), ("extra", 0)]);
    let mut unknown = 0;
    for (name, table) in check.tables {
        let Ok(table) = table else {
            unknown += 1;
            continue;
        };
        for row in standings(check.definitions.table(name).unwrap_or_default(), table) {
            let sort = match row.standing {
                Standing::Wanted => "wanted",
                Standing::Building => "building",
                Standing::Missing => "missing",
                Standing::Differs(_) => "differ",
                Standing::Extra => "extra",
            };
            *counts.entry(sort).or_default() += 1;
        }
    }
    let mut parts: Vec<_> = counts.iter().map(|(sort, count)| format!("{count} {sort}")).collect();
    if unknown > 0 {
        parts.push(format!("{unknown} tables not described"));
    }
    parts.join(", ")
}

/// The answer of `--check-status --json`.
#[derive(Serialize)]
struct Answer<'a> {
    exit_code: u8,
    tables: Vec<TableAnswer<'a>>,
}

#[derive(Serialize)]
struct TableAnswer<'a> {
    table: &'a str,
    error: Option<String>,
    status: Option<&'a str>,
    billing: Option<&'static str>,
    item_count: Option<i64>,
    size_bytes: Option<i64>,
    indexes: Vec<IndexAnswer<'a>>,
}

#[derive(Serialize)]
struct IndexAnswer<'a> {
    index: &'a str,
    /// `wanted`, `building`, `missing`, `differs` or `extra`.
    standing: &'static str,
    differences: Vec<String>,
    status: Option<&'a str>,
    backfilling: Option<bool>,
    item_count: Option<i64>,
    size_bytes: Option<i64>,
    read_units: Option<i64>,
    write_units: Option<i64>,
}

impl<'a> Answer<'a> {
    fn of(check: &'a Check<'a>) -> Self {
        let tables = check.tables.iter().map(|(name, look)| {
            let table = look.as_ref().ok();
            let specs = check.definitions.table(name).unwrap_or_default();
            TableAnswer {
                table: name,
                error: look.as_ref().err().map(ToString::to_string),
                status: table.map(|table| table.status.as_str()),
                billing: table.map(|table| match table.billing {
                    Billing::OnDemand => "PAY_PER_REQUEST",
                    Billing::Provisioned { .. } => "PROVISIONED",
                }),
                item_count: table.and_then(|table| table.item_count),
                size_bytes: table.and_then(|table| table.size_bytes),
                indexes: table
                    .map_or_else(Vec::new, |table| standings(specs, table).iter().map(IndexAnswer::of).collect()),
            }
        });
        Self { exit_code: check.exit() as u8, tables: tables.collect() }
    }
}

impl<'a> IndexAnswer<'a> {
    fn of(row: &IndexStanding<'a>) -> Self {
        let differences = match &row.standing {
            Standing::Differs(differences) => differences.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        Self {
            index: row.name,
            standing: match row.standing {
                Standing::Wanted => "wanted",
                Standing::Building => "building",
                Standing::Missing => "missing",
                Standing::Differs(_) => "differs",
                Standing::Extra => "extra",
            },
            differences,
            status: row.index.map(|index| index.status.as_str()),
            backfilling: row.index.and_then(|index| index.backfilling),
            item_count: row.index.and_then(|index| index.item_count),
            size_bytes: row.index.and_then(|index| index.size_bytes),
            read_units: row.index.and_then(|index| Some(index.provisioned?.read_units)),
            write_units: row.index.and_then(|index| Some(index.provisioned?.write_units)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        let check = |bytes, expect: &str| assert_eq!(size(bytes), expect);
        check(None, "?");
        check(Some(0), "0 B");
        check(Some(1023), "1023 B");
        check(Some(1536), "1.5 KiB");
        check(Some(i64::MAX), "8191.9 PiB");
    }

    #[test]
    fn a_row_fits() {
        let wide = cells([
            "n".repeat(255),
            "building".to_owned(),
            "CREATING, backfilling".to_owned(),
            "123456789".to_owned(),
            "1023.9 GiB".to_owned(),
            "40000/40000".to_owned(),
        ]);
        assert!(wide.chars().count() + 4 <= 100, "{wide}");
    }
}
