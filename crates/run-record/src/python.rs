//! The few habits of Python that the genuine converters inherit: what a line is, what a blank is.

/// Whether Python's `str.strip`, `str.split` and `\s` take this character for a blank.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Python's `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Python's `str.split()`: the words between blanks.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Python's `str.splitlines()`, for text whose line ends are already `\n`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines: Vec<&str> = text.split(is_end).collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.into_iter()
}

/// What Python's text mode does to line ends when it reads: `\r\n` and a lone `\r` become `\n`.
pub(crate) fn universal_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Replaces every run of characters that `is_member` accepts by one underscore.
pub(crate) fn runs_to_underscore(text: &str, is_member: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        let member = is_member(c);
        if !member {
            out.push(c);
        } else if !inside {
            out.push('_');
        }
        inside = member;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_python_ends_them() {
        let check = |text: &str, expect: &[&str]| assert_eq!(lines(text).collect::<Vec<_>>(), expect, "{text:?}");
        check("", &[]);
        check("a\n", &["a"]);
        check("a\n\n", &["a", ""]);
        check("a\u{c}b\u{2028}c", &["a", "b", "c"]);
    }

    #[test]
    fn runs_become_one_underscore() {
        assert_eq!(runs_to_underscore("a - b--c", |c| is_space(c) || c == '-'), "a_b_c");
        assert_eq!(runs_to_underscore("-", |c| c == '-'), "_");
    }
}
