//! Rows: a table, a wanted index, what is said of the two.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    describe::TableStatus,
    spec::{AttributeTypes, ProvisionedThroughput, WarmThroughput},
};

/// `"a HASH b RANGE"` as a key schema.
fn keys(text: &str) -> KeySchema {
    let words: Vec<_> = text.split(' ').collect();
    let of =
        |role: &str| words.chunks(2).filter(|pair| pair[1] == role).map(|pair| pair[0].to_owned()).collect::<Vec<_>>();
    KeySchema::new(of("HASH"), of("RANGE"))
}

/// `"a S, b N"` as attribute types.
fn types(text: &str) -> AttributeTypes {
    let pair = |text: &str| {
        let (name, kind) = text.split_once(' ').unwrap();
        (name.to_owned(), AttributeType::from_aws(kind).unwrap())
    };
    text.split(", ").map(pair).collect()
}

/// `"ALL"`, `"KEYS_ONLY"` or the names of an INCLUDE.
fn projection(text: &str) -> Projection {
    match text {
        "ALL" => Projection::All,
        "KEYS_ONLY" => Projection::KeysOnly,
        names => Projection::include(names.split(' ')),
    }
}

fn wanted(key_schema: &str, attributes: &str, named: &str) -> IndexSpec {
    IndexSpec {
        table: "bookings".to_owned(),
        name: "wanted".to_owned(),
        key_schema: keys(key_schema),
        attributes: types(attributes),
        projection: projection(named),
        provisioned: None,
        on_demand: None,
        warm: None,
        description: None,
        estimated_impact: None,
        required_by: None,
    }
}

fn existing(name: &str, status: IndexStatus, key_schema: &str, named: &str) -> IndexDescription {
    IndexDescription {
        name: name.to_owned(),
        status,
        backfilling: None,
        key_schema: keys(key_schema),
        projection: projection(named),
        item_count: None,
        size_bytes: None,
        provisioned: None,
    }
}

fn table(attributes: &str, indexes: Vec<IndexDescription>) -> TableDescription {
    TableDescription {
        name: "bookings".to_owned(),
        status: TableStatus::Active,
        key_schema: keys("id HASH"),
        attributes: types(attributes),
        billing: Billing::OnDemand,
        item_count: None,
        size_bytes: None,
        indexes,
    }
}

fn shown_comparison(spec: &IndexSpec, table: &TableDescription) -> String {
    match compare(spec, table) {
        Comparison::Missing => "missing".to_owned(),
        Comparison::Same { status, backfilling } => format!("same, {status}, backfilling {backfilling:?}"),
        Comparison::Different { status, differences } => {
            let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
            format!("{status}\n{}", lines.join("\n"))
        }
    }
}

#[test]
fn comparison_of_an_active_index() {
    let check = |is: (&str, &str, &str), want: (&str, &str, &str), expect: &str| {
        let table = table(is.1, vec![existing("wanted", IndexStatus::Active, is.0, is.2)]);
        assert_eq!(shown_comparison(&wanted(want.0, want.1, want.2), &table), expect, "{is:?} {want:?}");
    };
    let same = "same, ACTIVE, backfilling None";
    let plain = ("a HASH", "id S, a S", "ALL");
    check(plain, ("a HASH", "a S", "ALL"), same);
    // The service sorts attribute definitions and projected attributes.
    check(("b HASH a RANGE", "a N, b S, id S", "x y"), ("b HASH a RANGE", "b S, a N", "y x"), same);
    check(plain, ("a HASH b RANGE", "a S, b S", "ALL"), "ACTIVE\nkey schema: is a HASH; wanted a HASH, b RANGE");
    check(plain, ("a HASH", "a N", "ALL"), "ACTIVE\nattribute `a`: is S, wanted N");
    check(plain, ("a HASH", "a S", "x y"), "ACTIVE\nprojection: is ALL, wanted INCLUDE (x, y)");
    check(plain, ("a HASH", "a S", "KEYS_ONLY"), "ACTIVE\nprojection: is ALL, wanted KEYS_ONLY");
    let two = ("a HASH b HASH", "a S, b S", "x");
    check(two, ("b HASH a HASH", "a S, b S", "x"), "ACTIVE\nkey schema: is a HASH, b HASH; wanted b HASH, a HASH");
    check(two, ("a HASH b RANGE", "a S, b S", "x"), "ACTIVE\nkey schema: is a HASH, b HASH; wanted a HASH, b RANGE");
    check(two, ("a HASH b HASH", "a S, b S", "x y"), "ACTIVE\nprojection: is INCLUDE (x), wanted INCLUDE (x, y)");
    check(("a HASH", "id S", "ALL"), ("a HASH", "a S", "ALL"), "ACTIVE\nattribute `a`: is not defined, wanted S");
    check(
        two,
        ("a HASH c RANGE", "a B, c N", "ALL"),
        "ACTIVE\nkey schema: is a HASH, b HASH; wanted a HASH, c RANGE\nattribute `a`: is S, wanted B\n\
         projection: is INCLUDE (x), wanted ALL",
    );
}

#[test]
fn comparison_tells_the_status() {
    let spec = wanted("a HASH", "a S", "ALL");
    let check = |status, backfilling, expect: &str| {
        let index = IndexDescription { backfilling, ..existing("wanted", status, "a HASH", "ALL") };
        assert_eq!(shown_comparison(&spec, &table("a S", vec![index])), expect);
    };
    check(IndexStatus::Creating, Some(false), "same, CREATING, backfilling Some(false)");
    check(IndexStatus::Creating, Some(true), "same, CREATING, backfilling Some(true)");
    check(IndexStatus::Deleting, None, "same, DELETING, backfilling None");
    check(IndexStatus::from_aws("FROZEN"), None, "same, FROZEN, backfilling None");
    let other = existing("Wanted", IndexStatus::Active, "a HASH", "ALL");
    assert_eq!(shown_comparison(&spec, &table("a S", vec![other])), "missing");
    let other = existing("wanted", IndexStatus::Deleting, "b HASH", "ALL");
    let expect = "DELETING\nkey schema: is b HASH; wanted a HASH";
    assert_eq!(shown_comparison(&spec, &table("a S, b S", vec![other])), expect);
}

#[test]
fn capacity_is_no_difference() {
    let mut spec = wanted("a HASH", "a S", "ALL");
    spec.provisioned = Some(ProvisionedThroughput { read_units: 5, write_units: 5 });
    spec.warm = Some(WarmThroughput { read_units_per_second: Some(9), write_units_per_second: None });
    let mut index = existing("wanted", IndexStatus::Active, "a HASH", "ALL");
    index.provisioned = Some(ProvisionedThroughput { read_units: 70, write_units: 1 });
    assert_eq!(shown_comparison(&spec, &table("a S", vec![index])), "same, ACTIVE, backfilling None");
}

#[track_caller]
fn check_refusal(spec: &IndexSpec, table: &TableDescription, expect: &str) {
    let found = refusal(spec, table).map_or_else(|| "none".to_owned(), |refusal| refusal.to_string());
    assert_eq!(found, expect);
}

#[test]
fn refusal_of_a_contradicting_type() {
    let spec = wanted("a HASH", "a N", "ALL");
    let contradicts = "attribute `a` is S in table `bookings` and N in the definition; DynamoDB would silently keep S";
    let by_a = |status| existing("other", status, "a HASH", "ALL");
    check_refusal(&spec, &table("id S", vec![]), "none");
    check_refusal(&spec, &table("id S, a N", vec![by_a(IndexStatus::Active)]), "none");
    check_refusal(&spec, &table("id S, a S", vec![by_a(IndexStatus::Active)]), contradicts);
    check_refusal(&spec, &table("id S, a S", vec![by_a(IndexStatus::Creating)]), contradicts);
    // The key of a local index, which the description does not tell.
    check_refusal(&spec, &table("id S, a S", vec![]), contradicts);
    // The definition goes with the index that is being deleted.
    check_refusal(&spec, &table("id S, a S", vec![by_a(IndexStatus::Deleting)]), "none");
    let both = vec![by_a(IndexStatus::Deleting), existing("third", IndexStatus::Active, "b HASH a RANGE", "ALL")];
    check_refusal(&spec, &table("id S, a S, b S", both), contradicts);
    // The table's own key.
    let own = "attribute `id` is S in table `bookings` and B in the definition; DynamoDB would silently keep S";
    let deleting = existing("other", IndexStatus::Deleting, "id HASH", "ALL");
    check_refusal(&wanted("id HASH", "id B", "ALL"), &table("id S", vec![deleting]), own);
}

#[test]
fn refusal_of_the_twenty_first_index() {
    let spec = wanted("a HASH", "a S", "ALL");
    let full = "table `bookings` has 20 global secondary indexes, as many as it can have";
    let indexes = |count: usize, status: &IndexStatus| {
        (0..count).map(|n| existing(&format!("index-{n}"), status.clone(), "b HASH", "ALL")).collect::<Vec<_>>()
    };
    let of = |indexes: Vec<IndexDescription>| table("id S, b S", indexes);
    check_refusal(&spec, &of(indexes(19, &IndexStatus::Active)), "none");
    check_refusal(&spec, &of(indexes(20, &IndexStatus::Active)), full);
    check_refusal(&spec, &of(indexes(20, &IndexStatus::Creating)), full);
    check_refusal(&spec, &of(indexes(20, &IndexStatus::Deleting)), "none");
    // More than 20 shows a raised quota.
    check_refusal(&spec, &of(indexes(21, &IndexStatus::Active)), "none");
    // It is there already: not created, or created after its own deletion.
    let mut with_itself = indexes(19, &IndexStatus::Active);
    with_itself.push(existing("wanted", IndexStatus::Active, "a HASH", "ALL"));
    check_refusal(&spec, &of(with_itself), "none");
}

#[test]
fn refusal_of_too_many_projected_attributes() {
    let names = |count: usize| (0..count).map(|n| format!("a{n}")).collect::<Vec<_>>().join(" ");
    let indexes = |status: &IndexStatus| {
        (0..5).map(|n| existing(&format!("index-{n}"), status.clone(), "b HASH", &names(19))).collect::<Vec<_>>()
    };
    let of = |status| table("id S, b S", indexes(&status));
    let too_many = "the indexes of table `bookings` would project 101 attributes by name; 100 are allowed in sum";
    let active = of(IndexStatus::Active);
    check_refusal(&wanted("a HASH", "a S", &names(5)), &active, "none");
    check_refusal(&wanted("a HASH", "a S", &names(6)), &active, too_many);
    check_refusal(&wanted("a HASH", "a S", "ALL"), &active, "none");
    check_refusal(&wanted("a HASH", "a S", &names(6)), &of(IndexStatus::Deleting), "none");
}

#[test]
fn capacity_to_send() {
    let mut spec = wanted("a HASH", "a S", "ALL");
    let mut table = table("id S", vec![]);
    let ceiling = OnDemandThroughput { max_read_units: Some(7), max_write_units: None };
    let seen = |spec: &IndexSpec, table: &TableDescription| {
        (throughput_for(spec, table), on_demand_for(spec, table), unused_setting(spec, table))
    };
    assert_eq!(seen(&spec, &table), (None, None, None));
    spec.provisioned = Some(ProvisionedThroughput { read_units: 5, write_units: 3 });
    assert_eq!(seen(&spec, &table), (None, None, Some(Unused::ProvisionedThroughput)));
    spec.on_demand = Some(ceiling);
    assert_eq!(seen(&spec, &table), (None, Some(ceiling), Some(Unused::ProvisionedThroughput)));
    table.billing = Billing::Provisioned { read_units: 10, write_units: 20 };
    assert_eq!(seen(&spec, &table), (Some((5, 3)), None, Some(Unused::OnDemandThroughput)));
    spec.on_demand = None;
    spec.provisioned = None;
    assert_eq!(seen(&spec, &table), (Some((10, 20)), None, None));
}

#[test]
fn the_busy_index_is_the_one_that_takes_longest() {
    use IndexStatus::{Active, Creating, Deleting, Updating};

    let check = |statuses: &[IndexStatus], expect: Option<&str>| {
        let index = |(n, status): (usize, &IndexStatus)| existing(&n.to_string(), status.clone(), "a HASH", "ALL");
        let table = table("id S", statuses.iter().enumerate().map(index).collect());
        assert_eq!(table.busy_index().map(|index| index.name.as_str()), expect, "{statuses:?}");
    };
    check(&[], None);
    check(&[Active, Active], None);
    check(&[Active, Creating], Some("1"));
    check(&[Updating, Deleting], Some("1"));
    check(&[Active, Updating], Some("1"));
    check(&[IndexStatus::from_aws("FROZEN")], None);
}

#[test]
fn statuses_keep_their_spelling() {
    for spelling in ["CREATING", "UPDATING", "DELETING", "ACTIVE", "ARCHIVED"] {
        assert_eq!(IndexStatus::from_aws(spelling).to_string(), spelling);
        assert_eq!(TableStatus::from_aws(spelling).to_string(), spelling);
    }
    assert_eq!(TableStatus::from_aws("ACTIVE"), TableStatus::Active);
    assert_eq!(IndexStatus::from_aws("active"), IndexStatus::Other("active".to_owned()));
}
