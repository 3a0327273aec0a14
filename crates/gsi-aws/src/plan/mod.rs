//! What a run would do, before it does it: every index with a verdict, the order, and a forecast.
//!
//! A plan describes each table once and asks for nothing else. It judges by the same functions as the run
//! ([`crate::compare`]), so what is refused here is refused there, and says in addition what a run would
//! find out only on its way: that the table is full once the indexes before this one are made.
//!
//! A [`Plan`] is a plain value. As JSON it holds the tables in the AWS spelling, so that a rehearsal can be
//! given tables like the real ones.
//!
//! ```
//! use gsi_aws::{describe::*, plan::*, spec::*};
//!
//! let definitions = Definitions::parse(r#"{"bookings": [{
//!     "IndexName": "by-flight",
//!     "KeySchema": [{"AttributeName": "flight_id", "KeyType": "HASH"}],
//!     "AttributeDefinitions": [{"AttributeName": "flight_id", "AttributeType": "S"}],
//!     "Projection": {"ProjectionType": "ALL"}
//! }]}"#, std::path::Path::new("gsis.json")).unwrap().definitions;
//! let table: TableDescription = serde_json::from_str(r#"{
//!     "TableName": "bookings", "TableStatus": "ACTIVE", "ItemCount": 8000000, "TableSizeBytes": 4000000000,
//!     "KeySchema": [{"AttributeName": "booking_id", "KeyType": "HASH"}],
//!     "AttributeDefinitions": [{"AttributeName": "booking_id", "AttributeType": "S"}],
//!     "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}
//! }"#).unwrap();
//! let specs: Vec<_> = definitions.iter().cloned().collect();
//! let plan = judge(&specs, &[("bookings".to_owned(), Ok(table))].into_iter().collect(), &PlanOptions::default());
//! assert_eq!(plan.tables[0].indexes[0].verdict, Verdict::Create);
//! assert_eq!(plan.forecast.seconds, Span { low: 706, high: 3980 });
//! assert!(plan.has_work() && !plan.has_obstacles());
//! ```

mod forecast;
mod judge;
mod order;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use gsi_state::{GsiKey, GsiStatus};
use serde::{Deserialize, Serialize};

pub(crate) use self::{forecast::time_ahead, order::side_by_side};
pub use self::{
    forecast::{Cost, Forecast, Span},
    judge::judge,
};
use crate::{api::IndexApi, describe::TableDescription, drift::describe_tables, spec::IndexSpec};

/// What a plan takes into account.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// What the state says of the indexes; one that it does not have is new.
    pub statuses: HashMap<GsiKey, GsiStatus>,
    /// Tables that the run works on at once; 250, as in [`RunOptions`](crate::RunOptions). At least 1.
    pub tables_parallel_max: usize,
    /// Tables described at once; 10. At least 1.
    pub looks_parallel_max: usize,
    /// Pause before a description that failed is tried again, three times in all; 1 s.
    pub pause: Duration,
    /// What a million write units cost, in any currency.
    pub price_per_million_writes: Option<f64>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            statuses: HashMap::new(),
            tables_parallel_max: 250,
            looks_parallel_max: 10,
            pause: Duration::from_secs(1),
            price_per_million_writes: None,
        }
    }
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The tables of the definitions, in their order.
    pub tables: Vec<TablePlan>,
    /// How many indexes have each verdict.
    pub counts: Counts,
    /// The tables with work ahead, in the order in which a run begins with them.
    pub order: Vec<String>,
    /// How many of them it works on at once.
    pub tables_parallel_max: usize,
    /// All of it, tables side by side.
    pub forecast: Forecast,
    /// The table that ends last, if there is work.
    pub critical_table: Option<String>,
    /// The price that the costs are reckoned with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_million_writes: Option<f64>,
}

/// What a run would do with one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TablePlan {
    /// Its name.
    pub table: String,
    /// As the service describes it; absent where it could not be described.
    pub described: Option<TableDescription>,
    /// Its indexes in the order of the definitions.
    pub indexes: Vec<IndexPlan>,
    /// All of its work, one index after the other; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
}

/// What a run would do with one index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexPlan {
    /// Its name.
    pub index: String,
    /// What would be done.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Its place among the work on its table, from 1; absent where nothing is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
    /// What is worth knowing and stands in nobody's way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// From its turn to ACTIVE; absent where nothing is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
}

/// What would be done with an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It would be asked for.
    Create,
    /// Something would be waited for first.
    Wait {
        /// What for.
        #[serde(rename = "for")]
        what: Waiting,
    },
    /// It is there as wanted, and the state does not know: recorded, and nothing else.
    Adopt,
    /// It is there as wanted, and was asked for by this job.
    Done,
    /// There is another one of its name.
    Conflict {
        /// At least one.
        differences: Vec<Mismatch>,
    },
    /// It would not be asked for.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// Its name, as in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Wait { .. } => "wait",
            Self::Adopt => "adopt",
            Self::Done => "done",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether the index would be asked for, now or after a wait.
    pub const fn creates(&self) -> bool {
        match self {
            Self::Create => true,
            Self::Wait { what } => !matches!(what, Waiting::Building { .. }),
            Self::Adopt | Self::Done | Self::Conflict { .. } | Self::Refused { .. } => false,
        }
    }
}

/// What is waited for. Displayed for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Waiting {
    /// The index itself is being built, as wanted.
    Building {
        /// `false`: resources are being allocated; `true`: items are being copied.
        backfilling: Option<bool>,
    },
    /// An index of its name is being deleted; then it is asked for.
    Deleting,
    /// An index that these definitions do not have is under way; then it is asked for.
    OtherIndex {
        /// Which.
        index: String,
        /// Its status, in the AWS spelling.
        status: String,
    },
    /// The table itself is changing; then it is asked for.
    Table {
        /// Its status, in the AWS spelling.
        status: String,
    },
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Building { backfilling: Some(false) } => f.write_str("it is being built (resources are allocated)"),
            Self::Building { backfilling: Some(true) } => f.write_str("it is being built (items are copied)"),
            Self::Building { backfilling: None } => f.write_str("it is changing"),
            Self::Deleting => f.write_str("an index of this name is being deleted; then it is created"),
            Self::OtherIndex { index, status } => {
                write!(f, "index `{index}` is {status}, and a table takes one at a time; then it is created")
            }
            Self::Table { status } => write!(f, "the table is {status}; then it is created"),
        }
    }
}

/// One respect in which the index that is there is not the wanted one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// Which: `key schema`, `projection`, or an attribute.
    pub what: String,
    /// As it is.
    pub is: String,
    /// As it is wanted.
    pub wanted: String,
}

/// How many indexes have each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named as the verdicts")]
pub struct Counts {
    pub create: usize,
    pub wait: usize,
    pub adopt: usize,
    pub done: usize,
    pub conflict: usize,
    pub refused: usize,
}

impl Plan {
    /// Every index with its table, in the order of the definitions.
    pub fn indexes(&self) -> impl Iterator<Item = (&TablePlan, &IndexPlan)> {
        self.tables.iter().flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
    }

    /// Whether something would be asked for, or waited for. Adopting changes nothing but the state.
    pub const fn has_work(&self) -> bool {
        self.counts.create + self.counts.wait > 0
    }

    /// Whether some index is in conflict, or refused.
    pub const fn has_obstacles(&self) -> bool {
        self.counts.conflict + self.counts.refused > 0
    }
}

/// Describes every table of `specs` once, side by side, and judges. A description that failed for a reason
/// that may pass is tried again.
pub async fn plan(api: Arc<dyn IndexApi>, specs: &[IndexSpec], options: &PlanOptions) -> Plan {
    let mut seen = HashSet::new();
    let names: Vec<String> =
        specs.iter().filter(|spec| seen.insert(spec.table.as_str())).map(|spec| spec.table.clone()).collect();
    let tables = describe_tables(api, names, options.looks_parallel_max, options.pause).await;
    judge(specs, &tables, options)
}
