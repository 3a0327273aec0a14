//! Where a FHiCL text is malformed, and why.

use std::fmt;

/// A malformed FHiCL text. Prints as
///
/// ```text
/// `x.fcl` line 2 column 4: expected a value
///   a: /tmp/x
///      ^
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The name that the caller gave for the text.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// The line's text, cut to a readable width.
    pub excerpt: String,
    /// The caret's column in `excerpt`, from 1.
    pub caret: usize,
}

/// The widest excerpt, in characters.
const EXCERPT_WIDTH: usize = 100;

impl ParseError {
    /// The error at byte `position` of `text`.
    pub(super) fn at(file: &str, text: &str, position: usize, problem: String) -> Self {
        let position = text.floor_char_boundary(position);
        let before = &text[..position];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..].split('\n').next().unwrap_or_default();
        let column = text[line_start..position].chars().count() + 1;
        let skip = column.saturating_sub(EXCERPT_WIDTH * 3 / 4);
        Self {
            file: file.to_owned(),
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column,
            problem,
            excerpt: line
                .chars()
                .skip(skip)
                .take(EXCERPT_WIDTH)
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
            caret: column - skip,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, problem, excerpt, caret } = self;
        write!(f, "`{file}` line {line} column {column}: {problem}\n  {excerpt}\n  {:>caret$}", "^")
    }
}

impl std::error::Error for ParseError {}
