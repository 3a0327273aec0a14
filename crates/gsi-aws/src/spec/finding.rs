//! What is wrong or odd in a definitions file, each finding with its place.
//!
//! A *problem* makes the file unusable, a *warning* does not. The texts are lower-case fragments;
//! the place stands apart, so that a program can show both in its own way.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::model::{
    AttributeType, INDEXES_PER_TABLE_MAX, KEYS_PER_ROLE_MAX, KeyRole, PROJECTED_PER_INDEX_MAX, PROJECTED_PER_TABLE_MAX,
};

/// A finding and its place in the file. Displayed as `3:7: bookings[0].IndexName: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<K> {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Where in the document, such as `bookings[1].KeySchema[0].AttributeName`; empty for the
    /// document as a whole.
    pub path: String,
    /// What was found.
    pub kind: K,
}

impl<K: fmt::Display> fmt::Display for Located<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.kind.fmt(f)
    }
}

/// A reason to refuse the file, with its place.
pub type Problem = Located<ProblemKind>;
/// Something odd that does not stand in the way, with its place.
pub type Warning = Located<WarningKind>;

/// The reasons to refuse a definitions file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the text of each variant says what its fields are")]
pub enum ProblemKind {
    // The file as a whole.
    #[error("the file has {bytes} bytes; more than {limit} are not read")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    #[error("the file is UTF-16 text; save it as UTF-8")]
    Utf16,
    #[error("the file is empty")]
    Empty,
    #[error("{message}")]
    Syntax { message: String },
    #[error("the file defines no table")]
    NoTable,

    // Shape.
    #[error("expected {expected}, found {found}")]
    WrongType { expected: &'static str, found: &'static str },
    #[error("{} is missing{}", shown(field), misspelt_text(misspelt.as_deref()))]
    Missing { field: &'static str, misspelt: Option<String> },
    #[error("{} is given more than once", shown(name))]
    DuplicateField { name: String },
    #[error("{} is not one of {allowed}{}", shown(found), suggestion_text(similar.as_deref()))]
    NotOneOf { found: String, allowed: &'static str, similar: Option<String> },
    #[error("{value} is too small; at least {minimum} is needed")]
    TooSmall { value: i128, minimum: i64 },
    #[error("{value} is too large")]
    TooLargeNumber { value: i128 },
    #[error("at least one of {fields} is needed")]
    NoneOf { fields: &'static str },

    // Names.
    #[error("{} is an ARN; give the table's name", shown(name))]
    ArnForName { name: String },
    #[error("name {} has length {count}; 3 to 255 characters are allowed", shown(name))]
    NameLength { name: String, count: usize },
    #[error("name {} holds {letter:?}; names consist of a-z, A-Z, 0-9, `_`, `-` and `.`", shown(name))]
    NameCharacter { name: String, letter: char },
    #[error("an attribute name has 1 to 255 bytes, this one {bytes}")]
    AttributeNameLength { bytes: usize },

    // Keys and attributes.
    #[error("the key schema has no HASH attribute")]
    NoHash,
    #[error("{count} {role} attributes; an index has at most {KEYS_PER_ROLE_MAX}")]
    TooManyKeys { role: KeyRole, count: usize },
    #[error("HASH attribute {} stands after a RANGE attribute", shown(attribute))]
    HashAfterRange { attribute: String },
    #[error("attribute {} is in the key schema already", shown(attribute))]
    RepeatedKey { attribute: String },
    #[error("key attribute {} has no entry in `AttributeDefinitions`{}", shown(attribute), suggestion_text(similar.as_deref()))]
    UndefinedKey { attribute: String, similar: Option<String> },
    #[error("attribute {} is {second} here and {first} in {elsewhere}", shown(attribute))]
    ConflictingTypes { attribute: String, first: AttributeType, second: AttributeType, elsewhere: String },

    // Projection.
    #[error("projection INCLUDE needs `NonKeyAttributes`")]
    IncludeNothing,
    #[error("projection {projection} takes no `NonKeyAttributes`; only INCLUDE does")]
    AttributesWithoutInclude { projection: &'static str },
    #[error("attribute {} is projected already", shown(attribute))]
    RepeatedProjected { attribute: String },
    #[error("{count} projected attributes; an index has at most {PROJECTED_PER_INDEX_MAX}")]
    TooManyProjected { count: usize },

    // Templates.
    #[error("the name of the table {} is computed by {}, which is not known here", shown(resource), shown(function))]
    ComputedName { resource: String, function: String },
    #[error("the table {} has no `TableName`: CloudFormation makes one up, which is not known here", shown(resource))]
    GeneratedName { resource: String },
    #[error("a name is given for the resource {}, which is no table with indexes here{}", shown(resource), suggestion_text(similar.as_deref()))]
    NoSuchResource { resource: String, similar: Option<String> },

    // Tables.
    #[error("index {} is defined already at {first}", shown(name))]
    DuplicateIndex { name: String, first: String },
    #[error("{count} indexes; a table has at most {INDEXES_PER_TABLE_MAX}")]
    TooManyIndexes { count: usize },
    #[error(
        "the indexes of the table project {count} attributes by name; {PROJECTED_PER_TABLE_MAX} are allowed in sum"
    )]
    TooManyProjectedInTable { count: usize },
}

/// What is odd in a definitions file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the text of each variant says what its fields are")]
pub enum WarningKind {
    #[error("unknown field {}{}", shown(name), suggestion_text(similar.as_deref()))]
    UnknownField { name: String, similar: Option<String> },
    #[error("attribute {} is defined and not used by the key schema", shown(attribute))]
    UnusedAttribute { attribute: String },
    #[error("attribute {} is a key and projected anyway", shown(attribute))]
    ProjectedKey { attribute: String },
    #[error("the table has no indexes here")]
    NoIndex,
    #[error("{} is ignored: only the indexes themselves are created", shown(name))]
    Ignored { name: String },
    #[error("the throughput is computed by CloudFormation and ignored here: the index gets its table's")]
    ComputedThroughput,
    #[error("the index is being deleted, and left out")]
    BeingDeleted,
}

/// A definitions file that cannot be used: everything that is wrong with it, in file order.
///
/// Its `Display` is one line for one problem, else a heading and one line a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionsError {
    /// The file.
    pub file: PathBuf,
    /// At least one, at most 10,000.
    pub problems: Vec<Problem>,
    /// What else was noticed; a misspelt field is often the cause of a problem.
    pub warnings: Vec<Warning>,
}

/// Problems that `Display` shows. The rest is counted.
const SHOWN_MAX: usize = 50;

impl fmt::Display for DefinitionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.problems.as_slice() {
            return write!(f, "{}", place(&self.file, problem));
        }
        write!(f, "`{}` has {} problems", self.file.display(), self.problems.len())?;
        for problem in self.problems.iter().take(SHOWN_MAX) {
            write!(f, "\n  {}", place(&self.file, problem))?;
        }
        match self.problems.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for DefinitionsError {}

/// A finding after its file, in the form that editors and terminals make a link of.
fn place<K: fmt::Display>(file: &Path, finding: &Located<K>) -> String {
    format!("{}:{finding}", file.display())
}

/// A name out of the file between backticks, safe for a terminal and of bearable length.
pub(crate) fn shown(name: &str) -> String {
    const LETTERS_MAX: usize = 80;
    let start: String = name.chars().take(LETTERS_MAX).flat_map(escape_control).collect();
    let rest = if name.chars().nth(LETTERS_MAX).is_some() { "…" } else { "" };
    format!("`{start}{rest}`")
}

fn escape_control(letter: char) -> impl Iterator<Item = char> {
    let escaped = letter.is_control().then(|| letter.escape_default());
    let plain = escaped.is_none().then_some(letter);
    escaped.into_iter().flatten().chain(plain)
}

pub(super) fn suggestion_text(similar: Option<&str>) -> String {
    similar.map_or_else(String::new, |name| format!("; did you mean {}?", shown(name)))
}

fn misspelt_text(misspelt: Option<&str>) -> String {
    misspelt.map_or_else(String::new, |name| format!("; is {} a misspelling of it?", shown(name)))
}

/// The candidate that `found` was probably meant to be, if one is near enough.
pub(crate) fn similar<'c>(found: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // The distance costs time and memory in proportion to both lengths; no name is longer.
    const BYTES_MAX: usize = 255;
    if found.len() > BYTES_MAX {
        return None;
    }
    let found = found.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= BYTES_MAX)
        .map(|candidate| (strsim::damerau_levenshtein(&found, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
