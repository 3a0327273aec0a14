//! The definitions file: which indexes are wanted.
//!
//! JSON or YAML in the AWS API's own spelling, so that a definition can be pasted from the
//! documentation or another tool:
//!
//! ```
//! use std::path::Path;
//! use gsi_aws::spec::Definitions;
//!
//! let text = r#"{"bookings": [{
//!     "IndexName": "flight-status-index",
//!     "KeySchema": [{"AttributeName": "flight_id", "KeyType": "HASH"}],
//!     "AttributeDefinitions": [{"AttributeName": "flight_id", "AttributeType": "S"}],
//!     "Projection": {"ProjectionType": "ALL"}
//! }]}"#;
//! let parsed = Definitions::parse(text, Path::new("gsis.json"))?;
//! let names: Vec<_> = parsed.definitions.iter().map(|index| index.name.as_str()).collect();
//! assert_eq!(names, ["flight-status-index"]);
//! # Ok::<(), gsi_aws::spec::DefinitionsError>(())
//! ```
//!
//! # Promises
//!
//! 1. A file is accepted only if nothing in it is known to be refused by DynamoDB; everything
//!    that is wrong is reported at once, with line, column and path (up to 10,000 findings).
//! 2. An unknown field is a warning: definitions carry notes, and newer fields of the service
//!    must not make a file useless.
//! 3. Untrusted text costs at most a bounded amount of time and memory and never panics.
//! 4. Order is kept: tables and indexes as they stand in the file.
//!
//! # How
//!
//! Text becomes a tree with positions (`json.rs`, `yaml.rs`), the tree becomes domain types
//! (`aws.rs`). Another format of input is another reader of the same tree: requests and answers of the
//! AWS CLI (`request.rs`) and CloudFormation templates (`template.rs`) are told by their content
//! (`formats.rs`) and read by the same rules.
//!
//! Absent: whether the tables agree with the definitions ([`crate::compare`]).

mod aws;
mod export;
mod finding;
mod formats;
mod json;
mod keys;
mod model;
mod projection;
mod reader;
mod request;
mod template;
mod throughput;
mod tree;
mod yaml;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use indexmap::IndexMap;

pub(crate) use self::finding::{shown, similar};
use self::{finding::suggestion_text, reader::Findings};
pub use self::{
    finding::{DefinitionsError, Located, Problem, ProblemKind, Warning, WarningKind},
    model::{
        AttributeType, AttributeTypes, INDEXES_PER_TABLE_MAX, IndexSpec, KEYS_PER_ROLE_MAX, KeyRole, KeySchema,
        OnDemandThroughput, PROJECTED_PER_INDEX_MAX, PROJECTED_PER_TABLE_MAX, Projection, ProvisionedThroughput,
        WarmThroughput,
    },
};

/// The largest file that is read. 50,000 indexes, which 2,500 tables can have, fit.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The indexes that are wanted, by table, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    tables: IndexMap<String, Vec<IndexSpec>>,
}

/// A usable definitions file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub definitions: Definitions,
    /// What is odd about it, in file order.
    pub warnings: Vec<Warning>,
}

/// What a file does not say of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// The names of tables whose name a CloudFormation template computes or leaves to CloudFormation, by the
    /// logical id of their resource. They count before the template's.
    pub table_names: BTreeMap<String, String>,
}

/// A table was asked for that the definitions do not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no table {} in the definitions, which have {}{}", shown(name), known_text(known), suggestion_text(similar.as_deref()))]
pub struct UnknownTable {
    /// What was asked for.
    pub name: String,
    /// The table that was probably meant.
    pub similar: Option<String>,
    /// The tables of the definitions, in file order.
    pub known: Vec<String>,
}

impl Definitions {
    /// Reads a definitions file's text. `path` is for messages, and its extension tells the
    /// format: `.json`, `.yaml` or `.yml`; with another one the text does (`{` or `[` is JSON).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file.
    pub fn parse(text: &str, path: &Path) -> Result<Parsed, DefinitionsError> {
        Self::parse_with(text, path, &ParseOptions::default())
    }

    /// Like [`Definitions::parse`], for a file that does not say all.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file.
    pub fn parse_with(text: &str, path: &Path, options: &ParseOptions) -> Result<Parsed, DefinitionsError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut findings = Findings::default();
        let tables = read(&mut findings, text, path, options);
        let (problems, warnings) = findings.locate(text);
        if problems.is_empty() {
            Ok(Parsed { definitions: Self { tables }, warnings })
        } else {
            Err(DefinitionsError { file: path.to_owned(), problems, warnings })
        }
    }

    /// Like [`Definitions::parse`], for the bytes of a file, which may not be text at all.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file; for one that is not UTF-8, just that.
    pub fn parse_bytes(bytes: &[u8], path: &Path) -> Result<Parsed, DefinitionsError> {
        Self::parse_bytes_with(bytes, path, &ParseOptions::default())
    }

    /// Like [`Definitions::parse_bytes`], for a file that does not say all.
    ///
    /// # Errors
    ///
    /// As [`Definitions::parse_bytes`].
    pub fn parse_bytes_with(bytes: &[u8], path: &Path, options: &ParseOptions) -> Result<Parsed, DefinitionsError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse_with(text, path, options),
            Err(error) => Err(not_text(bytes, error.valid_up_to(), path)),
        }
    }

    /// Groups index definitions by table; tables come in the order of their first index.
    pub fn from_specs(specs: impl IntoIterator<Item = IndexSpec>) -> Self {
        let mut tables: IndexMap<String, Vec<IndexSpec>> = IndexMap::new();
        for spec in specs {
            tables.entry(spec.table.clone()).or_default().push(spec);
        }
        Self { tables }
    }

    /// Every index, table by table.
    pub fn iter(&self) -> impl Iterator<Item = &IndexSpec> {
        self.tables.values().flatten()
    }

    /// Every table with its indexes; the list may be empty.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &[IndexSpec])> {
        self.tables.iter().map(|(name, specs)| (name.as_str(), specs.as_slice()))
    }

    /// The indexes of one table, if the definitions have it.
    pub fn table(&self, name: &str) -> Option<&[IndexSpec]> {
        self.tables.get(name).map(Vec::as_slice)
    }

    /// The index of a table by name.
    pub fn index(&self, table: &str, name: &str) -> Option<&IndexSpec> {
        self.table(table)?.iter().find(|spec| spec.name == name)
    }

    /// How many indexes there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no index.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key attributes of all indexes of `table`, and their types.
    pub fn attribute_types(&self, table: &str) -> AttributeTypes {
        let specs = self.table(table).unwrap_or_default();
        specs.iter().flat_map(|spec| spec.attributes.iter()).collect()
    }

    /// Only the named tables, still in file order. No name means all tables.
    ///
    /// # Errors
    ///
    /// The first name that the definitions do not have.
    pub fn select_tables(&self, names: &[String]) -> Result<Self, UnknownTable> {
        if let Some(name) = names.iter().find(|name| !self.tables.contains_key(*name)) {
            return Err(UnknownTable {
                name: name.clone(),
                similar: similar(name, self.tables.keys().map(String::as_str)).map(str::to_owned),
                known: self.tables.keys().cloned().collect(),
            });
        }
        let wanted = |table: &String| names.is_empty() || names.contains(table);
        let tables = self.tables.iter().filter(|(table, _)| wanted(table));
        Ok(Self { tables: tables.map(|(table, specs)| (table.clone(), specs.clone())).collect() })
    }
}

impl FromIterator<IndexSpec> for Definitions {
    fn from_iter<I: IntoIterator<Item = IndexSpec>>(specs: I) -> Self {
        Self::from_specs(specs)
    }
}

/// Reads `text` in its format. Nothing that is returned counts if a problem was found.
fn read(findings: &mut Findings, text: &str, path: &Path, options: &ParseOptions) -> aws::Tables {
    match tree(findings, text, path) {
        Ok(root) => formats::tables(findings, &root, &options.table_names),
        Err((offset, kind)) => {
            findings.problem(&reader::Path::Root, offset, kind);
            IndexMap::new()
        }
    }
}

fn tree(findings: &mut Findings, text: &str, path: &Path) -> Result<tree::Node, (usize, ProblemKind)> {
    if text.len() > FILE_BYTES_MAX {
        return Err((0, ProblemKind::TooLarge { bytes: text.len(), limit: FILE_BYTES_MAX }));
    }
    if text.trim().is_empty() {
        return Err((0, ProblemKind::Empty));
    }
    let syntax = |error: tree::SyntaxError| (error.offset, ProblemKind::Syntax { message: error.message });
    if is_json(text, path) {
        return json::read(text).map_err(syntax);
    }
    let yaml = yaml::read(text).map_err(syntax)?;
    if let Some((offset, name)) = yaml.duplicate {
        findings.problem(&reader::Path::Root, offset, ProblemKind::DuplicateField { name });
    }
    if yaml.root.value == tree::Value::Null {
        return Err((0, ProblemKind::Empty)); // comments only
    }
    Ok(yaml.root)
}

/// By extension, else by the first character: YAML that starts with a brace is JSON, or near it.
fn is_json(text: &str, path: &Path) -> bool {
    let extension = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text.trim_start().starts_with(['{', '[']),
    }
}

fn not_text(bytes: &[u8], valid: usize, path: &Path) -> DefinitionsError {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let kind = if utf16 { ProblemKind::Utf16 } else { ProblemKind::NotUtf8 };
    let text = bytes.get(..valid).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (line, column) = tree::Ruler::new(text).line_and_column(text.len());
    let problem = Problem { line, column, path: String::new(), kind };
    DefinitionsError { file: path.to_owned(), problems: vec![problem], warnings: Vec::new() }
}

/// The known names, as many as a line bears.
fn known_text(known: &[String]) -> String {
    const NAMES_MAX: usize = 20;
    let names: Vec<_> = known.iter().take(NAMES_MAX).map(|name| shown(name)).collect();
    let more = known.len().saturating_sub(NAMES_MAX);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    if known.is_empty() { "none".to_owned() } else { format!("{}{rest}", names.join(", ")) }
}
