//! The one place that writes to the screen.
//!
//! A reader that has gone away (`cargo xtask tidy | head`) is no reason to stop a check or to panic: the
//! verdict is the exit code. So write errors are dropped here, and only here.

use std::fmt::Display;
use std::io::{self, Write};

/// A line on stdout.
pub(crate) fn line(text: impl Display) {
    drop(writeln!(io::stdout(), "{text}"));
}

/// The beginning of a line on stdout, shown at once.
pub(crate) fn part(text: impl Display) {
    let mut out = io::stdout();
    drop(write!(out, "{text}").and_then(|()| out.flush()));
}

/// A line on stderr.
pub(crate) fn error(text: impl Display) {
    drop(writeln!(io::stderr(), "{text}"));
}
