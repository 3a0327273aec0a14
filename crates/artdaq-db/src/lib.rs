//! Stores of run configurations, as artdaqDB keeps them: for every run its FHiCL documents, under a configuration name.
//!
//! The port is [`ConfigStore`]: list the runs, insert, amend, export. Three implementations pass the same suite:
//! [`FilesystemStore`] reads and writes the `filesystemdb` format of the genuine `artdaq_database` 1.10, beside which
//! it can be used; `MongoStore` (feature `mongodb`) does the same with its collections in a MongoDB server;
//! [`MemoryStore`] is for rehearsals. [`ToolsStore`] lets the genuine command-line tools do the
//! work, as far as they can. [`DatabaseUri`] reads the `database_uri` of a configuration.
//!
//! # Promises
//!
//! Those of [`ConfigStore`]; for the file format those of [`filesystem`], for MongoDB those of `mongodb`, and what the
//! genuine tools cannot keep of them is said in [`tools`].
//!
//! # What is absent
//!
//! Retries and their delays (an error says by its [`ErrorClass`] whether another try
//! makes sense), removing what is archived.

#[doc(hidden)]
pub mod conformance;
mod document;
mod entry;
mod error;
pub mod filesystem;
mod lock;
mod memory;
#[cfg(feature = "mongodb")]
pub mod mongodb;
mod newest;
mod store;
pub mod tools;
mod uri;
mod version;

#[cfg(feature = "mongodb")]
pub use self::mongodb::{Certificates, MongoStore};
pub use error::{ConfigError, DocumentProblem, ErrorClass, Refused, ServerError};
pub use filesystem::{FilesystemStore, Oid, OidSource, RandomOids, Surroundings};
pub use memory::MemoryStore;
pub use run_record::RunNumber;
pub use store::{Amended, ConfigStore, Configuration, Export, ExportedDocument, Inserted, RunEntry};
pub use tools::{ToolError, ToolSettings, ToolsStore};
pub use uri::{DatabaseUri, FilesystemUri, MongoUri, UriError};
