//! JSON in ASCII without control characters, for files that people look at with tools that print whatever is there: a
//! name can hold what clears the screen or turns text round.

use serde::Serialize;

/// The JSON of `value` on one line.
pub(crate) fn to_plain_json(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    let is_plain = |c: char| matches!(c, ' '..='~');
    if text.chars().all(is_plain) {
        return Ok(text);
    }
    let mut plain = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if is_plain(c) {
            plain.push(c);
        } else {
            // Such characters stand in strings only, since nothing is indented.
            plain.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    Ok(plain)
}
