//! Where lines go.

use std::io::{self, IsTerminal, Write};

use crate::clean::walled;

/// How much commentary is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Errors and the answer only.
    Quiet,
    /// What a person wants to follow.
    #[default]
    Normal,
    /// Everything.
    Verbose,
}

/// Prints answers on stdout and commentary on stderr.
///
/// A reader that went away (`gsi-create … | head`) is no error: the work goes on unseen. Commentary that
/// cannot be printed is let go; an answer is not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Printer {
    verbosity: Verbosity,
}

impl Printer {
    /// A printer that says as much as `verbosity` wants.
    pub const fn new(verbosity: Verbosity) -> Self {
        Self { verbosity }
    }

    /// How much commentary is wanted.
    pub const fn verbosity(self) -> Verbosity {
        self.verbosity
    }

    /// Prints a line of the answer.
    ///
    /// # Errors
    ///
    /// When the answer did not get out, for another reason than a reader that went away.
    pub fn answer(self, line: impl std::fmt::Display) -> io::Result<()> {
        let mut stdout = anstream::stdout();
        match writeln!(stdout, "{}", walled(&line.to_string())).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Prints a line of commentary, unless quiet.
    pub fn comment(self, line: impl std::fmt::Display) {
        if self.verbosity >= Verbosity::Normal {
            drop(writeln!(anstream::stderr(), "{}", walled(&line.to_string())));
        }
    }

    /// Prints a line of commentary that only verbose runs want.
    pub fn detail(self, line: impl std::fmt::Display) {
        if self.verbosity >= Verbosity::Verbose {
            drop(writeln!(anstream::stderr(), "{}", walled(&line.to_string())));
        }
    }

    /// Prints a warning; quiet runs want that, too: it says what went wrong, though not everything did.
    pub fn warn(self, line: impl std::fmt::Display) {
        let warn = crate::style::WARN;
        self.error(&format!("{warn}warning{warn:#}: {line}\n"));
    }

    /// Prints an error text as it is laid out; quiet runs want that, too.
    pub fn error(self, text: &str) {
        drop(write!(anstream::stderr(), "{}", walled(text)));
    }

    /// Whether somebody watches stderr.
    pub fn is_watched() -> bool {
        std::io::stderr().is_terminal()
    }
}
