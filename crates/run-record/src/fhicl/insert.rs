//! How a binding enters its table: duplicates and protection.
//!
//! At the top level every binding is kept, and a binding of the main part removes the prolog's
//! binding of that name. Inside a table the last binding wins, at the place of the first, unless the
//! first is protected.

use std::collections::HashMap;

use super::{Entry, Item, Protection, Table, Value};

/// From this size on a table is searched through an index.
const INDEX_FROM: usize = 16;

/// A table under construction.
#[derive(Debug, Default)]
pub(super) struct Builder {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
}

impl Builder {
    fn position(&mut self, key: &str) -> Option<usize> {
        if self.entries.len() < INDEX_FROM {
            return self.entries.iter().position(|entry| entry.key == key);
        }
        if self.index.is_empty() {
            for (position, entry) in self.entries.iter().enumerate() {
                self.index.entry(entry.key.clone()).or_insert(position);
            }
        }
        self.index.get(key).copied()
    }

    /// Adds the binding without looking for others of its name.
    pub(super) fn append(&mut self, key: String, item: Item) {
        if !self.index.is_empty() {
            self.index.entry(key.clone()).or_insert(self.entries.len());
        }
        self.entries.push(Entry { key, item });
    }

    /// Adds the binding, or replaces the first of its name; says what forbids it.
    pub(super) fn bind(&mut self, key: String, item: Item) -> Result<(), String> {
        let Some(position) = self.position(&key) else {
            self.append(key, item);
            return Ok(());
        };
        let existing = &mut self.entries[position].item;
        if item.protection > existing.protection {
            return Err(format!("`{key}` is already bound with less protection"));
        }
        match existing.protection {
            Protection::None => *existing = item,
            Protection::Ignore => {}
            Protection::Error => return Err(format!("`{key}` is protected by an earlier binding")),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Table {
        Table { entries: self.entries }
    }
}

/// Whether nested protections agree with an enclosing one; the name of the first that does not.
pub(super) fn check_nested(value: &Value, outer: Protection) -> Result<(), String> {
    if outer == Protection::None {
        return Ok(());
    }
    let check = |name: &str, item: &Item| {
        if item.protection != Protection::None && item.protection < outer {
            return Err(format!("`{name}` has less protection than the table around it"));
        }
        check_nested(&item.value, outer.max(item.protection))
    };
    match value {
        Value::Atom { .. } => Ok(()),
        Value::Sequence(items) => items.iter().try_for_each(|item| check("", item)),
        Value::Table(table) => table.entries.iter().try_for_each(|entry| check(&entry.key, &entry.item)),
    }
}

/// The prolog's bindings, with those removed that the main part shadows.
pub(super) fn without_shadowed(prolog: Table, main: &Table) -> Table {
    if prolog.entries.is_empty() {
        return prolog;
    }
    let mut shadows: HashMap<&str, usize> = HashMap::new();
    for entry in &main.entries {
        *shadows.entry(&entry.key).or_default() += 1;
    }
    // Each binding of the main part removes one of the prolog, the first that is left.
    let survives = |entry: &Entry| match shadows.get_mut(entry.key.as_str()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    let mut survives = survives;
    let entries = prolog.entries.into_iter().filter(|entry| survives(entry)).collect();
    Table { entries }
}
