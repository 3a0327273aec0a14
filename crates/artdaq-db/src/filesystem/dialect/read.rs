//! The reader: by pull, so that an index of many megabytes needs no tree.

use std::borrow::Cow;

use run_record::json::Json;

/// A text that is not JSON, or not the JSON that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at line {line} column {column}{}", if *.at_end { ", at the end" } else { "" })]
pub struct SyntaxError {
    /// What should stand there.
    pub expected: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// Whether the text ends there, as that of a file that was cut off.
    pub at_end: bool,
}

/// The deepest nesting; a FHiCL document of the deepest nesting that we take needs a third of it.
const DEPTH_MAX: usize = 400;

/// The value at the start of `text`; what follows it is ignored.
pub(in super::super) fn parse(text: &str) -> Result<Json, SyntaxError> {
    Reader::new(text).value()
}

/// A place in a JSON text.
#[derive(Debug)]
pub(in super::super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(in super::super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The error that `expected` should stand here.
    pub(in super::super) fn error(&self, expected: &'static str) -> SyntaxError {
        self.error_at(self.at, expected)
    }

    fn error_at(&self, at: usize, expected: &'static str) -> SyntaxError {
        let before = &self.text.as_bytes()[..at];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let line = self.text[..self.text.floor_char_boundary(at)].matches('\n').count() + 1;
        SyntaxError { expected, line, column: at - line_start + 1, at_end: at == self.text.len() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank, not consumed.
    fn peek_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek_token() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error("less nesting"));
        }
        self.depth += 1;
        let outcome = work(self);
        self.depth -= 1;
        outcome
    }

    /// Reads an object; `each` is handed every key and must read its value.
    pub(in super::super) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        if !self.take(b'{') {
            return Err(self.error("`{`"));
        }
        if self.take(b'}') {
            return Ok(());
        }
        self.nested(|reader| {
            loop {
                let key = reader.string()?;
                if !reader.take(b':') {
                    return Err(reader.error("`:`"));
                }
                each(reader, key)?;
                if !reader.take(b',') {
                    return if reader.take(b'}') { Ok(()) } else { Err(reader.error("`,` or `}`")) };
                }
            }
        })
    }

    /// Reads an array; `each` must read one element.
    pub(in super::super) fn array(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        if !self.take(b'[') {
            return Err(self.error("`[`"));
        }
        if self.take(b']') {
            return Ok(());
        }
        self.nested(|reader| {
            loop {
                each(reader)?;
                if !reader.take(b',') {
                    return if reader.take(b']') { Ok(()) } else { Err(reader.error("`,` or `]`")) };
                }
            }
        })
    }

    /// Reads a string, unescaped.
    pub(in super::super) fn string(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        if !self.take(b'"') {
            return Err(self.error("a string"));
        }
        let text = self.text;
        let mut unescaped = String::new();
        loop {
            let rest = &text.as_bytes()[self.at..];
            let Some(length) = rest.iter().position(|&byte| byte == b'"' || byte == b'\\') else {
                self.at = text.len();
                return Err(self.error("the end of the string"));
            };
            let piece = &text[self.at..self.at + length];
            self.at += length + 1;
            if rest[length] == b'"' {
                if unescaped.is_empty() {
                    return Ok(Cow::Borrowed(piece));
                }
                unescaped.push_str(piece);
                return Ok(Cow::Owned(unescaped));
            }
            unescaped.push_str(piece);
            unescaped.push(self.escape()?);
        }
    }

    /// The character of the escape whose backslash was read.
    fn escape(&mut self) -> Result<char, SyntaxError> {
        let at = self.at;
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            // Not of this dialect, but every other JSON program writes it.
            Some(b'u') => self.unicode().ok_or_else(|| self.error_at(at, "an escape"))?,
            _ => return Err(self.error_at(at, "an escape")),
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let high = self.four_digits()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        self.text.get(self.at..)?.strip_prefix("\\u")?;
        self.at += 2;
        let low = self.four_digits().filter(|low| (0xDC00..0xE000).contains(low))?;
        char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// Reads any value.
    pub(in super::super) fn value(&mut self) -> Result<Json, SyntaxError> {
        match self.peek_token() {
            Some(b'{') => {
                let mut members = Vec::new();
                self.object(|reader, key| {
                    members.push((key.into_owned(), reader.value()?));
                    Ok(())
                })?;
                Ok(Json::Object(members))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.array(|reader| {
                    items.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Json::Array(items))
            }
            Some(b'"') => Ok(Json::String(self.string()?.into_owned())),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn number(&mut self) -> Result<Json, SyntaxError> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let text = &rest[..length];
        let number = if let Ok(integer) = text.parse() {
            Json::Integer(integer)
        } else {
            // One that is beyond measure could not be written again.
            let decimal = text.parse().ok().filter(|decimal: &f64| decimal.is_finite());
            Json::Decimal(decimal.ok_or_else(|| self.error("a number"))?)
        };
        self.at += length;
        Ok(number)
    }

    fn word(&mut self) -> Result<Json, SyntaxError> {
        let rest = &self.text[self.at..];
        for (word, value) in [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error("a value"))
    }
}
