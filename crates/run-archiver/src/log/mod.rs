//! The log file: one line an event, for whoever looks later.
//!
//! `2026-03-01T10:15:02Z INFO    import: run 101: archived`. Appended, never rewritten; set aside at start-up, under
//! the lock, when it has grown too large or too old ([`rotate`]). Control characters are cleaned, so that a
//! line is a line. Absent: secrets, which no message of this program holds; filters by module.

mod rotate;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::SecondsFormat;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use run_config::Level;
use statefile::Clock;

/// Writes lines to the log file; without a file it takes them and does nothing.
pub(crate) struct Log {
    file: Option<Mutex<fs::File>>,
    level: Level,
    /// Before every text.
    mark: &'static str,
    clock: &'static dyn Clock,
}

/// The log file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("could not open the log file `{path}`")]
pub(crate) struct LogError {
    pub(crate) path: PathBuf,
    #[source]
    pub(crate) source: io::Error,
}

impl Log {
    /// A log without a file.
    pub(crate) fn none(clock: &'static dyn Clock) -> Self {
        Self { file: None, level: Level::Error, mark: "", clock }
    }

    /// Appends to `path` what matters at least as much as `level`. Call it under the lock: it may set the
    /// old file aside.
    pub(crate) fn open(path: &Path, level: Level, clock: &'static dyn Clock) -> Result<Self, LogError> {
        let open = || {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            rotate::rotate(path, clock.now(), &rotate::Limits::default())?;
            // A FIFO that nobody reads is refused instead of waited for.
            let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
            fs::OpenOptions::new().create(true).append(true).custom_flags(nonblocking).open(path)
        };
        let file = open().map_err(|source| LogError { path: path.to_owned(), source })?;
        Ok(Self { file: Some(Mutex::new(file)), level, mark: "", clock })
    }

    /// With a mark before the text of every line, for executions that must not be taken for others.
    pub(crate) fn marked(self, mark: &'static str) -> Self {
        Self { mark, ..self }
    }

    /// Writes a line; what follows a line break in `text` is indented, so that it cannot pass for a line of its own.
    /// A log that cannot be written any more is no reason to stop archiving.
    pub(crate) fn line(&self, level: Level, text: &str) {
        let Some(file) = self.file.as_ref().filter(|_| level >= self.level) else { return };
        let time = self.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let line = |(number, text)| {
            let indent = if number == 0 { "" } else { "    " };
            format!("{time} {:<7} {}{indent}{}\n", level.name(), self.mark, terminal::clean(text))
        };
        let lines: String = text.lines().enumerate().map(line).collect();
        drop(file.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes()));
    }
}
