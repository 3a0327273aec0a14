//! What projections and capacities may be, row by row.

use super::*;

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
