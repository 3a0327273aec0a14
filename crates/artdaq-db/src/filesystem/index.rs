//! The index of a collection, `index.json`: which documents have which version, configuration, entity, alias, run.

use std::{borrow::Cow, collections::HashMap};

use indexmap::IndexMap;
use run_record::{RunNumber, json::Json};

use super::{
    Oid, SyntaxError,
    dialect::{self, Reader},
};
use crate::entry::run_of;

/// What the genuine program writes for a collection without documents.
const EMPTY: &str = "{\"ouid\":[], \"version\":{},\"configurations.name\":{}, \"entities.name\":{},\
                     \"aliases.active.name\":{}, \"runs.name\":{},\"configurations.assigned\":{} }";

/// Key to sorted ids; the keys in the order of their insertion.
type Postings = IndexMap<String, Vec<Oid>>;

/// What an index holds of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) oid: Oid,
    pub(crate) version: Option<String>,
    /// Name and time of assignment.
    pub(crate) configurations: Vec<(String, String)>,
    pub(crate) entities: Vec<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) runs: Vec<String>,
}

/// Which documents are meant: those that meet every criterion that is given.
///
/// The genuine look-up answers with the union when no document meets all; here it is always the intersection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The version, as in `1000/demov1`.
    pub version: Option<String>,
    /// The configuration's full name, as in `1000/demo`.
    pub configuration: Option<String>,
    /// The entity.
    pub entity: Option<String>,
    /// The run.
    pub run: Option<String>,
}

/// The index of one collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    oids: Vec<Oid>,
    versions: Postings,
    configurations: Postings,
    entities: Postings,
    aliases: Postings,
    runs: Postings,
    assigned: IndexMap<String, Vec<String>>,
    /// Members that we do not know, kept.
    others: Vec<(String, Json)>,
    /// Not in the file: where in `configurations` those of a run are.
    by_run: HashMap<RunNumber, Vec<usize>>,
}

impl Index {
    /// Reads the text of an `index.json`.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut index = Self::default();
        Reader::new(text).object(|reader, key| {
            match &*key {
                "ouid" => read_oids(reader, &mut index.oids)?,
                "version" => read_postings(reader, &mut index.versions)?,
                "configurations.name" => read_postings(reader, &mut index.configurations)?,
                "entities.name" => read_postings(reader, &mut index.entities)?,
                "aliases.active.name" => read_postings(reader, &mut index.aliases)?,
                "runs.name" => read_postings(reader, &mut index.runs)?,
                "configurations.assigned" => reader.object(|reader, key| {
                    let times = index.assigned.entry(key.into_owned()).or_default();
                    reader.array(|reader| {
                        times.push(reader.string()?.into_owned());
                        Ok(())
                    })?;
                    settle(times);
                    Ok(())
                })?,
                _ => index.others.push((key.into_owned(), reader.value()?)),
            }
            Ok(())
        })?;
        index.note_runs(0);
        Ok(index)
    }

    /// Notes the runs of the configurations from the `first` on.
    fn note_runs(&mut self, first: usize) {
        for (place, name) in self.configurations.keys().enumerate().skip(first) {
            if let Some(run) = run_of(name) {
                self.by_run.entry(run).or_default().push(place);
            }
        }
    }

    /// The bytes of its `index.json`.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if self.oids.is_empty() && self.assigned.is_empty() && self.others.is_empty() {
            return EMPTY.as_bytes().to_vec();
        }
        let mut out = Vec::with_capacity(256 + self.oids.len() * 190);
        out.extend_from_slice(b"{\n\"ouid\" : ");
        write_oids(&mut out, &self.oids);
        for (key, postings) in [
            ("version", &self.versions),
            ("configurations.name", &self.configurations),
            ("entities.name", &self.entities),
            ("aliases.active.name", &self.aliases),
            ("runs.name", &self.runs),
        ] {
            write_member(&mut out, key, postings, write_oids);
        }
        write_member(&mut out, "configurations.assigned", &self.assigned, |out, times| {
            write_value(out, &Json::Array(times.iter().map(|time| Json::from(time.as_str())).collect()));
        });
        for (key, value) in &self.others {
            out.extend_from_slice(b",\n");
            write_key(&mut out, key);
            write_value(&mut out, value);
        }
        out.extend_from_slice(b"\n}");
        out
    }

    /// Adds documents.
    pub(super) fn add<'a>(&mut self, entries: impl IntoIterator<Item = &'a IndexEntry>) {
        let known = self.configurations.len();
        for entry in entries {
            let oid = entry.oid;
            self.oids.push(oid);
            // The genuine indexer stops at the first of these that is missing.
            if let Some(version) = &entry.version {
                add(&mut self.versions, version, oid);
                for (configuration, assigned) in &entry.configurations {
                    add(&mut self.configurations, configuration, oid);
                    add(&mut self.assigned, configuration, assigned.clone());
                }
            }
            for (postings, names) in [
                (&mut self.entities, &entry.entities),
                (&mut self.aliases, &entry.aliases),
                (&mut self.runs, &entry.runs),
            ] {
                for name in names {
                    add(postings, name, oid);
                }
            }
        }
        // By far the longest list: sorted once, not at every insertion.
        settle(&mut self.oids);
        self.note_runs(known);
    }

    pub(super) fn contains(&self, oid: &Oid) -> bool {
        self.oids.binary_search(oid).is_ok()
    }

    pub(super) fn oids(&self) -> &[Oid] {
        &self.oids
    }

    /// The configurations of runs, or of one run, with their documents.
    pub(super) fn configurations(&self, only: Option<RunNumber>) -> Vec<(RunNumber, &str, &[Oid])> {
        let of_run = |run: RunNumber, places: &[usize]| {
            let found = |&place: &usize| self.configurations.get_index(place);
            let found: Vec<_> = places.iter().filter_map(found).collect();
            found.into_iter().map(move |(name, oids)| (run, name.as_str(), oids.as_slice()))
        };
        match only {
            Some(run) => self.by_run.get(&run).into_iter().flat_map(|places| of_run(run, places)).collect(),
            None => self.by_run.iter().flat_map(|(&run, places)| of_run(run, places)).collect(),
        }
    }

    /// The documents of an entity.
    pub(super) fn entity(&self, name: &str) -> &[Oid] {
        self.entities.get(name).map_or(&[], Vec::as_slice)
    }

    /// When a configuration was last assigned; the empty text if that is not known.
    pub(super) fn last_assigned(&self, configuration: &str) -> &str {
        self.assigned.get(configuration).and_then(|times| times.last()).map_or("", String::as_str)
    }

    /// The documents that meet every criterion; all, if there is none.
    pub(super) fn find(&self, filter: &Filter) -> Vec<Oid> {
        let criteria = [
            (&filter.version, &self.versions),
            (&filter.configuration, &self.configurations),
            (&filter.entity, &self.entities),
            (&filter.run, &self.runs),
        ];
        let given = criteria.into_iter().filter_map(|(wanted, postings)| Some((wanted.as_ref()?, postings)));
        let mut lists: Vec<_> =
            given.map(|(wanted, postings)| postings.get(wanted).map_or(&[][..], Vec::as_slice)).collect();
        lists.sort_by_key(|list| list.len());
        let Some((shortest, others)) = lists.split_first() else { return self.oids.clone() };
        let in_all = |oid: &&Oid| others.iter().all(|list| list.binary_search(oid).is_ok());
        shortest.iter().filter(in_all).copied().collect()
    }
}

/// Sorts a list and makes its elements unique.
fn settle<T: Ord>(list: &mut Vec<T>) {
    if !list.is_sorted_by(|a, b| a < b) {
        list.sort();
        list.dedup();
    }
}

fn add<T: Ord>(lists: &mut IndexMap<String, Vec<T>>, key: &str, value: T) {
    let list = match lists.get_mut(key) {
        Some(list) => list,
        None => lists.entry(key.to_owned()).or_default(),
    };
    if let Err(place) = list.binary_search(&value) {
        list.insert(place, value);
    }
}

fn read_postings(reader: &mut Reader<'_>, postings: &mut Postings) -> Result<(), SyntaxError> {
    reader.object(|reader, key: Cow<'_, str>| read_oids(reader, postings.entry(key.into_owned()).or_default()))
}

fn read_oids(reader: &mut Reader<'_>, oids: &mut Vec<Oid>) -> Result<(), SyntaxError> {
    reader.array(|reader| {
        let text = reader.string()?;
        oids.push(text.parse().map_err(|_| reader.error("an object id of 24 hexadecimal digits before this"))?);
        Ok(())
    })?;
    settle(oids);
    Ok(())
}

fn write_value(out: &mut Vec<u8>, value: &Json) {
    let mut text = String::new();
    dialect::write(&mut text, value);
    out.extend_from_slice(text.as_bytes());
}

fn write_key(out: &mut Vec<u8>, key: &str) {
    let mut text = String::with_capacity(key.len() + 2);
    dialect::write_string(&mut text, key);
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b" : ");
}

/// A member of the index: an object of lists.
fn write_member<T>(
    out: &mut Vec<u8>,
    key: &str,
    lists: &IndexMap<String, Vec<T>>,
    write_list: impl Fn(&mut Vec<u8>, &[T]),
) {
    out.extend_from_slice(b",\n");
    write_key(out, key);
    out.push(b'{');
    for (position, (key, list)) in lists.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"\n" } else { b",\n" });
        write_key(out, key);
        write_list(out, list);
    }
    out.extend_from_slice(if lists.is_empty() { b"\n\n}" } else { b"\n}" });
}

/// Ids need no escapes, and there are many of them: this is most of the cost of writing an index.
fn write_oids(out: &mut Vec<u8>, oids: &[Oid]) {
    out.push(b'[');
    for (position, oid) in oids.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"\n\"" } else { b"\",\n\"" });
        out.extend_from_slice(oid.as_bytes());
    }
    out.extend_from_slice(if oids.is_empty() { b"\n\n]" } else { b"\"\n]" });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn text(index: &Index) -> String {
        String::from_utf8(index.to_bytes()).unwrap()
    }

    #[test]
    fn runs_are_read_from_names() {
        let check = |name: &str, expect: Option<u64>| assert_eq!(run_of(name), expect.map(RunNumber::new), "{name}");
        check("1000/demo", Some(1000));
        check("  7/x/y", Some(7));
        check("demo00003", None);
        check("v1/2", None);
        check("99999999999999999999999/demo", None);
    }

    #[test]
    fn the_empty_index_can_be_read() {
        let index = Index::default();
        assert_eq!(text(&Index::parse(&text(&index)).unwrap()), text(&index));
    }

    #[test]
    fn members_that_we_do_not_know_are_kept() {
        let given = "{\"ouid\":[\"000000000000400080000001\"],\"new\":{\"a\":[1]},\"version\":{}}";
        let written = text(&Index::parse(given).unwrap());
        assert!(written.ends_with(",\n\"new\" : {\n\"a\" : [\n1\n]\n}\n}"), "{written}");
    }

    fn entry() -> impl Strategy<Value = IndexEntry> {
        let name = || prop::sample::select(vec!["1/a", "1/b", "12/a", "x"]).prop_map(str::to_owned);
        let names = || prop::collection::vec(name(), 0..3);
        (0..40_u8, prop::option::of(name()), names(), names(), names()).prop_map(
            |(id, version, configurations, entities, runs)| IndexEntry {
                oid: Oid::from_random([id; 12]),
                version,
                configurations: configurations.into_iter().map(|name| (name, "2026".to_owned())).collect(),
                entities,
                aliases: Vec::new(),
                runs,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_added_is_found_by_every_combination_of_criteria(
            mut entries in prop::collection::vec(entry(), 0..30),
            wanted in (prop::option::of(0..4_usize), prop::option::of(0..4_usize), prop::option::of(0..4_usize)),
            split in 0..30_usize,
        ) {
            entries.sort_by_key(|entry| entry.oid);
            entries.dedup_by_key(|entry| entry.oid);
            let name = |number: Option<usize>| number.map(|number| ["1/a", "1/b", "12/a", "x"][number].to_owned());
            let filter = Filter { version: None, configuration: name(wanted.0), entity: name(wanted.1), run: name(wanted.2) };
            // In two batches, the first written and read back.
            let (first, second) = entries.split_at(split.min(entries.len()));
            let mut index = Index::default();
            index.add(first);
            let mut index = Index::parse(&text(&index)).unwrap();
            index.add(second);

            let has = |wanted: &Option<String>, names: Vec<&String>| {
                wanted.as_ref().is_none_or(|wanted| names.contains(&wanted))
            };
            let is_meant = |entry: &&IndexEntry| {
                let configurations = if entry.version.is_some() { entry.configurations.as_slice() } else { &[] };
                has(&filter.configuration, configurations.iter().map(|(name, _)| name).collect())
                    && has(&filter.entity, entry.entities.iter().collect())
                    && has(&filter.run, entry.runs.iter().collect())
            };
            let expect: Vec<_> = entries.iter().filter(is_meant).map(|entry| entry.oid).collect();
            prop_assert_eq!(index.find(&filter), expect);
            let listed = |only| {
                let mut listed = index.configurations(only);
                listed.sort();
                listed
            };
            let of_one: Vec<_> = listed(None).into_iter().filter(|(run, ..)| *run == RunNumber::new(1)).collect();
            prop_assert_eq!(listed(Some(RunNumber::new(1))), of_one);
            let written = text(&index);
            prop_assert_eq!(text(&Index::parse(&written).unwrap()), written);
        }
    }
}
