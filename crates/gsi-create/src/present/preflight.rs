//! What the pre-flight finds, while it looks and afterwards.

use std::sync::Arc;

use gsi_aws::preflight::{IndexFindings, Sample, ScanStep, TableFindings};
use serde::Serialize;
use terminal::{LiveLines, Printer, Verbosity, clean, style};

/// Shows how far a scan is, to somebody who watches.
#[derive(Debug)]
pub(crate) struct Steps(Option<LiveLines>);

/// The steps of a scan.
pub(crate) fn preflight_steps(printer: Printer, is_json: bool) -> Arc<Steps> {
    let is_live = Printer::is_watched() && !is_json && printer.verbosity() == Verbosity::Normal;
    Arc::new(Steps(is_live.then(LiveLines::new)))
}

impl Steps {
    /// Shows one step.
    pub(crate) fn step(&self, step: ScanStep<'_>) {
        if let Some(live) = &self.0 {
            let share = share(step.scanned, step.item_count);
            live.set(
                step.table,
                format!("pre-flight: {} items{share}, {:.1} read units", step.scanned, step.read_units),
            );
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(live) = &self.0 {
            live.clear();
        }
    }
}

/// ` of about 200 (50 %)`, where the service has counted them.
fn share(scanned: u64, item_count: Option<u64>) -> String {
    match item_count {
        Some(count) if count > 0 => {
            #[expect(clippy::cast_precision_loss, reason = "a percentage")]
            let percent = (scanned as f64 / count as f64 * 100.0).min(100.0);
            format!(" of about {count} ({percent:.0} %)")
        }
        _ => String::new(),
    }
}

/// Says what the scan of a table found.
pub(crate) fn preflight(found: &TableFindings, are_allowed: bool, printer: Printer) {
    for line in lines(found, are_allowed) {
        printer.comment(line);
    }
}

fn lines(found: &TableFindings, are_allowed: bool) -> Vec<String> {
    let (good, bad, warn, dim) = (style::GOOD, style::BAD, style::WARN, style::DIM);
    let extent = if found.is_whole {
        format!("all {} items", found.scanned)
    } else {
        format!("{} items{}", found.scanned, share(found.scanned, found.item_count))
    };
    let earlier = match found.scanned_earlier {
        0 => String::new(),
        earlier => format!(", {earlier} of them by an earlier run"),
    };
    let mut lines =
        vec![format!("pre-flight of {}: {extent}{earlier}, {:.1} read units", clean(&found.table), found.read_units)];
    for (name, index) in &found.indexes {
        let name = clean(name);
        let sparse = match index.sparse {
            0 => String::new(),
            sparse => format!("; {sparse} without its key"),
        };
        if index.violations() == 0 {
            lines.push(format!("  {good}✓{good:#} {name}: {} fit{sparse}", index.fits));
            continue;
        }
        let mark = if are_allowed { format!("{warn}!{warn:#}") } else { format!("{bad}✗{bad:#}") };
        lines.push(format!("  {mark} {name}: {} fit; {}{sparse}", index.fits, violations(index)));
        lines.extend(index.samples.iter().map(|sample| format!("      {dim}{}{dim:#}", shown(sample))));
        let more = index.violations() - index.samples.len() as u64;
        if more > 0 {
            lines.push(format!("      {dim}… and {more} more{dim:#}"));
        }
    }
    lines
}

/// `3 cannot be in it (2 of another type, 1 too long)`.
fn violations(index: &IndexFindings) -> String {
    let kinds = [(index.wrong_type, "of another type"), (index.empty, "empty"), (index.too_long, "too long")];
    let kinds = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}"));
    format!("{} cannot be in it ({})", index.violations(), kinds.collect::<Vec<_>>().join(", "))
}

/// `id "b7": flight is of type N, not S`.
fn shown(sample: &Sample) -> String {
    let key: Vec<_> = sample.key.iter().map(|(name, value)| format!("{} {}", clean(name), clean(value))).collect();
    format!("{}: {} {}", key.join(", "), clean(&sample.attribute), clean(&sample.violation.to_string()))
}

/// The findings of a table in the JSON answer.
#[derive(Serialize)]
pub(super) struct PreflightAnswer<'a> {
    table: &'a str,
    scanned: u64,
    scanned_earlier: u64,
    /// As the service last counted.
    item_count: Option<u64>,
    is_whole: bool,
    read_units: f64,
    indexes: Vec<IndexAnswer<'a>>,
}

#[derive(Serialize)]
struct IndexAnswer<'a> {
    index: &'a str,
    violations: u64,
    #[serde(flatten)]
    findings: &'a IndexFindings,
}

impl<'a> PreflightAnswer<'a> {
    pub(super) fn of(found: &'a TableFindings) -> Self {
        let index = |(index, findings): (&'a String, &'a IndexFindings)| IndexAnswer {
            index,
            violations: findings.violations(),
            findings,
        };
        Self {
            table: &found.table,
            scanned: found.scanned,
            scanned_earlier: found.scanned_earlier,
            item_count: found.item_count,
            is_whole: found.is_whole,
            read_units: found.read_units,
            indexes: found.indexes.iter().map(index).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gsi_aws::preflight::Violation;

    /// Without colours.
    fn plain(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').map_or("", |(_, rest)| rest);
        }
        plain + rest
    }

    #[test]
    fn the_screen_of_a_sample_with_violations() {
        let sample = |id: &str, violation| Sample {
            key: [("id".to_owned(), format!("{id:?}")), ("at".to_owned(), "7".to_owned())].into(),
            attribute: "flight".to_owned(),
            violation,
        };
        let wrong = Violation::WrongType { found: "N".to_owned(), wanted: "S".to_owned() };
        let by_flight = IndexFindings {
            fits: 900,
            sparse: 77,
            wrong_type: 21,
            empty: 1,
            too_long: 1,
            samples: vec![
                sample("b7", wrong),
                sample("b\u{1b}[2J8", Violation::Empty),
                sample("b9", Violation::TooLong { bytes: 2049, bytes_max: 2048 }),
            ],
        };
        let by_seat = IndexFindings { fits: 1000, ..IndexFindings::default() };
        let found = TableFindings {
            table: "bookings".to_owned(),
            scanned: 1000,
            item_count: Some(8000),
            is_whole: false,
            scanned_earlier: 0,
            read_units: 12.5,
            indexes: [("by-flight".to_owned(), by_flight), ("by-seat".to_owned(), by_seat)].into(),
        };
        let text = plain(&lines(&found, false).join("\n"));
        insta::assert_snapshot!(text, @r#"
        pre-flight of bookings: 1000 items of about 8000 (12 %), 12.5 read units
          ✗ by-flight: 900 fit; 23 cannot be in it (21 of another type, 1 empty, 1 too long); 77 without its key
              at 7, id "b7": flight is of type N, not S
              at 7, id "b\u{1b}[2J8": flight is empty
              at 7, id "b9": flight has 2049 bytes, more than 2048
              … and 20 more
          ✓ by-seat: 1000 fit
        "#);
    }
}
