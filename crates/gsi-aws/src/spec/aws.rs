//! The AWS API's own spelling of index definitions: tree to domain types, rule by rule.
//!
//! `{TableName: [{IndexName, KeySchema, AttributeDefinitions, Projection, …}]}`. Every breach of
//! a rule is reported and the walk goes on. An index with a problem is left out of the sum of
//! projected attributes; its name and its attribute types are compared all the same.
//!
//! The other formats spell an index the same way, and are read by the same functions: see [`Origin`].

use indexmap::IndexMap;

use super::{
    finding::{ProblemKind, WarningKind},
    keys::{self, Defined, TypesSeen},
    model::{INDEXES_PER_TABLE_MAX, IndexSpec, PROJECTED_PER_TABLE_MAX},
    projection,
    reader::{At, Findings, Object, Path},
    throughput,
    tree::Node,
};

/// Tables by name, in file order.
pub(super) type Tables = IndexMap<String, Vec<IndexSpec>>;

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

/// Fields of an index in requests and templates.
const FOREIGN_FIELDS: &[&str] = &[
    "IndexName",
    "KeySchema",
    "Projection",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "WarmThroughput",
    "ContributorInsightsSpecification",
    "ReadOnDemandThroughputSettings",
    "ReadProvisionedThroughputSettings",
    "WriteOnDemandThroughputSettings",
    "WriteProvisionedThroughputSettings",
];

/// Those of them that creating an index does not take.
const IGNORED_FIELDS: &[&str] = &[
    "ContributorInsightsSpecification",
    "ReadOnDemandThroughputSettings",
    "ReadProvisionedThroughputSettings",
    "WriteOnDemandThroughputSettings",
    "WriteProvisionedThroughputSettings",
];

/// Where an index is defined. But for our own format, the attribute types stand at its table; `None` where
/// they could not be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'d> {
    /// Our own format.
    Own,
    /// A request to `CreateTable` or `UpdateTable`.
    Request(Option<&'d [Defined]>),
    /// A CloudFormation template: values may be computed.
    Template(Option<&'d [Defined]>),
    /// An answer of `DescribeTable`: the service filled in what nobody asked for.
    Description(Option<&'d [Defined]>),
}

/// Reads a whole file of our own format. What is returned is meaningful only if no problem was found.
pub(super) fn tables(findings: &mut Findings, root: &Node) -> Tables {
    let mut tables = Tables::new();
    let Some(entries) = findings.entries(At { path: &Path::Root, node: root }) else {
        return tables;
    };
    if entries.is_empty() {
        findings.problem(&Path::Root, root.offset, ProblemKind::NoTable);
    }
    for entry in entries {
        let path = Path::Field(&Path::Root, &entry.name);
        check_name(findings, &path, entry.offset, &entry.name);
        let specs = indexes(findings, &entry.name, Origin::Own, At { path: &path, node: &entry.node });
        tables.entry(entry.name.clone()).or_insert(specs);
    }
    tables
}

/// Reads the list of a table's indexes.
pub(super) fn indexes(findings: &mut Findings, table: &str, origin: Origin<'_>, at: At<'_, '_>) -> Vec<IndexSpec> {
    let Some(items) = findings.list(at) else { return Vec::new() };
    if items.is_empty() {
        findings.warning(at.path, at.node.offset, WarningKind::NoIndex);
    }
    let mut reader = TableReader::new(table, origin);
    for (position, node) in items.iter().enumerate() {
        let path = Path::Item(at.path, position);
        reader.index(findings, At { path: &path, node });
    }
    reader.finish(findings, at)
}

/// Reads the indexes of one table, one after the other.
#[derive(Debug)]
pub(super) struct TableReader<'t> {
    table: &'t str,
    origin: Origin<'t>,
    /// Index name -> path of its first definition.
    names: IndexMap<String, String>,
    types: TypesSeen,
    count: usize,
    specs: Vec<IndexSpec>,
}

impl<'t> TableReader<'t> {
    pub(super) fn new(table: &'t str, origin: Origin<'t>) -> Self {
        Self { table, origin, names: IndexMap::new(), types: TypesSeen::new(), count: 0, specs: Vec::new() }
    }

    /// What was read; `at` is where the table's indexes stand.
    pub(super) fn finish(self, findings: &mut Findings, at: At<'_, '_>) -> Vec<IndexSpec> {
        if self.count > INDEXES_PER_TABLE_MAX {
            findings.problem(at.path, at.node.offset, ProblemKind::TooManyIndexes { count: self.count });
        }
        let count = self.specs.iter().map(|spec: &IndexSpec| spec.projection.named_count()).sum();
        if count > PROJECTED_PER_TABLE_MAX {
            findings.problem(at.path, at.node.offset, ProblemKind::TooManyProjectedInTable { count });
        }
        self.specs
    }

    /// Reads one index.
    pub(super) fn index(&mut self, findings: &mut Findings, at: At<'_, '_>) {
        self.count += 1;
        let spec = self.read(findings, at);
        self.specs.extend(spec);
    }

    fn read(&mut self, findings: &mut Findings, at: At<'_, '_>) -> Option<IndexSpec> {
        let object = match self.origin {
            Origin::Own => findings.object(at, INDEX_FIELDS)?,
            Origin::Request(_) | Origin::Template(_) => findings.object(at, FOREIGN_FIELDS)?,
            Origin::Description(_) => findings.foreign_object(at)?,
        };
        // Every part is read before the first `?`, so that the problems of all parts are found.
        let name =
            object.read_required(findings, "IndexName", |findings, name_at| self.name(findings, at.path, name_at));
        let keys = object.read_required(findings, "KeySchema", keys::key_schema);
        let own = matches!(self.origin, Origin::Own)
            .then(|| {
                object.read_required(findings, "AttributeDefinitions", |findings, at| {
                    keys::definitions(findings, &mut self.types, at)
                })
            })
            .flatten();
        let projection = object
            .read_required(findings, "Projection", |findings, at| projection::projection(findings, keys.as_ref(), at));
        let mut spec = IndexSpec {
            table: self.table.to_owned(),
            name: String::new(),
            key_schema: super::KeySchema { hash: Vec::new(), range: Vec::new() },
            attributes: super::AttributeTypes::default(),
            projection: super::Projection::All,
            provisioned: None,
            on_demand: None,
            warm: None,
            description: None,
            estimated_impact: None,
            required_by: None,
        };
        self.read_settings(findings, &object, &mut spec);
        let defined = match self.origin {
            Origin::Own => own.as_deref(),
            Origin::Request(shared) | Origin::Template(shared) | Origin::Description(shared) => shared,
        };
        spec.attributes = keys::join(findings, at.path, keys.as_ref()?, defined?);
        if let (Origin::Own, Some(keys), Some(defined)) = (self.origin, &keys, defined) {
            keys::unused(findings, at.path, keys, defined);
        }
        Some(IndexSpec { name: name?, key_schema: keys?.schema(), projection: projection?, ..spec })
    }

    /// What an index may do without: capacity, and words for people.
    fn read_settings(&self, findings: &mut Findings, object: &Object<'_, '_>, spec: &mut IndexSpec) {
        if let Origin::Description(_) = self.origin {
            (spec.provisioned, spec.on_demand) = throughput::described(object);
            return;
        }
        if let Origin::Request(_) | Origin::Template(_) = self.origin {
            findings.ignored(object, IGNORED_FIELDS);
        }
        if !self.is_computed(findings, object, "ProvisionedThroughput") {
            spec.provisioned = throughput::provisioned(findings, object);
        }
        if !self.is_computed(findings, object, "OnDemandThroughput") {
            spec.on_demand = throughput::on_demand(findings, object);
        }
        if !self.is_computed(findings, object, "WarmThroughput") {
            spec.warm = throughput::warm(findings, object);
        }
        if let Origin::Own = self.origin {
            spec.description = object.text(findings, "Description");
            spec.estimated_impact = object.text(findings, "EstimatedImpact");
            spec.required_by = object.text(findings, "RequiredBy");
        }
    }

    /// Whether a setting of a template is computed, in whole or in part; that is told.
    fn is_computed(&self, findings: &mut Findings, object: &Object<'_, '_>, field: &'static str) -> bool {
        let Some(node) = object.optional(field).filter(|_| matches!(self.origin, Origin::Template(_))) else {
            return false;
        };
        let parts = match &node.value {
            super::tree::Value::Object(entries) => entries.as_slice(),
            _ => &[],
        };
        let is_computed =
            node.value.intrinsic().is_some() || parts.iter().any(|part| part.node.value.intrinsic().is_some());
        if is_computed {
            findings.warning(&Path::Field(object.at.path, field), node.offset, WarningKind::ComputedThroughput);
        }
        is_computed
    }

    fn name(&mut self, findings: &mut Findings, index: &Path<'_>, at: At<'_, '_>) -> Option<String> {
        let name = findings.string(at)?;
        check_name(findings, at.path, at.node.offset, name);
        if let Some(first) = self.names.get(name) {
            let kind = ProblemKind::DuplicateIndex { name: name.to_owned(), first: first.clone() };
            findings.problem(at.path, at.node.offset, kind);
        } else {
            self.names.insert(name.to_owned(), index.to_string());
        }
        Some(name.to_owned())
    }
}

/// The rules for names of tables and indexes (Developer Guide, "Naming rules").
pub(super) fn check_name(findings: &mut Findings, path: &Path<'_>, offset: usize, name: &str) {
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
