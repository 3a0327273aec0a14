//! What the screen looks like when there is much on it.

use gsi_aws::{
    describe::Billing,
    plan::{PlanOptions, judge},
    spec::{AttributeType, IndexSpec, KeySchema, Projection},
};

use super::*;
use crate::rehearsal::sources::assumed;

#[test]
fn ranges_are_short() {
    let check = |low, high, expect: &str| assert_eq!(time(Span { low, high }), expect, "{low} {high}");
    check(0, 6, "0 to 6 s");
    check(506, 1003, "8 to 17 min");
    check(1012, 8000, "16 min to 3 h");
    check(0, 8000, "0 to 3 h");
    check(86_400, 400_000, "24 h to 5 days");
    check(172_800, 400_000, "2 to 5 days");
    check(3600, 3600, "60 min");
    let check = |value, expect: &str| assert_eq!(number(value), expect);
    check(9_999, "9999");
    check(12_345, "12k");
    check(999_999, "999k");
    check(4_390_625, "4.3M");
    check(u64::MAX, "18446744073G");
}

/// What a terminal without colours shows.
fn without_styles(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[test]
fn big_tables_and_long_names() {
    let index = |name: &str| IndexSpec {
        table: name.to_owned(),
        name: format!("{name}-by-the-airport-of-departure-and-the-scheduled-time"),
        key_schema: KeySchema::new(["airport"], []),
        attributes: [("airport", AttributeType::String)].into_iter().collect(),
        projection: Projection::All,
        provisioned: None,
        on_demand: None,
        warm: None,
        description: None,
        estimated_impact: None,
        required_by: None,
    };
    let table = |name: &str, billing, items: i64| {
        let mut table = assumed(name, None);
        (table.billing, table.item_count, table.size_bytes) = (billing, Some(items), Some(items * 700));
        (name.to_owned(), Ok(table))
    };
    let provisioned = Billing::Provisioned { read_units: 5, write_units: 200 };
    let long = "passengers-of-all-airlines-since-1998";
    let tables = [
        table("flights", provisioned, 60_000_000),
        table(long, Billing::OnDemand, 1_500_000_000),
        table("gates", provisioned, 100_000),
    ];
    let specs = ["flights", long, "gates"].map(index);
    let options = PlanOptions { price_per_million_writes: Some(1.25), ..PlanOptions::default() };
    let plan = judge(&specs, &tables.into_iter().collect(), &options);
    let screen = without_styles(&lines(&plan).join("\n"));
    assert!(screen.lines().all(|line| line.chars().count() <= WIDTH), "{screen}");
    insta::assert_snapshot!(screen, @r"
    Plan for 3 indexes of 3 tables  (nothing was changed)

        VERDICT   TABLE                 INDEX                       TURN  BUILD TIME        WRITES
      + create    flights               flights-by-the-airport-of…     1  3 to 9 days       60M to 101M
      + create    passengers-of-all-a…  passengers-of-all-airline…     1  10 h to 8 days    1.5G to 2.5G
      + create    gates                 gates-by-the-airport-of-d…     1  16 to 38 min      100k to 168k

    3 to create

    Order: 3 tables side by side, the indexes of a table one after the other
      3 to 9 days       flights: flights-by-the-airport-of-departure-and-the-scheduled-time
      10 h to 8 days    passengers-of-all-airlines-since-1998:
                        passengers-of-all-airlines-since-1998-by-the-airport-of-departure-and-the-sched…
      16 to 38 min      gates: gates-by-the-airport-of-departure-and-the-scheduled-time

    Forecast: 3 to 9 days in all; `flights` ends last
              1.5G to 2.6G write units; 1875.00 to 3156.74 at 1.25 a million on demand
              at AWS, where an index takes 8 to 17 min even if it is empty, and items add to that
    next: the same command without `--plan`
    ");
}

#[test]
fn no_line_is_wider_than_the_screen() {
    let long = "x".repeat(255);
    let row =
        cells(widths(255, 255), ["conflict", &long, &long, "20", "119 min to 47 h", "999M to 999M"].map(str::to_owned));
    assert_eq!(row.chars().count() + 4, WIDTH, "{row}");
    assert_eq!((widths(8, 255), widths(255, 8), widths(8, 9)), ((8, 38), (38, 8), (8, 9)));
    let words = "word ".repeat(100);
    assert!(wrapped(&words, 14).iter().all(|line| line.chars().count() <= WIDTH));
}
