//! The named differences from the genuine program; each only adds.

use std::fmt;

/// Something that we keep and the genuine program destroys or rejects.
///
/// The list is closed: a text that uses none of them is accepted or refused, stored and printed as
/// by the genuine program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// A complex number with blanks inside is kept, as `(re,im)`; the genuine program stores `(`.
    ComplexWithBlanks,
    /// The second top-level table or sequence of a name is kept; the genuine export prints a table
    /// empty, and cuts a sequence to the length of the first one of that name.
    SecondTable,
    /// The comments of a text without any value are printed; the genuine export is empty.
    CommentOnlyText,
    /// Bytes from 0x80 on (UTF-8, or escaped by [`crate::text`]); the genuine parser refuses them.
    /// A byte-order mark at the very start is skipped.
    NonAscii,
    /// An empty text is an empty document; the genuine program refuses it.
    EmptyText,
    /// `@table::name` is kept as a key; the genuine program refuses it.
    TableReference,
    /// An unquoted IPv4 address (with port), MAC address, clock time or ISO date is kept as an
    /// unquoted string; the genuine program refuses it.
    AddressOrTime,
    /// `#include` that is no directive (no quoted name follows, or it stands in a string) stays what it
    /// is, a comment or text, and a directive in the last bytes of the file is a directive; the
    /// genuine program swallows the text up to the next quote, or refuses the file.
    IncludeText,
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Extension::ComplexWithBlanks => "complex number with blanks",
            Extension::SecondTable => "second table or sequence of a name",
            Extension::CommentOnlyText => "comments without values",
            Extension::NonAscii => "bytes beyond ASCII",
            Extension::EmptyText => "empty text",
            Extension::TableReference => "@table:: reference",
            Extension::AddressOrTime => "bare address or time",
            Extension::IncludeText => "#include that the genuine program would misread",
        })
    }
}
