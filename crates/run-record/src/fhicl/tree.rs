//! The stored tree: a document, its tables, their values.

use super::parse;
use super::{Extension, ParseError, Parsed};

/// One FHiCL document as artdaqDB stores it.
///
/// ```
/// use run_record::fhicl::{AtomKind, Document, Value};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let document = Document::parse("x.fcl", "label: \"EventBuilder1\" # on daq03")?;
/// let item = &document.main.entries[0].item;
/// assert_eq!(item.value, Value::Atom { kind: AtomKind::DoubleQuoted, text: "EventBuilder1".into() });
/// assert_eq!(item.annotation.as_deref(), Some("# on daq03"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// What stands between `BEGIN_PROLOG` and `END_PROLOG`.
    pub prolog: Table,
    /// Everything else.
    pub main: Table,
    /// Every comment of the text with its line, also those that are attached to no value.
    pub comments: Vec<Comment>,
}

impl Document {
    /// Parses a FHiCL text; `file` is the name for error messages.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] with line, column and the offending line if the text is malformed.
    pub fn parse(file: &str, text: &str) -> Result<Self, ParseError> {
        Self::parse_reporting(file, text).map(|parsed| parsed.document)
    }

    /// As [`Document::parse`], and tells which [`Extension`]s the text needed.
    ///
    /// An empty report means that the genuine program accepts this text and stores the same tree.
    ///
    /// # Errors
    ///
    /// As [`Document::parse`].
    pub fn parse_reporting(file: &str, text: &str) -> Result<Parsed, ParseError> {
        parse::parse(file, text)
    }

    /// Whether the document binds no name at all.
    pub fn is_empty(&self) -> bool {
        self.prolog.entries.is_empty() && self.main.entries.is_empty()
    }
}

/// A comment of the source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The line it stands on, from 1.
    pub line: u64,
    /// The text from `#` or `//` to the end of the line.
    pub text: String,
}

/// Bindings in the order of the text. At the top level a name may occur twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The bindings.
    pub entries: Vec<Entry>,
}

impl Table {
    /// The first binding of `key`.
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.item)
    }
}

/// One binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name; may contain dots at the top level.
    pub key: String,
    /// What is bound to it.
    pub item: Item,
}

/// A value with what is stored beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The value.
    pub value: Value,
    /// The comment of the line before the value, or the empty text.
    pub comment: String,
    /// The comment on the value's own line, or the empty text; a table has none.
    pub annotation: Option<String>,
    /// Whether later bindings may replace it.
    pub protection: Protection,
}

/// A FHiCL value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Anything that is neither a sequence nor a table.
    Atom {
        /// What it is.
        kind: AtomKind,
        /// The text of the source; for a quoted string what stands between the quotes, escapes kept.
        text: String,
    },
    /// `[ … ]`
    Sequence(Vec<Item>),
    /// `{ … }`
    Table(Table),
}

/// The kinds of atoms, as the member `type` of the stored metadata names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtomKind {
    /// `@nil`
    Nil,
    /// `true`, `false`
    Bool,
    /// `42`, `0x1F`, `-infinity`
    Number,
    /// `(1.5,-2.5)`
    Complex,
    /// A bare word, a reference, an address, a time.
    Unquoted,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// A string of unknown style, in documents of other programs; printed with quotes if it needs them.
    String,
    /// A parameter-set id; found in documents of other programs only.
    TableId,
}

impl AtomKind {
    /// Whether it is printed in quotes of a fixed style, or may be.
    pub(super) fn is_quoted(self) -> bool {
        matches!(self, AtomKind::SingleQuoted | AtomKind::DoubleQuoted | AtomKind::String)
    }
}

/// The binding modifiers `@protect_ignore` and `@protect_error`; the order is that of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Protection {
    /// None.
    #[default]
    None,
    /// Later bindings of the name are ignored.
    Ignore,
    /// Later bindings of the name are an error.
    Error,
}

impl Protection {
    /// The modifier as it is written, `None` for no protection.
    pub fn modifier(self) -> Option<&'static str> {
        match self {
            Protection::None => None,
            Protection::Ignore => Some("@protect_ignore"),
            Protection::Error => Some("@protect_error"),
        }
    }
}

impl Parsed {
    /// Whether the text used `extension`.
    pub fn used(&self, extension: Extension) -> bool {
        self.extensions.contains(&extension)
    }
}
