//! Whether a value can be the key of an index. Pure.
//!
//! The service leaves an item out of a new index, without a word, when an attribute of the index's key has
//! another type than the definition says, is an empty text or binary, or is longer than 2048 bytes (HASH)
//! or 1024 bytes (RANGE) (developer guide, GSI.OnlineOps.ViolationDetection). Afterwards it refuses every
//! write of that item, even of other attributes. An item without the attribute is left out too, but that is
//! what sparse indexes are for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    items::{AttributeValue, Item},
    spec::{AttributeType, IndexSpec, KeyRole},
};

/// Bytes of a HASH attribute, at most.
pub const HASH_BYTES_MAX: usize = 2048;
/// Bytes of a RANGE attribute, at most.
pub const RANGE_BYTES_MAX: usize = 1024;

/// Why an item cannot be in an index, and cannot be written once the index is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// The value has another type.
    WrongType {
        /// The type of the value: `N`, `BOOL`, `SS` …
        found: String,
        /// The type of the key: `S`, `N` or `B`.
        wanted: String,
    },
    /// The value is a text or a binary of no bytes.
    Empty,
    /// The value is too long.
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The bytes that a key of its role may have.
        bytes_max: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType { found, wanted } => write!(f, "is of type {found}, not {wanted}"),
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { bytes, bytes_max } => write!(f, "has {bytes} bytes, more than {bytes_max}"),
        }
    }
}

/// What one item is to an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It will be in the index.
    Fits,
    /// It lacks a key attribute, so it will not be in the index.
    Sparse,
    /// It will not be in the index, and will not be writable.
    Violates {
        /// The first key attribute that cannot be one.
        attribute: String,
        /// Why.
        violation: Violation,
    },
}

/// Judges one value as a key attribute of the type `wanted`; `None` where it can be one.
///
/// ```
/// use gsi_aws::{AttributeValue, preflight::{Violation, violation}, spec::{AttributeType, KeyRole}};
/// let text = |length| AttributeValue::String("x".repeat(length));
/// assert_eq!(violation(&text(2048), AttributeType::String, KeyRole::Hash), None);
/// let too_long = Violation::TooLong { bytes: 2049, bytes_max: 2048 };
/// assert_eq!(violation(&text(2049), AttributeType::String, KeyRole::Hash), Some(too_long));
/// ```
pub fn violation(value: &AttributeValue, wanted: AttributeType, role: KeyRole) -> Option<Violation> {
    if value.key_type() != Some(wanted) {
        let (found, wanted) = (value.type_str().to_owned(), wanted.as_str().to_owned());
        return Some(Violation::WrongType { found, wanted });
    }
    let bytes = match value {
        // A number has 21 bytes at most, however many digits it is written with.
        AttributeValue::Number(_) | AttributeValue::Other(_) => return None,
        AttributeValue::String(text) => text.len(),
        AttributeValue::Binary(bytes) => bytes.len(),
    };
    let bytes_max = match role {
        KeyRole::Hash => HASH_BYTES_MAX,
        KeyRole::Range => RANGE_BYTES_MAX,
    };
    match bytes {
        0 => Some(Violation::Empty),
        _ if bytes > bytes_max => Some(Violation::TooLong { bytes, bytes_max }),
        _ => None,
    }
}

/// Judges an item, of which at least the key attributes of the index are known where it has them.
///
/// A violation counts even where another key attribute is missing: such an item can no longer be written
/// either, once the index is there.
pub fn standing(item: &Item, spec: &IndexSpec) -> Standing {
    let mut is_sparse = false;
    for (name, role) in spec.key_schema.elements() {
        let (Some(value), Some(wanted)) = (item.get(name), spec.attributes.get(name)) else {
            is_sparse = true;
            continue;
        };
        if let Some(violation) = violation(value, wanted, role) {
            return Standing::Violates { attribute: name.to_owned(), violation };
        }
    }
    if is_sparse { Standing::Sparse } else { Standing::Fits }
}
