//! Text from elsewhere, made safe for a terminal.
//!
//! Two walls. [`clean`] is for each name and message where a line is made of it. What the printer is given passes
//! [`walled`] besides, which lets nothing through that a line of ours has no use for, so that one that was forgotten
//! does no harm either.
//!
//! Absent: letters that look like others, and blank letters of scripts (Hangul fillers): they are names.

use std::borrow::Cow;

/// Replaces control characters (line breaks and escape sequences among them), characters that reorder text, and those
/// that nobody sees by `�`, so that the text stays on its line and cannot disguise itself as another.
///
/// ```
/// assert_eq!(terminal::clean("plain é"), "plain é");
/// assert_eq!(terminal::clean("a\u{1b}[2Jb\n"), "a�[2Jb�");
/// assert_eq!(terminal::clean("ad\u{200b}min\u{202e}"), "ad�min�");
/// ```
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

/// Escapes the same characters in a JSON text, which means the same afterwards. Its line breaks and tabs stay.
///
/// ```
/// assert_eq!(terminal::clean_json("{\n\"a\": \"\u{202e}é\u{9b}\"}"), "{\n\"a\": \"\\u202eé\\u009b\"}");
/// ```
pub fn clean_json(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| is_unsafe(c) && !is_layout(c);
    if !text.chars().any(is_unsafe) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            safe.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe.into()
}

/// What a printer may print of `text`: letters, line breaks, tabs, and colours. A JSON object keeps its meaning.
pub(crate) fn walled(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_unsafe(c) && !is_layout(c)) {
        return text.into();
    }
    if text.starts_with('{') && text.trim_end().ends_with('}') {
        return clean_json(text);
    }
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = colour(rest).unwrap_or(c.len_utf8());
        let (part, later) = rest.split_at(length);
        match part {
            // More than one character: a colour.
            _ if length > c.len_utf8() => safe.push_str(part),
            _ if is_unsafe(c) && !is_layout(c) => safe.push(char::REPLACEMENT_CHARACTER),
            _ => safe.push(c),
        }
        rest = later;
    }
    safe.into()
}

/// How long the sequence is that sets a colour, if `text` begins with one.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters[end..].starts_with('m').then_some("\u{1b}[".len() + end + "m".len())
}

const fn is_layout(c: char) -> bool {
    matches!(c, '\n' | '\t')
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' // soft hyphen
            | '\u{61c}' | '\u{180e}' // marks of direction and of nothing
            | '\u{200b}'..='\u{200f}' // without width, and marks of direction
            | '\u{2028}'..='\u{202e}' // separators of lines, overrides of direction
            | '\u{2060}'..='\u{206f}' // joiners, invisible operators, isolates
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // byte order mark, annotations
            | '\u{e0000}'..='\u{e007f}') // tags
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What moves the cursor, forges a line, turns text round, or hides in it.
    const UNSAFE: [char; 18] = [
        '\0',
        '\n',
        '\r',
        '\t',
        '\u{8}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200e}',
        '\u{2028}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
    ];

    #[test]
    fn nothing_unsafe_is_left_and_all_else_stays() {
        for c in UNSAFE {
            assert_eq!(clean(&format!("a{c}b")), "a\u{fffd}b", "{}", c.escape_unicode());
        }
        for text in ["", "run 100", "é ß 漢字 العربية עברית हिन्दी", "🚀", "a\u{301}"] {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let name: String = UNSAFE.iter().collect();
        let value = serde_json::json!({ "name": name, "é": [1, "漢字"] });
        for text in [value.to_string(), format!("{value:#}")] {
            for safe in [clean_json(&text), walled(&text)] {
                assert!(!safe.chars().any(|c| is_unsafe(c) && c != '\n'), "{safe}");
                assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).ok().as_ref(), Some(&value));
            }
        }
    }

    #[test]
    fn the_wall_lets_lines_and_colours_through() {
        for (text, expect) in [
            ("a\n\tb", "a\n\tb"),
            ("\u{1b}[1;38:5:9mred\u{1b}[0m\u{1b}[m", "\u{1b}[1;38:5:9mred\u{1b}[0m\u{1b}[m"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}x", "\u{fffd}[2J\u{fffd}]0;title\u{fffd}x"),
            ("\u{1b}[1", "\u{fffd}[1"),
            ("a\rb\u{9b}2J\u{202e}é", "a\u{fffd}b\u{fffd}2J\u{fffd}é"),
        ] {
            assert_eq!(walled(text), expect, "{}", text.escape_debug());
        }
    }
}
