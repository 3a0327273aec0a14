//! A table description in the AWS spelling, as `describe-table` answers it, for any serde format.
//!
//! What is written here reads back as the same description. Fields that this crate has no use for are
//! passed over; a key type, attribute type or projection that it does not know is an error.

use serde::{Deserialize, Serialize};

use super::{Billing, IndexDescription, IndexStatus, TableDescription, TableStatus};
use crate::spec::{AttributeType, AttributeTypes, KeyRole, KeySchema, Projection, ProvisionedThroughput};

const ON_DEMAND: &str = "PAY_PER_REQUEST";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TableForm {
    table_name: String,
    #[serde(default = "active")]
    table_status: String,
    key_schema: Vec<KeyForm>,
    attribute_definitions: Vec<AttributeForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_mode_summary: Option<BillingForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<ThroughputForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_size_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    global_secondary_indexes: Vec<IndexForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexForm {
    index_name: String,
    #[serde(default = "active")]
    index_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backfilling: Option<bool>,
    key_schema: Vec<KeyForm>,
    projection: ProjectionForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<ThroughputForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_size_bytes: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyForm {
    attribute_name: String,
    key_type: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeForm {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BillingForm {
    billing_mode: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ThroughputForm {
    #[serde(default)]
    read_capacity_units: i64,
    #[serde(default)]
    write_capacity_units: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectionForm {
    projection_type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    non_key_attributes: Vec<String>,
}

fn active() -> String {
    TableStatus::Active.as_str().to_owned()
}

impl From<TableDescription> for TableForm {
    fn from(table: TableDescription) -> Self {
        let throughput = match table.billing {
            Billing::OnDemand => None,
            Billing::Provisioned { read_units, write_units } => {
                Some(ThroughputForm { read_capacity_units: read_units, write_capacity_units: write_units })
            }
        };
        // As at AWS, where a table that is PROVISIONED since it was made has no summary.
        let summary = throughput.is_none().then(|| BillingForm { billing_mode: Some(ON_DEMAND.to_owned()) });
        Self {
            table_name: table.name,
            table_status: table.status.as_str().to_owned(),
            key_schema: key_forms(&table.key_schema),
            attribute_definitions: table
                .attributes
                .iter()
                .map(|(name, kind)| AttributeForm {
                    attribute_name: name.to_owned(),
                    attribute_type: kind.as_str().to_owned(),
                })
                .collect(),
            billing_mode_summary: summary,
            provisioned_throughput: throughput,
            item_count: table.item_count,
            table_size_bytes: table.size_bytes,
            global_secondary_indexes: table.indexes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<IndexDescription> for IndexForm {
    fn from(index: IndexDescription) -> Self {
        let non_key_attributes = match &index.projection {
            Projection::Include(names) => names.iter().cloned().collect(),
            Projection::All | Projection::KeysOnly => Vec::new(),
        };
        Self {
            index_name: index.name,
            index_status: index.status.as_str().to_owned(),
            backfilling: index.backfilling,
            key_schema: key_forms(&index.key_schema),
            projection: ProjectionForm { projection_type: index.projection.type_str().to_owned(), non_key_attributes },
            provisioned_throughput: index.provisioned.map(|own| ThroughputForm {
                read_capacity_units: own.read_units,
                write_capacity_units: own.write_units,
            }),
            item_count: index.item_count,
            index_size_bytes: index.size_bytes,
        }
    }
}

fn key_forms(schema: &KeySchema) -> Vec<KeyForm> {
    let form =
        |(name, role): (&str, KeyRole)| KeyForm { attribute_name: name.to_owned(), key_type: role.as_str().to_owned() };
    schema.elements().map(form).collect()
}

impl TryFrom<TableForm> for TableDescription {
    type Error = String;

    fn try_from(form: TableForm) -> Result<Self, String> {
        let attribute = |AttributeForm { attribute_name, attribute_type }| {
            let kind = AttributeType::from_aws(&attribute_type)
                .ok_or_else(|| format!("the attribute type `{attribute_type}` is unknown"))?;
            Ok::<_, String>((attribute_name, kind))
        };
        let mode = form.billing_mode_summary.and_then(|summary| summary.billing_mode);
        let billing = if mode.as_deref() == Some(ON_DEMAND) {
            Billing::OnDemand
        } else {
            let units = form.provisioned_throughput;
            let (read_units, write_units) =
                units.map_or((0, 0), |units| (units.read_capacity_units, units.write_capacity_units));
            Billing::Provisioned { read_units, write_units }
        };
        Ok(Self {
            name: form.table_name,
            status: TableStatus::from_aws(&form.table_status),
            key_schema: key_schema(form.key_schema)?,
            attributes: form.attribute_definitions.into_iter().map(attribute).collect::<Result<AttributeTypes, _>>()?,
            billing,
            item_count: form.item_count,
            size_bytes: form.table_size_bytes,
            indexes: form.global_secondary_indexes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<IndexForm> for IndexDescription {
    type Error = String;

    fn try_from(form: IndexForm) -> Result<Self, String> {
        let projection = match form.projection.projection_type.as_str() {
            "ALL" => Projection::All,
            "KEYS_ONLY" => Projection::KeysOnly,
            "INCLUDE" => Projection::include(form.projection.non_key_attributes),
            other => return Err(format!("the projection type `{other}` is unknown")),
        };
        let provisioned = form.provisioned_throughput.map(|units| ProvisionedThroughput {
            read_units: units.read_capacity_units,
            write_units: units.write_capacity_units,
        });
        Ok(Self {
            name: form.index_name,
            status: IndexStatus::from_aws(&form.index_status),
            backfilling: form.backfilling,
            key_schema: key_schema(form.key_schema)?,
            projection,
            item_count: form.item_count,
            size_bytes: form.index_size_bytes,
            // An index of an on-demand table is said to have 0/0, which is none.
            provisioned: provisioned.filter(|units| units.read_units > 0 && units.write_units > 0),
        })
    }
}

fn key_schema(keys: Vec<KeyForm>) -> Result<KeySchema, String> {
    let (mut hash, mut range) = (Vec::new(), Vec::new());
    for KeyForm { attribute_name, key_type } in keys {
        match [KeyRole::Hash, KeyRole::Range].into_iter().find(|role| role.as_str() == key_type) {
            Some(KeyRole::Hash) => hash.push(attribute_name),
            Some(KeyRole::Range) => range.push(attribute_name),
            None => return Err(format!("the key type `{key_type}` is unknown")),
        }
    }
    Ok(KeySchema::new(hash, range))
}
