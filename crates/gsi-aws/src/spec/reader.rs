//! Walking a tree while collecting every finding: the part that all input formats share.
//!
//! A reader function returns `None` where a value is unusable and has already been reported, so
//! that the walk goes on and the file's other problems are found in the same pass.

use std::fmt;

use super::{
    finding::{Located, ProblemKind, WarningKind, shown, similar},
    tree::{Entry, Node, Ruler, Value},
};

/// The way from the top of the document to a value; rendered only for findings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Field(parent, name) => {
                let dot = if matches!(parent, Self::Root) { "" } else { "." };
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
                if !name.is_empty() && name.len() <= 255 && name.bytes().all(plain) {
                    write!(f, "{parent}{dot}{name}")
                } else {
                    write!(f, "{parent}{dot}{}", shown(name))
                }
            }
        }
    }
}

/// A value with its path.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'p, 'n> {
    pub(super) path: &'p Path<'p>,
    pub(super) node: &'n Node,
}

#[derive(Debug)]
struct Raw<K> {
    offset: usize,
    path: String,
    kind: K,
}

/// Findings of a kind that are kept, so that a long list of rubbish does not fill the memory.
const KEPT_MAX: usize = 10_000;

/// All that was found so far, or the first part of it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Raw<ProblemKind>>,
    warnings: Vec<Raw<WarningKind>>,
}

impl Findings {
    pub(super) fn problem(&mut self, path: &Path<'_>, offset: usize, kind: ProblemKind) {
        if self.problems.len() < KEPT_MAX {
            self.problems.push(Raw { offset, path: path.to_string(), kind });
        }
    }

    pub(super) fn warning(&mut self, path: &Path<'_>, offset: usize, kind: WarningKind) {
        if self.warnings.len() < KEPT_MAX {
            self.warnings.push(Raw { offset, path: path.to_string(), kind });
        }
    }

    /// The findings in file order, with lines and columns of `text`.
    pub(super) fn locate(self, text: &str) -> (Vec<Located<ProblemKind>>, Vec<Located<WarningKind>>) {
        (locate(text, self.problems), locate(text, self.warnings))
    }

    pub(super) fn string<'n>(&mut self, at: At<'_, 'n>) -> Option<&'n str> {
        match &at.node.value {
            Value::String(text) => Some(text),
            other => self.wrong_type(at, "a string", other),
        }
    }

    pub(super) fn integer(&mut self, at: At<'_, '_>) -> Option<i128> {
        match &at.node.value {
            Value::Integer(number) => Some(*number),
            other => self.wrong_type(at, "a whole number", other),
        }
    }

    pub(super) fn list<'n>(&mut self, at: At<'_, 'n>) -> Option<&'n [Node]> {
        match &at.node.value {
            Value::List(items) => Some(items),
            other => self.wrong_type(at, "a list", other),
        }
    }

    /// An object, its names checked against themselves and against `known` names.
    pub(super) fn object<'p, 'n>(&mut self, at: At<'p, 'n>, known: &'static [&'static str]) -> Option<Object<'p, 'n>> {
        let entries = self.entries(at)?;
        let mut unknown = Vec::new();
        for entry in entries.iter().filter(|entry| !known.contains(&entry.name.as_str())) {
            let near = similar(&entry.name, known.iter().copied());
            unknown.push((entry.name.as_str(), near));
            let kind = WarningKind::UnknownField { name: entry.name.clone(), similar: near.map(str::to_owned) };
            self.warning(&Path::Field(at.path, &entry.name), entry.offset, kind);
        }
        Some(Object { at, entries, unknown })
    }

    /// An object that the service or another tool wrote: names that are not known are none of our business.
    pub(super) fn foreign_object<'p, 'n>(&mut self, at: At<'p, 'n>) -> Option<Object<'p, 'n>> {
        Some(Object { at, entries: self.entries(at)?, unknown: Vec::new() })
    }

    /// Says of each of `names` that `object` has that it is ignored.
    pub(super) fn ignored(&mut self, object: &Object<'_, '_>, names: &[&str]) {
        for entry in object.entries.iter().filter(|entry| names.contains(&entry.name.as_str())) {
            let kind = WarningKind::Ignored { name: entry.name.clone() };
            self.warning(&Path::Field(object.at.path, &entry.name), entry.offset, kind);
        }
    }

    /// The fields of an object whose names are free; a name that comes twice is reported.
    pub(super) fn entries<'n>(&mut self, at: At<'_, 'n>) -> Option<&'n [Entry]> {
        let Value::Object(entries) = &at.node.value else {
            return self.wrong_type(at, "an object", &at.node.value);
        };
        let mut seen = std::collections::HashSet::with_capacity(entries.len());
        for entry in entries {
            if !seen.insert(entry.name.as_str()) {
                let kind = ProblemKind::DuplicateField { name: entry.name.clone() };
                self.problem(&Path::Field(at.path, &entry.name), entry.offset, kind);
            }
        }
        Some(entries)
    }

    fn wrong_type<T>(&mut self, at: At<'_, '_>, expected: &'static str, found: &Value) -> Option<T> {
        let kind = ProblemKind::WrongType { expected, found: found.kind() };
        self.problem(at.path, at.node.offset, kind);
        None
    }
}

/// An object whose field names are known.
#[derive(Debug)]
pub(super) struct Object<'p, 'n> {
    pub(super) at: At<'p, 'n>,
    entries: &'n [Entry],
    /// Names that are not known, each with the known one that it resembles.
    unknown: Vec<(&'n str, Option<&'static str>)>,
}

impl<'n> Object<'_, 'n> {
    /// The value of a field that may be absent; null counts as absent.
    pub(super) fn optional(&self, name: &str) -> Option<&'n Node> {
        let node = self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node);
        node.filter(|node| node.value != Value::Null)
    }

    /// The value of a field that must be there; its absence is reported.
    pub(super) fn required(&self, findings: &mut Findings, name: &'static str) -> Option<&'n Node> {
        let found = self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node);
        if found.is_none() {
            let misspelt = self.unknown.iter().find(|(_, near)| *near == Some(name));
            let misspelt = misspelt.map(|(unknown, _)| (*unknown).to_owned());
            let kind = ProblemKind::Missing { field: name, misspelt };
            findings.problem(self.at.path, self.at.node.offset, kind);
        }
        found
    }

    /// Reads a field that must be there with `read`.
    pub(super) fn read_required<T>(
        &self,
        findings: &mut Findings,
        name: &'static str,
        read: impl FnOnce(&mut Findings, At<'_, 'n>) -> Option<T>,
    ) -> Option<T> {
        let node = self.required(findings, name)?;
        read(findings, At { path: &Path::Field(self.at.path, name), node })
    }

    /// Reads a field that may be absent with `read`.
    pub(super) fn read_optional<T>(
        &self,
        findings: &mut Findings,
        name: &'static str,
        read: impl FnOnce(&mut Findings, At<'_, 'n>) -> Option<T>,
    ) -> Option<T> {
        let node = self.optional(name)?;
        read(findings, At { path: &Path::Field(self.at.path, name), node })
    }

    /// The text of a field that may be absent.
    pub(super) fn text(&self, findings: &mut Findings, name: &'static str) -> Option<String> {
        self.read_optional(findings, name, Findings::string).map(str::to_owned)
    }
}

fn locate<K>(text: &str, mut raw: Vec<Raw<K>>) -> Vec<Located<K>> {
    raw.sort_by_key(|finding| finding.offset);
    let mut ruler = Ruler::new(text);
    let located = |Raw { offset, path, kind }| {
        let (line, column) = ruler.line_and_column(offset);
        Located { line, column, path, kind }
    };
    raw.into_iter().map(located).collect()
}
