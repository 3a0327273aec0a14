//! The text that the genuine export makes of a stored document.
//!
//! It is regenerated from values, types and attached comments; layout and other comments are gone.
//! What it makes is stable: parsed and printed again it is the same text, but for the rare cases
//! listed in the crate's decisions.

use super::duplicates::as_exported;
use super::{AtomKind, Document, INCLUDE_KEY, Item, TABLE_REFERENCE, Table, Value};

impl Document {
    /// The FHiCL text of the document, as the genuine export (`dataformat` `fhicl` or `origin`) prints it.
    ///
    /// ```
    /// use run_record::fhicl::Document;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let document = Document::parse("x.fcl", "tab: { a: 1 b: [ 1, {x: 2} ] }")?;
    /// assert_eq!(document.to_text(), "\ntab: {\n\na: 1 \n\nb: [1, {\n\nx: 2 \n\n}] \n\n}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        if self.is_empty() {
            self.print_comments(&mut out);
            return out;
        }
        if !self.prolog.entries.is_empty() {
            out.push_str("BEGIN_PROLOG\n");
            print_entries(&mut out, &as_exported(&self.prolog));
            out.push_str("\nEND_PROLOG\n");
        }
        print_entries(&mut out, &as_exported(&self.main));
        out
    }

    /// The comments alone, each on its line (an extension: the genuine export is empty).
    fn print_comments(&self, out: &mut String) {
        let mut line = 1;
        // Stored line numbers are not to be trusted with the size of the text.
        let mut blank_lines_left = 10_000;
        for comment in &self.comments {
            let blank_lines = comment.line.saturating_sub(line).min(blank_lines_left);
            blank_lines_left -= blank_lines;
            for _ in 0..blank_lines {
                out.push('\n');
            }
            push_comment(out, &comment.text);
            out.push('\n');
            line = comment.line + 1;
        }
    }
}

fn print_entries(out: &mut String, table: &Table) {
    for entry in &table.entries {
        print_binding(out, &entry.key, &entry.item);
    }
}

fn print_binding(out: &mut String, key: &str, item: &Item) {
    if let Some(number) = key.strip_prefix(INCLUDE_KEY.trim_end_matches('_'))
        && number.bytes().all(|byte| byte == b'_' || byte.is_ascii_digit())
        && let Value::Atom { kind, text } = &item.value
        && kind.is_quoted()
    {
        // The genuine export knows double quotes only; with them, such a name could not be read again.
        let quote = if *kind == AtomKind::SingleQuoted && text.contains(['"', '\\']) { "'" } else { "\"" };
        for part in [" \n#include ", quote, text, quote, " \n"] {
            out.push_str(part);
        }
        return;
    }
    if !item.comment.contains("#include ") {
        push_comment(out, &item.comment);
    }
    out.push('\n');
    out.push_str(key);
    if key.starts_with(TABLE_REFERENCE) {
        print_annotation(out, item);
        return;
    }
    if let Some(modifier) = item.protection.modifier() {
        out.push(' ');
        out.push_str(modifier);
    }
    out.push_str(": ");
    print_value(out, &item.value);
    print_annotation(out, item);
}

fn print_annotation(out: &mut String, item: &Item) {
    if let Some(annotation) = &item.annotation {
        out.push(' ');
        // A binding behind an include on the same line has the directive for its comment; printed, it would include
        // the file once more.
        if !is_include(annotation) {
            out.push_str(annotation);
        }
        out.push('\n');
    }
}

/// A comment on a line of its own, unless it would be a directive there.
fn push_comment(out: &mut String, comment: &str) {
    if is_include(comment) {
        return;
    }
    // The reader refuses a line that begins so, even as a comment; behind a blank it takes it.
    if comment.starts_with("#include") && (out.is_empty() || out.ends_with('\n')) {
        out.push(' ');
    }
    out.push_str(comment);
}

/// Whether a comment is an include directive: `#include`, blanks, a quote.
fn is_include(comment: &str) -> bool {
    comment.strip_prefix("#include").is_some_and(|rest| {
        let name = rest.trim_start_matches([' ', '\t', '\r', '\u{b}', '\u{c}']);
        name.len() < rest.len() && name.starts_with(['"', '\''])
    })
}

fn print_value(out: &mut String, value: &Value) {
    match value {
        Value::Atom { kind, text } => print_atom(out, *kind, text),
        Value::Table(table) => {
            out.push_str("{\n");
            print_entries(out, table);
            out.push_str("\n}");
        }
        Value::Sequence(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                print_value(out, &item.value);
                // Of the elements only nested sequences carry an annotation.
                if matches!(item.value, Value::Sequence(_)) {
                    print_annotation(out, item);
                }
            }
            out.push(']');
        }
    }
}

fn print_atom(out: &mut String, kind: AtomKind, text: &str) {
    let needs_quotes = || text.contains([' ', '.', '%', '(', ')', '/', '-', '\\']);
    let quote = match kind {
        AtomKind::DoubleQuoted => "\"",
        AtomKind::SingleQuoted => "'",
        AtomKind::String if needs_quotes() => "\"",
        _ => "",
    };
    for part in [quote, text, quote] {
        out.push_str(part);
    }
}
