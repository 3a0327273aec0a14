//! How the converters write a binding: as the genuine ones, as long as that is FHiCL.

use crate::fhicl::{is_key, is_well_formed};
use crate::text::escape_control;

/// `key: value` in the genuine form if that is well-formed, otherwise with a sound key and `sound()`.
pub(super) fn binding(key: &str, genuine: &str, sound: impl FnOnce() -> String) -> String {
    choose(key, genuine, sound, is_well_formed)
}

/// As [`binding`], for a place inside a table, where keys have no dots.
pub(super) fn nested_binding(key: &str, genuine: &str, sound: impl FnOnce() -> String) -> String {
    choose(key, genuine, sound, |line| is_well_formed(line) && is_well_formed(&format!("table: {{\n{line}\n}}")))
}

fn choose(key: &str, genuine: &str, sound: impl FnOnce() -> String, accepted: impl Fn(&str) -> bool) -> String {
    let line = format!("{key}: {genuine}");
    if accepted(&line) {
        return line;
    }
    let key = sound_key(key);
    let line = format!("{key}: {genuine}");
    if accepted(&line) { line } else { format!("{key}: {}", sound()) }
}

/// The key with `_` for every character that FHiCL does not allow, and before a leading digit.
pub(crate) fn sound_key(key: &str) -> String {
    if is_key(key) {
        return key.to_owned();
    }
    let mut sound = String::with_capacity(key.len() + 1);
    if key.chars().next().is_none_or(|first| first.is_ascii_digit()) {
        sound.push('_');
    }
    sound.extend(key.chars().map(|c| if is_key(&format!("_{c}")) { c } else { '_' }));
    sound
}

/// A string that means exactly `text`. FHiCL cannot write one that ends in a backslash and has a
/// single quote as well; that one gets a blank at its end.
pub(super) fn quote(text: &str) -> String {
    let text = escape_control(text);
    if text.ends_with('\\') && !text.contains('\'') {
        return format!("'{text}'");
    }
    let blank = if text.ends_with('\\') { " " } else { "" };
    format!("\"{}{blank}\"", escape(&text))
}

/// Backslashes, double quotes and newlines with a backslash before them.
pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Whether the genuine converters leave a value without quotes.
pub(super) fn is_numeric(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && value.bytes().filter(|&byte| byte == b'.').count() <= 1
}

/// The genuine quoting: numbers, lists and what is quoted already stay as they are.
pub(super) fn quote_value(value: &str) -> String {
    let wrapped = |open, close| value.starts_with(open) && value.ends_with(close);
    if wrapped('"', '"') || wrapped('[', ']') || is_numeric(value) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('"', "\\\""))
}

/// `key: value` with [`quote_value`].
pub(super) fn value_binding(key: &str, value: &str) -> String {
    binding(key, &quote_value(value), || quote(value))
}

/// The genuine array of strings: quoted, not escaped.
pub(super) fn array<T: AsRef<str>>(items: &[T]) -> String {
    let quoted: Vec<_> = items.iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// The array with every item in [`quote`]s.
pub(super) fn sound_array<T: AsRef<str>>(items: &[T]) -> String {
    let quoted: Vec<_> = items.iter().map(|item| quote(item.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// `key: [ … ]` of strings.
pub(super) fn array_binding<T: AsRef<str>>(key: &str, items: &[T]) -> String {
    binding(key, &array(items), || sound_array(items))
}

/// The lines, each with its newline; nothing for no lines.
pub(super) fn join(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" }
}
