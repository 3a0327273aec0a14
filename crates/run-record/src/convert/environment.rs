//! `environment.txt`: lines `export NAME=value`; everything else is skipped.

use super::write::{binding, join, quote};
use crate::python::{is_space, lines, strip};

pub(super) fn convert(content: &str) -> String {
    let bindings = lines(content).map(strip).filter_map(|line| {
        let (name, value) = export(line)?;
        let value = strip(value).trim_matches(['\'', '"']);
        Some(binding(name, &format!("\"{}\"", value.replace('"', "\\\"")), || quote(value)))
    });
    join(&bindings.collect::<Vec<_>>())
}

/// `export NAME = value`, with any blanks, the first one after `export` required.
fn export(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("export")?;
    let rest = rest.strip_prefix(is_space)?.trim_start_matches(is_space);
    let (name, value) = rest.split_once('=')?;
    let name = name.trim_end_matches(is_space);
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    (starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some((name, value))
}
