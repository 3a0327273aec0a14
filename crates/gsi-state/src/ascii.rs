//! JSON text as Python's `json.dump(…, indent=2)` writes it: indented, and ASCII only.
//!
//! What is beyond ASCII is written `\uXXXX`, so that the files of both programs are equal to the byte
//! and no terminal or editor setting can garble them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// The JSON text of `value`.
pub(crate) fn to_string<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, AsciiFormatter(PrettyFormatter::new())))?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// The pretty formatter, except for strings.
struct AsciiFormatter(PrettyFormatter<'static>);

impl Formatter for AsciiFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !(' '..='~').contains(&c)) {
            let (plain, other) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = other.chars();
            let mut units = [0; 2];
            for unit in chars.next().map_or(&mut [][..], |c| c.encode_utf16(&mut units)) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn strings_are_as_python_writes_them() {
        // Each expectation is the answer of Python's json.dumps.
        let check = |text: &str, expect: &str| assert_eq!(super::to_string(&text).ok().as_deref(), Some(expect));
        check("plain ~", r#""plain ~""#);
        check("a — b", r#""a \u2014 b""#);
        check("𝄞é", r#""\ud834\udd1e\u00e9""#);
        check("\u{7f}\u{1}\t\n\"\\/", r#""\u007f\u0001\t\n\"\\/""#);
        check("", r#""""#);
    }
    #[test]
    fn arrays_and_objects_are_as_python_writes_them() {
        let check =
            |value: serde_json::Value, expect: &str| assert_eq!(super::to_string(&value).ok().as_deref(), Some(expect));
        check(serde_json::json!([1, [], ["x"]]), "[\n  1,\n  [],\n  [\n    \"x\"\n  ]\n]");
        check(
            serde_json::json!({ "a": {}, "b": { "c": [2] } }),
            "{\n  \"a\": {},\n  \"b\": {\n    \"c\": [\n      2\n    ]\n  }\n}",
        );
    }
}
