//! What an index is: key schema, attribute types, projection, capacity.
//!
//! The same types describe what a definitions file wants and what the service has
//! ([`crate::describe`]), so that the two can be compared. They know neither a file format nor
//! the AWS SDK. Their `Display` is the short form for people; the AWS spelling as JSON is in
//! `export.rs`.
//!
//! The limits are those of the DynamoDB API reference (`CreateGlobalSecondaryIndexAction`,
//! `Projection`) and its service quotas page.

use std::fmt;

use indexmap::{IndexMap, IndexSet};

/// Most HASH attributes of one index; the same number of RANGE attributes may follow.
pub const KEYS_PER_ROLE_MAX: usize = 4;
/// Most attributes that one INCLUDE projection may name.
pub const PROJECTED_PER_INDEX_MAX: usize = 20;
/// Most attributes that the INCLUDE projections of one table may name in sum.
pub const PROJECTED_PER_TABLE_MAX: usize = 100;
/// Global secondary indexes of one table, by the default quota.
pub const INDEXES_PER_TABLE_MAX: usize = 20;

/// The part that an attribute plays in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// Partition key: a query gives its exact value.
    Hash,
    /// Sort key.
    Range,
}

impl KeyRole {
    /// The AWS spelling: `HASH` or `RANGE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hash => "HASH",
            Self::Range => "RANGE",
        }
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key attributes of a table or an index, in order.
///
/// Two lists rather than one, so that a RANGE attribute before a HASH attribute cannot be spelled.
///
/// ```
/// use gsi_aws::spec::KeySchema;
///
/// let keys = KeySchema::new(["passenger_id"], ["flight_id"]);
/// assert_eq!(keys.to_string(), "passenger_id HASH, flight_id RANGE");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeySchema {
    /// Partition key attributes: one to four in an index, one in a table.
    pub hash: Vec<String>,
    /// Sort key attributes: none to four in an index, at most one in a table.
    pub range: Vec<String>,
}

impl KeySchema {
    /// Makes a key schema of its HASH and its RANGE attributes.
    pub fn new<S: Into<String>>(hash: impl IntoIterator<Item = S>, range: impl IntoIterator<Item = S>) -> Self {
        Self { hash: hash.into_iter().map(Into::into).collect(), range: range.into_iter().map(Into::into).collect() }
    }

    /// All key attributes with their roles, HASH first.
    pub fn elements(&self) -> impl Iterator<Item = (&str, KeyRole)> {
        let hash = self.hash.iter().map(|name| (name.as_str(), KeyRole::Hash));
        let range = self.range.iter().map(|name| (name.as_str(), KeyRole::Range));
        hash.chain(range)
    }

    /// Whether `attribute` is one of the keys.
    pub fn contains(&self, attribute: &str) -> bool {
        self.elements().any(|(name, _)| name == attribute)
    }
}

impl fmt::Display for KeySchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, role)) in self.elements().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{} {role}", name.escape_debug())?;
        }
        Ok(())
    }
}

/// The type of a key attribute. Only these three can be keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeType {
    /// `S`, text.
    String,
    /// `N`, a number.
    Number,
    /// `B`, bytes.
    Binary,
}

impl AttributeType {
    /// The AWS spelling: `S`, `N` or `B`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }

    /// The type of an AWS spelling; nothing else is understood.
    pub fn from_aws(spelling: &str) -> Option<Self> {
        [Self::String, Self::Number, Self::Binary].into_iter().find(|kind| kind.as_str() == spelling)
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Key attributes and their types (`AttributeDefinitions`). Order is kept and has no meaning:
/// the service answers sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeTypes(IndexMap<String, AttributeType>);

impl AttributeTypes {
    /// The type of `attribute`, if it is defined.
    pub fn get(&self, attribute: &str) -> Option<AttributeType> {
        self.0.get(attribute).copied()
    }

    /// Defines `attribute`. Keeps an earlier definition and returns it, since DynamoDB does so.
    pub fn define(&mut self, attribute: impl Into<String>, kind: AttributeType) -> Option<AttributeType> {
        match self.0.entry(attribute.into()) {
            indexmap::map::Entry::Occupied(entry) => Some(*entry.get()),
            indexmap::map::Entry::Vacant(entry) => {
                entry.insert(kind);
                None
            }
        }
    }

    /// Every definition, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, AttributeType)> {
        self.0.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// How many attributes are defined.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no attribute is defined.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<String>> FromIterator<(S, AttributeType)> for AttributeTypes {
    /// The first definition of a name wins.
    fn from_iter<I: IntoIterator<Item = (S, AttributeType)>>(pairs: I) -> Self {
        let mut types = Self::default();
        for (name, kind) in pairs {
            types.define(name, kind);
        }
        types
    }
}

/// Which attributes an index holds besides the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projection {
    /// All of them.
    All,
    /// None of them.
    KeysOnly,
    /// The named ones: a set, though the order of the file is kept for display.
    Include(IndexSet<String>),
}

impl Projection {
    /// An INCLUDE projection of `attributes`.
    pub fn include<S: Into<String>>(attributes: impl IntoIterator<Item = S>) -> Self {
        Self::Include(attributes.into_iter().map(Into::into).collect())
    }

    /// The AWS spelling of the type: `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub const fn type_str(&self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::KeysOnly => "KEYS_ONLY",
            Self::Include(_) => "INCLUDE",
        }
    }

    /// How many attributes it names; they count against [`PROJECTED_PER_TABLE_MAX`].
    pub fn named_count(&self) -> usize {
        match self {
            Self::All | Self::KeysOnly => 0,
            Self::Include(attributes) => attributes.len(),
        }
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_str())?;
        if let Self::Include(attributes) = self {
            let names: Vec<_> = attributes.iter().map(|name| name.escape_debug().to_string()).collect();
            write!(f, " ({})", names.join(", "))?;
        }
        Ok(())
    }
}

/// Reserved capacity of an index of a PROVISIONED table, each at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvisionedThroughput {
    /// Read capacity units (one strongly consistent read of 4 KB a second).
    pub read_units: i64,
    /// Write capacity units (one write of 1 KB a second).
    pub write_units: i64,
}

/// Ceiling of an index of an on-demand table; at least one of the two is given.
/// Each is at least 1, or -1 for "no ceiling".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnDemandThroughput {
    /// Read request units a second.
    pub max_read_units: Option<i64>,
    /// Write request units a second.
    pub max_write_units: Option<i64>,
}

/// What the index must be able to serve at once; at least one of the two is given, each at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmThroughput {
    /// Read units a second.
    pub read_units_per_second: Option<i64>,
    /// Write units a second.
    pub write_units_per_second: Option<i64>,
}

/// One global secondary index as the definitions file wants it.
///
/// A value that [`Definitions::parse`](super::Definitions::parse) returned keeps all of the
/// rules of [`super`]; one built by hand is checked by the service only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// The table's name.
    pub table: String,
    /// The index's name, unique in its table.
    pub name: String,
    /// The keys.
    pub key_schema: KeySchema,
    /// The types of the key attributes, and of nothing else.
    pub attributes: AttributeTypes,
    /// What else the index holds.
    pub projection: Projection,
    /// Used for a PROVISIONED table only.
    pub provisioned: Option<ProvisionedThroughput>,
    /// Used for an on-demand table only.
    pub on_demand: Option<OnDemandThroughput>,
    /// Asked for at creation.
    pub warm: Option<WarmThroughput>,
    /// Free text for people: what the index is.
    pub description: Option<String>,
    /// Free text for people: what it is worth.
    pub estimated_impact: Option<String>,
    /// Free text for people: who needs it.
    pub required_by: Option<String>,
}
