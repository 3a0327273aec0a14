//! The values without inner structure: complex numbers, quoted strings, bare words.

use std::ops::Range;

use super::cursor::{Step, is_include_word};
use super::parse::Parser;
use super::{AtomKind, Extension, Value, words};

impl Parser<'_> {
    pub(super) fn complex(&mut self) -> Step<Value> {
        let start = self.cursor.position;
        let mut parts = [(0, 0); 2];
        for (part, end) in parts.iter_mut().zip([b',', b')']) {
            self.cursor.position += 1;
            self.cursor.skip()?;
            let from = self.cursor.position;
            let Some(to) = words::number(self.cursor.bytes(), from) else {
                return self.cursor.fail(from, "expected a number of a complex value");
            };
            *part = (from, to);
            self.cursor.position = to;
            self.cursor.skip()?;
            if self.cursor.peek() != Some(end) {
                return self.cursor.fail(self.cursor.position, format!("expected `{}`", char::from(end)));
            }
        }
        self.cursor.position += 1;
        let [real, imaginary] = parts.map(|(from, to)| &self.cursor.text[from..to]);
        let text = format!("({real},{imaginary})");
        if text != self.cursor.text[start..self.cursor.position] {
            self.cursor.extensions.insert(Extension::ComplexWithBlanks);
        }
        Ok(Value::Atom { kind: AtomKind::Complex, text })
    }

    pub(super) fn quoted(&mut self, quote: u8) -> Step<Value> {
        let start = self.cursor.position;
        let double = quote == b'"';
        let rest = &self.cursor.rest()[1..];
        // A backslash before a double quote escapes it, even if it is itself preceded by one.
        let closes = |&at: &usize| rest[at] == quote && !(double && at > 0 && rest[at - 1] == b'\\');
        let Some(length) = (0..rest.len()).find(closes) else {
            let problem = if self.cursor.rest().windows(2).any(|pair| pair == br#"\""#) {
                "this string does not end; a quote after a backslash does not close it"
            } else {
                "this string does not end"
            };
            return self.cursor.fail(start, problem);
        };
        let content = start + 1..start + 1 + length;
        let end = content.end + 1;
        if !self.cursor.closes_at(end) {
            return self.cursor.fail(end, "expected a blank, `,`, `]` or `}` after the string");
        }
        self.check_characters(content.clone(), double)?;
        let mut includes = self.cursor.text[content.clone()].match_indices("#include");
        if includes.any(|(at, _)| is_include_word(&self.cursor.bytes()[content.start + at..])) {
            self.cursor.extensions.insert(Extension::IncludeText);
        }
        self.cursor.position = end;
        let kind = if double { AtomKind::DoubleQuoted } else { AtomKind::SingleQuoted };
        Ok(Value::Atom { kind, text: self.cursor.text[content].to_owned() })
    }

    /// A string holds printable characters, tabs, newlines; a double-quoted one known escapes.
    fn check_characters(&self, content: Range<usize>, double: bool) -> Step<()> {
        let bytes = self.cursor.bytes();
        let mut at = content.start;
        while at < content.end {
            let byte = bytes[at];
            if byte.is_ascii_control() && byte != b'\t' && byte != b'\n' {
                return self.cursor.fail(at, format!("a string must not contain the control character 0x{byte:02x}"));
            }
            if double && byte == b'\\' && at + 1 < content.end {
                at += 1;
                if !matches!(bytes[at], b'"' | b'\'' | b'\\' | b'n' | b't') {
                    return self.cursor.fail(at - 1, r#"unknown escape: a string knows \" \' \\ \n \t"#);
                }
            }
            at += 1;
        }
        Ok(())
    }

    pub(super) fn bare(&mut self) -> Step<Value> {
        let (bytes, start) = (self.cursor.bytes(), self.cursor.position);
        let literal = |word: &str| words::literal(bytes, start, word, b",]}");
        let text = self.cursor.text;
        let found = None
            .or_else(|| literal("@nil").map(|end| (AtomKind::Nil, end)))
            .or_else(|| literal("true").or_else(|| literal("false")).map(|end| (AtomKind::Bool, end)))
            .or_else(|| words::number(bytes, start).map(|end| (AtomKind::Number, end)));
        let found = found.or_else(|| {
            let address = words::address_or_time(bytes, start);
            if address.is_some() {
                self.cursor.extensions.insert(Extension::AddressOrTime);
            }
            let word = address.or_else(|| words::name(text, start));
            let word = word.or_else(|| words::digit_word(text, start)).or_else(|| words::reference(text, start));
            word.map(|end| (AtomKind::Unquoted, end))
        });
        let Some((kind, end)) = found else {
            return self.cursor.fail(
                start,
                "expected a value; a text with other characters than letters, digits and `_` needs quotes",
            );
        };
        self.cursor.position = end;
        Ok(Value::Atom { kind, text: text[start..end].to_owned() })
    }
}
