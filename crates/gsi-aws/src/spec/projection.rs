//! The projection of an index.

use indexmap::IndexSet;

use super::{
    finding::{ProblemKind, WarningKind},
    keys::{Keys, attribute_name, choice},
    model::{PROJECTED_PER_INDEX_MAX, Projection},
    reader::{At, Findings, Object, Path},
};

const PROJECTION_FIELDS: &[&str] = &["ProjectionType", "NonKeyAttributes"];

/// Reads `Projection`.
pub(super) fn projection(findings: &mut Findings, keys: Option<&Keys>, at: At<'_, '_>) -> Option<Projection> {
    let object = findings.object(at, PROJECTION_FIELDS)?;
    let kind = object.read_required(findings, "ProjectionType", |findings, at| {
        choice(findings, at, "ALL, KEYS_ONLY, INCLUDE", |found| match found {
            "ALL" => Some(Projection::All),
            "KEYS_ONLY" => Some(Projection::KeysOnly),
            "INCLUDE" => Some(Projection::Include(IndexSet::new())),
            _ => None,
        })
    })?;
    if !matches!(kind, Projection::Include(_)) {
        refuse_attributes(findings, &object, kind.type_str());
        return Some(kind);
    }
    let attributes = match object.optional("NonKeyAttributes") {
        None => IndexSet::new(),
        Some(node) => {
            let path = Path::Field(at.path, "NonKeyAttributes");
            non_key_attributes(findings, keys, At { path: &path, node })?
        }
    };
    if attributes.is_empty() {
        findings.problem(at.path, at.node.offset, ProblemKind::IncludeNothing);
    }
    Some(Projection::Include(attributes))
}

/// ALL and `KEYS_ONLY` take no list; an empty one is no harm, and is what some exports write.
fn refuse_attributes(findings: &mut Findings, object: &Object<'_, '_>, projection: &'static str) {
    object.read_optional(findings, "NonKeyAttributes", |findings, at| {
        if !findings.list(at)?.is_empty() {
            let kind = ProblemKind::AttributesWithoutInclude { projection };
            findings.problem(at.path, at.node.offset, kind);
        }
        Some(())
    });
}

fn non_key_attributes(findings: &mut Findings, keys: Option<&Keys>, at: At<'_, '_>) -> Option<IndexSet<String>> {
    let items = findings.list(at)?;
    if items.len() > PROJECTED_PER_INDEX_MAX {
        let kind = ProblemKind::TooManyProjected { count: items.len() };
        findings.problem(at.path, at.node.offset, kind);
    }
    let mut attributes = IndexSet::new();
    for (position, node) in items.iter().enumerate() {
        let path = Path::Item(at.path, position);
        let Some((attribute, offset)) = attribute_name(findings, At { path: &path, node }) else {
            continue;
        };
        if keys.is_some_and(|keys| keys.contains(&attribute)) {
            let kind = WarningKind::ProjectedKey { attribute: attribute.clone() };
            findings.warning(&path, offset, kind);
        }
        if attributes.contains(&attribute) {
            findings.problem(&path, offset, ProblemKind::RepeatedProjected { attribute });
        } else {
            attributes.insert(attribute);
        }
    }
    Some(attributes)
}
