//! What other tools have: which of the formats a tree is in, told by its content.
//!
//! | format | told by |
//! |---|---|
//! | ours | none of the others |
//! | CloudFormation template | `Resources`, an object |
//! | request to `CreateTable` or `UpdateTable` | `TableName` that is no list, or the parts of such a request |
//! | answer of `DescribeTable` | `Table` or `TableDescription`, an object; `TableStatus` |
//! | several requests or answers | a list |
//!
//! In ours every value at the top is a list, so that a table named `Resources` is no template.

use std::collections::BTreeMap;

use super::{
    aws::{self, Tables},
    finding::ProblemKind,
    reader::{At, Findings, Path},
    request, template,
    tree::{Node, Value},
};

/// Reads a whole file. What is returned is meaningful only if no problem was found.
pub(super) fn tables(findings: &mut Findings, root: &Node, table_names: &BTreeMap<String, String>) -> Tables {
    let at = At { path: &Path::Root, node: root };
    let is_object = |name: &str| matches!(root.value.field(name), Some(Node { value: Value::Object(_), .. }));
    if is_object("Resources") {
        return template::tables(findings, at, table_names);
    }
    for resource in table_names.keys() {
        let kind = ProblemKind::NoSuchResource { resource: resource.clone(), similar: None };
        findings.problem(&Path::Root, root.offset, kind);
    }
    let mut tables = Tables::new();
    match &root.value {
        Value::List(items) => {
            if items.is_empty() {
                findings.problem(&Path::Root, root.offset, ProblemKind::NoTable);
            }
            for (position, node) in items.iter().enumerate() {
                let path = Path::Item(&Path::Root, position);
                request::table(findings, &mut tables, At { path: &path, node });
            }
        }
        _ if request::is_one(&root.value) => request::table(findings, &mut tables, at),
        _ => return aws::tables(findings, root),
    }
    tables
}
