//! The AWS API's own spelling of index definitions: tree to domain types, rule by rule.
//!
//! `{TableName: [{IndexName, KeySchema, AttributeDefinitions, Projection, …}]}`. Every breach of
//! a rule is reported and the walk goes on. An index with a problem is left out of the sum of
//! projected attributes; its name and its attribute types are compared all the same.

use indexmap::IndexMap;

use super::{
    finding::{ProblemKind, WarningKind},
    keys::{self, TypesSeen},
    model::{INDEXES_PER_TABLE_MAX, IndexSpec, PROJECTED_PER_TABLE_MAX},
    projection,
    reader::{At, Findings, Path},
    throughput,
    tree::Node,
};

const INDEX_FIELDS: &[&str] = &[
    "IndexName",
    "KeySchema",
    "AttributeDefinitions",
    "Projection",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "WarmThroughput",
    "Description",
    "EstimatedImpact",
    "RequiredBy",
];

/// Reads the whole file. What is returned is meaningful only if no problem was found.
pub(super) fn tables(findings: &mut Findings, root: &Node) -> IndexMap<String, Vec<IndexSpec>> {
    let mut tables = IndexMap::new();
    let Some(entries) = findings.entries(At { path: &Path::Root, node: root }) else {
        return tables;
    };
    if entries.is_empty() {
        findings.problem(&Path::Root, root.offset, ProblemKind::NoTable);
    }
    for entry in entries {
        let path = Path::Field(&Path::Root, &entry.name);
        check_name(findings, &path, entry.offset, &entry.name);
        let specs = table(findings, &entry.name, At { path: &path, node: &entry.node });
        tables.entry(entry.name.clone()).or_insert(specs);
    }
    tables
}

/// What the indexes of one table must agree on.
#[derive(Default)]
struct Seen {
    /// Index name -> path of its first definition.
    names: IndexMap<String, String>,
    types: TypesSeen,
}

fn table(findings: &mut Findings, table: &str, at: At<'_, '_>) -> Vec<IndexSpec> {
    let Some(items) = findings.list(at) else { return Vec::new() };
    if items.is_empty() {
        findings.warning(at.path, at.node.offset, WarningKind::NoIndex);
    }
    if items.len() > INDEXES_PER_TABLE_MAX {
        let kind = ProblemKind::TooManyIndexes { count: items.len() };
        findings.problem(at.path, at.node.offset, kind);
    }
    let mut seen = Seen::default();
    let mut specs = Vec::new();
    for (position, node) in items.iter().enumerate() {
        let path = Path::Item(at.path, position);
        specs.extend(index(findings, &mut seen, table, At { path: &path, node }));
    }
    let count = specs.iter().map(|spec: &IndexSpec| spec.projection.named_count()).sum();
    if count > PROJECTED_PER_TABLE_MAX {
        findings.problem(at.path, at.node.offset, ProblemKind::TooManyProjectedInTable { count });
    }
    specs
}

fn index(findings: &mut Findings, seen: &mut Seen, table: &str, at: At<'_, '_>) -> Option<IndexSpec> {
    let object = findings.object(at, INDEX_FIELDS)?;
    // Every part is read before the first `?`, so that the problems of all parts are found.
    let name = object.read_required(findings, "IndexName", |findings, name_at| {
        index_name(findings, &mut seen.names, at.path, name_at)
    });
    let keys = object.read_required(findings, "KeySchema", keys::key_schema);
    let defined = object.read_required(findings, "AttributeDefinitions", |findings, at| {
        keys::definitions(findings, &mut seen.types, at)
    });
    let projection = object
        .read_required(findings, "Projection", |findings, at| projection::projection(findings, keys.as_ref(), at));
    let provisioned = throughput::provisioned(findings, &object);
    let on_demand = throughput::on_demand(findings, &object);
    let warm = throughput::warm(findings, &object);
    let description = object.text(findings, "Description");
    let estimated_impact = object.text(findings, "EstimatedImpact");
    let required_by = object.text(findings, "RequiredBy");
    let attributes = keys::join(findings, at.path, keys.as_ref()?, &defined?);
    Some(IndexSpec {
        table: table.to_owned(),
        name: name?,
        key_schema: keys?.schema(),
        attributes,
        projection: projection?,
        provisioned,
        on_demand,
        warm,
        description,
        estimated_impact,
        required_by,
    })
}

fn index_name(
    findings: &mut Findings,
    seen: &mut IndexMap<String, String>,
    index: &Path<'_>,
    at: At<'_, '_>,
) -> Option<String> {
    let name = findings.string(at)?;
    check_name(findings, at.path, at.node.offset, name);
    if let Some(first) = seen.get(name) {
        let kind = ProblemKind::DuplicateIndex { name: name.to_owned(), first: first.clone() };
        findings.problem(at.path, at.node.offset, kind);
    } else {
        seen.insert(name.to_owned(), index.to_string());
    }
    Some(name.to_owned())
}

/// The rules for names of tables and indexes (Developer Guide, "Naming rules").
fn check_name(findings: &mut Findings, path: &Path<'_>, offset: usize, name: &str) {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let kind = if name.starts_with("arn:") {
        ProblemKind::ArnForName { name: name.to_owned() }
    } else if let Some(letter) = name.chars().find(|letter| !allowed(*letter)) {
        ProblemKind::NameCharacter { name: name.to_owned(), letter }
    } else if !(3..=255).contains(&name.len()) {
        ProblemKind::NameLength { name: name.to_owned(), count: name.len() }
    } else {
        return;
    };
    findings.problem(path, offset, kind);
}
