//! The writer.

use std::fmt::Write as _;

use run_record::json::Json;

/// Appends `json` to `out`.
pub(in super::super) fn write(out: &mut String, json: &Json) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        // Writing to a String cannot fail.
        Json::Integer(value) => drop(write!(out, "{value}")),
        Json::Decimal(value) => drop(write!(out, "{value:.3}")),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "\n" } else { ",\n" });
                write(out, item);
            }
            out.push_str(if items.is_empty() { "\n\n]" } else { "\n]" });
        }
        Json::Object(members) => {
            out.push('{');
            for (position, (key, value)) in members.iter().enumerate() {
                out.push_str(if position == 0 { "\n" } else { ",\n" });
                write_string(out, key);
                out.push_str(" : ");
                write(out, value);
            }
            out.push_str(if members.is_empty() { "\n\n}" } else { "\n}" });
        }
    }
}

/// Appends `text` in quotes, escaped as far as the genuine reader knows escapes.
pub(in super::super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| escape_of(byte).is_some()) {
        out.push_str(&rest[..at]);
        out.extend(escape_of(rest.as_bytes()[at]));
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn escape_of(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'"' => "\\\"",
        b'\\' => "\\\\",
        0x08 => "\\b",
        0x0C => "\\f",
        b'\n' => "\\n",
        b'\r' => "\\r",
        b'\t' => "\\t",
        _ => return None,
    })
}
