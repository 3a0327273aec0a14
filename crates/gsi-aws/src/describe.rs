//! What the service says about a table (`DescribeTable`), in plain types.
//!
//! Nothing of the AWS SDK is in here; the adapter translates. A status that this program does
//! not know is kept as text, since the service may learn new ones.
//!
//! Absent: local secondary indexes, streams, replicas; no rule here needs them.

mod form;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::spec::{AttributeTypes, IndexSpec, KeySchema, Projection, ProvisionedThroughput};

/// Where a table is in its life. Never a sign that an index is ready: the table is ACTIVE again
/// long before a new index is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TableStatus {
    /// `CREATING`.
    Creating,
    /// `UPDATING`: some change is in progress; for a new index, its resource allocation.
    Updating,
    /// `ACTIVE`.
    Active,
    /// `DELETING`.
    Deleting,
    /// Anything else, in the service's spelling, such as `ARCHIVED`.
    Other(String),
}

impl TableStatus {
    /// The status of an AWS spelling.
    pub fn from_aws(spelling: &str) -> Self {
        match spelling {
            "CREATING" => Self::Creating,
            "UPDATING" => Self::Updating,
            "ACTIVE" => Self::Active,
            "DELETING" => Self::Deleting,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The AWS spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
            Self::Other(spelling) => spelling,
        }
    }
}

impl fmt::Display for TableStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an index is in its life. Only `Active` can be queried.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IndexStatus {
    /// `CREATING`: resource allocation, then backfilling.
    Creating,
    /// `UPDATING`: its capacity is changing.
    Updating,
    /// `DELETING`.
    Deleting,
    /// `ACTIVE`.
    Active,
    /// Anything else, in the service's spelling.
    Other(String),
}

impl IndexStatus {
    /// The status of an AWS spelling.
    pub fn from_aws(spelling: &str) -> Self {
        match spelling {
            "CREATING" => Self::Creating,
            "UPDATING" => Self::Updating,
            "DELETING" => Self::Deleting,
            "ACTIVE" => Self::Active,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The AWS spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Active => "ACTIVE",
            Self::Other(spelling) => spelling,
        }
    }
}

impl fmt::Display for IndexStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a table is paid for. A table without a `BillingModeSummary` is PROVISIONED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// `PAY_PER_REQUEST`.
    OnDemand,
    /// `PROVISIONED`, with the table's own capacity.
    Provisioned {
        /// Read capacity units.
        read_units: i64,
        /// Write capacity units.
        write_units: i64,
    },
}

/// One table as the service describes it. As JSON it is what `describe-table` answers, the part in `Table`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "form::TableForm", try_from = "form::TableForm")]
pub struct TableDescription {
    /// The table's name.
    pub name: String,
    /// Where it is in its life.
    pub status: TableStatus,
    /// The table's own keys.
    pub key_schema: KeySchema,
    /// The types of the keys of the table and of all of its indexes.
    pub attributes: AttributeTypes,
    /// How it is paid for.
    pub billing: Billing,
    /// Items; about six hours old at AWS.
    pub item_count: Option<i64>,
    /// Bytes; about six hours old at AWS.
    pub size_bytes: Option<i64>,
    /// Global secondary indexes, in the service's order.
    pub indexes: Vec<IndexDescription>,
}

/// One global secondary index as the service describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDescription {
    /// The index's name.
    pub name: String,
    /// Where it is in its life.
    pub status: IndexStatus,
    /// While CREATING: false in resource allocation, true after it. Absent otherwise.
    pub backfilling: Option<bool>,
    /// Its keys.
    pub key_schema: KeySchema,
    /// What it holds besides the keys.
    pub projection: Projection,
    /// Items; about six hours old at AWS, and no measure of a backfill's progress.
    pub item_count: Option<i64>,
    /// Bytes; about six hours old at AWS.
    pub size_bytes: Option<i64>,
    /// Its capacity in a PROVISIONED table. The 0/0 that the service reports for an index of an
    /// on-demand table is no capacity: the adapter leaves it out.
    pub provisioned: Option<ProvisionedThroughput>,
}

impl TableDescription {
    /// The index of that name, in whatever status.
    pub fn index(&self, name: &str) -> Option<&IndexDescription> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The index whose change makes the service refuse to create or delete another one in this
    /// table. One under creation or deletion comes before one whose capacity changes, since it
    /// takes longer.
    ///
    /// ```
    /// # use gsi_aws::describe::*;
    /// # use gsi_aws::spec::*;
    /// # let index = |name: &str, status| IndexDescription {
    /// #     name: name.to_owned(), status, backfilling: None,
    /// #     key_schema: KeySchema::new(["a"], []), projection: Projection::All,
    /// #     item_count: None, size_bytes: None, provisioned: None,
    /// # };
    /// let table = TableDescription {
    ///     name: "bookings".to_owned(),
    ///     status: TableStatus::Active, // yet one of its indexes is still being built:
    ///     key_schema: KeySchema::new(["booking_id"], []),
    ///     attributes: AttributeTypes::default(),
    ///     billing: Billing::OnDemand,
    ///     item_count: None,
    ///     size_bytes: None,
    ///     indexes: vec![index("old", IndexStatus::Active), index("new", IndexStatus::Creating)],
    /// };
    /// assert_eq!(table.busy_index().unwrap().name, "new");
    /// ```
    pub fn busy_index(&self) -> Option<&IndexDescription> {
        let of = |wanted: &[IndexStatus]| self.indexes.iter().find(|index| wanted.contains(&index.status));
        of(&[IndexStatus::Creating, IndexStatus::Deleting]).or_else(|| of(&[IndexStatus::Updating]))
    }

    /// The definitions of its indexes, but for those that are being deleted: what this program would be
    /// told in order to make them.
    pub fn definitions(&self) -> impl Iterator<Item = IndexSpec> {
        self.remaining_indexes().map(|index| IndexSpec {
            table: self.name.clone(),
            name: index.name.clone(),
            key_schema: index.key_schema.clone(),
            attributes: index
                .key_schema
                .elements()
                .filter_map(|(name, _)| Some((name.to_owned(), self.attributes.get(name)?)))
                .collect(),
            projection: index.projection.clone(),
            provisioned: index.provisioned,
            on_demand: None,
            warm: None,
            description: None,
            estimated_impact: None,
            required_by: None,
        })
    }

    /// Indexes that will still be there when all deletions are done.
    pub fn remaining_indexes(&self) -> impl Iterator<Item = &IndexDescription> {
        self.indexes.iter().filter(|index| index.status != IndexStatus::Deleting)
    }
}

impl IndexDescription {
    /// Whether a query is answered.
    pub fn is_active(&self) -> bool {
        self.status == IndexStatus::Active
    }
}
