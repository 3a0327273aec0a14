//! The version records of UconDB, as they come over the wire.

use std::borrow::Cow;

use chrono::DateTime;
use serde::Deserialize;

use crate::VersionInfo;

/// The fields of a version record that we use; the rest may come and go.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) key: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    pub(crate) data_size: u64,
    /// Unsigned 32 bits; old rows may show it as a negative number.
    adler32: i64,
    /// Epoch seconds.
    #[serde(default)]
    tr: Option<f64>,
}

impl Record {
    /// The checksum without the sign of old rows.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 32 bits are the checksum")]
    pub(crate) fn adler32(&self) -> u32 {
        self.adler32 as u32
    }

    pub(crate) fn into_version_info(self) -> VersionInfo {
        VersionInfo {
            version_id: self.id,
            adler32: self.adler32(),
            key: self.key,
            tags: self.tags,
            size_bytes: self.data_size,
            recorded_at: self.tr.and_then(|seconds| {
                #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then out of range")]
                DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)
            }),
        }
    }
}

/// Reads JSON in which numbers may be `NaN`, `Infinity` or `-Infinity`, as Python writes them; they become `null`.
pub(crate) fn from_python_json<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(bytes).or_else(|error| match without_odd_numbers(bytes) {
        Cow::Owned(repaired) => serde_json::from_slice(&repaired),
        Cow::Borrowed(_) => Err(error),
    })
}

/// Replaces the odd numbers outside of strings.
fn without_odd_numbers(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut repaired = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match rest[0] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => at += 1,
            b'N' | b'I' | b'-' if !in_string => {
                let odd = [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().find(|odd| rest.starts_with(odd));
                if let Some(odd) = odd {
                    repaired.extend_from_slice(&bytes[copied..at]);
                    repaired.extend_from_slice(b"null");
                    at += odd.len() - 1;
                    copied = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if repaired.is_empty() {
        return Cow::Borrowed(bytes);
    }
    repaired.extend_from_slice(&bytes[copied..]);
    Cow::Owned(repaired)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_genuine_record_is_read() {
        let text = br#"{"object": "configuration", "folder": "public.test01", "tv": 0.0, "tr": 1795219679.771137, "tags": ["100"], "adler32": 598606882, "uadler32": 598606882, "data_size": 15, "data_key": "2", "id": 2, "key": "100"}"#;
        let info = from_python_json::<Record>(text).unwrap().into_version_info();
        assert_eq!(
            info,
            VersionInfo {
                version_id: 2,
                key: Some("100".to_owned()),
                tags: vec!["100".to_owned()],
                size_bytes: 15,
                adler32: 598_606_882,
                recorded_at: Some("2026-11-21T00:07:59.771137Z".parse().unwrap()),
            }
        );
    }

    #[test]
    fn old_and_odd_records_are_read() {
        let text = br#"[{"tv": NaN, "tr": -Infinity, "tags": [], "adler32": -1, "data_size": 0, "id": 1, "key": null},
            {"tv": Infinity, "adler32": 1, "data_size": 0, "id": 2, "key": "NaN \" -Infinity"}]"#;
        let records: Vec<Record> = from_python_json(text).unwrap();
        assert_eq!((records[0].adler32(), records[0].tr, &records[0].key), (u32::MAX, None, &None));
        assert_eq!(records[1].key.as_deref(), Some("NaN \" -Infinity"));
    }

    #[test]
    fn a_truncated_listing_is_an_error() {
        let whole = br#"[{"tv": NaN, "adler32": 1, "data_size": 0, "id": 1, "key": "1"}]"#;
        assert!(from_python_json::<Vec<Record>>(whole).is_ok());
        for end in 0..whole.len() {
            assert!(from_python_json::<Vec<Record>>(&whole[..end]).is_err(), "{end}");
        }
    }

    proptest::proptest! {
        #[test]
        fn valid_json_is_left_alone(text in "[ -~]{0,40}") {
            let json = serde_json::to_vec(&[text]).unwrap();
            proptest::prop_assert!(matches!(without_odd_numbers(&json), Cow::Borrowed(_)));
        }
    }
}
