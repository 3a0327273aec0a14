//! One run's documents, as pure text: from the run directory to FHiCL, and from FHiCL to the blob.
//!
//! A data acquisition system leaves, for every run, a directory of text files. This crate turns it
//! into the documents that artdaqDB stores ([`prepare`](prepare::prepare)), gives the text that comes
//! back out of artdaqDB ([`fhicl::Document::to_text`]), and packs that text into the one blob that
//! UconDB keeps ([`blob::pack`]).
//!
//! # Promises
//!
//! 1. What the genuine programs accept, this crate accepts, with the same result; the few
//!    differences are named ([`fhicl::Extension`]) and each only adds what would have been lost.
//! 2. Nothing is lost silently: bytes that are not UTF-8 are kept in a reversible form ([`text`]).
//! 3. The same directory gives the same documents and the same blob, on any machine, at any time.
//! 4. No panic on any input, and time linear in its size.
//!
//! # What is absent
//!
//! No clock, no environment, no database, and no writing: the only input and output is the reading
//! of one run directory in [`directory`].
//!
//! ```
//! use run_record::fhicl::Document;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let document = Document::parse("demo.fcl", "# gain of the preamplifier\ngain: 2.50\n")?;
//! assert_eq!(document.to_text(), "# gain of the preamplifier\ngain: 2.50 \n");
//! # Ok(())
//! # }
//! ```

pub mod blob;
pub mod convert;
pub mod directory;
pub mod fhicl;
pub mod hashes;
pub mod json;
pub mod prepare;
mod python;
pub mod schema;
pub mod text;
pub mod validate;

pub use run_state::RunNumber;
