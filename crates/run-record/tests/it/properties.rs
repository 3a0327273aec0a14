//! What must hold for every text.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::string::string_regex;
use run_record::fhicl::Document;
use run_record::json::Json;
use run_record::text;

/// Well-formed texts, without comments if `marks` is empty. They stand in strings: with `#` and quotes the genuine comment scanner is confused.
fn fhicl(marks: &str) -> impl Strategy<Value = String> + use<> {
    let escaped_quote = if marks.is_empty() { "\"x\"" } else { r#""x \"y\" # z""# };
    let leaf = prop_oneof![
        "[a-z]{1,3}",
        "[0-9]{1,3}(\\.[0-9])?",
        string_regex(&format!(r#""([a-z {marks}é]|\\n|\\t)*""#)).unwrap(),
        string_regex(&format!(r"'[a-z\\ {marks}]*'")).unwrap(),
        Just(escaped_quote.to_owned()),
        Just("@nil".to_owned()),
        Just("true".to_owned()),
        Just("(1, 2)".to_owned()),
        Just("\"\"".to_owned()),
        Just("10.0.0.1".to_owned()),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::vec(("[a-d]", inner), 0..4).prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
                format!("{{ {} }}", entries.concat())
            }),
        ]
    });
    let comment = if marks.is_empty() { "\n" } else { "\n| #[ a-z\"']{0,6}\n| //[ a-z]{0,6}\r\n|\n# [a-z]{1,5}\n" };
    let binding =
        ("[a-f](\\.[a-c])?", value, comment).prop_map(|(key, value, comment)| format!("{key}: {value}{comment}"));
    let include = Just("#include \"x.fcl\"\n".to_owned());
    proptest::collection::vec(prop_oneof![8 => binding, 1 => include, 1 => Just("@table::t\n".to_owned())], 0..8)
        .prop_map(|bindings| bindings.concat())
}

proptest! {
    #[test]
    fn any_bytes_give_a_document_or_an_error(bytes: Vec<u8>) {
        let _ = Document::parse("random", &text::decode(&bytes));
    }

    #[test]
    fn any_fhicl_like_text_gives_a_document_or_an_error(text in r#"([a-c]: |[0-9.:+-]|["'{}\[\](),#/\\@\n\r ]|#include|BEGIN_PROLOG|END_PROLOG|@protect_error|é)*"#) {
        if let Ok(document) = Document::parse("random", &text) {
            let _ = document.to_text();
        }
    }

    #[test]
    fn printing_is_stable_without_comments(text in fhicl("")) {
        let document = Document::parse("a", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let once = document.to_text();
        let again = Document::parse("b", &once).map_err(|error| TestCaseError::fail(format!("{error}\n{once}")))?;
        prop_assert_eq!(&again.to_text(), &once);
        prop_assert_eq!(again.to_data(), document.to_data());
    }

    /// A comment behind a sequence of several lines moves or goes, as in the genuine export; values never do.
    #[test]
    fn printing_keeps_every_value(text in fhicl("#/")) {
        let document = Document::parse("a", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let once = document.to_text();
        let again = Document::parse("b", &once).map_err(|error| TestCaseError::fail(format!("{error}\n{once}")))?;
        prop_assert_eq!(again.to_data(), document.to_data());
    }

    #[test]
    fn what_is_stored_is_read_back(text in fhicl("#/")) {
        let document = Document::parse("a", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let through = |json: Json| -> Json { serde_json::from_str(&serde_json::to_string(&json).unwrap()).unwrap() };
        let read = Document::from_stored(&through(document.to_data()), &through(document.to_metadata()), &through(document.to_comments()));
        prop_assert_eq!(read.unwrap(), document);
    }
}

/// A configuration like the largest seen: 3000 tables, about 220 KiB for `tables` 3000.
fn large(tables: usize) -> String {
    let table = |n: usize| {
        format!("board_{n}: {{ # number {n}\n  generator: \"Toy{n}\"\n  ids: [{n}, 0x{n:x}]\n  on: true\n}}\n")
    };
    (0..tables).map(table).collect()
}

#[test]
fn the_time_is_linear_in_the_text() {
    let measure = |tables: usize| {
        let text = large(tables);
        let fastest = (0..5).map(|_| {
            let start = Instant::now();
            assert_eq!(Document::parse("large", &text).unwrap().main.entries.len(), tables);
            start.elapsed()
        });
        fastest.min().unwrap_or(Duration::MAX)
    };
    assert!(large(3000).len() > 200_000);
    let (small, large) = (measure(3000), measure(24_000));
    eprintln!("{} bytes in {small:?}, eight times that in {large:?}", self::large(3000).len());
    // Quadratic time would be 64 times as long; the wide margin is for a busy machine.
    assert!(large < small * 24, "{small:?} and {large:?}");
}
