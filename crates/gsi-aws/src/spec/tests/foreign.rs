//! What other tools have: requests, answers, templates; told by their content, read by the same rules.

use serde_json::{Value, json};

use super::*;
use crate::describe::TableDescription;

/// The definitions of a text, a line each, then its findings.
pub(super) fn read(text: &str, path: &str) -> Vec<String> {
    let shown = match parse(text, path) {
        Ok(parsed) => parsed.definitions.iter().map(line).collect(),
        Err(_) => Vec::new(),
    };
    shown.into_iter().chain(findings(text, path)).collect()
}

pub(super) fn line(spec: &IndexSpec) -> String {
    let types: Vec<_> = spec.attributes.iter().map(|(_, kind)| kind.as_str()).collect();
    let units = spec.provisioned.map_or(String::new(), |own| format!("; {}/{}", own.read_units, own.write_units));
    format!("{} {}: {} ({}); {}{units}", spec.table, spec.name, spec.key_schema, types.join(""), spec.projection)
}

#[track_caller]
pub(super) fn check_json(value: &Value, expect: &[&str]) {
    assert_eq!(read(&value.to_string(), "g.json"), expect, "{value}");
    assert_eq!(read(&value.to_string(), "g.yaml"), expect, "as YAML: {value}");
}

pub(super) fn index() -> Value {
    json!({
        "IndexName": "by-flight",
        "KeySchema": [{"AttributeName": "flight", "KeyType": "HASH"}, {"AttributeName": "seat", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "ALL"},
    })
}

pub(super) fn types() -> Value {
    json!([
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "flight", "AttributeType": "S"},
        {"AttributeName": "seat", "AttributeType": "N"},
    ])
}

/// A request to `CreateTable`.
fn request() -> Value {
    json!({
        "TableName": "bookings", "BillingMode": "PAY_PER_REQUEST", "Tags": [{"Key": "a", "Value": "b"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": types(),
        "GlobalSecondaryIndexes": [index()],
    })
}

pub(super) const BY_FLIGHT: &str = "bookings by-flight: flight HASH, seat RANGE (SN); ALL";

#[test]
fn a_create_table_request() {
    check_json(&request(), &[BY_FLIGHT]);
    let mut other = request();
    other["TableName"] = json!("flights");
    check_json(&json!([request(), other]), &[BY_FLIGHT, "flights by-flight: flight HASH, seat RANGE (SN); ALL"]);
    let twice = json!([request(), request()]).to_string();
    let place = twice.rfind("{\"TableName\"").unwrap() + 1;
    assert_eq!(read(&twice, "g.json"), [format!("1:{place}: [1]: `bookings` is given more than once")]);
    let mut without = request();
    without.as_object_mut().unwrap().shift_remove("GlobalSecondaryIndexes");
    check_json(&without, &["warning 1:1: the table has no indexes here"]);
}

#[test]
fn an_update_table_request() {
    let request = json!({
        "TableName": "bookings", "AttributeDefinitions": types(),
        "GlobalSecondaryIndexUpdates": [{"Create": index()}, {"Delete": {"IndexName": "old"}}],
    });
    let place = request.to_string().find("\"Delete\"").unwrap() + 1;
    let ignored = format!(
        "warning 1:{place}: GlobalSecondaryIndexUpdates[1].Delete: `Delete` is ignored: only the indexes themselves are created"
    );
    check_json(&request, &[BY_FLIGHT, &ignored]);
}

#[test]
fn a_request_is_checked_like_our_own_format() {
    let text = r#"{
  "TableName": "bookings",
  "AttributeDefinitions": [{ "AttributeName": "seat", "AttributeType": "X" }],
  "GlobalSecondaryIndexes": [{
    "IndexName": "a",
    "KeySchema": [{ "AttributeName": "flight", "KeyType": "HASH" }],
    "Projektion": 1,
    "ContributorInsightsSpecification": {}
  }],
  "LocalSecondaryIndexes": [],
  "Nonsense": 1
}"#;
    let expect = [
        "3:72: AttributeDefinitions[0].AttributeType: `X` is not one of S, N, B",
        "4:30: GlobalSecondaryIndexes[0]: `Projection` is missing; is `Projektion` a misspelling of it?",
        "5:18: GlobalSecondaryIndexes[0].IndexName: name `a` has length 1; 3 to 255 characters are allowed",
        "warning 7:5: GlobalSecondaryIndexes[0].Projektion: unknown field `Projektion`; did you mean `Projection`?",
        "warning 8:5: GlobalSecondaryIndexes[0].ContributorInsightsSpecification: `ContributorInsightsSpecification` is ignored: only the indexes themselves are created",
        "warning 10:3: LocalSecondaryIndexes: `LocalSecondaryIndexes` is ignored: only the indexes themselves are created",
        "warning 11:3: Nonsense: unknown field `Nonsense`",
    ];
    check_text(text, &expect);
    check_text(
        r#"{"AttributeDefinitions": [], "GlobalSecondaryIndexes": [], "KeySchema": []}"#,
        &["1:1: `TableName` is missing", "warning 1:56: GlobalSecondaryIndexes: the table has no indexes here"],
    );
    check_text(
        r#"{"TableName": "arn:aws:dynamodb:x", "GlobalSecondaryIndexes": []}"#,
        &[
            "1:15: TableName: `arn:aws:dynamodb:x` is an ARN; give the table's name",
            "warning 1:63: GlobalSecondaryIndexes: the table has no indexes here",
        ],
    );
}

/// A table of ours may be called like a field of theirs.
#[test]
fn our_own_format_is_not_mistaken() {
    let own = |table: &str| {
        let mut index = index();
        index["AttributeDefinitions"] = types();
        json!({ table: [index] })
    };
    for table in ["Resources", "Table", "TableName", "TableDescription", "GlobalSecondaryIndexes"] {
        let parsed = parse(&own(table).to_string(), "g.json").unwrap();
        assert_eq!(parsed.definitions.index(table, "by-flight").unwrap().table, table);
    }
}

fn description() -> Value {
    let mut index = index();
    let filled = json!({
        "IndexStatus": "ACTIVE", "IndexArn": "arn:…", "ItemCount": 7, "IndexSizeBytes": 9,
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0},
        "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
    });
    index.as_object_mut().unwrap().extend(filled.as_object().unwrap().clone());
    json!({"Table": {
        "TableName": "bookings", "TableStatus": "ACTIVE", "TableArn": "arn:…", "CreationDateTime": 1.7e9,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": types(), "ItemCount": 7,
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}, "GlobalSecondaryIndexes": [index],
        "LocalSecondaryIndexes": [{"IndexName": "local"}],
    }})
}

#[test]
fn a_describe_table_answer() {
    check_json(&description(), &[BY_FLIGHT]);
    check_json(&json!([description()]), &[BY_FLIGHT]);
    check_json(&description()["Table"], &[BY_FLIGHT]);
    let mut provisioned = description();
    let index = &mut provisioned["Table"]["GlobalSecondaryIndexes"][0];
    index["ProvisionedThroughput"] =
        json!({"ReadCapacityUnits": 3, "WriteCapacityUnits": 4, "LastIncreaseDateTime": 1.5});
    check_json(&provisioned, &[&format!("{BY_FLIGHT}; 3/4")]);
    let mut going = description();
    going["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"] = json!("DELETING");
    let text = going.to_string();
    let place = text.split("{\"IndexName\":\"by-flight\"").next().unwrap().chars().count() + 1;
    check_json(
        &going,
        &[&format!("warning 1:{place}: Table.GlobalSecondaryIndexes[0]: the index is being deleted, and left out")],
    );
}

/// A table as it would be described if it had the indexes of `specs`.
pub(super) fn table_with(table: &str, specs: &[IndexSpec]) -> TableDescription {
    let mut described: TableDescription = serde_json::from_value(json!({
        "TableName": table, "KeySchema": [], "AttributeDefinitions": [],
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }))
    .unwrap();
    described.attributes = specs.iter().flat_map(|spec| spec.attributes.iter()).collect();
    described.indexes = specs
        .iter()
        .map(|spec| crate::describe::IndexDescription {
            name: spec.name.clone(),
            status: crate::describe::IndexStatus::Active,
            backfilling: None,
            key_schema: spec.key_schema.clone(),
            projection: spec.projection.clone(),
            item_count: Some(1),
            size_bytes: Some(1),
            provisioned: spec.provisioned,
        })
        .collect();
    described
}

/// What the formats of others cannot say is left out.
pub(super) fn plain(definitions: &Definitions) -> Definitions {
    let plain = |spec: &IndexSpec| IndexSpec {
        on_demand: None,
        warm: None,
        description: None,
        estimated_impact: None,
        required_by: None,
        ..spec.clone()
    };
    Definitions::from_specs(definitions.iter().map(plain))
}

/// The same definitions as a list of requests, and as a template.
pub(super) fn foreign(definitions: &Definitions) -> [Value; 2] {
    let without_types = |spec: &IndexSpec| {
        let mut value = serde_json::to_value(spec).unwrap();
        value.as_object_mut().unwrap().shift_remove("AttributeDefinitions");
        value
    };
    let tables: Vec<Value> = definitions
        .tables()
        .map(|(table, specs)| {
            json!({
                "TableName": table,
                "AttributeDefinitions": definitions.attribute_types(table),
                "GlobalSecondaryIndexes": specs.iter().map(without_types).collect::<Vec<_>>(),
            })
        })
        .collect();
    let resource = |table: &Value| json!({"Type": "AWS::DynamoDB::Table", "Properties": table});
    let resources: serde_json::Map<_, _> =
        tables.iter().enumerate().map(|(n, table)| (format!("Table{n}"), resource(table))).collect();
    [json!(tables), json!({"Resources": resources})]
}
