//! Definitions in the AWS API's own spelling, for any serde format.
//!
//! What is written here reads back as the same definitions. Absent settings are left out. The
//! types of this file are the file's form, not the domain's.

use indexmap::IndexSet;
use serde::{Serialize, Serializer};

use super::{
    Definitions,
    model::{
        AttributeTypes, IndexSpec, KeySchema, OnDemandThroughput, Projection, ProvisionedThroughput, WarmThroughput,
    },
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IndexForm<'s> {
    index_name: &'s str,
    key_schema: &'s KeySchema,
    attribute_definitions: &'s AttributeTypes,
    projection: &'s Projection,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<ProvisionedForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_demand_throughput: Option<OnDemandForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_throughput: Option<WarmForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_impact: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_by: Option<&'s str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyForm<'s> {
    attribute_name: &'s str,
    key_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeForm<'s> {
    attribute_name: &'s str,
    attribute_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectionForm<'s> {
    projection_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    non_key_attributes: Option<&'s IndexSet<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProvisionedForm {
    read_capacity_units: i64,
    write_capacity_units: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnDemandForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_read_request_units: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_write_request_units: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WarmForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    read_units_per_second: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_units_per_second: Option<i64>,
}

impl Serialize for Definitions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.tables())
    }
}

impl Serialize for IndexSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = IndexForm {
            index_name: &self.name,
            key_schema: &self.key_schema,
            attribute_definitions: &self.attributes,
            projection: &self.projection,
            provisioned_throughput: self.provisioned.map(|ProvisionedThroughput { read_units, write_units }| {
                ProvisionedForm { read_capacity_units: read_units, write_capacity_units: write_units }
            }),
            on_demand_throughput: self.on_demand.map(|OnDemandThroughput { max_read_units, max_write_units }| {
                OnDemandForm { max_read_request_units: max_read_units, max_write_request_units: max_write_units }
            }),
            warm_throughput: self.warm.map(|WarmThroughput { read_units_per_second, write_units_per_second }| {
                WarmForm { read_units_per_second, write_units_per_second }
            }),
            description: self.description.as_deref(),
            estimated_impact: self.estimated_impact.as_deref(),
            required_by: self.required_by.as_deref(),
        };
        form.serialize(serializer)
    }
}

impl Serialize for KeySchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.elements().map(|(attribute_name, role)| KeyForm { attribute_name, key_type: role.as_str() }),
        )
    }
}

impl Serialize for AttributeTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.iter().map(|(attribute_name, kind)| AttributeForm { attribute_name, attribute_type: kind.as_str() }),
        )
    }
}

impl Serialize for Projection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let non_key_attributes = match self {
            Self::All | Self::KeysOnly => None,
            Self::Include(attributes) => Some(attributes),
        };
        ProjectionForm { projection_type: self.type_str(), non_key_attributes }.serialize(serializer)
    }
}
