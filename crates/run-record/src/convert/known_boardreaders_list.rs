//! `known_boardreaders_list.txt`: a name and its values, parted by blanks; double quotes hold words together.

use super::write::{binding, join, sound_array};
use crate::python::{is_space, lines, strip};

pub(super) fn convert(content: &str) -> String {
    let bindings = lines(content).map(strip).filter_map(|line| {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let parts = split(line);
        let (key, values) = parts.split_first().filter(|(_, values)| !values.is_empty())?;
        let is_quoted = |value: &&String| value.starts_with('"') && value.ends_with('"');
        let quoted: Vec<_> =
            values.iter().map(|value| if is_quoted(&value) { value.clone() } else { format!("\"{value}\"") }).collect();
        // The genuine converter leaves a blank before the bracket if a value came with quotes.
        let end = if values.iter().any(|value| is_quoted(&value)) { " ]" } else { "]" };
        let bare: Vec<_> = values.iter().map(|value| unquoted(value)).collect();
        Some(binding(key, &format!("[{}{end}", quoted.join(", ")), || sound_array(&bare)))
    });
    join(&bindings.collect::<Vec<_>>())
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// The words of a line; a closing quote ends a word, blanks do so outside quotes.
fn split(line: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut in_quotes = false;
    for c in line.chars() {
        if is_space(c) && !in_quotes {
            if !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            continue;
        }
        part.push(c);
        if c == '"' {
            if in_quotes {
                parts.push(std::mem::take(&mut part));
            }
            in_quotes = !in_quotes;
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}
