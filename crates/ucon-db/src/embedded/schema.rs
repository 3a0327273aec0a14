//! The tables of an archive file, and how the file is opened.
//!
//! | table | meaning |
//! |---|---|
//! | `version` | one row a put: folder, object, key (unique, or null once overridden), validity `tv`, record time, blob |
//! | `tag` | the tags of a version |
//! | `blob` | contents, each once per folder |

use std::{
    fs::TryLockError,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use super::EmbeddedError;

/// Marks the file as an archive of ours: `UCON` in ASCII.
const APPLICATION_ID: i64 = 0x5543_4F4E;

/// The version of the tables. 1: the first.
const FORMAT_VERSION: i64 = 1;

/// How the names of archives in the making begin.
const UNFINISHED: &str = ".ucondb-new-";

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
    remove_abandoned(&directory).map_err(failed)?;
    let file = unfinished_in(&directory).map_err(failed)?;
    fill(file.path()).map_err(|source| EmbeddedError::Open { path: path.to_owned(), source })?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => fs_err::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

/// A new file, locked for as long as somebody works on it.
fn unfinished_in(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: what the umask leaves of it. `tempfile` by itself lets only the owner read.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(directory)?;
        match file.as_file().try_lock() {
            // Another process that tidies up may have been between its making and its lock.
            Ok(()) if fs_err::exists(file.path())? => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // Nobody can lock here, so that nobody removes it, either.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes what processes left that died while they made an archive: files that nobody has locked, and what SQLite
/// had beside them.
fn remove_abandoned(directory: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if !entry.file_type()?.is_file() {
            continue;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_prefix(UNFINISHED)) else { continue };
        if let Some((random, _)) = name.split_once('-') {
            // Whoever removed the file itself may have died before this one's turn came.
            if !fs_err::exists(path.with_file_name(format!("{UNFINISHED}{random}")))? {
                remove_if_there(&path)?;
            }
            continue;
        }
        let Ok(file) = fs_err::File::open(&path) else { continue };
        // The lock is held until the file is gone: see `unfinished_in`.
        if file.file().try_lock().is_ok() {
            remove_if_there(&path)?;
            remove_if_there(&path.with_file_name(format!("{UNFINISHED}{name}-journal")))?;
        }
    }
    Ok(())
}

/// Removes a file that another process may remove at the same time.
fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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

/// What SQLite means when it fails at the first use of a file: it wants room beside it even to read, and says `disk I/O
/// error` where there is none.
fn explained(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, _) if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => {
            let text = "there is no room for its `-shm` file (32 KiB); is the disk full?";
            rusqlite::Error::SqliteFailure(code, Some(text.to_owned()))
        }
        other => other,
    }
}

/// Refuses a file of another program, or of a newer version of this one, before anything in it is changed.
fn check_identity(connection: &Connection, path: &Path) -> Result<(), EmbeddedError> {
    let number = |pragma| {
        let value = connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        value.map_err(|source| EmbeddedError::Open { path: path.to_owned(), source: explained(source) })
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
