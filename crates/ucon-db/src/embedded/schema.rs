//! The tables of an archive file, and how the file is opened.
//!
//! | table | meaning |
//! |---|---|
//! | `version` | one row a put: folder, object, key (unique, or null once overridden), validity `tv`, record time, blob |
//! | `tag` | the tags of a version |
//! | `blob` | contents, each once per folder |

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::EmbeddedError;

/// Marks the file as an archive of ours: `UCON` in ASCII.
const APPLICATION_ID: i64 = 0x5543_4F4E;

/// The version of the tables. 1: the first.
const FORMAT_VERSION: i64 = 1;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE blob (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL,
    adler32 INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX blob_content ON blob (folder, adler32, size);
CREATE TABLE version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL,
    object TEXT NOT NULL,
    key TEXT,
    tv REAL NOT NULL,
    tr_micros INTEGER NOT NULL,
    data_key INTEGER NOT NULL REFERENCES blob (id),
    UNIQUE (folder, object, key)
) STRICT;
CREATE TABLE tag (
    version_id INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (name, version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_version ON tag (version_id);
";

/// Opens the archive at `path`, creating it if there is none.
pub(super) fn open(path: &Path) -> Result<Connection, EmbeddedError> {
    let failed = |source| EmbeddedError::Open { path: path.to_owned(), source };
    if !fs_err::exists(path).unwrap_or(true) {
        create(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    check_identity(&connection, path)?;
    // The log is flushed at each commit, and not only when it is folded into the file.
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    Ok(connection)
}

/// Makes an empty archive beside `path` and gives it the name in one step, unless another process was faster.
///
/// Two processes that turn the same new file into an archive get in each other's way: SQLite does not wait when it
/// changes the journal mode. And nobody ever sees half an archive.
fn create(path: &Path) -> Result<(), EmbeddedError> {
    let failed = |source| EmbeddedError::Create { path: path.to_owned(), source };
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory.to_owned(),
        _ => PathBuf::from("."),
    };
    fs_err::create_dir_all(&directory).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ucondb-new-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: what the umask leaves of it. `tempfile` by itself lets only the owner read.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(&directory).map_err(failed)?;
    fill(file.path()).map_err(|source| EmbeddedError::Open { path: path.to_owned(), source })?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => fs_err::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

/// Turns an empty file into an empty archive.
fn fill(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT_VERSION)?;
    // Readers and the writer do not wait for each other. The file remembers the mode.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)
}

/// Refuses a file of another program, or of a newer version of this one, before anything in it is changed.
fn check_identity(connection: &Connection, path: &Path) -> Result<(), EmbeddedError> {
    let number = |pragma| {
        let value = connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        value.map_err(|source| EmbeddedError::Open { path: path.to_owned(), source })
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(EmbeddedError::NotAnArchive { path: path.to_owned() });
    }
    match number("user_version")? {
        found if found > FORMAT_VERSION => {
            Err(EmbeddedError::TooNew { path: path.to_owned(), found, supported: FORMAT_VERSION })
        }
        _ => Ok(()),
    }
}
