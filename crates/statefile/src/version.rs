//! Versions of disk formats.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of a disk format, written `"1.0"`.
///
/// The minor number grows when fields are added, the major number when an older program would
/// misread the file. A program writes only versions that it knows entirely: over a newer minor
/// version, too, it refuses to write, though it may show it (see [`Snapshot`](crate::Snapshot)).
///
/// ```
/// use statefile::Version;
/// let found: Version = "1.2".parse().unwrap();
/// assert!(found > Version::new(1, 0));
/// assert!(found.is_readable_by(Version::new(1, 0)));
/// assert!(!Version::new(2, 0).is_readable_by(Version::new(1, 0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Grows when an older program would misread the file.
    pub major: u32,
    /// Grows when fields are added.
    pub minor: u32,
}

impl Version {
    /// The version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether a program that knows `supported` reads a file of this version without misreading it.
    pub const fn is_readable_by(self, supported: Self) -> bool {
        self.major == supported.major
    }

    /// Whether a program that knows `supported` may rewrite a file of this version.
    pub const fn is_writable_by(self, supported: Self) -> bool {
        self.major == supported.major && self.minor <= supported.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is not of the form `MAJOR.MINOR`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of the form MAJOR.MINOR")]
pub struct ParseVersionError(String);

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self::new(number(major)?, number(minor)?)))
            .ok_or_else(|| ParseVersionError(text.to_owned()))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_versions_or_refused() {
        let check = |text: &str, expect: Option<(u32, u32)>| {
            assert_eq!(text.parse().ok(), expect.map(|(a, b)| Version::new(a, b)), "{text}");
        };
        check("1.0", Some((1, 0)));
        check("12.34", Some((12, 34)));
        check("1", None);
        check("1.", None);
        check(".1", None);
        check("1.0.0", None);
        check("+1.0", None);
        check(" 1.0", None);
        check("99999999999.0", None);
    }
}
