//! What a scan found, index by index: counts, and a few examples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::key::{Standing, Violation, standing};
use crate::{
    items::Item,
    spec::{IndexSpec, KeySchema},
};

/// Examples kept for one index.
pub const SAMPLES_MAX: usize = 20;

/// Characters of a key value that an example shows.
const SHOWN_CHARS_MAX: usize = 80;

/// What the items of a table are to one index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFindings {
    /// Items that will be in the index.
    pub fits: u64,
    /// Items without one of the key attributes: left out, and rightly so.
    pub sparse: u64,
    /// Items with a key attribute of another type.
    pub wrong_type: u64,
    /// Items with an empty key attribute.
    pub empty: u64,
    /// Items with a key attribute that is too long.
    pub too_long: u64,
    /// Examples of the violations, [`SAMPLES_MAX`] at most.
    pub samples: Vec<Sample>,
}

/// An item that cannot be in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The item's key in its table, as text for people. It came from the table: clean it before it is shown.
    pub key: BTreeMap<String, String>,
    /// The attribute that cannot be a key.
    pub attribute: String,
    /// Why.
    pub violation: Violation,
}

impl IndexFindings {
    /// Items that will be left out, and cannot be written afterwards.
    pub const fn violations(&self) -> u64 {
        self.wrong_type + self.empty + self.too_long
    }

    /// Counts one item of a table with the keys `table_key`.
    pub fn count(&mut self, item: &Item, spec: &IndexSpec, table_key: &KeySchema) {
        match standing(item, spec) {
            Standing::Fits => self.fits += 1,
            Standing::Sparse => self.sparse += 1,
            Standing::Violates { attribute, violation } => {
                match violation {
                    Violation::WrongType { .. } => self.wrong_type += 1,
                    Violation::Empty => self.empty += 1,
                    Violation::TooLong { .. } => self.too_long += 1,
                }
                if self.samples.len() < SAMPLES_MAX {
                    self.samples.push(Sample { key: shown_key(item, table_key), attribute, violation });
                }
            }
        }
    }

    /// Adds what another part of the table holds.
    pub fn add(&mut self, other: &Self) {
        self.fits += other.fits;
        self.sparse += other.sparse;
        self.wrong_type += other.wrong_type;
        self.empty += other.empty;
        self.too_long += other.too_long;
        let room = SAMPLES_MAX.saturating_sub(self.samples.len());
        self.samples.extend(other.samples.iter().take(room).cloned());
    }
}

fn shown_key(item: &Item, key: &KeySchema) -> BTreeMap<String, String> {
    let shown = |(name, _): (&str, _)| Some((name.to_owned(), shortened(&item.get(name)?.to_string())));
    key.elements().filter_map(shown).collect()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
