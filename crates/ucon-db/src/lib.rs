//! Archives of run records, keyed by run number.
//!
//! The port is [`BlobStore`]: list the runs, put one, get one. Three implementations pass the same suite:
//! [`HttpStore`] talks to a UconDB server, [`EmbeddedStore`] keeps a SQLite file with the same meaning,
//! [`MemoryStore`] is for rehearsals. [`archive`] is the put that may be repeated: it settles a conflict by content
//! and reads back what it stored; [`renew`] makes a changed record the current one, and keeps the one before.
//!
//! # Which store?
//!
//! [`ServerUrl`] reads the `server_url` of a configuration: `https://…/app` is a server, `embedded://PATH` is a file.
//!
//! # What is absent
//!
//! Retries and their delays (errors carry an [`ErrorClass`] for whoever has a policy), the creation of folders on a
//! server, deleting what is archived.

mod archive;
mod checksum;
#[doc(hidden)]
pub mod conformance;
mod embedded;
mod error;
mod http;
mod key;
mod memory;
mod names;
mod server;
mod store;

pub use archive::{Archived, Verify, archive, renew};
pub use checksum::{Md5Digest, NotAnMd5Digest, adler32};
pub use embedded::{EmbeddedError, EmbeddedStore};
pub use error::{BlobError, ErrorClass};
#[doc(hidden)]
pub use http::fuzzing;
pub use http::{HttpConfig, HttpError, HttpProblem, HttpStore, Operation, SetupError, Timeouts, Tls};
pub use memory::MemoryStore;
pub use names::{FolderName, NameError, ObjectName};
pub use run_state::RunNumber;
pub use server::{BaseUrl, ServerUrl, ServerUrlError};
pub use store::{BlobInfo, BlobStore, Receipt, VersionInfo};
