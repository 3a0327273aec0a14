//! Every row of the probe table: a snippet and what the genuine program made of it.

use std::collections::BTreeMap;

use run_record::fhicl::{Document, Extension, Parsed};
use serde_json::Value;

use crate::golden;

/// The rows in which we differ, and what for. Everything else is equal in every respect.
const DIFFERENT: [(&str, Extension); 14] = [
    ("complex_sp", Extension::ComplexWithBlanks),
    ("dup_table", Extension::SecondTable),
    ("only_comment", Extension::CommentOnlyText),
    ("dq_utf8", Extension::NonAscii),
    ("comment_utf8", Extension::NonAscii),
    ("bom", Extension::NonAscii),
    ("table_missing", Extension::TableReference),
    ("prolog_table", Extension::TableReference),
    ("ip", Extension::AddressOrTime),
    ("time", Extension::AddressOrTime),
    // Not in the table today; listed so that a longer table needs no change here.
    ("empty", Extension::EmptyText),
    ("include_end", Extension::IncludeText),
    ("include_in_comment", Extension::IncludeText),
    ("include_in_string", Extension::IncludeText),
];

fn stored(parsed: &Parsed) -> [(&'static str, Value); 3] {
    let document = &parsed.document;
    [
        ("data", document.to_data().into()),
        ("metadata", document.to_metadata().into()),
        ("comments", document.to_comments().into()),
    ]
}

/// What differs between our treatment of a row and the genuine one.
fn differences(row: &Value) -> Result<Parsed, Vec<String>> {
    let input = row["input"].as_str().unwrap();
    let parsed = match (Document::parse_reporting("-", input), row["ok"].as_bool().unwrap()) {
        (Ok(parsed), true) => parsed,
        (Err(error), true) => return Err(vec![format!("refused by us only: {error}")]),
        (Ok(parsed), false) => return Err(vec![format!("accepted by us only, through {:?}", parsed.extensions)]),
        (Err(error), false) => return Err(vec![format!("refused: {error}")]),
    };
    let mut different = Vec::new();
    let mut compare = |what: &str, ours: &Value, genuine: &Value| {
        // As text, because equality of values does not mind the order of their keys.
        let texts = [ours, genuine].map(Value::to_string);
        if !genuine.is_null() && texts[0] != texts[1] {
            different.push(format!("{what}\n     ours {ours}\n  genuine {genuine}"));
        }
    };
    for (what, ours) in stored(&parsed) {
        compare(what, &ours, &row[what]);
    }
    compare("text", &parsed.document.to_text().into(), &row["origin"]);
    if different.is_empty() { Ok(parsed) } else { Err(different) }
}

#[test]
fn every_row_of_the_probe_table_agrees_or_is_a_named_extension() {
    let Some(artdaq) = golden::artdaq() else { return };
    let rows: BTreeMap<String, Value> = serde_json::from_str(&golden::read(&artdaq.join("fhicl_probe.json"))).unwrap();
    let named: BTreeMap<_, _> = DIFFERENT.into_iter().collect();
    let mut wrong = Vec::new();
    for (name, row) in &rows {
        if row["input"].as_str().unwrap().ends_with("...") {
            continue; // the one row whose input the table abbreviates
        }
        let accepted = row["ok"].as_bool().unwrap();
        let ours = Document::parse_reporting("-", row["input"].as_str().unwrap());
        let extensions = ours.as_ref().map(|parsed| parsed.extensions.clone()).unwrap_or_default();
        match named.get(name.as_str()) {
            Some(extension) => {
                if extensions.iter().ne([extension]) {
                    wrong.push(format!("{name}: should need {extension:?}, needs {extensions:?}"));
                }
            }
            None if !extensions.is_empty() => wrong.push(format!("{name}: unnamed extensions {extensions:?}")),
            None => match differences(row) {
                Ok(_) => {}
                Err(_) if !accepted && ours.is_err() => {}
                Err(different) => wrong.push(format!("{name}: {}", different.join("\n"))),
            },
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows are wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 126, "only {} rows", rows.len());
}

#[test]
fn extensions_keep_what_the_genuine_program_stores() {
    let Some(artdaq) = golden::artdaq() else { return };
    let rows: BTreeMap<String, Value> = serde_json::from_str(&golden::read(&artdaq.join("fhicl_probe.json"))).unwrap();
    for name in ["dup_table", "only_comment"] {
        let row = &rows[name];
        let parsed = Document::parse_reporting("-", row["input"].as_str().unwrap()).unwrap();
        for (what, ours) in stored(&parsed) {
            assert_eq!(ours.to_string(), row[what].to_string(), "{name}: {what}");
        }
    }
}

#[test]
fn what_is_printed_is_stable_after_one_pass() {
    let Some(artdaq) = golden::artdaq() else { return };
    let rows: BTreeMap<String, Value> = serde_json::from_str(&golden::read(&artdaq.join("fhicl_probe.json"))).unwrap();
    for (name, row) in &rows {
        let Ok(document) = Document::parse("-", row["input"].as_str().unwrap()) else { continue };
        let once = document.to_text();
        let twice = Document::parse("-", &once).unwrap_or_else(|error| panic!("{name}: {error}")).to_text();
        assert_eq!(once, twice, "{name}");
    }
}
