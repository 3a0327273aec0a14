//! A list of things that were looked at: what came of each, in words that fit a line's width.

use std::fmt::Write;

use crate::{clean, style};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Good,
    /// Nobody knows.
    Doubtful,
    /// Something is wrong.
    Bad,
}

/// A thing that was looked at.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// What came of it.
    pub outcome: Outcome,
    /// The same in a word, at most eight characters.
    pub word: &'a str,
    /// What was looked at.
    pub name: &'a str,
    /// What was seen.
    pub text: &'a str,
    /// What to do about it.
    pub advice: Option<&'a str>,
}

const WORD_WIDTH: usize = 8;
/// Of the text, behind the names.
const TEXT_WIDTH: usize = 72;

/// The lines of a list of checks, each text wrapped beside its name.
///
/// ```
/// use terminal::{Check, Outcome, render_checks};
/// let check = Check { outcome: Outcome::Bad, word: "BROKEN", name: "roof", text: "it rains in", advice: Some("mend it") };
/// let text = anstream::adapter::strip_str(&render_checks(&[check])).to_string();
/// assert_eq!(text, "  BROKEN   roof  it rains in\n                 -> mend it\n");
/// ```
pub fn render_checks(checks: &[Check<'_>]) -> String {
    let name_width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let indent = " ".repeat(2 + WORD_WIDTH + 1 + name_width + 2);
    let mut text = String::new();
    for check in checks {
        let colour = match check.outcome {
            Outcome::Good => style::GOOD,
            Outcome::Doubtful => style::WARN,
            Outcome::Bad => style::BAD,
        };
        let mut lines = wrapped(&clean(check.text), TEXT_WIDTH);
        if let Some(advice) = check.advice {
            lines.extend(wrapped(&format!("-> {}", clean(advice)), TEXT_WIDTH));
        }
        let (word, name) = (clean(check.word), clean(check.name));
        // Writing to a String does not fail.
        let _ = write!(text, "  {colour}{word:WORD_WIDTH$}{colour:#} {name:name_width$}  ");
        let _ = writeln!(text, "{}", lines.join(&format!("\n{indent}")));
    }
    text
}

/// Breaks a text at blanks; a word that is longer stands alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_at_blanks() {
        for (text, expect) in [
            ("", vec![""]),
            ("one two", vec!["one two"]),
            ("one two three", vec!["one two", "three"]),
            ("incomprehensible", vec!["incomprehensible"]),
            ("a incomprehensible b", vec!["a", "incomprehensible", "b"]),
            ("größe µµµµ", vec!["größe", "µµµµ"]),
        ] {
            assert_eq!(wrapped(text, 8), expect, "{text}");
        }
    }

    #[test]
    fn nothing_moves_the_cursor() {
        let text = "evil\u{1b}[2J";
        let check = Check { outcome: Outcome::Good, word: "kept", name: text, text, advice: Some(text) };
        assert!(!render_checks(&[check]).contains("\u{1b}[2J"));
    }
}
