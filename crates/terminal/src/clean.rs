//! Text from elsewhere, made safe for a terminal.

use std::borrow::Cow;

/// Replaces control characters (line breaks and escape sequences among them) and the characters that
/// reorder text by `�`, so that the text stays on its line and cannot disguise another.
///
/// ```
/// assert_eq!(terminal::clean("plain é"), "plain é");
/// assert_eq!(terminal::clean("a\u{1b}[2Jb\n"), "a�[2Jb�");
/// ```
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
