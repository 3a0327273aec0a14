//! The three capacity settings of an index.

use super::{
    finding::ProblemKind,
    model::{OnDemandThroughput, ProvisionedThroughput, WarmThroughput},
    reader::{At, Findings, Object},
    tree::Value,
};

const PROVISIONED_FIELDS: &[&str] = &["ReadCapacityUnits", "WriteCapacityUnits"];
const ON_DEMAND_FIELDS: &[&str] = &["MaxReadRequestUnits", "MaxWriteRequestUnits"];
const WARM_FIELDS: &[&str] = &["ReadUnitsPerSecond", "WriteUnitsPerSecond"];

/// Reads `ProvisionedThroughput`: both units, each at least 1.
pub(super) fn provisioned(findings: &mut Findings, index: &Object<'_, '_>) -> Option<ProvisionedThroughput> {
    index.read_optional(findings, "ProvisionedThroughput", |findings, at| {
        let object = findings.object(at, PROVISIONED_FIELDS)?;
        let read = object.read_required(findings, "ReadCapacityUnits", at_least_1);
        let write = object.read_required(findings, "WriteCapacityUnits", at_least_1);
        Some(ProvisionedThroughput { read_units: read?, write_units: write? })
    })
}

/// Reads `OnDemandThroughput`: one unit or both, each at least 1, or -1 for "no ceiling".
pub(super) fn on_demand(findings: &mut Findings, index: &Object<'_, '_>) -> Option<OnDemandThroughput> {
    index.read_optional(findings, "OnDemandThroughput", |findings, at| {
        let object = findings.object(at, ON_DEMAND_FIELDS)?;
        require_one(findings, &object, "`MaxReadRequestUnits` and `MaxWriteRequestUnits`", ON_DEMAND_FIELDS);
        let max_read_units = object.read_optional(findings, "MaxReadRequestUnits", at_least_1_or_none);
        let max_write_units = object.read_optional(findings, "MaxWriteRequestUnits", at_least_1_or_none);
        Some(OnDemandThroughput { max_read_units, max_write_units })
    })
}

/// Reads `WarmThroughput`: one unit or both, each at least 1.
pub(super) fn warm(findings: &mut Findings, index: &Object<'_, '_>) -> Option<WarmThroughput> {
    index.read_optional(findings, "WarmThroughput", |findings, at| {
        let object = findings.object(at, WARM_FIELDS)?;
        require_one(findings, &object, "`ReadUnitsPerSecond` and `WriteUnitsPerSecond`", WARM_FIELDS);
        let read_units_per_second = object.read_optional(findings, "ReadUnitsPerSecond", at_least_1);
        let write_units_per_second = object.read_optional(findings, "WriteUnitsPerSecond", at_least_1);
        Some(WarmThroughput { read_units_per_second, write_units_per_second })
    })
}

/// What a `describe-table` answer says of the throughput of an index: 0/0 is none, and nothing in it is
/// wrong. The warm throughput is the service's own doing.
pub(super) fn described(index: &Object<'_, '_>) -> (Option<ProvisionedThroughput>, Option<OnDemandThroughput>) {
    let units = |field: &str, name: &str, minimum: i64| match index.optional(field)?.value.field(name)?.value {
        Value::Integer(units) => i64::try_from(units).ok().filter(|units| *units != 0 && *units >= minimum),
        _ => None,
    };
    let provisioned = |name| units("ProvisionedThroughput", name, 1);
    let on_demand = |name| units("OnDemandThroughput", name, -1);
    let (read_units, write_units) = (provisioned("ReadCapacityUnits"), provisioned("WriteCapacityUnits"));
    let (max_read_units, max_write_units) = (on_demand("MaxReadRequestUnits"), on_demand("MaxWriteRequestUnits"));
    let has_ceiling = max_read_units.or(max_write_units).is_some();
    (
        read_units.zip(write_units).map(|(read_units, write_units)| ProvisionedThroughput { read_units, write_units }),
        has_ceiling.then_some(OnDemandThroughput { max_read_units, max_write_units }),
    )
}

fn require_one(findings: &mut Findings, object: &Object<'_, '_>, fields: &'static str, names: &[&str]) {
    if names.iter().all(|name| object.optional(name).is_none()) {
        let at = object.at;
        findings.problem(at.path, at.node.offset, ProblemKind::NoneOf { fields });
    }
}

fn at_least_1_or_none(findings: &mut Findings, at: At<'_, '_>) -> Option<i64> {
    if at.node.value == Value::Integer(-1) {
        return Some(-1);
    }
    at_least_1(findings, at)
}

fn at_least_1(findings: &mut Findings, at: At<'_, '_>) -> Option<i64> {
    let value = findings.integer(at)?;
    let kind = match i64::try_from(value) {
        Ok(units) if units >= 1 => return Some(units),
        _ if value < 1 => ProblemKind::TooSmall { value, minimum: 1 },
        _ => ProblemKind::TooLargeNumber { value },
    };
    findings.problem(at.path, at.node.offset, kind);
    None
}
