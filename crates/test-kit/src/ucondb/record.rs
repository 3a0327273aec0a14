//! Version records in the server's own JSON: Python's separators, floats and escapes.

use std::fmt::Write as _;

use super::model::Version;

/// The record of a version as one line.
pub(crate) fn record_json(folder: &str, version: &Version) -> String {
    let tags: Vec<String> = version.tags.iter().map(|tag| string_json(tag)).collect();
    format!(
        r#"{{"object": {}, "folder": {}, "tv": {}, "tr": {}, "tags": [{}], "adler32": {}, "uadler32": {}, "data_size": {}, "data_key": "{}", "id": {}, "key": {}}}"#,
        string_json(&version.object),
        string_json(folder),
        float_json(version.tv),
        float_json(version.tr),
        tags.join(", "),
        version.adler32,
        version.adler32,
        version.data_size,
        version.data_key,
        version.id,
        version.key.as_deref().map_or_else(|| "null".to_owned(), string_json),
    )
}

/// A string in ASCII, as Python's `json.dumps` writes it.
pub(crate) fn string_json(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        // Writing to a `String` cannot fail.
        let _ = match character {
            '"' | '\\' => write!(json, "\\{character}"),
            '\n' => write!(json, "\\n"),
            '\r' => write!(json, "\\r"),
            '\t' => write!(json, "\\t"),
            ' '..='~' => write!(json, "{character}"),
            _ => character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(json, "\\u{unit:04x}")),
        };
    }
    json + "\""
}

/// A float as Python writes it, `NaN` and `Infinity` included.
pub(crate) fn float_json(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{number:?}")
    }
}

/// The Adler-32 checksum (RFC 1950), written out here so that the client is checked by other code than its own.
pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_definition() {
        for (text, expect) in [("", 1), ("Wikipedia", 0x11E6_0398), ("a", 0x0062_0062)] {
            assert_eq!(adler32(text.as_bytes()), expect, "{text}");
        }
    }

    #[test]
    fn texts_and_numbers_look_as_python_writes_them() {
        assert_eq!(string_json("a\"b\\c\n\u{e9}\u{1F680}"), r#""a\"b\\c\n\u00e9\ud83d\ude80""#);
        assert_eq!(float_json(0.0), "0.0");
        assert_eq!(float_json(1_795_219_679.771_137), "1795219679.771137");
        assert_eq!(float_json(f64::NAN), "NaN");
    }
}
