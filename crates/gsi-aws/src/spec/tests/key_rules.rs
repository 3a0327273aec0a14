//! What keys may be, row by row.

use super::*;

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
