//! CloudFormation templates: the indexes of `AWS::DynamoDB::Table` and `AWS::DynamoDB::GlobalTable`.
//!
//! Nothing is computed here. A table whose name is computed, or made up by CloudFormation, needs a name
//! from outside, by the resource's logical id. A computed throughput is left out with a warning; anything
//! else that is computed in an index is a problem.

use std::collections::BTreeMap;

use super::{
    aws::{Origin, Tables, check_name, indexes},
    finding::{ProblemKind, WarningKind, similar},
    keys::{self, TypesSeen},
    reader::{At, Findings, Path},
    request::add,
    tree::{Node, Value},
};

const TABLE_TYPES: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"];

/// Reads a template. `table_names` says what tables are called, by logical id.
pub(super) fn tables(findings: &mut Findings, root: At<'_, '_>, table_names: &BTreeMap<String, String>) -> Tables {
    let mut tables = Tables::new();
    let Some(node) = root.node.value.field("Resources") else { return tables };
    let path = Path::Field(root.path, "Resources");
    let resources = findings.entries(At { path: &path, node }).unwrap_or_default();
    let is_table = |node: &Node| match node.value.field("Type") {
        Some(Node { value: Value::String(kind), .. }) => TABLE_TYPES.contains(&kind.as_str()),
        _ => false,
    };
    let found: Vec<_> = resources.iter().filter(|resource| is_table(&resource.node)).collect();
    if found.is_empty() {
        findings.problem(&path, node.offset, ProblemKind::NoTable);
    }
    let mut with_indexes = Vec::new();
    for resource in &found {
        let path = Path::Field(&path, &resource.name);
        let Some(properties) = resource.node.value.field("Properties") else { continue };
        if properties.value.field("GlobalSecondaryIndexes").is_none() {
            continue;
        }
        with_indexes.push(resource.name.as_str());
        let at = At { path: &Path::Field(&path, "Properties"), node: properties };
        table(findings, &mut tables, at, &resource.name, table_names.get(&resource.name));
    }
    if with_indexes.is_empty() && !found.is_empty() {
        findings.warning(&path, node.offset, WarningKind::NoIndex);
    }
    for resource in table_names.keys().filter(|name| !with_indexes.contains(&name.as_str())) {
        let similar = similar(resource, with_indexes.iter().copied()).map(str::to_owned);
        let kind = ProblemKind::NoSuchResource { resource: resource.clone(), similar };
        findings.problem(&path, node.offset, kind);
    }
    tables
}

fn table(findings: &mut Findings, tables: &mut Tables, properties: At<'_, '_>, resource: &str, given: Option<&String>) {
    let Some(object) = findings.foreign_object(properties) else { return };
    findings.ignored(&object, &["LocalSecondaryIndexes"]);
    let name = match given {
        Some(name) => {
            check_name(findings, properties.path, properties.node.offset, name);
            Some(name.as_str())
        }
        None => name(findings, properties, resource),
    };
    let types = object.read_required(findings, "AttributeDefinitions", |findings, at| {
        keys::definitions(findings, &mut TypesSeen::new(), At { path: at.path, node: at.node })
    });
    let specs = object.read_required(findings, "GlobalSecondaryIndexes", |findings, at| {
        let at = At { path: at.path, node: at.node };
        Some(indexes(findings, name.unwrap_or_default(), Origin::Template(types.as_deref()), at))
    });
    if let Some(name) = name {
        add(findings, tables, properties, name, specs.unwrap_or_default());
    }
}

/// The table's name, where it stands in the template.
fn name<'n>(findings: &mut Findings, properties: At<'_, 'n>, resource: &str) -> Option<&'n str> {
    let resource = resource.to_owned();
    let Some(node) = properties.node.value.field("TableName") else {
        findings.problem(properties.path, properties.node.offset, ProblemKind::GeneratedName { resource });
        return None;
    };
    let path = Path::Field(properties.path, "TableName");
    if let Some(function) = node.value.intrinsic() {
        let kind = ProblemKind::ComputedName { resource, function: function.to_owned() };
        findings.problem(&path, node.offset, kind);
        return None;
    }
    let name = findings.string(At { path: &path, node })?;
    check_name(findings, &path, node.offset, name);
    Some(name)
}
