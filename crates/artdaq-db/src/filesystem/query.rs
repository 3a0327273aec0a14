//! Questions to the indexes: which runs there are, and which document of an entity counts.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

use run_record::{
    RunNumber,
    hashes::HASHES_ENTITY,
    schema::{SCHEMA_COLLECTION, SCHEMA_FILE},
};

use super::{
    Oid,
    archive::{Archive, Snapshot},
    document::StoredDocument,
    document_path,
    index::Filter,
};
use crate::{ConfigError, Configuration, Export, ExportedDocument, RunEntry};

/// The entity of the stop-time pass.
const STOP_TIME_ENTITY: &str = "RunHistory2";

/// What is gathered of a configuration over the collections.
#[derive(Default)]
struct Gathered {
    documents: usize,
    schemas: usize,
    has_hashes: bool,
    has_stop_time: bool,
    /// To the second, which is as far as the genuine program looks.
    assigned: String,
}

impl Gathered {
    fn finish(self, name: &str) -> (String, Configuration) {
        let amended = self.has_stop_time || self.schemas > 1;
        let complete = self.schemas > 0 && (self.has_hashes || amended);
        (self.assigned, Configuration { name: name.to_owned(), complete, amended, documents: self.documents })
    }
}

/// The configurations of all runs, or of one, the newest of each run first.
pub(super) fn runs(snapshot: &Snapshot, only: Option<RunNumber>) -> BTreeMap<RunNumber, RunEntry> {
    let mut gathered: BTreeMap<(RunNumber, &str), Gathered> = BTreeMap::new();
    let schema_entity = SCHEMA_FILE.trim_end_matches(".fcl");
    for (collection, index) in &snapshot.indexes {
        let schemas = if collection == SCHEMA_COLLECTION { index.entity(schema_entity) } else { &[] };
        let hashes = index.entity(HASHES_ENTITY);
        let stop_times = index.entity(STOP_TIME_ENTITY);
        for (run, name, oids) in index.configurations(only) {
            let visible = || oids.iter().filter(|oid| !snapshot.hidden.contains(*oid));
            let documents = visible().count();
            if documents == 0 {
                continue;
            }
            let found = gathered.entry((run, name)).or_default();
            found.documents += documents;
            found.schemas += visible().filter(|oid| schemas.binary_search(oid).is_ok()).count();
            found.has_hashes |= visible().any(|oid| hashes.binary_search(oid).is_ok());
            found.has_stop_time |= visible().any(|oid| stop_times.binary_search(oid).is_ok());
            let assigned: String = index.last_assigned(name).chars().take("2026-11-21T00:37:50".len()).collect();
            found.assigned = assigned.max(std::mem::take(&mut found.assigned));
        }
    }
    let mut runs: BTreeMap<RunNumber, Vec<(String, Configuration)>> = BTreeMap::new();
    for ((run, name), found) in gathered {
        runs.entry(run).or_default().push(found.finish(name));
    }
    let newest_first = |mut dated: Vec<(String, Configuration)>| {
        // Stable: of equal times the names stay in their order.
        dated.sort_by(|(a, _), (b, _)| b.cmp(a));
        RunEntry { configurations: dated.into_iter().map(|(_, configuration)| configuration).collect() }
    };
    runs.into_iter().map(|(run, dated)| (run, newest_first(dated))).collect()
}

/// The greatest versions of a configuration's documents, by entity and collection.
pub(super) type Newest = BTreeMap<(String, String), StoredDocument>;

/// Reads documents; of each entity the one with the greatest version stays, of equal versions, as in the genuine
/// program, the one with the smallest id.
///
/// `documents` are those of a configuration, by collection and id.
pub(super) fn newest(root: &Path, documents: Vec<(String, Oid)>) -> Result<Newest, ConfigError> {
    let mut newest = Newest::new();
    for (collection, oid) in documents {
        let document = StoredDocument::read(&document_path(root, &collection, &oid))?;
        match newest.entry((document.entity().to_owned(), collection)) {
            Entry::Vacant(place) => drop(place.insert(document)),
            Entry::Occupied(mut place) => {
                if compare_versions(document.version(), place.get().version()).is_gt() {
                    place.insert(document);
                }
            }
        }
    }
    Ok(newest)
}

/// The documents of a configuration, by collection and id.
pub(super) fn documents_of(snapshot: &Snapshot, configuration: &str) -> Vec<(String, Oid)> {
    snapshot.find(&Filter { configuration: Some(configuration.to_owned()), ..Filter::default() })
}

/// A configuration, and the collections and ids of its documents.
type Located = (Configuration, Vec<(String, Oid)>);

/// A run's newest configuration and where its documents are.
pub(super) fn locate(archive: &mut Archive, run: RunNumber) -> Result<Option<Located>, ConfigError> {
    let snapshot = archive.snapshot()?;
    let newest = runs(&snapshot, Some(run)).remove(&run).and_then(|entry| entry.configurations.into_iter().next());
    Ok(newest.map(|configuration| {
        let documents = documents_of(&snapshot, &configuration.name);
        (configuration, documents)
    }))
}

/// Reads what [`locate`] has found. Needs no archive: what is indexed is never changed or removed.
pub(super) fn export(
    root: &Path,
    configuration: Configuration,
    documents: Vec<(String, Oid)>,
) -> Result<Export, ConfigError> {
    let mut exported = Vec::new();
    for ((entity, collection), document) in newest(root, documents)? {
        let text = document.export().map_err(|source| ConfigError::DocumentDamaged {
            path: document_path(root, &collection, &document.entry.oid),
            source,
        })?;
        exported.push(ExportedDocument { entity, collection, version: document.version().to_owned(), text });
    }
    Ok(Export { configuration, documents: exported })
}

/// The number of a version of `configuration`: 0 for the first pass, `N` for `…vN`; `None` for any other text.
pub(super) fn version_number(configuration: &str, version: &str) -> Option<u64> {
    match version.strip_prefix(configuration)? {
        "" => Some(0),
        suffix => suffix.strip_prefix('v')?.parse().ok(),
    }
}

/// Compares versions as people read them: runs of digits as numbers, everything else as text.
pub(super) fn compare_versions(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (left_digits, right_digits) = (digits(left), digits(right));
        if left_digits > 0 && right_digits > 0 {
            let (x, y) = (without_zeros(&left[..left_digits]), without_zeros(&right[..right_digits]));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order.is_ne() {
                return order;
            }
            (left, right) = (&left[left_digits..], &right[right_digits..]);
            continue;
        }
        match (left.split_first(), right.split_first()) {
            (Some((x, left_rest)), Some((y, right_rest))) if x == y => (left, right) = (left_rest, right_rest),
            // Equal but for leading zeros: any order will do, if it is always the same.
            (None, None) => return a.cmp(b),
            _ => return left.cmp(right),
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|&&digit| digit == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let check = |smaller: &str, greater: &str| {
            assert_eq!(compare_versions(smaller, greater), Ordering::Less, "{smaller} {greater}");
            assert_eq!(compare_versions(greater, smaller), Ordering::Greater, "{smaller} {greater}");
        };
        check("1000/demo", "1000/demov1");
        check("1000/demov9", "1000/demov10");
        check("1000/demov1", "1000/demov1v1");
        check("999/demo", "1000/demo");
        check("", "notprovided");
        check("a01", "a1");
        check("99999999999999999999999", "100000000000000000000000");
        assert_eq!(compare_versions("1000/demov1", "1000/demov1"), Ordering::Equal);
    }

    #[test]
    fn versions_have_numbers() {
        let check = |version: &str, expect| assert_eq!(version_number("1000/demo", version), expect, "{version}");
        check("1000/demo", Some(0));
        check("1000/demov1", Some(1));
        check("1000/demov12", Some(12));
        check("1000/demov1v1", None);
        check("1000/demo2", None);
        check("notprovided", None);
    }
}
