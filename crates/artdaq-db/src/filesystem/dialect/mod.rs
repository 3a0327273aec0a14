//! The JSON of the genuine `artdaq_database`, as its files hold it.
//!
//! Its writer puts every member and element on a line of its own, without indentation. Its reader is laxer than the
//! standard: raw newlines and tabs may stand in strings, what follows the closing brace is ignored, equal keys are
//! kept. It is also stricter: it knows no `\u`, so that we write every character but the seven escapes as it is.

mod read;
mod write;

pub use read::SyntaxError;
pub(super) use read::{Reader, parse};
pub(super) use write::{write, write_string};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;
    use run_record::json::Json;

    use super::*;

    fn written(json: &Json) -> String {
        let mut out = String::new();
        write(&mut out, json);
        out
    }

    #[test]
    fn values_are_written_as_by_the_genuine_writer() {
        let check = |strict: &str, expect: &str| {
            let json: Json = serde_json::from_str(strict).unwrap();
            assert_eq!(written(&json), expect);
        };
        check("{}", "{\n\n}");
        check("[]", "[\n\n]");
        check(r#"{"a":1,"a":[true,"x"]}"#, "{\n\"a\" : 1,\n\"a\" : [\ntrue,\n\"x\"\n]\n}");
        check("1.23456789", "1.235");
        check(r#""q\"b\\s/\b\f\n\r\té\u0001""#, "\"q\\\"b\\\\s/\\b\\f\\n\\r\\té\u{1}\"");
    }

    #[test]
    fn texts_are_read_as_by_the_genuine_reader() {
        let check = |text: &str, strict: &str| {
            let json: Json = serde_json::from_str(strict).unwrap();
            assert_eq!(parse(text).unwrap(), json, "{text}");
        };
        check(" {\"a\" : [ 1 , -2.5e1, true,false,null ] } trailing }", r#"{"a":[1,-25.0,true,false,null]}"#);
        check("\"raw\nnewline\tand\u{1}more\"", r#""raw\nnewline\tand\u0001more""#);
        check(r#""a\/b\u00e9\ud83d\ude80""#, "\"a/bé🚀\"");
        check("18446744073709551615", "18446744073709551615");
    }

    #[test]
    fn damage_is_located() {
        let check = |text: &str, expect: &str| assert_eq!(parse(text).unwrap_err().to_string(), expect, "{text:?}");
        check("", "expected a value at line 1 column 1, at the end");
        check("{\n\"a\" : [\n\"x", "expected the end of the string at line 3 column 3, at the end");
        check("{\"a\" 1}", "expected `:` at line 1 column 6");
        check("{\"a\": 1 \"b\"}", "expected `,` or `}` at line 1 column 9");
        check("[1 2]", "expected `,` or `]` at line 1 column 4");
        check("\"\\x\"", "expected an escape at line 1 column 3");
        check("nul", "expected a value at line 1 column 1");
        check("-", "expected a number at line 1 column 1");
        assert!(parse(&"[".repeat(100_000)).unwrap_err().to_string().starts_with("expected less nesting"));
    }

    #[test]
    fn a_number_that_could_not_be_written_again_is_refused() {
        for text in ["1e999", "-1e999", &"9".repeat(400)] {
            assert_eq!(parse(text).unwrap_err().to_string(), "expected a number at line 1 column 1", "{text:?}");
        }
        assert_eq!(parse(&"9".repeat(300)).unwrap(), parse(&written(&parse(&"9".repeat(300)).unwrap())).unwrap());
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::Integer),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
                proptest::collection::vec((any::<String>(), inner), 0..5).prop_map(Json::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(json in json()) {
            prop_assert_eq!(parse(&written(&json)).unwrap(), json);
        }

        #[test]
        fn standard_json_is_read_as_everybody_reads_it(json in json()) {
            let text = serde_json::to_string(&json).unwrap();
            prop_assert_eq!(parse(&text).unwrap(), json);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
