//! The number of a run.

use std::{fmt, num::ParseIntError, str::FromStr};

/// The number of a run: the key under which its record is archived.
///
/// ```
/// use ucon_db::RunNumber;
/// let run: RunNumber = "100".parse().unwrap();
/// assert_eq!(run, RunNumber::new(100));
/// assert_eq!(run.to_string(), "100");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunNumber(u64);

impl RunNumber {
    /// The run with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunNumber {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
