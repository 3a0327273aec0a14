//! The address of an archive, as artdaqDB spells it.
//!
//! The genuine programs take everything that they do not understand (`file://`, `mongodb+srv://`, a missing scheme,
//! capitals, the empty text) for their default database, and hand a path to the shell's word expansion. Here each of
//! these is an error that says what is wrong, and a path that the two would read differently is refused.
//!
//! No error, `Debug` or `Display` form shows a password.

mod filesystem;
mod mongo;

use std::fmt;

pub use filesystem::FilesystemUri;
pub use mongo::MongoUri;

/// The address of an archive.
///
/// ```
/// use artdaq_db::DatabaseUri;
///
/// let uri = DatabaseUri::parse("mongodb://daq:secret@db1/sbnd_archive?tls=true", |_| None)?;
/// assert!(matches!(uri, DatabaseUri::Mongo(_)));
/// assert_eq!(uri.to_string(), "mongodb://db1/sbnd_archive");
/// # Ok::<(), artdaq_db::UriError>(())
/// ```
#[derive(Debug, Clone)]
pub enum DatabaseUri {
    /// A directory.
    Filesystem(FilesystemUri),
    /// A database in a MongoDB server.
    Mongo(MongoUri),
}

/// Why a text is not the address of an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// There is no text.
    #[error("the database URI is empty; it should read `filesystemdb:///path/to/archive`")]
    Empty,
    /// The scheme is unknown, missing, or has capitals.
    #[error("database URI `{uri}` does not start with `filesystemdb://` or `mongodb://`")]
    Scheme {
        /// The text without what may be a password.
        uri: String,
    },
    /// A MongoDB server that is to be found by DNS.
    #[error(
        "`mongodb+srv://` is not supported, since the genuine programs take it for a server on this machine; name the \
         servers: `mongodb://host1,host2/DATABASE?replicaSet=NAME`"
    )]
    SeedList,
    /// Something of a MongoDB address stands where a user and a password stand, and cannot be one.
    #[error(
        "the user or the password in the database URI is malformed (it is not shown here); write the characters \
         `:/?#[]@%` in them as `%` and two hexadecimal digits, and so an `@` behind the `?`"
    )]
    Credentials,
    /// A MongoDB address names no server.
    #[error("database URI `{uri}` names no server")]
    NoServer {
        /// The text without user, password and options.
        uri: String,
    },
    /// A MongoDB address names no database, or one that cannot be.
    #[error("database URI `{uri}` has no valid name of a database; it should read `mongodb://SERVER/DATABASE`")]
    Database {
        /// The text without user, password and options.
        uri: String,
    },
    /// There is no path behind the scheme, or nothing but slashes.
    #[error("database URI `{uri}` has no path")]
    NoPath {
        /// The whole text.
        uri: String,
    },
    /// A variable of the environment is not set, or is empty.
    #[error("database URI `{uri}` needs the environment variable `{variable}`, which is not set")]
    Unset {
        /// The whole text.
        uri: String,
        /// The variable.
        variable: String,
    },
    /// A `$` is not followed by a variable's name.
    #[error("database URI `{uri}` has a `$` without a variable's name")]
    Dollar {
        /// The whole text.
        uri: String,
    },
    /// The path holds a character that the genuine programs would hand to the shell.
    #[error(
        "the path of database URI `{uri}` contains {character:?}, with which the genuine programs read another path"
    )]
    Character {
        /// The whole text, variables expanded.
        uri: String,
        /// The character.
        character: char,
    },
}

impl DatabaseUri {
    /// Reads an address; `variable` gives the environment's variables, which stand in paths only.
    ///
    /// # Errors
    ///
    /// [`UriError`], always with what is wrong.
    pub fn parse(uri: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, UriError> {
        if uri.starts_with(mongo::SCHEME) || uri.starts_with(mongo::SEED_LIST) {
            return MongoUri::parse(uri).map(Self::Mongo);
        }
        FilesystemUri::parse(uri, variable).map(Self::Filesystem)
    }
}

/// The address without user, password and options.
impl fmt::Display for DatabaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filesystem(uri) => uri.fmt(f),
            Self::Mongo(uri) => uri.fmt(f),
        }
    }
}

/// Cuts out what may be a password: everything between the scheme, or the beginning, and the last `@`.
fn without_credentials(text: &str) -> String {
    match text.rfind('@') {
        Some(at) => {
            let scheme = text.find("://").filter(|&scheme| scheme < at).map_or(0, |scheme| scheme + "://".len());
            format!("{}…{}", &text[..scheme], &text[at..])
        }
        None => text.to_owned(),
    }
}
