//! Which comments and protections the export gives to the second binding of a name.
//!
//! The genuine export looks a name's type, comments and protection up in the first binding of that
//! name, for the values of all of them. We do the same, so that the text is equal, unless a value
//! would be altered by it (quotes lost, elements missing): then the binding's own are taken.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{Entry, Item, Table, Value};

/// The table as the genuine export sees it; the same table if no name is bound twice.
pub(super) fn as_exported(table: &Table) -> Cow<'_, Table> {
    let mut seen = HashSet::with_capacity(table.entries.len());
    if table.entries.iter().all(|entry| seen.insert(entry.key.as_str())) {
        return Cow::Borrowed(table);
    }
    let mut types: HashMap<&str, Item> = HashMap::new();
    let mut entries = Vec::with_capacity(table.entries.len());
    for entry in &table.entries {
        let item = match types.get_mut(entry.key.as_str()) {
            None => {
                types.insert(&entry.key, entry.item.clone());
                entry.item.clone()
            }
            Some(first) => {
                let item = with_types_of(first, &entry.item);
                absorb(first, &entry.item);
                item
            }
        };
        entries.push(Entry { key: entry.key.clone(), item });
    }
    Cow::Owned(Table { entries })
}

/// Whether a value is printed the same with the type of another.
fn same_shape(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Atom { kind: one, .. }, Value::Atom { kind: other, .. }) => {
            one == other || !one.is_quoted() && !other.is_quoted()
        }
        (Value::Sequence(_), Value::Sequence(_)) | (Value::Table(_), Value::Table(_)) => true,
        _ => false,
    }
}

/// The values of `item` with the comments and protection of `types`.
fn with_types_of(types: &Item, item: &Item) -> Item {
    if !same_shape(&types.value, &item.value) {
        return item.clone();
    }
    let inner =
        |types: Option<&Item>, item: &Item| types.map_or_else(|| item.clone(), |types| with_types_of(types, item));
    let value = match (&types.value, &item.value) {
        (Value::Sequence(types), Value::Sequence(items)) => {
            Value::Sequence(items.iter().enumerate().map(|(at, item)| inner(types.get(at), item)).collect())
        }
        (Value::Table(types), Value::Table(table)) => {
            let types: HashMap<_, _> = types.entries.iter().rev().map(|entry| (&entry.key, &entry.item)).collect();
            let entry = |entry: &Entry| Entry {
                key: entry.key.clone(),
                item: inner(types.get(&entry.key).copied(), &entry.item),
            };
            Value::Table(Table { entries: table.entries.iter().map(entry).collect() })
        }
        _ => item.value.clone(),
    };
    Item { value, comment: types.comment.clone(), annotation: types.annotation.clone(), protection: types.protection }
}

/// Adds to `types` what `item` has and it has not, as the stored metadata of the first binding has it.
fn absorb(types: &mut Item, item: &Item) {
    match (&mut types.value, &item.value) {
        (Value::Sequence(types), Value::Sequence(items)) => {
            for (types, item) in types.iter_mut().zip(items) {
                absorb(types, item);
            }
            let known = types.len();
            types.extend(items.iter().skip(known).cloned());
        }
        (Value::Table(types), Value::Table(table)) => {
            let known: HashMap<String, usize> =
                types.entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
            for entry in &table.entries {
                match known.get(&entry.key) {
                    Some(&at) => absorb(&mut types.entries[at].item, &entry.item),
                    None => types.entries.push(entry.clone()),
                }
            }
        }
        _ => {}
    }
}

/// Whether a later table or sequence has members that the first of its name has not.
pub(super) fn has_second_table(table: &Table) -> bool {
    let mut first_of: HashMap<&str, &Value> = HashMap::new();
    let nested = table.entries.iter().filter(|entry| !matches!(entry.item.value, Value::Atom { .. }));
    let mut nested = nested.into_iter();
    nested.any(|entry| {
        let value = &entry.item.value;
        !covers(first_of.entry(&entry.key).or_insert(value), value)
    })
}

/// Whether the genuine export, with the types of `first`, prints all of `value`.
fn covers(first: &Value, value: &Value) -> bool {
    match (first, value) {
        (Value::Sequence(first), Value::Sequence(items)) => {
            first.len() >= items.len() && first.iter().zip(items).all(|(first, item)| covers(&first.value, &item.value))
        }
        (Value::Table(first), Value::Table(table)) => {
            if std::ptr::eq(first, table) {
                return true;
            }
            let first: HashMap<_, _> =
                first.entries.iter().rev().map(|entry| (&entry.key, &entry.item.value)).collect();
            let known = |entry: &Entry| first.get(&entry.key).is_some_and(|first| covers(first, &entry.item.value));
            table.entries.iter().all(known)
        }
        _ => true,
    }
}
