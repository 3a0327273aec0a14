//! Stores for tests.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use artdaq_db::{FilesystemStore, FilesystemUri, Oid, OidSource, Surroundings};
use statefile::ManualClock;

/// Ids in an order that has nothing to do with time, the same in every test.
#[derive(Debug, Default)]
pub(crate) struct CountedOids(AtomicU64);

impl OidSource for CountedOids {
    fn next(&self) -> std::io::Result<Oid> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        bytes[9..].copy_from_slice(&number.to_be_bytes()[5..]);
        Ok(Oid::from_random(bytes))
    }
}

pub(crate) fn surroundings() -> Surroundings {
    let clock = Arc::new(ManualClock::at("2026-11-21T00:37:50.675Z".parse().unwrap()));
    Surroundings { clock, oids: Arc::new(CountedOids::default()), user: "daq".to_owned() }
}

pub(crate) fn open(root: &Path) -> FilesystemStore {
    FilesystemStore::new(&uri(root), surroundings())
}

pub(crate) fn uri(root: &Path) -> FilesystemUri {
    FilesystemUri::parse(&format!("filesystemdb://{}", root.display()), |_| None).unwrap()
}

/// Every file below a directory, by its path in it, with its bytes; directories have none.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                files.insert(name, None);
                open.push(path);
            } else {
                files.insert(name, Some(fs_err::read(&path).unwrap()));
            }
        }
    }
    files
}
