//! CloudFormation templates.

use serde_json::json;

use super::{
    foreign::{BY_FLIGHT, check_json, index, line, read, types},
    *,
};

const TEMPLATE: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: { Type: String }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${Stage}-bucket"
  BookingsTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      TableName: bookings
      BillingMode: !If [IsProd, PROVISIONED, PAY_PER_REQUEST]
      AttributeDefinitions:
        - { AttributeName: flight, AttributeType: S }
        - { AttributeName: seat, AttributeType: N }
      KeySchema: [{ AttributeName: seat, KeyType: HASH }]
      GlobalSecondaryIndexes:
        - IndexName: by-flight
          KeySchema:
            - { AttributeName: flight, KeyType: HASH }
            - { AttributeName: seat, KeyType: RANGE }
          Projection: { ProjectionType: ALL }
          ProvisionedThroughput:
            ReadCapacityUnits: !Ref Units
            WriteCapacityUnits: 5
      Tags:
        - { Key: stage, Value: !Ref Stage }
"#;

#[test]
fn a_cloud_formation_template() {
    assert_eq!(
        read(TEMPLATE, "g.yaml"),
        [
            BY_FLIGHT,
            "warning 28:13: Resources.BookingsTable.Properties.GlobalSecondaryIndexes[0].ProvisionedThroughput: the \
             throughput is computed by CloudFormation and ignored here: the index gets its table's",
        ]
    );
    let global = TEMPLATE.replace("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable").replace("!Ref Units", "4");
    assert_eq!(read(&global, "g.yaml"), [format!("{BY_FLIGHT}; 4/5")]);
    // JSON has the long form only.
    let json = json!({"Resources": {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "BookingsTable": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "bookings", "AttributeDefinitions": types(), "GlobalSecondaryIndexes": [index()]}}}});
    check_json(&json, &[BY_FLIGHT]);
}

/// Each row changes a line of the template; the findings without the warning about its throughput.
#[test]
fn what_a_template_computes_is_named() {
    let check = |from: &str, to: &str, names: &[(&str, &str)], expect: &[&str]| {
        let text = TEMPLATE.replace(from, to);
        assert_ne!(text, TEMPLATE);
        let table_names = names.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
        let found = match Definitions::parse_with(&text, Path::new("g.yaml"), &ParseOptions { table_names }) {
            Ok(parsed) => parsed.definitions.iter().map(line).collect(),
            Err(error) => error.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        };
        assert_eq!(found, expect, "{from} -> {to}");
    };
    let path = "Resources.BookingsTable.Properties";
    let rows = [("!Sub \"${Stage}-x\"", 23, "Fn::Sub"), ("!Ref Stage", 23, "Ref"), ("{Fn::Join: [x]}", 18, "Fn::Join")];
    for (name, column, function) in rows {
        let expect = format!(
            "15:{column}: {path}.TableName: the name of the table `BookingsTable` is computed by `{function}`, which is not known here"
        );
        let to = format!("TableName: {name}");
        check("TableName: bookings", &to, &[], &[&expect]);
        // A name from outside is the remedy.
        check("TableName: bookings", &to, &[("BookingsTable", "bookings")], &[BY_FLIGHT]);
    }
    check(
        "      TableName: bookings\n",
        "",
        &[],
        &[
            "15:7: Resources.BookingsTable.Properties: the table `BookingsTable` has no `TableName`: CloudFormation makes \
           one up, which is not known here",
        ],
    );
    check("      TableName: bookings\n", "", &[("BookingsTable", "bookings")], &[BY_FLIGHT]);
    check(
        "prod]",
        "test]",
        &[("BookingTable", "bookings")],
        &["7:3: Resources: a name is given for the resource `BookingTable`, which is no table with indexes here; did \
           you mean `BookingsTable`?"],
    );
    check(
        "IndexName: by-flight",
        "IndexName: !Sub x",
        &[],
        &[
            "22:27: Resources.BookingsTable.Properties.GlobalSecondaryIndexes[0].IndexName: expected a string, found a CloudFormation function",
        ],
    );
    check("AWS::DynamoDB::Table", "AWS::S3::Bucket", &[], &["7:3: Resources: the file defines no table"]);
}

#[test]
fn names_for_resources_need_a_template() {
    let options = ParseOptions { table_names: [("A".to_owned(), "bookings".to_owned())].into() };
    let error = Definitions::parse_with(GOOD, Path::new("g.json"), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "g.json:1:1: a name is given for the resource `A`, which is no table with indexes here"
    );
}

#[test]
fn tags_of_yaml_itself_mean_nothing() {
    let own = "bookings:\n- IndexName: !!str by-flight\n  KeySchema: !!seq [{AttributeName: ! flight, KeyType: HASH}]\n  \
               AttributeDefinitions: [{AttributeName: flight, AttributeType: S}]\n  Projection: {ProjectionType: ALL}\n";
    assert_eq!(read(own, "g.yaml"), ["bookings by-flight: flight HASH (S); ALL"]);
}
