//! Requests to `CreateTable` and `UpdateTable` (the CLI's `--cli-input-json`), and the answers of
//! `DescribeTable`: one table each.
//!
//! Of a request, the indexes count; that the table is there is for somebody else to see to. Of an answer,
//! what the service filled in is passed over without a word.

use super::{
    aws::{Origin, TableReader, Tables, check_name, indexes},
    finding::{ProblemKind, WarningKind},
    keys::{self, TypesSeen},
    reader::{At, Findings, Object, Path},
    tree::{Node, Value},
};

const REQUEST_FIELDS: &[&str] = &[
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "GlobalSecondaryIndexUpdates",
    "LocalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "WarmThroughput",
    "StreamSpecification",
    "SSESpecification",
    "Tags",
    "TableClass",
    "DeletionProtectionEnabled",
    "ResourcePolicy",
    "GlobalTableSettingsReplicationMode",
    "GlobalTableSourceArn",
    "GlobalTableWitnessUpdates",
    "MultiRegionConsistency",
    "ReplicaUpdates",
];

/// What a request asks for and this program does not do.
const IGNORED_FIELDS: &[&str] = &["LocalSecondaryIndexes", "ReplicaUpdates", "GlobalTableWitnessUpdates"];

/// Around the description in an answer.
const WRAPPERS: [&str; 2] = ["Table", "TableDescription"];

/// Whether an object is a request or an answer.
pub(super) fn is_one(value: &Value) -> bool {
    let has = |name: &str| value.field(name).is_some();
    let is_object = |name: &str| matches!(value.field(name), Some(Node { value: Value::Object(_), .. }));
    let is_named = value.field("TableName").is_some_and(|name| !matches!(name.value, Value::List(_)));
    is_named
        || WRAPPERS.into_iter().any(is_object)
        || (has("AttributeDefinitions") && (has("KeySchema") || has("GlobalSecondaryIndexes")))
        || has("GlobalSecondaryIndexUpdates")
}

/// Reads one table into `tables`.
pub(super) fn table(findings: &mut Findings, tables: &mut Tables, at: At<'_, '_>) {
    let wrapped = WRAPPERS.iter().find_map(|name| Some((*name, at.node.value.field(name)?)));
    if let Some((name, node)) = wrapped.filter(|(_, node)| matches!(node.value, Value::Object(_))) {
        return described(findings, tables, At { path: &Path::Field(at.path, name), node });
    }
    if at.node.value.field("TableStatus").is_some() {
        return described(findings, tables, at);
    }
    let Some(object) = findings.object(at, REQUEST_FIELDS) else { return };
    findings.ignored(&object, IGNORED_FIELDS);
    let name = table_name(findings, &object);
    let types = object.optional("AttributeDefinitions").and_then(|node| {
        let path = Path::Field(at.path, "AttributeDefinitions");
        keys::definitions(findings, &mut TypesSeen::new(), At { path: &path, node })
    });
    let has_types = object.optional("AttributeDefinitions").is_some();
    let origin = Origin::Request(if has_types { types.as_deref() } else { Some(&[]) });
    let table = name.unwrap_or_default();
    let mut specs = Vec::new();
    if let Some(node) = object.optional("GlobalSecondaryIndexes") {
        let path = Path::Field(at.path, "GlobalSecondaryIndexes");
        specs = indexes(findings, table, origin, At { path: &path, node });
    }
    if let Some(node) = object.optional("GlobalSecondaryIndexUpdates") {
        let path = Path::Field(at.path, "GlobalSecondaryIndexUpdates");
        specs.extend(updates(findings, table, origin, At { path: &path, node }));
    }
    let has_none = ["GlobalSecondaryIndexes", "GlobalSecondaryIndexUpdates"];
    if has_none.iter().all(|name| object.optional(name).is_none()) {
        findings.warning(at.path, at.node.offset, WarningKind::NoIndex);
    }
    add(findings, tables, at, table, specs);
}

fn updates(findings: &mut Findings, table: &str, origin: Origin<'_>, at: At<'_, '_>) -> Vec<super::IndexSpec> {
    let mut reader = TableReader::new(table, origin);
    for (position, node) in findings.list(at).unwrap_or_default().iter().enumerate() {
        let path = Path::Item(at.path, position);
        let Some(object) = findings.object(At { path: &path, node }, &["Create", "Update", "Delete"]) else { continue };
        findings.ignored(&object, &["Update", "Delete"]);
        if let Some(node) = object.optional("Create") {
            reader.index(findings, At { path: &Path::Field(&path, "Create"), node });
        }
    }
    reader.finish(findings, at)
}

fn described(findings: &mut Findings, tables: &mut Tables, at: At<'_, '_>) {
    let Some(object) = findings.foreign_object(at) else { return };
    let table = table_name(findings, &object).unwrap_or_default();
    let types = object.read_required(findings, "AttributeDefinitions", |findings, at| {
        keys::definitions(findings, &mut TypesSeen::new(), At { path: at.path, node: at.node })
    });
    let Some(node) = object.optional("GlobalSecondaryIndexes") else {
        findings.warning(at.path, at.node.offset, WarningKind::NoIndex);
        return add(findings, tables, at, table, Vec::new());
    };
    let path = Path::Field(at.path, "GlobalSecondaryIndexes");
    let list = At { path: &path, node };
    let mut reader = TableReader::new(table, Origin::Description(types.as_deref()));
    for (position, node) in findings.list(list).unwrap_or_default().iter().enumerate() {
        let path = Path::Item(&path, position);
        let status = node.value.field("IndexStatus").map(|status| &status.value);
        if matches!(status, Some(Value::String(status)) if status == "DELETING") {
            findings.warning(&path, node.offset, WarningKind::BeingDeleted);
        } else {
            reader.index(findings, At { path: &path, node });
        }
    }
    let specs = reader.finish(findings, list);
    add(findings, tables, at, table, specs);
}

fn table_name<'n>(findings: &mut Findings, object: &Object<'_, 'n>) -> Option<&'n str> {
    object.read_required(findings, "TableName", |findings, at| {
        let name = findings.string(at)?;
        check_name(findings, at.path, at.node.offset, name);
        Some(name)
    })
}

/// Adds a table; one that is there already is reported.
pub(super) fn add(
    findings: &mut Findings,
    tables: &mut Tables,
    at: At<'_, '_>,
    table: &str,
    specs: Vec<super::IndexSpec>,
) {
    if tables.contains_key(table) {
        let kind = ProblemKind::DuplicateField { name: table.to_owned() };
        findings.problem(at.path, at.node.offset, kind);
    } else {
        tables.insert(table.to_owned(), specs);
    }
}
