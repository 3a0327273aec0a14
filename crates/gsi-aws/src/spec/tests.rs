//! The rules of the definitions file, row by row.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod foreign;
mod formats;
mod generated;
mod key_rules;
mod rules;
mod setting_rules;
mod templates;

use std::path::Path;

use super::*;

/// A good file of one index, the ground of most rows. `flight_id` stands in lines 6 and 10.
const GOOD: &str = r#"{
  "bookings": [
    {
      "IndexName": "by-flight",
      "KeySchema": [
        { "AttributeName": "flight_id", "KeyType": "HASH" },
        { "AttributeName": "seat", "KeyType": "RANGE" }
      ],
      "AttributeDefinitions": [
        { "AttributeName": "flight_id", "AttributeType": "S" },
        { "AttributeName": "seat", "AttributeType": "N" }
      ],
      "Projection": { "ProjectionType": "ALL" }
    }
  ]
}"#;

fn parse(text: &str, path: &str) -> Result<Parsed, DefinitionsError> {
    Definitions::parse(text, Path::new(path))
}

/// All findings of a text, one a line: problems, then warnings.
fn findings(text: &str, path: &str) -> Vec<String> {
    let (problems, warnings) = match parse(text, path) {
        Ok(parsed) => (Vec::new(), parsed.warnings),
        Err(error) => (error.problems, error.warnings),
    };
    let problems = problems.iter().map(ToString::to_string);
    problems.chain(warnings.iter().map(|warning| format!("warning {warning}"))).collect()
}

/// Checks the findings of a JSON text, and that the YAML reader finds the same in it.
#[track_caller]
fn check_text(text: &str, expect: &[&str]) {
    assert_eq!(findings(text, "gsis.json"), expect, "as JSON: {text}");
    assert_eq!(findings(text, "gsis.yaml"), expect, "as YAML: {text}");
}

/// Checks the findings of [`GOOD`] with the last `from` replaced by `to`.
#[track_caller]
fn check(from: &str, to: &str, expect: &[&str]) {
    let at = GOOD.rfind(from).expect("the row's `from` is in GOOD");
    let text = format!("{}{to}{}", &GOOD[..at], &GOOD[at + from.len()..]);
    check_text(&text, expect);
}

/// The index of [`GOOD`] under another name, with the last `from` replaced by `to`.
fn index(name: &str, from: &str, to: &str) -> String {
    let start = GOOD.find("    {\n").unwrap();
    let end = GOOD.rfind("\n  ]").unwrap();
    let text = GOOD[start..end].replace("by-flight", name);
    let at = text.rfind(from).unwrap();
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

#[test]
fn names_of_resources_command_no_terminal() {
    for name in ["{Ref: x}", "~"] {
        let text = format!(
            "Resources: {{\"a\\x1b[2J\": {{Type: AWS::DynamoDB::Table, Properties: {{TableName: {name}, \
             GlobalSecondaryIndexes: [{{IndexName: abc}}]}}}}}}"
        );
        let error = Definitions::parse(&text, Path::new("t.yaml")).unwrap_err().to_string();
        assert!(error.contains("a\\u{1b}[2J"), "{error}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
}
