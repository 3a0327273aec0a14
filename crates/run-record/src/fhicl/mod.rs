//! FHiCL, the language of artdaq configurations: text to the stored tree, and the tree to text.
//!
//! The tree is what artdaqDB stores: values as the text of the source, their types, and those
//! comments that the genuine program attaches to a value. References (`@local::x`) are not resolved
//! and includes are not opened. The grammar is that of fhicl-cpp 4.18 in its "snippet mode", as
//! `artdaq_database` uses it; where the genuine program destroys or rejects what can be kept, we keep
//! it, and say so: every such case is an [`Extension`], reported by [`Document::parse_reporting`].
//!
//! ```text
//! text --parse--> Document --to_data, to_metadata, to_comments--> JSON (stored)
//! text <-to_text- Document <-------------from_stored------------- JSON (stored)
//! ```
//!
//! The text that comes back is regenerated, never the original: see [`Document::to_text`].

mod atoms;
mod comments;
mod cursor;
mod duplicates;
mod error;
mod extension;
mod insert;
mod parse;
mod print;
mod stored;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub use error::ParseError;
pub use extension::Extension;
pub use parse::{NESTING_MAX, Parsed};
pub use stored::StoredError;
pub use tree::{AtomKind, Comment, Document, Entry, Item, Protection, Table, Value};

/// What a key of an `#include` starts with in the stored tree: `fhicl_pound_include_0` and so on.
pub const INCLUDE_KEY: &str = "fhicl_pound_include_";

/// What the key of a `@table::name` reference starts with in the stored tree.
pub const TABLE_REFERENCE: &str = "@table::";

/// Whether `text` is a complete FHiCL document.
pub(crate) fn is_well_formed(text: &str) -> bool {
    Document::parse("", text).is_ok()
}

/// Whether `text` can stand as a key without quotes: letters, digits and `_`, not led by a digit.
pub fn is_key(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| words::is_word_char(first) && !first.is_ascii_digit())
        && chars.all(words::is_word_char)
}
