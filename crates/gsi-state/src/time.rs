//! Times as the file has them.
//!
//! Written as RFC 3339, UTC, whole seconds: `2026-02-01T10:30:00Z`. The Python programs write local
//! times without a zone (`2026-02-01T00:09:17.418396`); the zone is lost, so they are taken as UTC.

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskTime(pub(crate) DateTime<Utc>);

impl Serialize for DiskTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl<'de> Deserialize<'de> for DiskTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format_args!("`{text}` is not a time of the form 2026-02-01T10:30:00Z"))
        })
    }
}

/// Reads RFC 3339, and what Python writes: no zone, `+0000`, a blank for the `T`.
fn parse(text: &str) -> Option<DateTime<Utc>> {
    let zoned = || DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%FT%T%.f%z"));
    let naive = || ["%FT%T%.f", "%F %T%.f"].iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let time = zoned().map(|time| time.to_utc()).ok().or_else(|| naive().map(|time| time.and_utc()))?;
    // What we write must be what we can read: RFC 3339 has four digits for the year.
    (0..=9999).contains(&time.year()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_times_or_refused() {
        let check = |text: &str, expect: Option<&str>| {
            let written = parse(text).map(|time| serde_json::to_value(DiskTime(time)).unwrap_or_default());
            assert_eq!(written.as_ref().and_then(|value| value.as_str()), expect, "{text}");
        };
        check("2026-02-01T10:30:00Z", Some("2026-02-01T10:30:00Z"));
        check("2026-02-01T00:09:17.418396", Some("2026-02-01T00:09:17Z")); // Python's isoformat()
        check("2026-02-01T00:09:17", Some("2026-02-01T00:09:17Z")); // the same on a whole second
        check("2026-02-01T10:30:00+02:00", Some("2026-02-01T08:30:00Z"));
        check("2026-02-01T10:30:00.999Z", Some("2026-02-01T10:30:00Z"));
        check("2026-02-01T10:30:00+0000", Some("2026-02-01T10:30:00Z")); // Python's strftime %z
        check("2026-02-01 00:09:17.418396", Some("2026-02-01T00:09:17Z")); // Python's str()
        check("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z"));
        check("9999-12-31T23:59:59-10:00", None); // would be written with five digits
        check("0000-01-01T00:00:00+10:00", None);
        check("2026-02-01", None);
        check("yesterday", None);
        check("", None);
    }
}
