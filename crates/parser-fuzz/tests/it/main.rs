//! Every target over its seeds, over mutations of them, and over bombs; no fuzzer is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod bombs;
mod fuzz_crate;
mod names;
mod smoke;

use std::path::PathBuf;

/// `fuzz/`, at the top of the workspace.
fn fuzz_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let dir = fuzz_dir().join("seeds").join(target);
    let mut paths: Vec<_> = fs_err::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no seeds in {}", dir.display());
    paths.into_iter().map(|path| fs_err::read(path).unwrap()).collect()
}
