//! The number of a run.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The number of a run: what its directory is called, its key and its tag in the archive.
///
/// The marks use 0 for "none yet", as the files of the Python archiver do.
///
/// ```
/// use run_state::RunNumber;
/// assert_eq!("01000".parse(), Ok(RunNumber::new(1000)));
/// assert!("12a".parse::<RunNumber>().is_err());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunNumber(u64);

impl RunNumber {
    /// The run `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for RunNumber {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a run number: something else than decimal digits, or more than fit in 64 bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a run number")]
pub struct NotARunNumber(pub(crate) String);

impl FromStr for RunNumber {
    type Err = NotARunNumber;

    fn from_str(text: &str) -> Result<Self, NotARunNumber> {
        // `u64::from_str` would take a plus sign, too.
        let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Self).ok_or_else(|| NotARunNumber(text.to_owned()))
    }
}
