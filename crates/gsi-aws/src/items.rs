//! The port to a table's items: what the key-violation pre-flight scans and the validation queries.
//!
//! Reads only, and no item is ever needed whole. The adapter for the AWS SDK is [`crate::sdk`].

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;

use crate::{api::ApiError, spec::AttributeType};

/// The calls that read items.
///
/// Promises of every implementation, like those of [`IndexApi`](crate::IndexApi):
///
/// 1. One call here is at most one request there.
/// 2. Names are sent as placeholders only, so that reserved words and odd characters are no matter.
/// 3. Values keep their type: the text of a number is sent as a number.
#[async_trait]
pub trait ItemApi: Send + Sync {
    /// Reads one page of a table (`Scan`).
    async fn scan_page(&self, request: &ScanPage<'_>) -> Result<Page, ApiError>;

    /// Reads attributes of one item (`GetItem`, strongly consistent); `None` where there is no such item.
    async fn get_item(&self, table: &str, key: &Item, projection: &[&str]) -> Result<Option<Item>, ApiError>;

    /// Reads one page of an index (`Query`, `Select=COUNT`, `ReturnConsumedCapacity=INDEXES`).
    async fn query_index(&self, request: &QueryIndex<'_>) -> Result<QueryAnswer, ApiError>;
}

/// The value of an attribute, as far as keys go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeValue {
    /// `S`.
    String(String),
    /// `N`, in the digits of the service.
    Number(String),
    /// `B`.
    Binary(Vec<u8>),
    /// A type that cannot be a key, in the AWS spelling: `BOOL`, `NULL`, `L`, `M`, `SS`, `NS`, `BS`.
    Other(&'static str),
}

impl AttributeValue {
    /// The type where it can be a key's.
    pub const fn key_type(&self) -> Option<AttributeType> {
        match self {
            Self::String(_) => Some(AttributeType::String),
            Self::Number(_) => Some(AttributeType::Number),
            Self::Binary(_) => Some(AttributeType::Binary),
            Self::Other(_) => None,
        }
    }

    /// The AWS spelling of the type.
    pub const fn type_str(&self) -> &'static str {
        match self {
            Self::Other(kind) => kind,
            Self::String(_) => "S",
            Self::Number(_) => "N",
            Self::Binary(_) => "B",
        }
    }
}

/// For people: text in quotes, a number as it is, bytes as hexadecimal digits.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Binary(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Other(kind) => write!(f, "a value of type {kind}"),
        }
    }
}

/// Attributes of one item by name: those that were asked for and that it has.
pub type Item = BTreeMap<String, AttributeValue>;

/// A request for one page of a table.
///
/// ```
/// use gsi_aws::ScanPage;
/// let first = ScanPage { limit: Some(100), projection: &["id", "flight"], ..ScanPage::of("bookings") };
/// assert!(first.start_key.is_none() && first.segment.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ScanPage<'a> {
    /// The table.
    pub table: &'a str,
    /// The part of the table, for parallel scans: (number from 0, how many parts there are).
    pub segment: Option<(u32, u32)>,
    /// The [`Page::next_key`] of the page before.
    pub start_key: Option<&'a Item>,
    /// Items to look at, at most; the service looks at 1 MB at most.
    pub limit: Option<u32>,
    /// The attributes wanted.
    pub projection: &'a [&'a str],
    /// Only items that have these attributes, with these types. What is left out counts as looked at, and costs.
    pub having: &'a [(&'a str, AttributeType)],
}

impl<'a> ScanPage<'a> {
    /// The first page of a table, with no attribute of its items yet.
    pub const fn of(table: &'a str) -> Self {
        Self { table, segment: None, start_key: None, limit: None, projection: &[], having: &[] }
    }
}

/// One page of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The items that are left after the filter.
    pub items: Vec<Item>,
    /// How many items were looked at.
    pub scanned: u64,
    /// Where the next page begins; `None` after the last one.
    pub next_key: Option<Item>,
    /// Read units used, where the service says so.
    pub read_units: Option<f64>,
}

/// A request for one page of an index.
#[derive(Clone, Debug)]
pub struct QueryIndex<'a> {
    /// The table.
    pub table: &'a str,
    /// The index.
    pub index: &'a str,
    /// Equality on keys of the index: on all HASH attributes, then on as many RANGE attributes, in order.
    pub keys: &'a [(&'a str, &'a AttributeValue)],
    /// Equality on other attributes. What is left out counts as looked at, and costs.
    pub filter: &'a [(&'a str, &'a AttributeValue)],
    /// Items to look at, at most.
    pub limit: u32,
    /// The [`QueryAnswer::next_key`] of the page before.
    pub start_key: Option<&'a Item>,
}

/// One page of an index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryAnswer {
    /// Items that are left after the filter.
    pub count: u64,
    /// Items that were looked at.
    pub scanned: u64,
    /// Where the next page begins; `None` after the last one.
    pub next_key: Option<Item>,
    /// Whose capacity was consumed.
    pub consumed: Consumed,
}

/// Whose capacity a query consumed, in read units. An index that was read stands with a number here, and
/// be it 0; one that was not read is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Consumed {
    /// The index that was asked for.
    pub index: Option<f64>,
    /// The table itself.
    pub table: Option<f64>,
}
