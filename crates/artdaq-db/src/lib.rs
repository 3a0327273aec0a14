//! Stores of run configurations, as artdaqDB keeps them: for every run its FHiCL documents, under a configuration name.
//!
//! The port is [`ConfigStore`]: list the runs, insert, amend, export. Two implementations pass the same suite:
//! [`FilesystemStore`] reads and writes the `filesystemdb` format of the genuine `artdaq_database` 1.10, beside which
//! it can be used; [`MemoryStore`] is for rehearsals. [`DatabaseUri`] reads the `database_uri` of a configuration.
//!
//! # Promises
//!
//! Those of [`ConfigStore`]; for the file format those of [`filesystem`].
//!
//! # What is absent
//!
//! `MongoDB` (recognised in a URI, and refused by name), the genuine command-line tools, retries and their delays (an
//! error says by its [`ErrorClass`] whether another try makes sense), removing what is archived.

#[doc(hidden)]
pub mod conformance;
mod error;
pub mod filesystem;
mod memory;
mod store;
mod uri;

pub use error::{ConfigError, ErrorClass, Refused};
pub use filesystem::{FilesystemStore, Oid, OidSource, RandomOids, Surroundings};
pub use memory::MemoryStore;
pub use run_record::RunNumber;
pub use store::{Amended, ConfigStore, Configuration, Export, ExportedDocument, Inserted, RunEntry};
pub use uri::{DatabaseUri, UriError};
