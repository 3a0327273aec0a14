//! A wanted index against the table as it is.
//!
//! Pure functions: what differs ([`compare`]), what the service would refuse ([`refusal`]), and
//! which capacity is to be sent ([`throughput_for`], [`on_demand_for`]).
//!
//! Indexes are matched by name, never by position. Capacity is never a difference: the service
//! fills it in (an on-demand index reports warm throughput 12000/4000 that nobody set) and
//! autoscaling changes it.

use std::fmt;

use crate::{
    describe::{Billing, IndexDescription, IndexStatus, TableDescription, TableStatus},
    spec::{
        AttributeType, INDEXES_PER_TABLE_MAX, IndexSpec, KEYS_PER_ROLE_MAX, KeySchema, OnDemandThroughput,
        PROJECTED_PER_TABLE_MAX, Projection, shown,
    },
};

/// How a wanted index stands to the index of its name in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The table has no index of that name.
    Missing,
    /// It is the wanted one.
    Same {
        /// Where it is in its life.
        status: IndexStatus,
        /// See [`IndexDescription::backfilling`].
        backfilling: Option<bool>,
    },
    /// It is another one under the same name. It cannot be changed into the wanted one, only
    /// deleted and created anew.
    Different {
        /// Where it is in its life; one that is DELETING will soon not be in the way.
        status: IndexStatus,
        /// At least one.
        differences: Vec<Difference>,
    },
}

/// One respect in which an index is not the wanted one. Displayed for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The keys, or their order.
    KeySchema {
        /// In the table.
        is: KeySchema,
        /// In the definition.
        wanted: KeySchema,
    },
    /// The type of a key attribute.
    AttributeType {
        /// The attribute.
        attribute: String,
        /// In the table; absent if the table does not define it.
        is: Option<AttributeType>,
        /// In the definition.
        wanted: AttributeType,
    },
    /// What the index holds besides the keys.
    Projection {
        /// In the table.
        is: Projection,
        /// In the definition.
        wanted: Projection,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeySchema { is, wanted } => write!(f, "key schema: is {is}; wanted {wanted}"),
            Self::AttributeType { attribute, is: Some(is), wanted } => {
                write!(f, "attribute {}: is {is}, wanted {wanted}", shown(attribute))
            }
            Self::AttributeType { attribute, is: None, wanted } => {
                write!(f, "attribute {}: is not defined, wanted {wanted}", shown(attribute))
            }
            Self::Projection { is, wanted } => write!(f, "projection: is {is}, wanted {wanted}"),
        }
    }
}

/// Compares a wanted index with the index of its name in `table`.
///
/// Key schema in order, types of the keys against the table's attribute definitions,
/// projection with its attributes as a set (the service sorts them). Nothing else counts.
pub fn compare(spec: &IndexSpec, table: &TableDescription) -> Comparison {
    let Some(index) = table.index(&spec.name) else { return Comparison::Missing };
    let differences = differences(spec, index, table);
    let status = index.status.clone();
    if differences.is_empty() {
        Comparison::Same { status, backfilling: index.backfilling }
    } else {
        Comparison::Different { status, differences }
    }
}

fn differences(spec: &IndexSpec, index: &IndexDescription, table: &TableDescription) -> Vec<Difference> {
    let mut differences = Vec::new();
    if index.key_schema != spec.key_schema {
        differences.push(Difference::KeySchema { is: index.key_schema.clone(), wanted: spec.key_schema.clone() });
    }
    // Only keys that the index has: of another key the key schema has told already.
    for (attribute, wanted) in spec.attributes.iter() {
        let is = table.attributes.get(attribute);
        if index.key_schema.contains(attribute) && is != Some(wanted) {
            let attribute = attribute.to_owned();
            differences.push(Difference::AttributeType { attribute, is, wanted });
        }
    }
    if index.projection != spec.projection {
        differences.push(Difference::Projection { is: index.projection.clone(), wanted: spec.projection.clone() });
    }
    differences
}

/// Why the creation of an index must not be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table defines the attribute with another type. DynamoDB would not refuse: it keeps
    /// the table's type without a word and builds an index of that type.
    #[error(
        "attribute {} is {is} in table `{table}` and {wanted} in the definition; DynamoDB would silently keep {is}",
        shown(attribute)
    )]
    AttributeType {
        /// The table.
        table: String,
        /// The attribute.
        attribute: String,
        /// In the table.
        is: AttributeType,
        /// In the definition.
        wanted: AttributeType,
    },
    /// The table is about to go.
    #[error("table `{table}` is being deleted")]
    TableGoes {
        /// The table.
        table: String,
    },
    /// The key schema is none.
    #[error(
        "{hash} HASH and {range} RANGE attributes; an index has 1 to {KEYS_PER_ROLE_MAX}, and at most {KEYS_PER_ROLE_MAX}"
    )]
    Keys {
        /// Its HASH attributes.
        hash: usize,
        /// Its RANGE attributes.
        range: usize,
    },
    /// Neither the definition nor the table says how much capacity the index gets; the service insists on it.
    #[error("table `{table}` is PROVISIONED, and neither its throughput nor that of the index is known")]
    NoThroughput {
        /// The table.
        table: String,
    },
    /// The table is full.
    #[error("table `{table}` has {count} global secondary indexes, as many as it can have")]
    TooManyIndexes {
        /// The table.
        table: String,
        /// Its indexes, without those that are being deleted.
        count: usize,
    },
    /// The table's INCLUDE projections would name too many attributes.
    #[error(
        "the indexes of table `{table}` would project {count} attributes by name; {PROJECTED_PER_TABLE_MAX} are allowed in sum"
    )]
    TooManyProjected {
        /// The table.
        table: String,
        /// The sum with this index.
        count: usize,
    },
}

/// What is known to go wrong if the index were created now. To be asked before `UpdateTable`.
///
/// An index that exists and stays is not created again, so only its types are judged here (and
/// [`compare`] has the rest). Indexes under deletion do not count: creation waits for them.
///
/// The limit of 20 indexes is the default quota, which AWS raises on request: a table that
/// already has more shows that its quota is higher, and the service decides.
pub fn refusal(spec: &IndexSpec, table: &TableDescription) -> Option<Refusal> {
    let name = || table.name.clone();
    if table.status == TableStatus::Deleting {
        return Some(Refusal::TableGoes { table: name() });
    }
    let (hash, range) = (spec.key_schema.hash.len(), spec.key_schema.range.len());
    if hash == 0 || hash > KEYS_PER_ROLE_MAX || range > KEYS_PER_ROLE_MAX {
        return Some(Refusal::Keys { hash, range });
    }
    for (attribute, wanted) in spec.attributes.iter() {
        if let Some(is) = lasting_type(table, attribute).filter(|is| *is != wanted) {
            let attribute = attribute.to_owned();
            return Some(Refusal::AttributeType { table: name(), attribute, is, wanted });
        }
    }
    if table.remaining_indexes().any(|index| index.name == spec.name) {
        return None;
    }
    if throughput_for(spec, table).is_some_and(|(read_units, write_units)| read_units < 1 || write_units < 1) {
        return Some(Refusal::NoThroughput { table: name() });
    }
    let count = table.remaining_indexes().count();
    if count == INDEXES_PER_TABLE_MAX {
        return Some(Refusal::TooManyIndexes { table: name(), count });
    }
    let existing: usize = table.remaining_indexes().map(|index| index.projection.named_count()).sum();
    let wanted = spec.projection.named_count();
    let count = existing + wanted;
    (wanted > 0 && count > PROJECTED_PER_TABLE_MAX).then(|| Refusal::TooManyProjected { table: name(), count })
}

/// The type of `attribute` in the table, unless its definition goes away together with the
/// indexes that are being deleted.
fn lasting_type(table: &TableDescription, attribute: &str) -> Option<AttributeType> {
    let is_key = |index: &IndexDescription| index.key_schema.contains(attribute);
    let stays = table.key_schema.contains(attribute) || table.remaining_indexes().any(is_key);
    // An attribute that is nobody's key here is the key of a local index, and stays.
    let goes = !stays && table.indexes.iter().any(is_key);
    table.attributes.get(attribute).filter(|_| !goes)
}

/// The read and write capacity units to send when the index is created.
///
/// In a PROVISIONED table the definition's, else the table's own, since the service insists on
/// both. In an on-demand table none: the service refuses an index with any.
pub fn throughput_for(spec: &IndexSpec, table: &TableDescription) -> Option<(i64, i64)> {
    match table.billing {
        Billing::OnDemand => None,
        Billing::Provisioned { read_units, write_units } => {
            Some(spec.provisioned.map_or((read_units, write_units), |own| (own.read_units, own.write_units)))
        }
    }
}

/// The on-demand ceiling to send when the index is created: the definition's, in an on-demand
/// table. A PROVISIONED table is refused with any.
pub fn on_demand_for(spec: &IndexSpec, table: &TableDescription) -> Option<OnDemandThroughput> {
    match table.billing {
        Billing::OnDemand => spec.on_demand,
        Billing::Provisioned { .. } => None,
    }
}

/// A setting of the definition that is not sent, because the table's billing mode forbids it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unused {
    /// The table is on-demand.
    #[error("`ProvisionedThroughput` is not used: the table is on-demand")]
    ProvisionedThroughput,
    /// The table is PROVISIONED.
    #[error("`OnDemandThroughput` is not used: the table is PROVISIONED")]
    OnDemandThroughput,
}

/// The setting of the definition that [`throughput_for`] or [`on_demand_for`] leaves out. Worth
/// a warning, not a failure: one file may serve tables of either mode.
pub fn unused_setting(spec: &IndexSpec, table: &TableDescription) -> Option<Unused> {
    match table.billing {
        Billing::OnDemand => spec.provisioned.map(|_| Unused::ProvisionedThroughput),
        Billing::Provisioned { .. } => spec.on_demand.map(|_| Unused::OnDemandThroughput),
    }
}

#[cfg(test)]
mod tests;
