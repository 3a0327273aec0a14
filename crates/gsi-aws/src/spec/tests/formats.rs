//! What JSON and YAML bring with them: syntax, duplicates, encodings, limits.

use super::*;

#[track_caller]
fn check_one(text: &str, path: &str, expect: &[&str]) {
    assert_eq!(findings(text, path), expect, "{path}: {text}");
}

#[test]
fn json_syntax() {
    check_one("{\"abc\": [,]}", "g.json", &["1:10: expected value"]);
    check_one("{\"abc\": \n\n [", "g.json", &["3:2: EOF while parsing a list"]);
    check_one("{\"abc\": []} x", "g.json", &["1:13: trailing characters"]);
    check_one("{\"é\": [], 'x': 1}", "g.json", &["1:11: key must be a string"]);
    check_one("{\"a\\ud800\": 1}", "g.json", &["1:10: unexpected end of hex escape"]);
    check_one("{\"abc\": 1e999}", "g.json", &["1:13: number out of range"]);
    check_one("// note\n{}", "g.json", &["1:1: expected value"]);
    check_one("{\"abc\": [],}", "g.json", &["1:12: trailing comma"]);
    check_one("\0", "g.json", &["1:1: expected value"]);
}

#[test]
fn yaml_syntax() {
    check_one("a: b: c\n", "g.yaml", &["1:5: mapping values are not allowed in this context"]);
    check_one("abc:\n\t- b\n", "g.yaml", &["2:2: tabs disallowed within this context (block indentation)"]);
    check_one("abc: []\n---\ndef: []\n", "g.yaml", &["3:1: a second YAML document starts here; one is read"]);
    check_one("abc: &x [*x]\n", "g.yaml", &["1:10: an alias stands within its own anchor"]);
    check_one("abc: *y\n", "g.yaml", &["1:6: alias references unknown anchor"]);
    check_one("~: []\n", "g.yaml", &["1:1: null cannot be a name"]);
    check_one("? [a]\n: b\n", "g.yaml", &["1:3: expected string scalar"]);
    check_one("# only a comment\n", "g.yaml", &["1:1: the file is empty"]);
    check_one("abc: .nan\n", "g.yaml", &["1:6: abc: expected a list, found a number with a fraction or exponent"]);
    check_one(
        "abc: 99999999999999999999999999\n",
        "g.yaml",
        &["1:6: abc: expected a list, found a number with a fraction or exponent"],
    );
    check_one("abc: 'x\n", "g.yaml", &["2:1: invalid indentation in multiline quoted scalar"]);
}

#[test]
fn yaml_types_only_true_and_false_as_booleans() {
    let yaml = |kind: &str| {
        format!(
            "bookings:\n- IndexName: by-seat\n  KeySchema: [{{AttributeName: no, KeyType: HASH}}]\n  \
             AttributeDefinitions: [{{AttributeName: no, AttributeType: {kind}}}]\n  Projection: {{ProjectionType: ALL}}\n"
        )
    };
    let parsed = parse(&yaml("N"), "g.yaml").unwrap();
    assert_eq!(parsed.definitions.attribute_types("bookings").get("no"), Some(AttributeType::Number));
    check_one(
        &yaml("true"),
        "g.yaml",
        &["4:61: bookings[0].AttributeDefinitions[0].AttributeType: expected a string, found a boolean"],
    );
    check_one(
        &yaml("y"),
        "g.yaml",
        &["4:61: bookings[0].AttributeDefinitions[0].AttributeType: `y` is not one of S, N, B"],
    );
}

#[test]
fn yaml_anchors_and_merges_work() {
    let text = "bookings:
- &first
  IndexName: by-flight
  KeySchema: [{AttributeName: flight_id, KeyType: HASH}]
  AttributeDefinitions: [{AttributeName: flight_id, AttributeType: S}]
  Projection: &all {ProjectionType: ALL}
- <<: *first
  IndexName: again
";
    let names: Vec<_> = parse(text, "g.yaml").unwrap().definitions.iter().map(|spec| spec.name.clone()).collect();
    assert_eq!(names, ["by-flight", "again"]);
    // A problem inside an anchor stands where the anchor is.
    check_one(
        &text.replace("{ProjectionType: ALL}", "{ProjectionType: ALLES}"),
        "g.yaml",
        &[
            "6:37: bookings[0].Projection.ProjectionType: `ALLES` is not one of ALL, KEYS_ONLY, INCLUDE",
            "6:37: bookings[1].Projection.ProjectionType: `ALLES` is not one of ALL, KEYS_ONLY, INCLUDE",
        ],
    );
}

#[test]
fn duplicate_fields() {
    let text = GOOD.replace("\"IndexName\"", "\"Projection\": 1, \"Projection\": 2, \"IndexName\"");
    check_one(
        &text,
        "g.json",
        &[
            "4:21: bookings[0].Projection: expected an object, found a number",
            "4:24: bookings[0].Projection: `Projection` is given more than once",
            "13:7: bookings[0].Projection: `Projection` is given more than once",
        ],
    );
    check_one(
        &text,
        "g.yaml",
        &[
            "4:21: bookings[0].Projection: expected an object, found a number",
            "4:24: `Projection` is given more than once",
        ],
    );
    let twice = "{\"bookings\": [],\n \"bookings\": [], \"flights\": [],\n \"flights\": []}";
    check_one(
        twice,
        "g.json",
        &[
            "2:2: bookings: `bookings` is given more than once",
            "3:2: flights: `flights` is given more than once",
            "warning 1:14: bookings: the table has no indexes here",
            "warning 2:14: bookings: the table has no indexes here",
            "warning 2:29: flights: the table has no indexes here",
            "warning 3:13: flights: the table has no indexes here",
        ],
    );
    check_one(
        twice,
        "g.yaml",
        &[
            "2:2: `bookings` is given more than once",
            "warning 1:14: bookings: the table has no indexes here",
            "warning 2:29: flights: the table has no indexes here",
        ],
    );
}

#[test]
fn format_by_extension_then_content() {
    let yaml = "bookings: []\n";
    check_one(yaml, "g.JSON", &["1:1: expected value"]);
    check_one(yaml, "g.YML", &["warning 1:11: bookings: the table has no indexes here"]);
    check_one(yaml, "g.txt", &["warning 1:11: bookings: the table has no indexes here"]);
    check_one(yaml, "g", &["warning 1:11: bookings: the table has no indexes here"]);
    check_one(" {\"bookings\": []}", "g", &["warning 1:15: bookings: the table has no indexes here"]);
    check_one(" {\"bookings\": [}", "g", &["1:16: expected value"]);
    check_one(" [", "g.conf", &["1:2: EOF while parsing a list"]);
}

#[test]
fn encodings() {
    let check = |bytes: &[u8], expect: &str| {
        let shown = match Definitions::parse_bytes(bytes, Path::new("g.json")) {
            Ok(parsed) => format!("{} tables", parsed.definitions.tables().count()),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect);
    };
    check(b"\xef\xbb\xbf{\"bookings\": []}", "1 tables");
    check(b"\xef\xbb\xbf{\"bookings\": 7}", "g.json:1:14: bookings: expected a list, found a number");
    check(b"{\n\"b\xc3\xa9\xff\": []}", "g.json:2:4: the file is not UTF-8 text");
    check(b"\xff\xfe{\0}\0", "g.json:1:1: the file is UTF-16 text; save it as UTF-8");
    check(b"\xfe\xff\0{\0}", "g.json:1:1: the file is UTF-16 text; save it as UTF-8");
    check(b"", "g.json:1:1: the file is empty");
}

/// Nesting, aliases and merges that would make a tree too deep or too large. All run on a
/// stack of 1 MiB, half of what the threads of the programs have.
#[test]
fn hostile_texts_are_refused_cheaply() {
    let chain = |link: fn(usize) -> String| {
        let links: Vec<_> = (1..3000).map(|n| format!("a{n}: &a{n} {}", link(n - 1))).collect();
        format!("a0: &a0 {{x: 1}}\n{}\n", links.join("\n"))
    };
    let bomb = |width: usize| {
        let first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        (1..12).fold(first, |text, n| {
            let aliases = vec![format!("*a{}", n - 1); width].join(", ");
            format!("{text}a{n}: &a{n} [{aliases}]\n")
        })
    };
    let rows = [
        ("g.json", "[".repeat(100_000), "1:128: recursion limit exceeded"),
        ("g.json", "{\"a\":".repeat(100_000), "1:636: recursion limit exceeded"),
        ("g.yaml", "[".repeat(100_000), "1:256: recursion limit exceeded"),
        ("g.yaml", "{\"a\":".repeat(100_000), "1:121: nested deeper than 24 levels"),
        ("g.yaml", "- ".repeat(100_000), "1:49: nested deeper than 24 levels"),
        ("g.yaml", (0..5000).map(|n| " ".repeat(n) + "a:\n").collect(), "25:25: nested deeper than 24 levels"),
        ("g.yaml", chain(|n| format!("[*a{n}]")), "24:12: aliases make the document too deep or too large"),
        ("g.yaml", chain(|n| format!("{{k: *a{n}}}")), "24:15: aliases make the document too deep or too large"),
        ("g.yaml", chain(|n| format!("{{<<: *a{n}}}")), "24:16: aliases make the document too deep or too large"),
        ("g.yaml", bomb(9), "6:10: aliases make the document too deep or too large"),
    ];
    let run = move || {
        for (path, text, expect) in rows {
            let error = parse(&text, path).expect_err("hostile");
            let first = error.problems.first().map(ToString::to_string);
            assert_eq!(first.as_deref(), Some(expect), "{path}: {}", &text[..40]);
        }
    };
    std::thread::Builder::new().stack_size(1024 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let text = " ".repeat(FILE_BYTES_MAX + 1);
    check_one(&text, "g.json", &["1:1: the file has 16777217 bytes; more than 16777216 are not read"]);
}

/// What grows with the square of a list's length would take hours here.
#[test]
fn long_lists_of_rubbish_take_bounded_time_and_memory() {
    let list = |item: &str| format!("[{}]", vec![item; 100_000].join(","));
    let key = r#"{"AttributeName":"a","KeyType":"HASH"}"#;
    let defined = r#"{"AttributeName":"b","AttributeType":"S"}"#;
    let index = format!(
        r#"[{{"IndexName":"abc","KeySchema":{},"AttributeDefinitions":{},"Projection":{{"ProjectionType":"INCLUDE","NonKeyAttributes":{}}}}}]"#,
        list(key),
        list(defined),
        list("\"a\""),
    );
    let rows = [
        (format!("{{\"abc\":{}}}", list("7")), 10_000, 0),
        (format!("{{\"abc\":[{{{}}}]}}", vec!["\"x\":1"; 100_000].join(",")), 10_000, 10_000),
        (format!("{{\"abc\":{index}}}"), 10_000, 0),
    ];
    for (text, problems, warnings) in rows {
        let error = parse(&text, "g.json").unwrap_err();
        assert_eq!((error.problems.len(), error.warnings.len()), (problems, warnings), "{}", &text[..60]);
    }
}

#[test]
fn display_of_the_whole_error() {
    let error = parse("{\"bo\": 7}", "dir/g.json").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`dir/g.json` has 2 problems
  dir/g.json:1:2: bo: name `bo` has length 2; 3 to 255 characters are allowed
  dir/g.json:1:8: bo: expected a list, found a number"
    );
    let error = parse("{\"bookings\": 7}", "dir/g.json").unwrap_err();
    assert_eq!(error.to_string(), "dir/g.json:1:14: bookings: expected a list, found a number");
    let many = format!("{{\"bookings\": [{}]}}", vec!["7"; 60].join(","));
    let text = parse(&many, "g.json").unwrap_err().to_string();
    assert!(text.starts_with("`g.json` has 61 problems\n  g.json:1:14: bookings: 60 indexes"), "{text}");
    assert!(text.ends_with("\n  and 11 more"), "{text}");
}
