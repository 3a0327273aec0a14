//! What must hold of every parser, for any bytes.
//!
//! A target is a function that is handed bytes and panics if a promise is broken. `cargo xtask fuzz` lets libFuzzer
//! look for bytes that break one (`fuzz/`); the tests of this crate hand it the seeds of `fuzz/seeds`, twenty thousand
//! mutations of them, and bombs, in seconds and without a tool.
//!
//! # Promises
//!
//! 1. No target panics, whatever the bytes, unless a parser breaks a promise of its crate.
//! 2. A target needs nothing but a directory for temporary files, and leaves nothing there.
//!
//! ```
//! for target in parser_fuzz::TARGETS {
//!     (target.check)(b"\0\xff{[");
//! }
//! ```

mod definitions;
mod messages;
mod records;
mod scratch;
mod states;

/// A parser and what must hold of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the fuzz target and of its directory of seeds.
    pub name: &'static str,
    /// Panics if the parser breaks a promise for these bytes.
    pub check: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 11] = [
    Target { name: "gsi_state", check: states::gsi_state },
    Target { name: "journal", check: states::journal },
    Target { name: "run_state", check: states::run_state },
    Target { name: "definitions", check: definitions::definitions },
    Target { name: "configuration", check: run_config::fuzzing::configuration },
    Target { name: "fhicl", check: records::fhicl },
    Target { name: "stored_fhicl", check: records::stored_fhicl },
    Target { name: "blob", check: records::blob },
    Target { name: "artdaq_index", check: artdaq_db::filesystem::fuzzing::index },
    Target { name: "artdaq_document", check: artdaq_db::filesystem::fuzzing::document },
    Target { name: "ucon_answer", check: ucon_db::fuzzing::answer },
];

/// The target called `name`.
///
/// # Panics
///
/// When there is none.
pub fn check(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no target `{name}`")).check)(bytes);
}
