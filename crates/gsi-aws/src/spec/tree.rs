//! A file's content as a tree in which every value knows where it stands.
//!
//! The formats (`json.rs`, `yaml.rs`) make such a tree; the readers of the formats' meaning
//! (`aws.rs`, `request.rs`, `template.rs`) turn it into domain types. Positions are byte offsets, since an offset is free to
//! carry; lines and columns are counted once, for the findings only ([`line_and_column`]).

/// A value and where it starts.
#[derive(Debug, PartialEq)]
pub(super) struct Node {
    /// Bytes from the start of the text.
    pub(super) offset: usize,
    pub(super) value: Value,
}

/// What a value is. Objects keep order and duplicates.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool,
    Integer(i128),
    Float,
    String(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// One field of an object.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where the name starts.
    pub(super) offset: usize,
    pub(super) node: Node,
}

impl Value {
    /// The kind, with its article, for "expected a string, found a number".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer(_) => "a number",
            Self::Float => "a number with a fraction or exponent",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) if self.intrinsic().is_some() => "a CloudFormation function",
            Self::Object(_) => "an object",
        }
    }

    /// The name of the CloudFormation function that computes this value, such as `Ref` or `Fn::Sub`.
    pub(super) fn intrinsic(&self) -> Option<&str> {
        let Self::Object(entries) = self else { return None };
        let [Entry { name, .. }] = entries.as_slice() else { return None };
        (name == "Ref" || name.starts_with("Fn::")).then_some(name)
    }

    /// The first field of that name, if this is an object that has it.
    pub(super) fn field(&self, name: &str) -> Option<&Node> {
        let Self::Object(entries) = self else { return None };
        entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node)
    }
}

/// Why a text is no tree: the parser's words and where it stopped.
#[derive(Debug, PartialEq)]
pub(super) struct SyntaxError {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Counts lines and columns (both from 1, columns in characters) of ascending offsets.
#[derive(Debug)]
pub(super) struct Ruler<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'t> Ruler<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    /// The line and column of `offset`, which is not smaller than that of the last call.
    pub(super) fn line_and_column(&mut self, offset: usize) -> (usize, usize) {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        for (index, letter) in rest.char_indices() {
            if self.offset + index >= offset {
                self.offset += index;
                return (self.line, self.column);
            }
            if letter == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.offset = self.text.len();
        (self.line, self.column)
    }
}

/// The byte offset of a line and a byte column, both from 1, as parsers report them.
pub(super) fn offset_of(text: &str, line: usize, byte_column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + byte_column.saturating_sub(1)).min(text.len())
}
