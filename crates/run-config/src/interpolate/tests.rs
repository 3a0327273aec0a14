//! Rows for each rule, and random values against an oracle that never sees text.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::yaml;

const YAML: &str = "\
app:
  batch_size: 7
  base: /data
  nested: ${base}/${source_files.name}
  left_out:
  ring_a: ${ring_b}
  ring_b: x${app.ring_c}
  ring_c: ${ring_a:-never}
  mine: ${mine}
  list: [1]
  unset_alone: ${NOT_SET}
source_files:
  name: records
  base: /other
  back: ${app.nested}
reporting:
  base: r
  email:
    sender_email: s
    all: ${base}${sender_email}
";

fn expand(at: &str, text: &str) -> String {
    let root = yaml::read(YAML).unwrap();
    let set = [("HOME_DIR", "/home/daq"), ("EMPTY", ""), ("TRICKY", "a${NOT_SET}b"), ("_X1", "1")];
    let environment = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    match Scope::new(&root, &environment).expand(at, text) {
        Ok(Some(value)) => value,
        Ok(None) => "left out".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn references_are_resolved_or_refused() {
    for (text, expect) in [
        ("plain $HOME {x} $", "plain $HOME {x} $"),
        ("", ""),
        ("${HOME_DIR}/x", "/home/daq/x"),
        ("${_X1}", "1"),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", ""),
        ("${TRICKY}", "a${NOT_SET}b"),
        ("${NOT_SET}", "left out"),
        ("${NOT_SET:-}", ""),
        ("${NOT_SET:-a:-b}", "a:-b"),
        ("${NOT_SET:-${HOME_DIR}/${NOT_SET:-deep}}!", "/home/daq/deep!"),
        ("${NOT_SET:-${ALSO_NOT}}", "left out"),
        ("${NOT_SET}/x", "error: the variable NOT_SET is not set; set it, or write `${NOT_SET:-default}`"),
        ("${base}", "/data"),
        ("${source_files.base}", "/other"),
        ("${batch_size}0", "70"),
        ("${nested}", "/data/records"),
        ("${source_files.back}", "/data/records"),
        ("${work_dir}", "/tmp/run_record_archiver"), // the default of a key that is left out
        ("${import_state_file}", "/tmp/run_record_archiver/importer_state.json"),
        ("${left_out:-x}", "x"),
        ("${left_out}", "error: `${left_out}` refers to a parameter that does not exist"),
        ("${log_file}", "error: `${log_file}` refers to a parameter that has no value"),
        ("${unset_alone:-y}", "y"),
        ("${list}", "error: `${list}` refers to a list"),
        (
            "${batch_sise}",
            "error: `${batch_sise}` refers to a parameter that does not exist; did you mean `app.batch_size`?",
        ),
        ("${Mixed}", "error: `${Mixed}` is neither a variable in capitals nor a parameter"),
        ("${}", "error: `${}` is neither a variable in capitals nor a parameter"),
        ("${A", "error: `${` has no `}`"),
        ("${A:-${B}", "error: `${` has no `}`"),
        (
            "${ring_a}",
            "error: the references go round in a circle: app.here → app.ring_a → app.ring_b → app.ring_c → app.ring_a",
        ),
        ("${mine}", "error: the references go round in a circle: app.here → app.mine → app.mine"),
    ] {
        assert_eq!(expand("app.here", text), expect, "{text}");
    }
    assert_eq!(expand("reporting.email.here", "${all}"), "rs", "the innermost section comes first");
    assert_eq!(expand("source_files.here", "${base}"), "/other");
}

#[test]
fn growth_is_bounded() {
    let mut yaml = "app:\n  a0: xxxxxxxxxx\n  e0: ''\n".to_owned();
    for level in 1..40 {
        for name in ["a", "e"] {
            let value = format!("${{{name}{}}}", level - 1).repeat(9);
            yaml += &["  ", name, &level.to_string(), ": ", &value, "\n"].concat();
        }
    }
    let root = yaml::read(&yaml).unwrap();
    let environment = Environment::new();
    let scope = Scope::new(&root, &environment);
    for text in ["${a39}", "${e39}", &"${NOT_SET:-".repeat(100)] {
        let text = if text.starts_with("${N") { format!("{text}{}", "}".repeat(100)) } else { text.to_owned() };
        assert_eq!(scope.expand("app.here", &text), Err(ReferenceError::TooLong), "{text}");
    }
}

/// A value before it is written as text.
#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Variable(u8, Option<Vec<Part>>),
    /// Counted downwards from the parameter itself, so that there are no circles.
    Parameter(usize),
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let leaf = prop_oneof![
        "[a-z/. $:{-]{1,6}".prop_map(Part::Text),
        (0..4_u8).prop_map(|variable| Part::Variable(variable, None)),
        (1..4_usize).prop_map(Part::Parameter),
    ];
    let part = leaf.prop_recursive(3, 12, 3, |inner| {
        (0..4_u8, prop::collection::vec(inner, 0..3))
            .prop_map(|(variable, default)| Part::Variable(variable, Some(default)))
    });
    prop::collection::vec(part, 0..4)
}

/// Variables 0 and 1 are set.
fn write(parts: &[Part], own: usize) -> String {
    parts.iter().fold(String::new(), |text, part| match part {
        // `$` before `{` would make a reference of two texts.
        Part::Text(words) => text + &words.replace('$', "S"),
        Part::Variable(name, None) => format!("{text}${{V{name}}}"),
        Part::Variable(name, Some(default)) => format!("{text}${{V{name}:-{}}}", write(default, own)),
        Part::Parameter(down) if *down <= own => format!("{text}${{p{}}}", own - down),
        Part::Parameter(_) => text,
    })
}

/// The value as the rules have it: `Ok(None)` is left out, `Err` an error.
fn oracle(parts: &[Part], own: usize, values: &[Result<Option<String>, ()>]) -> Result<Option<String>, ()> {
    let parts: Vec<&Part> = parts.iter().filter(|part| !matches!(part, Part::Parameter(down) if *down > own)).collect();
    let one = |part: &Part| match part {
        Part::Text(words) => Ok(Some(words.replace('$', "S"))),
        Part::Variable(name @ 0..2, _) => Ok(Some(format!("<{name}>"))),
        Part::Variable(_, None) => Ok(None),
        Part::Variable(_, Some(default)) => oracle(default, own, values),
        Part::Parameter(down) => values[own - down].clone().and_then(|value| value.map(Some).ok_or(())),
    };
    if let [part] = parts[..] {
        return one(part);
    }
    parts.into_iter().try_fold(String::new(), |text, part| Ok(text + &one(part)?.ok_or(())?)).map(Some)
}

proptest! {
    #[test]
    fn random_values_agree_with_the_oracle(rows in prop::collection::vec(parts(), 1..6)) {
        let entries = rows.iter().enumerate().map(|(own, parts)| {
            let node = Node { line: 1, value: Value::Text(write(parts, own)) };
            crate::tree::Entry { name: format!("p{own}"), line: 1, node }
        });
        let section = Node { line: 1, value: Value::Map(entries.collect()) };
        let app = crate::tree::Entry { name: "app".to_owned(), line: 1, node: section };
        let root = Node { line: 1, value: Value::Map(vec![app]) };
        let environment = [("V0", "<0>"), ("V1", "<1>")].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        let scope = Scope::new(&root, &environment);
        let mut values = Vec::new();
        for (own, parts) in rows.iter().enumerate() {
            values.push(oracle(parts, own, &values));
            let seen = scope.expand(&format!("app.p{own}"), &write(parts, own)).map_err(|_| ());
            prop_assert_eq!(&seen, &values[own], "p{}: {:?}", own, write(parts, own));
        }
    }
}
