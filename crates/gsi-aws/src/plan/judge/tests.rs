//! Verdicts, row by row: a table, what the state says, and what would be done.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::{
    api::Operation,
    spec::{AttributeType, KeySchema, Projection, ProvisionedThroughput},
};

/// An on-demand table keyed by `id`, with these indexes.
#[expect(clippy::needless_pass_by_value, reason = "rows read better without a borrow")]
fn table(indexes: Value) -> TableDescription {
    serde_json::from_value(json!({
        "TableName": "bookings", "TableStatus": "ACTIVE", "ItemCount": 0, "TableSizeBytes": 0,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "by", "AttributeType": "S"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "GlobalSecondaryIndexes": indexes,
    }))
    .unwrap()
}

/// An index keyed by `by` that projects everything.
fn index(name: &str, status: &str) -> Value {
    json!({
        "IndexName": name, "IndexStatus": status, "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
    })
}

fn spec(name: &str) -> IndexSpec {
    IndexSpec {
        table: "bookings".to_owned(),
        name: name.to_owned(),
        key_schema: KeySchema::new(["by"], []),
        attributes: [("by", AttributeType::String)].into_iter().collect(),
        projection: Projection::All,
        provisioned: None,
        on_demand: None,
        warm: None,
        description: None,
        estimated_impact: None,
        required_by: None,
    }
}

fn planned(specs: &[IndexSpec], table: TableDescription, options: &PlanOptions) -> Plan {
    judge(specs, &[(table.name.clone(), Ok(table))].into_iter().collect(), options)
}

/// The plan's indexes, a line each.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |(_, planned): (&TablePlan, &IndexPlan)| {
        let turn = planned.turn.map_or(String::new(), |turn| format!("#{turn} "));
        let why = match &planned.verdict {
            Verdict::Wait { what } => format!(": {what}"),
            Verdict::Refused { reason } => format!(": {reason}"),
            Verdict::Conflict { differences } => {
                let each = differences.iter().map(|one| format!("{} {} -> {}", one.what, one.is, one.wanted));
                format!(": {}", each.collect::<Vec<_>>().join(": "))
            }
            Verdict::Create | Verdict::Adopt | Verdict::Done => String::new(),
        };
        let notes = planned.notes.iter().fold(String::new(), |text, note| text + " (" + note + ")");
        format!("{turn}{} {}{why}{notes}", planned.index, planned.verdict.as_str())
    };
    plan.indexes().map(line).collect()
}

#[track_caller]
fn check(specs: &[IndexSpec], table: TableDescription, expect: &[&str]) {
    assert_eq!(lines(&planned(specs, table, &PlanOptions::default())), expect);
}

fn state(statuses: &[(&str, GsiStatus)]) -> PlanOptions {
    let statuses = statuses.iter().map(|(index, status)| (GsiKey::new("bookings", *index), *status)).collect();
    PlanOptions { statuses, ..PlanOptions::default() }
}

#[test]
fn what_is_there_is_adopted_or_done_or_waited_for() {
    check(&[spec("one")], table(json!([])), &["#1 one create"]);
    check(&[spec("one")], table(json!([index("one", "ACTIVE")])), &["one adopt"]);
    for status in [GsiStatus::Active, GsiStatus::InProgress] {
        let plan = planned(&[spec("one")], table(json!([index("one", "ACTIVE")])), &state(&[("one", status)]));
        assert_eq!(lines(&plan), ["one done"]);
        assert!(!plan.has_work() && plan.order.is_empty() && plan.critical_table.is_none());
    }
    let plan = planned(&[spec("one")], table(json!([])), &state(&[("one", GsiStatus::Active)]));
    assert_eq!(lines(&plan), ["#1 one create (the state calls it active, and it is gone: it is made again)"]);
    check(&[spec("one")], table(json!([index("one", "UPDATING")])), &["#1 one wait: it is changing"]);
    let mut building = index("one", "CREATING");
    building["Backfilling"] = json!(true);
    check(&[spec("one")], table(json!([building])), &["#1 one wait: it is being built (items are copied)"]);
}

#[test]
fn behind_an_index_of_ours_one_is_created_and_behind_anothers_it_waits() {
    // Ours comes first, wherever it stands in the file.
    let theirs = table(json!([index("two", "CREATING")]));
    check(&[spec("one"), spec("two")], theirs.clone(), &["#2 one create", "#1 two wait: it is changing"]);
    let text = "one wait: index `two` is CREATING, and a table takes one at a time; then it is created";
    check(&[spec("one")], theirs, &[&format!("#1 {text}")]);
    check(
        &[spec("one"), spec("two")],
        table(json!([index("two", "DELETING")])),
        &[
            "#1 one wait: index `two` is DELETING, and a table takes one at a time; then it is created",
            "#2 two wait: an index of this name is being deleted; then it is created",
        ],
    );
    let mut updating = table(json!([]));
    updating.status = TableStatus::Updating;
    check(&[spec("one")], updating, &["#1 one wait: the table is UPDATING; then it is created"]);
}

#[test]
fn a_different_index_is_a_conflict_with_what_is_and_what_is_wanted() {
    let other = IndexSpec {
        key_schema: KeySchema::new(["by"], ["at"]),
        attributes: [("by", AttributeType::Number), ("at", AttributeType::Number)].into_iter().collect(),
        projection: Projection::include(["a"]),
        ..spec("one")
    };
    check(
        &[other],
        table(json!([index("one", "ACTIVE")])),
        &[
            "one conflict: key schema by HASH -> by HASH, at RANGE: attribute `by` S -> N: projection ALL -> INCLUDE (a)",
        ],
    );
}

#[test]
fn what_the_service_would_refuse_is_refused() {
    let number = IndexSpec { attributes: [("by", AttributeType::Number)].into_iter().collect(), ..spec("one") };
    check(
        std::slice::from_ref(&number),
        table(json!([index("two", "ACTIVE")])),
        &[
            "one refused: attribute `by` is S in table `bookings` and N in the definition; DynamoDB would silently keep S",
        ],
    );
    // Of two planned ones, the first counts.
    let mut bare = table(json!([]));
    bare.attributes = [("id", AttributeType::String)].into_iter().collect();
    check(
        &[spec("two"), number],
        bare,
        &[
            "#1 two create",
            "one refused: with the indexes planned before it, attribute `by` is S in table `bookings` and N in the \
             definition; DynamoDB would silently keep S",
        ],
    );
    let mut going = table(json!([]));
    going.status = TableStatus::Deleting;
    check(&[spec("one")], going, &["one refused: table `bookings` is being deleted"]);
    let mut unknown = table(json!([]));
    unknown.billing = crate::describe::Billing::Provisioned { read_units: 0, write_units: 0 };
    check(
        &[
            spec("one"),
            IndexSpec { provisioned: Some(ProvisionedThroughput { read_units: 1, write_units: 1 }), ..spec("two") },
        ],
        unknown,
        &[
            "one refused: table `bookings` is PROVISIONED, and neither its throughput nor that of the index is known",
            "#1 two create",
        ],
    );
    let names = ["a", "b", "c", "d", "e"];
    let five = IndexSpec {
        key_schema: KeySchema::new(names, []),
        attributes: names.iter().map(|name| (*name, AttributeType::String)).collect(),
        ..spec("one")
    };
    check(
        &[five],
        table(json!([])),
        &["one refused: 5 HASH and 0 RANGE attributes; an index has 1 to 4, and at most 4"],
    );
}

#[test]
fn the_planned_ones_fill_the_table_up() {
    let nineteen: Vec<_> = (1..=19).map(|n| index(&format!("theirs-{n}"), "ACTIVE")).collect();
    check(
        &[spec("one"), spec("two"), spec("theirs-3")],
        table(json!(nineteen)),
        &[
            "#1 one create",
            "two refused: with the indexes planned before it, table `bookings` has 20 global secondary indexes, as many as it can have",
            "theirs-3 adopt",
        ],
    );
    // What the state has in progress is taken up first, and gets the place.
    let plan = planned(&[spec("one"), spec("two")], table(json!(nineteen)), &state(&[("two", GsiStatus::InProgress)]));
    assert_eq!(plan.tables[0].indexes[0].verdict.as_str(), "refused");
    assert_eq!(plan.tables[0].indexes[1].verdict, Verdict::Create);

    let wide = |name: &str| {
        let names = (0..20).map(|n| format!("{name}-{n}"));
        IndexSpec { projection: Projection::include(names), ..spec(name) }
    };
    let specs: Vec<_> = ["aa", "bb", "cc", "dd", "ee", "ff"].map(wide).into();
    let plan = planned(&specs, table(json!([])), &PlanOptions::default());
    assert_eq!(plan.counts, Counts { create: 5, refused: 1, ..Counts::default() });
    assert_eq!(
        lines(&plan)[5],
        "ff refused: with the indexes planned before it, the indexes of table `bookings` would project 120 attributes \
         by name; 100 are allowed in sum"
    );
}

#[test]
fn a_table_that_cannot_be_described_gets_nothing() {
    let service = |code: &str, message: &str| ApiError::Service {
        operation: Operation::DescribeTable,
        code: code.to_owned(),
        message: message.to_owned(),
        http_status: 400,
    };
    let check = |error: Option<ApiError>, expect: &str| {
        let tables = error.map(|error| ("bookings".to_owned(), Err(error))).into_iter().collect();
        let plan = judge(&[spec("one")], &tables, &PlanOptions::default());
        assert_eq!(lines(&plan), [expect]);
        assert!(plan.has_obstacles() && !plan.has_work());
    };
    check(None, "one refused: there is no table `bookings`");
    check(
        Some(service("ResourceNotFoundException", "Requested resource not found: Table: bookings not found")),
        "one refused: there is no table `bookings`",
    );
    check(
        Some(service("AccessDeniedException", "no")),
        "one refused: the table cannot be described: AccessDeniedException: no",
    );
}

#[test]
fn throughput_that_differs_is_a_note() {
    let mut provisioned = index("one", "ACTIVE");
    provisioned["ProvisionedThroughput"] = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 6});
    let wanted = |read_units| {
        let own = ProvisionedThroughput { read_units, write_units: 6 };
        IndexSpec { provisioned: Some(own), ..spec("one") }
    };
    let note = "its throughput is 5/6, in the definition 9/6; throughput is left as it is";
    check(&[wanted(9)], table(json!([provisioned])), &[&format!("one adopt ({note})")]);
    check(&[wanted(5)], table(json!([provisioned])), &["one adopt"]);
    let note = "`ProvisionedThroughput` is not used: the table is on-demand";
    check(&[wanted(9)], table(json!([])), &[&format!("#1 one create ({note})")]);
}

#[test]
fn tables_are_begun_as_the_run_begins_them_and_the_slowest_is_critical() {
    let described = |name: &str, items: i64| {
        let table = TableDescription { name: name.to_owned(), item_count: Some(items), ..table(json!([])) };
        (name.to_owned(), Ok(table))
    };
    let of = |table: &str, name: &str| IndexSpec { table: table.to_owned(), ..spec(name) };
    let specs = [of("aaa", "one"), of("bbb", "one"), of("bbb", "two"), of("ccc", "one")];
    let tables = [described("aaa", 0), described("bbb", 0), described("ccc", 40_000_000)].into_iter().collect();
    let plan = judge(&specs, &tables, &PlanOptions::default());
    assert_eq!(plan.order, ["ccc", "bbb", "aaa"], "what is expected to take longest goes first");
    // 40 million units at 40,000 and at 4,000 a second.
    assert_eq!(plan.forecast.seconds, Span { low: 1506, high: 11_003 });
    assert_eq!(plan.critical_table.as_deref(), Some("ccc"));
    assert_eq!(plan.tables[1].forecast.unwrap().seconds, Span { low: 1012, high: 2006 });
    let alone = judge(&specs, &tables, &PlanOptions { tables_parallel_max: 1, ..PlanOptions::default() });
    assert_eq!(alone.forecast.seconds, Span { low: 1012 + 506 + 1506, high: 2006 + 1003 + 11_003 });
}

#[test]
fn a_plan_is_json_and_back_and_holds_the_tables_in_the_aws_spelling() {
    let specs = [spec("one"), spec("two"), spec("three")];
    let mut other = index("three", "ACTIVE");
    other["Projection"]["ProjectionType"] = json!("KEYS_ONLY");
    let options = PlanOptions { price_per_million_writes: Some(1.25), ..PlanOptions::default() };
    let plan = planned(&specs, table(json!([index("two", "CREATING"), other])), &options);
    let value = serde_json::to_value(&plan).unwrap();
    assert_eq!(value["tables"][0]["described"]["TableName"], "bookings");
    assert_eq!(value["tables"][0]["described"]["GlobalSecondaryIndexes"][0]["IndexStatus"], "CREATING");
    assert_eq!(value["tables"][0]["indexes"][0]["verdict"], "create");
    assert_eq!(value["tables"][0]["indexes"][1]["for"]["kind"], "building");
    assert_eq!(value["tables"][0]["indexes"][2]["differences"][0]["wanted"], "ALL");
    assert_eq!(serde_json::from_value::<Plan>(value).unwrap(), plan);
}
