//! One test a group of rules; each row changes a good file and names what must be found.

use super::*;

#[test]
fn a_good_file_has_no_findings() {
    check_text(GOOD, &[]);
}

#[test]
fn the_whole_file() {
    check_text("[]", &["1:1: the file defines no table"]);
    check_text("{}", &["1:1: the file defines no table"]);
    check_text("17", &["1:1: expected an object, found a number"]);
    check_text(r#"{"bookings": []}"#, &["warning 1:14: bookings: the table has no indexes here"]);
    check_text(r#"{"bookings": {}}"#, &["1:14: bookings: expected a list, found an object"]);
    check_text(r#"{"bookings": null}"#, &["1:14: bookings: expected a list, found null"]);
    check_text(
        r#"{"bookings": [7, "x", null, true, 1.5, []]}"#,
        &[
            "1:15: bookings[0]: expected an object, found a number",
            "1:18: bookings[1]: expected an object, found a string",
            "1:23: bookings[2]: expected an object, found null",
            "1:29: bookings[3]: expected an object, found a boolean",
            "1:35: bookings[4]: expected an object, found a number with a fraction or exponent",
            "1:40: bookings[5]: expected an object, found a list",
        ],
    );
    check_text("", &["1:1: the file is empty"]);
    check_text("  \n", &["1:1: the file is empty"]);
}

#[test]
fn required_fields() {
    check(
        "\"IndexName\"",
        "\"IndxName\"",
        &[
            "3:5: bookings[0]: `IndexName` is missing; is `IndxName` a misspelling of it?",
            "warning 4:7: bookings[0].IndxName: unknown field `IndxName`; did you mean `IndexName`?",
        ],
    );
    check(
        "\"KeySchema\"",
        "\"keyschema\"",
        &[
            "3:5: bookings[0]: `KeySchema` is missing; is `keyschema` a misspelling of it?",
            "warning 5:7: bookings[0].keyschema: unknown field `keyschema`; did you mean `KeySchema`?",
        ],
    );
    check(
        "\"AttributeDefinitions\"",
        "\"Tags\"",
        &["3:5: bookings[0]: `AttributeDefinitions` is missing", "warning 9:7: bookings[0].Tags: unknown field `Tags`"],
    );
    check(
        r#""Projection": { "ProjectionType": "ALL" }"#,
        r#""Description": "none""#,
        &["3:5: bookings[0]: `Projection` is missing"],
    );
    check(r#""ProjectionType": "ALL""#, "", &["13:21: bookings[0].Projection: `ProjectionType` is missing"]);
    check(
        r#""AttributeName": "seat", "KeyType": "RANGE""#,
        "",
        &[
            "7:9: bookings[0].KeySchema[1]: `AttributeName` is missing",
            "7:9: bookings[0].KeySchema[1]: `KeyType` is missing",
        ],
    );
    check(
        r#""AttributeName": "seat", "AttributeType": "N""#,
        "",
        &[
            "11:9: bookings[0].AttributeDefinitions[1]: `AttributeName` is missing",
            "11:9: bookings[0].AttributeDefinitions[1]: `AttributeType` is missing",
        ],
    );
    check(
        r#""IndexName": "by-flight""#,
        r#""IndexName": null"#,
        &["4:20: bookings[0].IndexName: expected a string, found null"],
    );
}

#[test]
fn wrong_types() {
    check(r#""by-flight""#, "17", &["4:20: bookings[0].IndexName: expected a string, found a number"]);
    check(
        r#"{ "ProjectionType": "ALL" }"#,
        r#""ALL""#,
        &["13:21: bookings[0].Projection: expected an object, found a string"],
    );
    check(r#""ALL""#, "false", &["13:41: bookings[0].Projection.ProjectionType: expected a string, found a boolean"]);
    check(
        r#"{ "AttributeName": "seat", "KeyType": "RANGE" }"#,
        r#""seat""#,
        &["7:9: bookings[0].KeySchema[1]: expected an object, found a string"],
    );
    check(r#""HASH""#, "[]", &["6:52: bookings[0].KeySchema[0].KeyType: expected a string, found a list"]);
    check(
        r#""N""#,
        "1.5",
        &[
            "11:53: bookings[0].AttributeDefinitions[1].AttributeType: expected a string, found a number with a fraction or exponent",
        ],
    );
    check(
        r#""ALL" }"#,
        r#""ALL" }, "Description": ["a"], "EstimatedImpact": 3, "RequiredBy": {}"#,
        &[
            "13:65: bookings[0].Description: expected a string, found a list",
            "13:91: bookings[0].EstimatedImpact: expected a string, found a number",
            "13:108: bookings[0].RequiredBy: expected a string, found an object",
        ],
    );
    check(r#""ALL" }"#, r#""ALL" }, "Description": null, "ProvisionedThroughput": null"#, &[]);
}

#[test]
fn names() {
    check("bookings", "bo", &["2:3: bo: name `bo` has length 2; 3 to 255 characters are allowed"]);
    check(
        "bookings",
        "book ings",
        &["2:3: `book ings`: name `book ings` holds ' '; names consist of a-z, A-Z, 0-9, `_`, `-` and `.`"],
    );
    check(
        "bookings",
        "arn:aws:dynamodb:eu-west-1:1:table/b",
        &[
            "2:3: `arn:aws:dynamodb:eu-west-1:1:table/b`: `arn:aws:dynamodb:eu-west-1:1:table/b` is an ARN; give the table's name",
        ],
    );
    check("bookings", "my.table_1-x", &[]);
    check("by-flight", "by", &["4:20: bookings[0].IndexName: name `by` has length 2; 3 to 255 characters are allowed"]);
    check("by-flight", &"x".repeat(255), &[]);
    check(
        "by-flight",
        &"x".repeat(256),
        &[
            "4:20: bookings[0].IndexName: name `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` has length 256; 3 to 255 characters are allowed",
        ],
    );
    check(
        "by-flight",
        "by/flüght",
        &["4:20: bookings[0].IndexName: name `by/flüght` holds '/'; names consist of a-z, A-Z, 0-9, `_`, `-` and `.`"],
    );
    check(
        "by-flight",
        "by\\u001b[2Jflight",
        &[
            "4:20: bookings[0].IndexName: name `by\\u{1b}[2Jflight` holds '\\u{1b}'; names consist of a-z, A-Z, 0-9, `_`, `-` and `.`",
        ],
    );
    check(r#""bookings""#, r#""""#, &["2:3: ``: name `` has length 0; 3 to 255 characters are allowed"]);
}

#[test]
fn unknown_fields_are_warnings() {
    check(
        r#""ALL" }"#,
        r#""ALL" }, "Descripton": "x", "_note": {"a": [1]}, "Tags": []"#,
        &[
            "warning 13:50: bookings[0].Descripton: unknown field `Descripton`; did you mean `Description`?",
            "warning 13:69: bookings[0]._note: unknown field `_note`",
            "warning 13:90: bookings[0].Tags: unknown field `Tags`",
        ],
    );
    check(
        r#""KeyType": "RANGE""#,
        r#""KeyType": "RANGE", "Keytype": "HASH""#,
        &["warning 7:56: bookings[0].KeySchema[1].Keytype: unknown field `Keytype`; did you mean `KeyType`?"],
    );
    check(
        r#""ALL""#,
        r#""ALL", "NonKeyAttribute": ["a"]"#,
        &[
            "warning 13:48: bookings[0].Projection.NonKeyAttribute: unknown field `NonKeyAttribute`; did you mean `NonKeyAttributes`?",
        ],
    );
}

#[test]
fn indexes_of_one_table() {
    let table = |indexes: &[String]| format!("{{\n  \"bookings\": [\n{}\n  ]\n}}", indexes.join(",\n"));
    let same = |name: &str| index(name, "\"ALL\"", "\"ALL\"");
    check_text(&table(&[same("one"), same("two")]), &[]);
    check_text(
        &table(&[same("one"), same("two"), same("one")]),
        &["28:20: bookings[2].IndexName: index `one` is defined already at bookings[0]"],
    );
    check_text(
        &table(&[same("one"), index("two", "\"N\"", "\"S\"")]),
        &[
            "23:28: bookings[1].AttributeDefinitions[1]: attribute `seat` is S here and N in bookings[0].AttributeDefinitions[1]",
        ],
    );
    let numbered = |count: usize| (0..count).map(|n| same(&format!("index-{n}"))).collect::<Vec<_>>();
    check_text(&table(&numbered(20)), &[]);
    check_text(&table(&numbered(21)), &["2:15: bookings: 21 indexes; a table has at most 20"]);
    let include = |count: usize| {
        let names: Vec<_> = (0..count).map(|n| format!("\"a{n}\"")).collect();
        format!(r#""INCLUDE", "NonKeyAttributes": [{}]"#, names.join(", "))
    };
    let projecting = |last: usize| {
        let five = (0..5).map(|n| index(&format!("index-{n}"), "\"ALL\"", &include(19)));
        table(&five.chain([index("last", "\"ALL\"", &include(last))]).collect::<Vec<_>>())
    };
    check_text(&projecting(5), &[]);
    check_text(
        &projecting(6),
        &["2:15: bookings: the indexes of the table project 101 attributes by name; 100 are allowed in sum"],
    );
}

#[test]
fn several_problems_at_once_in_file_order() {
    let text = r#"{
  "bo": [{ "IndexName": "a b", "KeySchema": [{ "AttributeName": "x", "KeyType": "HSAH" }], "Projection": 1 }],
  "tab": 7
}"#;
    check_text(
        text,
        &[
            "2:3: bo: name `bo` has length 2; 3 to 255 characters are allowed",
            "2:10: bo[0]: `AttributeDefinitions` is missing",
            "2:25: bo[0].IndexName: name `a b` holds ' '; names consist of a-z, A-Z, 0-9, `_`, `-` and `.`",
            "2:81: bo[0].KeySchema[0].KeyType: `HSAH` is not one of HASH, RANGE; did you mean `HASH`?",
            "2:106: bo[0].Projection: expected an object, found a number",
            "3:10: tab: expected a list, found a number",
        ],
    );
}
