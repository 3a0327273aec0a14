//! The definitions of indexes, in every format.

use std::path::Path;

use gsi_aws::spec::Definitions;

use crate::messages::{assert_no_commands, assert_showable};

/// Definitions are usable or refused with words that can be shown; what is usable is written and read as it was.
pub(crate) fn definitions(bytes: &[u8]) {
    for name in ["gsis.json", "gsis.yaml"] {
        read(bytes, Path::new(name));
    }
}

#[expect(clippy::expect_used, reason = "this is what a target is for")]
fn read(bytes: &[u8], path: &Path) {
    let parsed = match Definitions::parse_bytes(bytes, path) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(!error.problems.is_empty() && error.problems.len() <= 10_000, "{}", error.problems.len());
            error.warnings.iter().for_each(|warning| assert_no_commands(&warning.to_string()));
            return assert_showable(&error);
        }
    };
    parsed.warnings.iter().for_each(|warning| assert_no_commands(&warning.to_string()));
    let written = serde_json::to_string(&parsed.definitions).expect("plain data");
    let read = Definitions::parse(&written, Path::new("again.json"));
    if parsed.definitions.tables().next().is_none() {
        return; // written as `{}`, which defines no table
    }
    assert_eq!(read.expect("what is written can be read").definitions, parsed.definitions, "{written}");
}
