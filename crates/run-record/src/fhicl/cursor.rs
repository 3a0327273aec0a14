//! The text under the parser: blanks and comments skipped as the genuine reader skips them.

use super::words::ends_before;
use super::{Extension, ParseError};
use std::collections::BTreeSet;

/// A failure at a byte of the prepared text.
#[derive(Debug)]
pub(super) struct Fail {
    pub(super) position: usize,
    pub(super) problem: String,
}

/// The result of a parsing step.
pub(super) type Step<T> = Result<T, Fail>;

const INCLUDE: &[u8] = b"#include";

/// The text with the line ends that the genuine reader makes of it: each line ends in `\n`, one
/// `\r` before it is dropped, any other `\r` is a line end.
pub(super) fn prepare(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains('\r') {
            out.push_str(&line.replace('\r', "\n"));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Whether `text` starts with `#include` and a blank.
pub(super) fn is_include_word(text: &[u8]) -> bool {
    text.starts_with(INCLUDE) && matches!(text.get(INCLUDE.len()), Some(b' ' | b'\t'..=b'\r'))
}

/// A position in a prepared text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
    pub(super) extensions: BTreeSet<Extension>,
    /// Where each line starts.
    line_starts: Vec<usize>,
    /// How many include directives lie before `includes_to`, in comments too: they are numbered together.
    includes: usize,
    includes_to: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        Self { text, position: 0, extensions: BTreeSet::new(), line_starts, includes: 0, includes_to: 0 }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.position..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(super) fn starts_with(&self, literal: &str) -> bool {
        self.rest().starts_with(literal.as_bytes())
    }

    /// Consumes `byte` if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    pub(super) fn fail<T>(&self, position: usize, problem: impl Into<String>) -> Step<T> {
        Err(Fail { position: position.min(self.text.len()), problem: problem.into() })
    }

    /// The line of `position`, from 1.
    pub(super) fn line_of(&self, position: usize) -> u64 {
        self.line_starts.partition_point(|&start| start <= position) as u64
    }

    /// Skips blanks and comments; stops at an include directive.
    pub(super) fn skip(&mut self) -> Step<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t'..=b'\r' => self.position += 1,
                b'#' if self.rest().starts_with(INCLUDE) => {
                    if self.include_quote(self.position).is_some() {
                        return Ok(());
                    }
                    self.check_include_comment()?;
                    self.skip_line();
                }
                b'#' => self.skip_line(),
                b'/' if self.starts_with("//") => self.skip_line(),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.position += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }

    /// The position of the quote that makes the `#include` at `position` a directive.
    fn include_quote(&self, position: usize) -> Option<usize> {
        let blanks = position + INCLUDE.len();
        let rest = &self.bytes()[blanks..];
        let length = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'))?;
        (length > 0 && matches!(rest[length], b'"' | b'\'')).then_some(blanks + length)
    }

    /// Whether the text has an `#include` that the genuine program takes for a directive and that is none.
    pub(super) fn has_include_text(&self) -> bool {
        let mut found = self.text.match_indices("#include").map(|(at, _)| at);
        found.any(|at| is_include_word(&self.bytes()[at..]) && self.include_quote(at).is_none())
    }

    /// The genuine reader refuses a line that starts with `#include` and anything but a blank.
    fn check_include_comment(&self) -> Step<()> {
        let at_line_start = self.position == 0 || self.bytes()[self.position - 1] == b'\n';
        if at_line_start && !is_include_word(self.rest()) {
            return self.fail(self.position, "malformed #include: expected a blank and a quoted file name");
        }
        Ok(())
    }

    /// Consumes an include directive up to its quote; the number of the directive.
    pub(super) fn take_include(&mut self) -> Option<usize> {
        if !self.rest().starts_with(INCLUDE) {
            return None;
        }
        let quote = self.include_quote(self.position)?;
        while let Some(found) = self.text[self.includes_to..self.position].find("#include") {
            let at = self.includes_to + found;
            self.includes += usize::from(self.include_quote(at).is_some());
            self.includes_to = at + INCLUDE.len();
        }
        self.includes_to = self.position;
        let number = self.includes;
        // Each replacement makes the genuine buffer 13 bytes longer, but its search stops at the old end.
        if number > 0 && self.position + 13 * number + INCLUDE.len() + 1 > self.text.len() {
            self.extensions.insert(Extension::IncludeText);
        }
        self.position = quote;
        Some(number)
    }

    /// Whether what follows `end` cannot prolong a quoted string, `@nil` or a boolean.
    pub(super) fn closes_at(&self, end: usize) -> bool {
        ends_before(self.bytes(), end, b",]}") || self.bytes()[end] >= 0x80
    }

    /// Turns a failure into the error for the user.
    pub(super) fn error(&self, file: &str, fail: Fail) -> ParseError {
        ParseError::at(file, self.text, fail.position, fail.problem)
    }
}
