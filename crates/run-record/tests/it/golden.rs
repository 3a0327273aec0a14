//! Where the data of the genuine programs lies, if it is there at all.

use std::path::{Path, PathBuf};

use fs_err as fs;

/// The two data sets, each made by both modes of the genuine importer.
pub(crate) const SETS: [(&str, &str); 4] =
    [("one", "tools"), ("one", "conftoolp"), ("five_gap", "tools"), ("five_gap", "conftoolp")];

/// The directory of artdaq's golden data, or `None`, said aloud, where it is absent.
pub(crate) fn artdaq() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/artdaq");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: the golden data of the genuine programs is absent at `{}`", path.display());
    None
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The entries of a directory, sorted.
pub(crate) fn list(path: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The files of a directory: name and text.
pub(crate) fn files(path: &Path) -> Vec<(String, String)> {
    list(path).iter().map(|path| (name(path), read(path))).collect()
}

/// Fails with the first line that differs.
#[track_caller]
pub(crate) fn assert_same(what: &str, ours: &str, genuine: &str) {
    if ours == genuine {
        return;
    }
    let differs = ours.lines().zip(genuine.lines()).enumerate().find(|(_, (ours, genuine))| ours != genuine);
    match differs {
        Some((line, (ours, genuine))) => panic!("{what}, line {}:\n   ours: {ours:?}\ngenuine: {genuine:?}", line + 1),
        None => panic!(
            "{what}: lengths differ, ours {} bytes, genuine {}\n{ours:?}\n{genuine:?}",
            ours.len(),
            genuine.len()
        ),
    }
}
