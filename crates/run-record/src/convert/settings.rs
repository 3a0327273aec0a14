//! `settings.txt`: `name: value` lines; lists become arrays of bare words.

use super::write::{binding, is_numeric, join, sound_array, value_binding};
use crate::python::{is_space, lines, runs_to_underscore, strip};

pub(super) fn convert(content: &str) -> String {
    let bindings = lines(content).map(strip).filter_map(|line| {
        if line.starts_with('#') {
            return None;
        }
        let (key, value) = line.split_once(':')?;
        let key = runs_to_underscore(strip(key), |c| is_space(c) || "-()/#.".contains(c));
        Some(setting(&key, strip(value)))
    });
    join(&bindings.collect::<Vec<_>>())
}

fn setting(key: &str, value: &str) -> String {
    if let Some(list) = value.strip_prefix('[') {
        // The genuine converter takes the last character for the bracket, whatever it is.
        let mut inner = list.chars();
        inner.next_back();
        let items: Vec<_> =
            inner.as_str().split(',').map(strip).filter(|item| !item.is_empty()).map(unquoted).collect();
        let words: Vec<_> = items.iter().map(|item| item.replace('-', "_")).collect();
        return binding(key, &format!("[ {} ]", words.join(", ")), || sound_array(&items));
    }
    let lower = value.to_lowercase();
    if lower == "true" || lower == "false" {
        return binding(key, &lower, || lower.clone());
    }
    if is_numeric(value) { binding(key, value, || format!("\"{value}\"")) } else { value_binding(key, value) }
}

fn unquoted(item: &str) -> &str {
    let between = |quote: char| item.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    between('"').or_else(|| between('\'')).unwrap_or(item)
}
