//! The grammar: documents, bindings, values.
//!
//! Written from the rules of fhicl-cpp's `document_parser` in snippet mode: alternatives in the same
//! order, commitment at the same points. Nothing is parsed twice, so the time is linear in the text.

use std::collections::BTreeSet;

use super::cursor::{Cursor, Step, prepare};
use super::duplicates::has_second_table;
use super::insert::{Builder, check_nested, without_shadowed};
use super::{
    AtomKind, Comment, Document, Extension, INCLUDE_KEY, Item, ParseError, Protection, TABLE_REFERENCE, Table, Value,
    comments, words,
};

/// The deepest nesting of tables and sequences.
///
/// Stored, a level costs two levels of JSON, and common JSON readers stop at 128.
pub const NESTING_MAX: usize = 50;

/// A parsed text and what it needed beyond the genuine grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The tree.
    pub document: Document,
    /// The extensions that the text used, none if the genuine program stores the same.
    pub extensions: BTreeSet<Extension>,
}

/// Parses `text`; see [`Document::parse_reporting`].
pub(super) fn parse(file: &str, text: &str) -> Result<Parsed, ParseError> {
    let (text, marked) = text.strip_prefix('\u{feff}').map_or((text, false), |rest| (rest, true));
    let prepared = prepare(text);
    let comments = comments::scan(text);
    let mut parser = Parser { cursor: Cursor::new(&prepared), comments: &comments, depth: 0 };
    let (prolog, main) = parser.document().map_err(|fail| parser.cursor.error(file, fail))?;
    let has_include_text = parser.cursor.has_include_text();
    let mut extensions = parser.cursor.extensions;
    let prolog = without_shadowed(prolog, &main);
    let mut note = |extension, used: bool| {
        if used {
            extensions.insert(extension);
        }
    };
    note(Extension::IncludeText, has_include_text);
    note(Extension::EmptyText, text.is_empty());
    note(Extension::NonAscii, marked || !text.is_ascii());
    note(Extension::SecondTable, has_second_table(&prolog) || has_second_table(&main));
    let document = Document { prolog, main, comments };
    note(Extension::CommentOnlyText, document.is_empty() && !document.comments.is_empty());
    Ok(Parsed { document, extensions })
}

/// The state of a parse.
pub(super) struct Parser<'a> {
    pub(super) cursor: Cursor<'a>,
    comments: &'a [Comment],
    depth: usize,
}

impl Parser<'_> {
    /// Prologs first, then the main part to the end of the text.
    fn document(&mut self) -> Step<(Table, Table)> {
        let mut prolog = Builder::default();
        self.cursor.skip()?;
        while self.cursor.starts_with("BEGIN_PROLOG") {
            let start = self.cursor.position;
            self.cursor.position += "BEGIN_PROLOG".len();
            while !self.end_of_prolog(start)? {
                self.top_level(&mut prolog)?;
            }
            self.cursor.skip()?;
        }
        let mut main = Builder::default();
        while self.cursor.peek().is_some() {
            self.top_level(&mut main)?;
            self.cursor.skip()?;
        }
        Ok((prolog.finish(), main.finish()))
    }

    /// Consumes `END_PROLOG`, unless it is the name of a binding.
    fn end_of_prolog(&mut self, start: usize) -> Step<bool> {
        self.cursor.skip()?;
        if self.cursor.peek().is_none() {
            return self.cursor.fail(start, "this prolog has no END_PROLOG");
        }
        if !self.cursor.starts_with("END_PROLOG") {
            return Ok(false);
        }
        let position = self.cursor.position;
        let is_name = self.qualified_name().is_ok() && self.binding()?.is_some();
        self.cursor.position = if is_name { position } else { position + "END_PROLOG".len() };
        Ok(!is_name)
    }

    /// One binding at the top level; equal names are kept.
    fn top_level(&mut self, table: &mut Builder) -> Step<()> {
        if let Some((key, item)) = self.special()? {
            table.append(key, item);
            return Ok(());
        }
        let start = self.cursor.position;
        let key = self.qualified_name()?;
        let Some(protection) = self.binding()? else {
            let problem = match key.as_str() {
                "BEGIN_PROLOG" | "END_PROLOG" => "prologs must stand together at the start, and must not nest",
                _ => "expected `name: value`",
            };
            return self.cursor.fail(start, problem);
        };
        let item = self.bound_value(&key, protection)?;
        if key.contains('[') {
            return self.cursor.fail(start, "a name with an index cannot be stored");
        }
        table.append(key, item);
        Ok(())
    }

    /// `#include "x"` and `@table::x`, which are bindings without a name of their own.
    fn special(&mut self) -> Step<Option<(String, Item)>> {
        if let Some(number) = self.cursor.take_include() {
            let key = format!("{INCLUDE_KEY}{number}");
            let item = self.bound_value(&key, Protection::None)?;
            return Ok(Some((key, item)));
        }
        if !self.cursor.starts_with(TABLE_REFERENCE) {
            return Ok(None);
        }
        let start = self.cursor.position;
        self.cursor.position += TABLE_REFERENCE.len();
        let name = self.qualified_name()?;
        self.cursor.take(b':'); // as the genuine export prints it
        self.cursor.extensions.insert(Extension::TableReference);
        let value = Value::Atom { kind: AtomKind::Unquoted, text: String::new() };
        Ok(Some((format!("{TABLE_REFERENCE}{name}"), self.item(start, value))))
    }

    /// `a`, `a.b`, `a[1]`: blanks are allowed around the dots and brackets.
    fn qualified_name(&mut self) -> Step<String> {
        let mut name = self.name()?.to_owned();
        loop {
            let end = self.cursor.position;
            self.cursor.skip()?;
            if self.cursor.take(b'.') {
                self.cursor.skip()?;
                name.push('.');
                name.push_str(self.name()?);
            } else if self.cursor.take(b'[') {
                self.cursor.skip()?;
                let start = self.cursor.position;
                let Some(end) = words::unsigned(self.cursor.bytes(), start) else {
                    return self.cursor.fail(start, "expected an index");
                };
                self.cursor.position = end;
                self.cursor.skip()?;
                if !self.cursor.take(b']') {
                    return self.cursor.fail(self.cursor.position, "expected `]`");
                }
                for part in ["[", &self.cursor.text[start..end], "]"] {
                    name.push_str(part);
                }
            } else {
                self.cursor.position = end;
                return Ok(name);
            }
        }
    }

    fn name(&mut self) -> Step<&str> {
        let start = self.cursor.position;
        let Some(end) = words::name(self.cursor.text, start) else {
            return self.cursor.fail(start, "expected a name: letters, digits and `_`, not led by a digit");
        };
        self.cursor.position = end;
        Ok(&self.cursor.text[start..end])
    }

    /// `:`, or a protection and directly `:`.
    fn binding(&mut self) -> Step<Option<Protection>> {
        self.cursor.skip()?;
        if self.cursor.take(b':') {
            return Ok(Some(Protection::None));
        }
        for (protection, modifier) in [(Protection::Ignore, "@protect_ignore:"), (Protection::Error, "@protect_error:")]
        {
            if self.cursor.starts_with(modifier) {
                self.cursor.position += modifier.len();
                return Ok(Some(protection));
            }
        }
        Ok(None)
    }

    /// The value of the binding of `key`.
    fn bound_value(&mut self, key: &str, protection: Protection) -> Step<Item> {
        self.cursor.skip()?;
        let start = self.cursor.position;
        let mut item = self.value()?;
        item.protection = protection;
        if key.contains(INCLUDE_KEY) {
            // The comment scanner takes the directive itself for a comment; it must not be repeated.
            item.comment.clear();
            item.annotation = Some(String::new());
        }
        match check_nested(&item.value, protection) {
            Ok(()) => Ok(item),
            Err(problem) => self.cursor.fail(start, problem),
        }
    }

    fn value(&mut self) -> Step<Item> {
        let start = self.cursor.position;
        let value = match self.cursor.peek() {
            Some(b'[') => self.nested(Self::sequence)?,
            Some(b'{') => self.nested(Self::table)?,
            Some(b'(') => self.complex()?,
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote)?,
            _ => self.bare()?,
        };
        Ok(self.item(start, value))
    }

    /// The value with the comments of its line and the line before.
    fn item(&self, start: usize, value: Value) -> Item {
        let line = self.cursor.line_of(start);
        let before = self.comment_on(line.saturating_sub(1));
        let keep = !before.starts_with('/') && !before.contains("#include ");
        let annotation = match value {
            Value::Table(_) => None,
            _ => Some(self.comment_on(line).to_owned()),
        };
        let comment = if keep { before.to_owned() } else { String::new() };
        Item { value, comment, annotation, protection: Protection::None }
    }

    fn comment_on(&self, line: u64) -> &str {
        let found = self.comments.binary_search_by_key(&line, |comment| comment.line);
        found.map_or("", |position| &self.comments[position].text)
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Step<Value>) -> Step<Value> {
        if self.depth == NESTING_MAX {
            return self.cursor.fail(self.cursor.position, format!("nested deeper than {NESTING_MAX} levels"));
        }
        self.depth += 1;
        self.cursor.position += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    /// After `[`. A comma before the first value is allowed, one after the last is not.
    fn sequence(&mut self) -> Step<Value> {
        let mut items = Vec::new();
        self.cursor.skip()?;
        if !matches!(self.cursor.peek(), Some(b',' | b']')) {
            items.push(self.value()?);
            self.cursor.skip()?;
        }
        while self.cursor.take(b',') {
            self.cursor.skip()?;
            items.push(self.value()?);
            self.cursor.skip()?;
        }
        if !self.cursor.take(b']') {
            return self.cursor.fail(self.cursor.position, "expected `,` or `]`");
        }
        Ok(Value::Sequence(items))
    }

    /// After `{`. The last binding of a name wins.
    fn table(&mut self) -> Step<Value> {
        let mut table = Builder::default();
        loop {
            self.cursor.skip()?;
            if self.cursor.take(b'}') {
                return Ok(Value::Table(table.finish()));
            }
            if self.cursor.peek().is_none() {
                return self.cursor.fail(self.cursor.position, "expected `}` before the end of the text");
            }
            if let Some((key, item)) = self.special()? {
                table.append(key, item);
                continue;
            }
            let start = self.cursor.position;
            let key = self.name()?.to_owned();
            let Some(protection) = self.binding()? else {
                return self.cursor.fail(start, "expected `name: value` or `}`");
            };
            let item = self.bound_value(&key, protection)?;
            if let Err(problem) = table.bind(key, item) {
                return self.cursor.fail(start, problem);
            }
        }
    }
}
