//! What must hold of the readers of this format, for any bytes. For the crate `parser-fuzz` only.

use super::{dialect, index::Index};
use crate::document::StoredDocument;

/// An `index.json`: what it says is written and read as it was.
///
/// # Panics
///
/// When it is not.
#[expect(clippy::expect_used, reason = "this is what a target is for")]
pub fn index(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(first) = Index::parse(&text) else { return };
    let written = first.to_bytes();
    let again = String::from_utf8(written.clone()).expect("an index is text");
    let second = Index::parse(&again).expect("what is written can be read");
    assert_eq!(first.oids(), second.oids(), "no document is lost: {again}");
    let listed = |index: &Index| {
        let mut listed: Vec<_> = index.configurations(None).into_iter().map(owned).collect();
        listed.sort();
        listed
    };
    assert_eq!(listed(&first), listed(&second), "no configuration is lost: {again}");
    assert_eq!(String::from_utf8(second.to_bytes()).expect("an index is text"), again, "writing is stable");
}

fn owned((run, name, oids): (run_record::RunNumber, &str, &[super::Oid])) -> (u64, String, Vec<super::Oid>) {
    (run.get(), name.to_owned(), oids.to_vec())
}

/// A stored document: exported or refused.
///
/// # Panics
///
/// When its export is out of all proportion, or what it holds cannot be written.
#[expect(clippy::expect_used, reason = "this is what a target is for")]
pub fn document(bytes: &[u8]) {
    let Ok(json) = dialect::parse(&String::from_utf8_lossy(bytes)) else { return };
    let mut written = String::new();
    dialect::write(&mut written, &json);
    dialect::parse(&written).expect("what is written can be read");
    let Ok(document) = StoredDocument::from_json(json) else { return };
    let _ = (document.version(), document.entity());
    if let Ok(text) = document.export() {
        assert!(text.len() <= 20_000 + 8 * bytes.len(), "{} bytes made of {}", text.len(), bytes.len());
    }
}
