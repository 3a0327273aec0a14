//! Lines that change in place, for somebody who watches.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::clean::walled;

/// A block of lines at the bottom of the terminal, one a name, each with the time since it began.
#[derive(Debug, Default)]
pub struct LiveLines {
    all: MultiProgress,
    lines: Mutex<HashMap<String, ProgressBar>>,
}

impl LiveLines {
    /// An empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the text of the line `name`, which is made where it is missing.
    pub fn set(&self, name: &str, text: impl Into<String>) {
        let mut lines = self.lines();
        let line = lines.entry(name.to_owned()).or_insert_with(|| {
            let line = self.all.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<24} {msg} {elapsed}") {
                line.set_style(style);
            }
            line.set_prefix(crate::clean(name).into_owned());
            line.enable_steady_tick(TICK);
            line
        });
        line.set_message(walled(&text.into()).into_owned());
    }

    /// Takes the line `name` away.
    pub fn remove(&self, name: &str) {
        if let Some(line) = self.lines().remove(name) {
            line.finish_and_clear();
            self.all.remove(&line);
        }
    }

    /// Prints a line above the block.
    pub fn print(&self, text: &str) {
        // A terminal that went away is no reason to stop working.
        drop(self.all.println(walled(text)));
    }

    /// Takes the block away.
    pub fn clear(&self) {
        self.lines().clear();
        drop(self.all.clear());
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, ProgressBar>> {
        // Held for map operations only.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const TICK: Duration = Duration::from_millis(200);
