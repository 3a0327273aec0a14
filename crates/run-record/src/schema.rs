//! `schema.fcl`: which collection and entity a file of a record becomes.
//!
//! The rules of the sequences `run_history` and `system_layout` are applied as the genuine library
//! mode applies them: each has a Python regular expression that is matched from the start of the
//! file's path, its second group is the entity, and an optional expression `entity` replaces it. Of
//! that expression, Python code in the genuine program, we take concatenations of literals and groups
//! (`match.group(1) + '_x'`).

use fancy_regex::{Captures, Regex};

use crate::fhicl::{Document, ParseError, Table, Value};

/// The collection of files that no rule mentions; the genuine library mode drops them.
pub const DEFAULT_COLLECTION: &str = "RunHistory";

/// The collection of `schema.fcl` itself.
pub const SCHEMA_COLLECTION: &str = "SystemLayout";

/// The name of the file, and with it of its entity.
pub const SCHEMA_FILE: &str = "schema.fcl";

/// The sequences whose rules count, in this order.
const SUBSETS: [&str; 2] = ["run_history", "system_layout"];

/// A parsed `schema.fcl`.
///
/// ```
/// use run_record::schema::Schema;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let schema = Schema::parse("schema.fcl", r"run_history: [{collection: Flags pattern: '(.*/)(flags)(\.fcl$)'}]")?;
/// let places = schema.places("flags.fcl")?;
/// assert_eq!((places[0].collection.as_str(), places[0].entity.as_str()), ("Flags", "flags"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Schema {
    text: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    collection: String,
    pattern: Regex,
    entity: Option<Vec<Piece>>,
}

#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Group(usize),
}

/// Where a file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The collection of the document.
    pub collection: String,
    /// Its entity.
    pub entity: String,
}

/// Why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The file is not FHiCL.
    #[error("the schema is malformed")]
    Malformed(#[source] ParseError),
    /// A rule lacks a member or has one of another type.
    #[error("rule {number} of `{subset}` has no text `{member}`")]
    Member {
        /// The sequence.
        subset: &'static str,
        /// The rule's position, from 1.
        number: usize,
        /// What is missing.
        member: &'static str,
    },
    /// The pattern is not a regular expression that we can use.
    #[error("pattern `{pattern}` cannot be used")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        #[source]
        source: Box<fancy_regex::Error>,
    },
    /// The pattern has fewer than two groups, and the rule no `entity`.
    #[error("pattern `{pattern}` has no second group for the entity")]
    NoGroup {
        /// The pattern.
        pattern: String,
    },
    /// The rule computes the entity by Python code beyond literals and groups.
    #[error("entity expression `{expression}` is not a sum of texts and groups")]
    Entity {
        /// The expression.
        expression: String,
    },
}

impl Schema {
    /// Parses the text of a `schema.fcl`; `file` is its name for messages.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if the text is not FHiCL or a rule cannot be used.
    pub fn parse(file: &str, text: &str) -> Result<Self, SchemaError> {
        let document = Document::parse(file, text).map_err(SchemaError::Malformed)?;
        let mut rules = Vec::new();
        for subset in SUBSETS {
            let Some(Value::Sequence(items)) = document.main.get(subset).map(|item| &item.value) else { continue };
            for (position, item) in items.iter().enumerate() {
                rules.push(rule(subset, position + 1, &item.value)?);
            }
        }
        Ok(Self { text: text.to_owned(), rules })
    }

    /// The text that was parsed; it is archived with every run.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the file at `path`, relative to the run directory, goes: one place for each rule that matches.
    ///
    /// # Errors
    ///
    /// [`SchemaError::Pattern`] if a pattern is too costly to evaluate.
    pub fn places(&self, path: &str) -> Result<Vec<Place>, SchemaError> {
        let path = format!("/{path}"); // the patterns expect a directory before the name
        let mut places = Vec::new();
        for rule in &self.rules {
            let found = rule.pattern.captures(path.as_str()).map_err(|source| refuse(rule.pattern.as_str(), source))?;
            if let Some(captures) = found {
                places.push(Place { collection: rule.collection.clone(), entity: rule.entity(&captures) });
            }
        }
        Ok(places)
    }
}

impl Rule {
    fn entity(&self, captures: &Captures<'_, str>) -> String {
        let group = |number| captures.get(number).map_or("", |found| found.as_str());
        let Some(pieces) = &self.entity else { return group(2).to_owned() };
        let text = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Group(number) => group(*number).to_owned(),
        };
        pieces.iter().map(text).collect()
    }
}

fn refuse(pattern: &str, source: fancy_regex::Error) -> SchemaError {
    SchemaError::Pattern { pattern: pattern.to_owned(), source: Box::new(source) }
}

fn rule(subset: &'static str, number: usize, value: &Value) -> Result<Rule, SchemaError> {
    let text = |member: &'static str| {
        let found = table_of(value).and_then(|table| table.get(member)).map(|item| &item.value);
        match found {
            Some(Value::Atom { text, .. }) => Ok(text.clone()),
            _ => Err(SchemaError::Member { subset, number, member }),
        }
    };
    let source = text("pattern")?;
    let pattern = Regex::new(&format!("^(?:{source})")).map_err(|error| refuse(&source, error))?;
    let entity = match text("entity") {
        Ok(expression) => Some(expression_pieces(&expression).ok_or(SchemaError::Entity { expression })?),
        Err(_) => None,
    };
    if entity.is_none() && pattern.captures_len() < 3 {
        return Err(SchemaError::NoGroup { pattern: source });
    }
    Ok(Rule { collection: text("collection")?, pattern, entity })
}

fn table_of(value: &Value) -> Option<&Table> {
    match value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

/// `match.group(2)`, `match[2]`, `'text'` and `"text"`, joined by `+`.
fn expression_pieces(expression: &str) -> Option<Vec<Piece>> {
    expression.split('+').map(|term| piece(term.trim())).collect()
}

fn piece(term: &str) -> Option<Piece> {
    for quote in ['\'', '"'] {
        let inner = term.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(text) = inner.filter(|text| !text.contains([quote, '\\'])) {
            return Some(Piece::Literal(text.to_owned()));
        }
    }
    let group = |open, close| term.strip_prefix(open)?.strip_suffix(close)?.trim().parse().ok();
    group("match.group(", ")").or_else(|| group("match[", "]")).map(Piece::Group)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    const SCHEMA: &str = r"
        artdaq_processes: [{collection: Ignored pattern: '(.*/)(boot)(\.fcl$)'}]
        run_history: [
            {collection: RunHistory pattern: '(.*/)((?!schema|flags)[^/]+)(\.fcl$)'},
            {collection: Boards pattern: '(.*/)(board(\d+))(\.fcl$)' entity: 'match.group(2) + \'x\''}
        ]
        system_layout: [{collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)'}]
    ";

    #[test]
    fn places_follow_the_rules() {
        let schema = Schema::parse("schema.fcl", &SCHEMA.replace(r"\'x\'", "match[3]")).unwrap();
        let check = |path: &str, expect: &[(&str, &str)]| {
            let places = schema.places(path).unwrap();
            let found: Vec<_> = places.iter().map(|place| (place.collection.as_str(), place.entity.as_str())).collect();
            assert_eq!(found, expect, "{path}");
        };
        check("boot.fcl", &[("RunHistory", "boot")]);
        check("sub/boot.fcl", &[("RunHistory", "boot")]);
        check("board12.fcl", &[("RunHistory", "board12"), ("Boards", "board1212")]);
        check("schema.fcl", &[("SystemLayout", "schema")]);
        check("flags.fcl", &[]);
    }

    #[test]
    fn unusable_rules_are_refused() {
        let refused = |text: &str| Schema::parse("schema.fcl", text).unwrap_err();
        assert!(matches!(refused("a: {"), SchemaError::Malformed(_)));
        assert!(matches!(
            refused("run_history: [{collection: A}]"),
            SchemaError::Member { member: "pattern", number: 1, .. }
        ));
        assert!(matches!(
            refused("run_history: [{pattern: '(a)(b)'}]"),
            SchemaError::Member { member: "collection", .. }
        ));
        assert!(matches!(refused("run_history: [{collection: A pattern: '(a'}]"), SchemaError::Pattern { .. }));
        assert!(matches!(refused("run_history: [{collection: A pattern: '(a)'}]"), SchemaError::NoGroup { .. }));
        let python = "run_history: [{collection: A pattern: '(a)(b)' entity: \"match.group(2).upper()\"}]";
        assert!(matches!(refused(python), SchemaError::Entity { .. }));
    }
}
