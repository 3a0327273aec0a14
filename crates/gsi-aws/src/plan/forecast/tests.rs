//! The formula, row by row.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    describe::TableStatus,
    spec::{AttributeTypes, KeySchema, OnDemandThroughput, ProvisionedThroughput, WarmThroughput},
};

fn table(items: Option<i64>, bytes: Option<i64>, billing: Billing) -> TableDescription {
    TableDescription {
        name: "bookings".to_owned(),
        status: TableStatus::Active,
        key_schema: KeySchema::new(["id"], []),
        attributes: AttributeTypes::default(),
        billing,
        item_count: items,
        size_bytes: bytes,
        indexes: Vec::new(),
    }
}

fn spec(projection: Projection) -> IndexSpec {
    IndexSpec {
        table: "bookings".to_owned(),
        name: "by-flight".to_owned(),
        key_schema: KeySchema::new(["flight"], []),
        attributes: AttributeTypes::default(),
        projection,
        provisioned: None,
        on_demand: None,
        warm: None,
        description: None,
        estimated_impact: None,
        required_by: None,
    }
}

#[test]
fn write_units_bound_the_sum_over_the_items() {
    let check = |items, bytes, projection: &Projection, expect: Option<(u64, u64)>| {
        let units = write_units(projection, &table(items, bytes, Billing::OnDemand));
        assert_eq!(units.map(|span| (span.low, span.high)), expect, "{items:?} {bytes:?} {projection:?}");
    };
    let all = &Projection::All;
    check(Some(0), Some(0), all, Some((0, 0)));
    check(None, Some(9), all, None);
    check(Some(-1), Some(-1), all, Some((0, 0)));
    check(Some(1000), Some(1000 * 100), all, Some((1000, 1097))); // small items: a unit each, at most 97 more
    check(Some(1000), Some(1000 * 2048), all, Some((2000, 3000)));
    check(Some(1000), Some(1000 * 2048), &Projection::KeysOnly, Some((1000, 3000)));
    check(Some(1), Some(1025), all, Some((2, 2)));
    check(Some(1), Some(1024), all, Some((1, 2)));
    check(Some(i64::MAX), Some(i64::MAX), all, Some(((1 << 63) - 1, (1 << 63) + (1 << 53) - 2)));
}

/// The bounds hold for every way in which the bytes may be spread over the items.
#[test]
fn the_bounds_hold_for_any_sizes() {
    let rows: [&[i64]; 6] = [&[1, 1, 1], &[1024, 1025, 1], &[400 * 1024, 1], &[1023; 7], &[1024; 7], &[1025; 7]];
    for sizes in rows {
        let true_units: u64 = sizes.iter().map(|size| u64::try_from(*size).unwrap().div_ceil(1024)).sum();
        let items = i64::try_from(sizes.len()).unwrap();
        let table = table(Some(items), Some(sizes.iter().sum()), Billing::OnDemand);
        let span = write_units(&Projection::All, &table).unwrap();
        assert!((span.low..=span.high).contains(&true_units), "{sizes:?}: {true_units} is not in {span:?}");
    }
}

#[test]
fn time_follows_from_units_and_rate() {
    let check = |items: i64, billing, spec: &IndexSpec, expect: (u64, u64)| {
        let span = build(spec, &table(Some(items), Some(items * 100), billing), None).seconds;
        assert_eq!((span.low, span.high), expect, "{items} {billing:?} {:?}", spec.on_demand);
    };
    let provisioned = |write_units| Billing::Provisioned { read_units: 1, write_units };
    let all = spec(Projection::All);
    // Nothing to copy takes as long as it takes.
    check(0, Billing::OnDemand, &all, (506, 1003));
    check(0, provisioned(1), &all, (506, 1003));
    // 4,000,000 items: 100 s at 40,000 a second; at most 4,390,625 units at 4,000 a second.
    check(4_000_000, Billing::OnDemand, &all, (606, 2101));
    // The index's own capacity counts, else the table's.
    check(100_000, provisioned(100), &all, (1506, 2649));
    let own = ProvisionedThroughput { read_units: 1, write_units: 1000 };
    check(100_000, provisioned(100), &IndexSpec { provisioned: Some(own), ..all.clone() }, (606, 1168));
    check(1000, provisioned(0), &all, (1506, 2649));
    // On demand, a warm throughput raises the rate and a ceiling lowers it; -1 is no ceiling.
    let warm = WarmThroughput { read_units_per_second: None, write_units_per_second: Some(80_000) };
    check(4_000_000, Billing::OnDemand, &IndexSpec { warm: Some(warm), ..all.clone() }, (556, 1058));
    let ceiling = |max_write_units| Some(OnDemandThroughput { max_read_units: None, max_write_units });
    check(4_000_000, Billing::OnDemand, &IndexSpec { on_demand: ceiling(Some(1000)), ..all.clone() }, (4506, 5394));
    check(4_000_000, Billing::OnDemand, &IndexSpec { on_demand: ceiling(Some(-1)), ..all.clone() }, (606, 2101));
    // Nothing overflows.
    check(i64::MAX / 100, provisioned(1), &all, (315_360_506, 315_361_003));
}

#[test]
fn only_on_demand_writes_have_a_price() {
    let cost = |billing, price| build(&spec(Projection::All), &table(Some(2_000_000), Some(0), billing), price).cost;
    assert_eq!(cost(Billing::OnDemand, Some(1.25)), Some(Cost { low: 2.5, high: 2.5 }));
    assert_eq!(cost(Billing::OnDemand, None), None);
    assert_eq!(cost(Billing::Provisioned { read_units: 1, write_units: 1 }, Some(1.25)), None);
}
