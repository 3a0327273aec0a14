//! What strangers do to screens and directories.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    reason = "a failure is the verdict of a test"
)]

use std::path::Path;

/// Whether a character moves the cursor, turns text round, hides, or begins a line where none should begin.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || "\u{202e}\u{200b}\u{2028}".contains(c)
}

/// The text without what sets colours, which is ours.
#[must_use]
pub fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        match end {
            Some(end) if part[end..].starts_with('m') => plain += &part[end + 1..],
            _ => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

/// Puts a FIFO at a path.
pub fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}
