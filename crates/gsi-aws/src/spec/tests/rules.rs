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
fn attribute_names() {
    let key = r#"{ "AttributeName": "seat", "KeyType": "RANGE" }
      ],
      "AttributeDefinitions": [
        { "AttributeName": "flight_id", "AttributeType": "S" },
        { "AttributeName": "seat", "#;
    let long = "x".repeat(255);
    check(key, &key.replace("seat", &long), &[]);
    let long = "é".repeat(128);
    check(
        key,
        &key.replace("seat", &long),
        &[
            "7:28: bookings[0].KeySchema[1].AttributeName: an attribute name has 1 to 255 bytes, this one 256",
            "11:28: bookings[0].AttributeDefinitions[1].AttributeName: an attribute name has 1 to 255 bytes, this one 256",
        ],
    );
    check(
        key,
        &key.replace("seat", ""),
        &[
            "7:28: bookings[0].KeySchema[1].AttributeName: an attribute name has 1 to 255 bytes, this one 0",
            "11:28: bookings[0].AttributeDefinitions[1].AttributeName: an attribute name has 1 to 255 bytes, this one 0",
        ],
    );
}

#[test]
fn key_schemas() {
    check(r#""HASH""#, r#""RANGE""#, &["5:20: bookings[0].KeySchema: the key schema has no HASH attribute"]);
    check(r#""RANGE""#, r#""HASH""#, &[]);
    check(
        r#""RANGE""#,
        r#""range""#,
        &["7:47: bookings[0].KeySchema[1].KeyType: `range` is not one of HASH, RANGE; did you mean `RANGE`?"],
    );
    check(r#""RANGE""#, r#""SORT""#, &["7:47: bookings[0].KeySchema[1].KeyType: `SORT` is not one of HASH, RANGE"]);
    let keys = r#"{ "AttributeName": "flight_id", "KeyType": "HASH" },
        { "AttributeName": "seat", "KeyType": "RANGE" }"#;
    let turned = r#"{ "AttributeName": "seat", "KeyType": "RANGE" },
        { "AttributeName": "flight_id", "KeyType": "HASH" }"#;
    check(keys, turned, &["7:28: bookings[0].KeySchema[1]: HASH attribute `flight_id` stands after a RANGE attribute"]);
    check(
        keys,
        "",
        &[
            "5:20: bookings[0].KeySchema: the key schema has no HASH attribute",
            "warning 9:28: bookings[0].AttributeDefinitions[0]: attribute `flight_id` is defined and not used by the key schema",
            "warning 10:28: bookings[0].AttributeDefinitions[1]: attribute `seat` is defined and not used by the key schema",
        ],
    );
    check(
        r#""seat", "KeyType""#,
        r#""flight_id", "KeyType""#,
        &[
            "7:28: bookings[0].KeySchema[1].AttributeName: attribute `flight_id` is in the key schema already",
            "warning 11:28: bookings[0].AttributeDefinitions[1]: attribute `seat` is defined and not used by the key schema",
        ],
    );
}

/// A file of one index with `hash` and `range` keys.
fn with_keys(hash: usize, range: usize) -> String {
    let names = |role: &'static str, count| (0..count).map(move |n| (format!("{role}{n}"), role));
    let all: Vec<_> = names("HASH", hash).chain(names("RANGE", range)).collect();
    let keys: Vec<_> =
        all.iter().map(|(name, role)| format!(r#"{{"AttributeName": "{name}", "KeyType": "{role}"}}"#)).collect();
    let types: Vec<_> =
        all.iter().map(|(name, _)| format!(r#"{{"AttributeName": "{name}", "AttributeType": "S"}}"#)).collect();
    format!(
        r#"{{"bookings": [{{"IndexName": "many", "KeySchema": [{}], "AttributeDefinitions": [{}], "Projection": {{"ProjectionType": "ALL"}}}}]}}"#,
        keys.join(", "),
        types.join(", ")
    )
}

#[test]
fn number_of_keys() {
    check_text(&with_keys(1, 0), &[]);
    check_text(&with_keys(4, 4), &[]);
    check_text(&with_keys(5, 0), &["1:50: bookings[0].KeySchema: 5 HASH attributes; an index has at most 4"]);
    check_text(&with_keys(4, 5), &["1:50: bookings[0].KeySchema: 5 RANGE attributes; an index has at most 4"]);
    check_text(
        &with_keys(0, 5),
        &[
            "1:50: bookings[0].KeySchema: the key schema has no HASH attribute",
            "1:50: bookings[0].KeySchema: 5 RANGE attributes; an index has at most 4",
        ],
    );
}

#[test]
fn attribute_definitions() {
    check(
        r#""seat", "AttributeType": "N""#,
        r#""saet", "AttributeType": "N""#,
        &[
            "7:28: bookings[0].KeySchema[1].AttributeName: key attribute `seat` has no entry in `AttributeDefinitions`; did you mean `saet`?",
            "warning 11:28: bookings[0].AttributeDefinitions[1]: attribute `saet` is defined and not used by the key schema",
        ],
    );
    check(
        r#""N""#,
        r#""Number""#,
        &[
            "11:53: bookings[0].AttributeDefinitions[1].AttributeType: `Number` is not one of S, N, B; did you mean `N`?",
        ],
    );
    check(
        r#""N""#,
        r#""n""#,
        &["11:53: bookings[0].AttributeDefinitions[1].AttributeType: `n` is not one of S, N, B; did you mean `N`?"],
    );
    check(
        r#""N""#,
        r#""SS""#,
        &["11:53: bookings[0].AttributeDefinitions[1].AttributeType: `SS` is not one of S, N, B"],
    );
    let last = r#"{ "AttributeName": "seat", "AttributeType": "N" }"#;
    check(last, &format!("{last}, {last}"), &[]);
    check(
        last,
        &format!("{last}, {}", last.replace("\"N\"", "\"S\"")),
        &[
            "11:79: bookings[0].AttributeDefinitions[2]: attribute `seat` is S here and N in bookings[0].AttributeDefinitions[1]",
        ],
    );
    check(
        last,
        &format!("{last}, {}", last.replace("seat", "row")),
        &[
            "warning 11:79: bookings[0].AttributeDefinitions[2]: attribute `row` is defined and not used by the key schema",
        ],
    );
}

#[test]
fn projections() {
    let include = |list: &str| format!(r#""INCLUDE", "NonKeyAttributes": {list}"#);
    check(r#""ALL""#, r#""KEYS_ONLY""#, &[]);
    check(
        r#""ALL""#,
        r#""KEYSONLY""#,
        &[
            "13:41: bookings[0].Projection.ProjectionType: `KEYSONLY` is not one of ALL, KEYS_ONLY, INCLUDE; did you mean `KEYS_ONLY`?",
        ],
    );
    check(r#""ALL""#, r#""INCLUDE""#, &["13:21: bookings[0].Projection: projection INCLUDE needs `NonKeyAttributes`"]);
    check(r#""ALL""#, &include("[]"), &["13:21: bookings[0].Projection: projection INCLUDE needs `NonKeyAttributes`"]);
    check(r#""ALL""#, &include(r#"["a", "b"]"#), &[]);
    check(
        r#""ALL""#,
        &include(r#"["a", "b", "a"]"#),
        &["13:83: bookings[0].Projection.NonKeyAttributes[2]: attribute `a` is projected already"],
    );
    check(
        r#""ALL""#,
        &include(r#"["a", 7, ""]"#),
        &[
            "13:78: bookings[0].Projection.NonKeyAttributes[1]: expected a string, found a number",
            "13:81: bookings[0].Projection.NonKeyAttributes[2]: an attribute name has 1 to 255 bytes, this one 0",
        ],
    );
    check(
        r#""ALL""#,
        &include(r#""a""#),
        &["13:72: bookings[0].Projection.NonKeyAttributes: expected a list, found a string"],
    );
    check(
        r#""ALL""#,
        &include(r#"["a", "seat"]"#),
        &["warning 13:78: bookings[0].Projection.NonKeyAttributes[1]: attribute `seat` is a key and projected anyway"],
    );
    check(
        r#""ALL""#,
        r#""ALL", "NonKeyAttributes": ["a"]"#,
        &[
            "13:68: bookings[0].Projection.NonKeyAttributes: projection ALL takes no `NonKeyAttributes`; only INCLUDE does",
        ],
    );
    check(r#""ALL""#, r#""ALL", "NonKeyAttributes": []"#, &[]);
    check(
        r#""ALL""#,
        r#""KEYS_ONLY", "NonKeyAttributes": "a""#,
        &["13:74: bookings[0].Projection.NonKeyAttributes: expected a list, found a string"],
    );
    let many = |count: usize| format!("[{}]", (0..count).map(|n| format!("\"a{n}\"")).collect::<Vec<_>>().join(", "));
    check(r#""ALL""#, &include(&many(20)), &[]);
    check(
        r#""ALL""#,
        &include(&many(21)),
        &["13:72: bookings[0].Projection.NonKeyAttributes: 21 projected attributes; an index has at most 20"],
    );
}

#[test]
fn throughput() {
    let with = |text: &str| format!(r#""ALL" }}, {text}"#);
    let rows: &[(&str, &[&str])] = &[
        (r#""ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1}"#, &[]),
        (
            r#""ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": -3}"#,
            &[
                "13:97: bookings[0].ProvisionedThroughput.ReadCapacityUnits: 0 is too small; at least 1 is needed",
                "13:122: bookings[0].ProvisionedThroughput.WriteCapacityUnits: -3 is too small; at least 1 is needed",
            ],
        ),
        (
            r#""ProvisionedThroughput": {"ReadCapacityUnits": 5}"#,
            &["13:75: bookings[0].ProvisionedThroughput: `WriteCapacityUnits` is missing"],
        ),
        (
            r#""ProvisionedThroughput": {"ReadCapacityUnits": "5", "WriteCapacityUnits": 1.5}"#,
            &[
                "13:97: bookings[0].ProvisionedThroughput.ReadCapacityUnits: expected a whole number, found a string",
                "13:124: bookings[0].ProvisionedThroughput.WriteCapacityUnits: expected a whole number, found a number with a fraction or exponent",
            ],
        ),
        (
            r#""ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 9999999999999999999}"#,
            &["13:122: bookings[0].ProvisionedThroughput.WriteCapacityUnits: 9999999999999999999 is too large"],
        ),
        (
            r#""ProvisionedThroughput": 5"#,
            &["13:75: bookings[0].ProvisionedThroughput: expected an object, found a number"],
        ),
        (r#""OnDemandThroughput": {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": -1}"#, &[]),
        (r#""OnDemandThroughput": {"MaxWriteRequestUnits": 7}"#, &[]),
        (
            r#""OnDemandThroughput": {"MaxReadRequestUnits": 0, "MaxWriteRequestUnits": -2}"#,
            &[
                "13:96: bookings[0].OnDemandThroughput.MaxReadRequestUnits: 0 is too small; at least 1 is needed",
                "13:123: bookings[0].OnDemandThroughput.MaxWriteRequestUnits: -2 is too small; at least 1 is needed",
            ],
        ),
        (
            r#""OnDemandThroughput": {}"#,
            &[
                "13:72: bookings[0].OnDemandThroughput: at least one of `MaxReadRequestUnits` and `MaxWriteRequestUnits` is needed",
            ],
        ),
        (r#""WarmThroughput": {"ReadUnitsPerSecond": 12000}"#, &[]),
        (
            r#""WarmThroughput": {"ReadUnitsPerSecond": -1}"#,
            &["13:91: bookings[0].WarmThroughput.ReadUnitsPerSecond: -1 is too small; at least 1 is needed"],
        ),
        (
            r#""WarmThroughput": {"Reads": 1}"#,
            &[
                "13:68: bookings[0].WarmThroughput: at least one of `ReadUnitsPerSecond` and `WriteUnitsPerSecond` is needed",
                "warning 13:69: bookings[0].WarmThroughput.Reads: unknown field `Reads`",
            ],
        ),
    ];
    for (text, expect) in rows {
        check(r#""ALL" }"#, &with(text), expect);
    }
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
