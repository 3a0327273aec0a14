//! Key schemas and attribute definitions, each alone and then against each other.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::{
    finding::{ProblemKind, WarningKind, similar},
    model::{AttributeType, AttributeTypes, KEYS_PER_ROLE_MAX, KeyRole, KeySchema},
    reader::{At, Findings, Path},
};

const KEY_FIELDS: &[&str] = &["AttributeName", "KeyType"];
const DEFINITION_FIELDS: &[&str] = &["AttributeName", "AttributeType"];

/// The types that the indexes of one table have given to attributes so far, each with the path
/// of its first definition.
pub(super) type TypesSeen = IndexMap<String, (AttributeType, String)>;

/// A key schema as it stands in the file, with the offsets of its attributes.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    attribute: String,
    role: KeyRole,
    offset: usize,
    position: usize,
}

impl Keys {
    pub(super) fn contains(&self, attribute: &str) -> bool {
        self.0.iter().any(|key| key.attribute == attribute)
    }

    /// The domain type; the order of roles has been checked.
    pub(super) fn schema(self) -> KeySchema {
        let (hash, range): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|key| key.role == KeyRole::Hash);
        let names = |keys: Vec<Key>| keys.into_iter().map(|key| key.attribute);
        KeySchema::new(names(hash), names(range))
    }
}

/// One attribute definition as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    attribute: String,
    kind: AttributeType,
    offset: usize,
    position: usize,
}

/// Reads `KeySchema`. `None` if an element is unreadable or there are too many, since what is
/// left would be misread: as a missing HASH attribute, as definitions that nobody uses.
pub(super) fn key_schema(findings: &mut Findings, at: At<'_, '_>) -> Option<Keys> {
    let mut keys: Vec<Key> = Vec::new();
    let mut names = HashSet::new();
    let mut usable = true;
    for (position, node) in findings.list(at)?.iter().enumerate() {
        let path = Path::Item(at.path, position);
        let Some(key) = key(findings, position, At { path: &path, node }) else {
            usable = false;
            continue;
        };
        let attribute = key.attribute.clone();
        let after_range = keys.last().is_some_and(|last| last.role == KeyRole::Range);
        if !names.insert(attribute.clone()) {
            let path = Path::Field(&path, "AttributeName");
            findings.problem(&path, key.offset, ProblemKind::RepeatedKey { attribute });
        } else if key.role == KeyRole::Hash && after_range {
            findings.problem(&path, key.offset, ProblemKind::HashAfterRange { attribute });
        }
        keys.push(key);
    }
    for role in [KeyRole::Hash, KeyRole::Range] {
        let count = keys.iter().filter(|key| key.role == role).count();
        if count > KEYS_PER_ROLE_MAX {
            findings.problem(at.path, at.node.offset, ProblemKind::TooManyKeys { role, count });
            usable = false;
        }
        if usable && count == 0 && role == KeyRole::Hash {
            findings.problem(at.path, at.node.offset, ProblemKind::NoHash);
        }
    }
    usable.then_some(Keys(keys))
}

fn key(findings: &mut Findings, position: usize, at: At<'_, '_>) -> Option<Key> {
    let object = findings.object(at, KEY_FIELDS)?;
    let name = object.read_required(findings, "AttributeName", attribute_name);
    let role = object.read_required(findings, "KeyType", |findings, at| {
        choice(findings, at, "HASH, RANGE", |found| {
            [KeyRole::Hash, KeyRole::Range].into_iter().find(|role| role.as_str() == found)
        })
    });
    let (attribute, offset) = name?;
    Some(Key { attribute, role: role?, offset, position })
}

/// Reads `AttributeDefinitions` and compares them with those `seen` in the same table.
pub(super) fn definitions(findings: &mut Findings, seen: &mut TypesSeen, at: At<'_, '_>) -> Option<Vec<Defined>> {
    let mut list = Vec::new();
    let mut readable = true;
    for (position, node) in findings.list(at)?.iter().enumerate() {
        let path = Path::Item(at.path, position);
        let Some(defined) = definition(findings, position, At { path: &path, node }) else {
            readable = false;
            continue;
        };
        match seen.get(&defined.attribute) {
            None => {
                seen.insert(defined.attribute.clone(), (defined.kind, path.to_string()));
            }
            Some((first, elsewhere)) if *first != defined.kind => {
                let kind = ProblemKind::ConflictingTypes {
                    attribute: defined.attribute.clone(),
                    first: *first,
                    second: defined.kind,
                    elsewhere: elsewhere.clone(),
                };
                findings.problem(&path, defined.offset, kind);
            }
            Some(_) => {}
        }
        list.push(defined);
    }
    readable.then_some(list)
}

fn definition(findings: &mut Findings, position: usize, at: At<'_, '_>) -> Option<Defined> {
    let object = findings.object(at, DEFINITION_FIELDS)?;
    let name = object.read_required(findings, "AttributeName", attribute_name);
    let kind = object.read_required(findings, "AttributeType", |findings, at| {
        choice(findings, at, "S, N, B", AttributeType::from_aws)
    });
    let (attribute, offset) = name?;
    Some(Defined { attribute, kind: kind?, offset, position })
}

/// The types of the keys. Reports keys without a definition.
pub(super) fn join(findings: &mut Findings, index: &Path<'_>, keys: &Keys, defined: &[Defined]) -> AttributeTypes {
    let mut types = AttributeTypes::default();
    for key in &keys.0 {
        if let Some(found) = defined.iter().find(|one| one.attribute == key.attribute) {
            types.define(key.attribute.as_str(), found.kind);
            continue;
        }
        let unused = defined.iter().map(|one| one.attribute.as_str()).filter(|name| !keys.contains(name));
        let kind = ProblemKind::UndefinedKey {
            attribute: key.attribute.clone(),
            similar: similar(&key.attribute, unused).map(str::to_owned),
        };
        let schema = Path::Field(index, "KeySchema");
        let element = Path::Item(&schema, key.position);
        findings.problem(&Path::Field(&element, "AttributeName"), key.offset, kind);
    }
    types
}

/// Reports definitions without a key.
pub(super) fn unused(findings: &mut Findings, index: &Path<'_>, keys: &Keys, defined: &[Defined]) {
    for one in defined.iter().filter(|one| !keys.contains(&one.attribute)) {
        let list = Path::Field(index, "AttributeDefinitions");
        let element = Path::Item(&list, one.position);
        let kind = WarningKind::UnusedAttribute { attribute: one.attribute.clone() };
        findings.warning(&element, one.offset, kind);
    }
}

/// An attribute name and its offset. DynamoDB allows 255 bytes for one that is in an index.
pub(super) fn attribute_name(findings: &mut Findings, at: At<'_, '_>) -> Option<(String, usize)> {
    let name = findings.string(at)?;
    if !(1..=255).contains(&name.len()) {
        let kind = ProblemKind::AttributeNameLength { bytes: name.len() };
        findings.problem(at.path, at.node.offset, kind);
    }
    Some((name.to_owned(), at.node.offset))
}

/// One of the spellings in `allowed`, a list with commas.
pub(super) fn choice<T>(
    findings: &mut Findings,
    at: At<'_, '_>,
    allowed: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let found = findings.string(at)?;
    let value = parse(found);
    if value.is_none() {
        let similar = meant(found, allowed).map(str::to_owned);
        let kind = ProblemKind::NotOneOf { found: found.to_owned(), allowed, similar };
        findings.problem(at.path, at.node.offset, kind);
    }
    value
}

/// The spelling that was probably meant; types are often written out.
fn meant(found: &str, allowed: &'static str) -> Option<&'static str> {
    let written_out = match found.to_ascii_lowercase().as_str() {
        "string" => "S",
        "number" => "N",
        "binary" => "B",
        _ => found,
    };
    similar(written_out, allowed.split(", "))
}
