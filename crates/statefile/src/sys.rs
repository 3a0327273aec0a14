//! Every file operation of this crate that can go wrong, in one place.
//!
//! In production each function is the call of `fs_err` that it names. In this crate's own tests a script can
//! make any one of them fail, and a recorder writes down what a disk would have seen ([`crate::faults`]);
//! that is why they are here and not where they are used.

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::OFlags;
use tempfile::TempPath;

#[cfg(test)]
use crate::faults::{Call, call};

/// Runs an operation; in tests, the script decides whether it takes place.
#[cfg(not(test))]
macro_rules! call {
    ($call:expr, $operation:expr) => {
        $operation
    };
}
#[cfg(test)]
macro_rules! call {
    ($call:expr, $operation:expr) => {
        call($call, || $operation)
    };
}

/// Reads a whole file; one that is not regular is refused.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(path, u64::MAX)
}

/// The same, unless it is longer.
pub(crate) fn read_at_most(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let read = || {
        let file = open_regular(fs::OpenOptions::new().read(true), path)?;
        // At once, since growing step by step takes up to twice the memory; one more, so that the end is found without.
        let len = file.metadata()?.len().min(bytes_max);
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0).saturating_add(1));
        // One more than may be.
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max {
            let problem = format!("`{}` has more than {bytes_max} bytes", path.display());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
        Ok(bytes)
    };
    call!(Call::Read(path), read())
}

/// Opens a file that must be a regular one.
fn open_regular(options: &mut fs::OpenOptions, path: &Path) -> io::Result<fs::File> {
    options.custom_flags(flags(OFlags::empty())).open(path).and_then(|file| regular(path, file))
}

/// Flags with which no opening waits: whoever may write into a directory can put a FIFO in the place of a file.
fn flags(more: OFlags) -> i32 {
    // The flags of the system are a C int, of which these are low bits.
    (more | OFlags::NONBLOCK).bits().cast_signed()
}

fn regular(path: &Path, file: fs::File) -> io::Result<fs::File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused(path, "is not a regular file")) }
}

fn refused(path: &Path, problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` {problem}", path.display()))
}

/// What the system says of a file, with symbolic links followed.
pub(crate) fn metadata(path: &Path) -> io::Result<std::fs::Metadata> {
    call!(Call::Look(path), fs::metadata(path))
}

/// What the system says of a name.
pub(crate) fn symlink_metadata(path: &Path) -> io::Result<std::fs::Metadata> {
    call!(Call::Look(path), fs::symlink_metadata(path))
}

/// Where a symbolic link leads.
pub(crate) fn read_link(path: &Path) -> io::Result<PathBuf> {
    call!(Call::Look(path), fs::read_link(path))
}

/// The regular files in a directory whose names begin with `prefix`.
pub(crate) fn files_with_prefix(dir: &Path, prefix: &OsStr) -> io::Result<Vec<PathBuf>> {
    let list = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let is_named = entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
            if is_named && entry.file_type()?.is_file() {
                found.push(entry.path());
            }
        }
        Ok(found)
    };
    call!(Call::Look(dir), list())
}

/// Makes a temporary file in `dir`, with the permissions `mode` less the umask.
pub(crate) fn create_temporary(dir: &Path, prefix: &OsStr, mode: u32) -> io::Result<(File, TempPath)> {
    use std::os::unix::fs::PermissionsExt;
    let create = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix);
        // The umask takes away what the user wants taken away. `tempfile` by itself makes files that only
        // the owner can read.
        builder.permissions(std::fs::Permissions::from_mode(mode));
        let (file, path) = builder.tempfile_in(dir)?.into_parts();
        Ok::<_, io::Error>((fs::File::from_parts(file, path.to_path_buf()), path))
    };
    let (file, path) = call!(Call::Create(dir), create())?;
    #[cfg(test)]
    crate::faults::created(&path);
    Ok((File(file), path))
}

/// Opens a file to append to it.
pub(crate) fn open_for_append(path: &Path) -> io::Result<File> {
    let open = || open_regular(fs::OpenOptions::new().append(true), path);
    call!(Call::Open(path), open()).map(File)
}

/// Opens a lock file, making it where it is missing.
pub(crate) fn open_lock(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).custom_flags(flags(OFlags::NOFOLLOW));
    let mut open = || lock_file(path, options.create(true).truncate(false).open(path));
    call!(Call::Open(path), open())
}

/// Opens a lock file for reading.
pub(crate) fn open_lock_to_read(path: &Path) -> io::Result<fs::File> {
    lock_file(path, fs::OpenOptions::new().read(true).custom_flags(flags(OFlags::NOFOLLOW)).open(path))
}

/// A link is refused: the record of the holder would overwrite the file that it leads to.
fn lock_file(path: &Path, opened: io::Result<fs::File>) -> io::Result<fs::File> {
    opened.and_then(|file| regular(path, file)).map_err(|error| match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => refused(path, "is a symbolic link, which a lock file must not be"),
        _ => error,
    })
}

/// Makes `record` the whole content of a file: one write at its beginning, then the cut.
pub(crate) fn write_record(file: &fs::File, record: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    call!(Call::Write(file.path(), record), file.file().write_all_at(record, 0))?;
    call!(Call::Cut(file.path(), record.len() as u64), file.set_len(record.len() as u64))
}

/// Puts `from` in the place of `to`.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    call!(Call::Rename(from, to), fs::rename(from, to))
}

/// Gives `from` the second name `to`.
pub(crate) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    call!(Call::Link(from, to), fs::hard_link(from, to))
}

/// Renames `from` to `to` unless that exists: `Ok(false)`.
pub(crate) fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<bool> {
    use rustix::{fs::RenameFlags, io::Errno};
    let cwd = rustix::fs::CWD;
    let rename = || match rustix::fs::renameat_with(cwd, from, cwd, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // A file system without that call, say NFS: a link does not replace anything either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_to_free_name(from, to),
        Err(error) => Err(error.into()),
    };
    call!(Call::Rename(from, to), rename())
}

/// The same in two steps, between which the file has both names.
fn link_to_free_name(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a name.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    call!(Call::Remove(path), fs::remove_file(path))
}

/// Flushes a directory, so that what happened to the names in it is durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    call!(Call::SyncDirectory(dir), fs::File::open(dir)?.sync_all())
}

/// A file that is written to.
#[derive(Debug)]
pub(crate) struct File(fs::File);

impl File {
    /// Flushes content and metadata.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        call!(Call::Sync(self.0.path()), self.0.sync_all())
    }

    /// Flushes the content, and of the metadata what it takes to read that.
    pub(crate) fn sync_data(&self) -> io::Result<()> {
        call!(Call::Sync(self.0.path()), self.0.sync_data())
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> io::Result<u64> {
        call!(Call::Look(self.0.path()), self.0.metadata()).map(|metadata| metadata.len())
    }

    /// Cuts the file.
    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        call!(Call::Cut(self.0.path(), len), self.0.set_len(len))
    }

    /// Sets the permissions.
    pub(crate) fn set_permissions(&self, permissions: std::fs::Permissions) -> io::Result<()> {
        call!(Call::Look(self.0.path()), self.0.set_permissions(permissions))
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(test)]
        {
            let path = self.0.path().to_owned();
            crate::faults::write(&path, bytes, |bytes| self.0.write(bytes))
        }
        #[cfg(not(test))]
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_not_replaced_one_way_or_the_other() {
        for rename in [rename_to_free_name, link_to_free_name] {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (dir.path().join("from"), dir.path().join("to"));
            let error = rename(&from, &to).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "there is nothing to rename");
            fs::write(&from, "new").unwrap();
            assert!(rename(&from, &to).unwrap());
            assert!(!from.exists());
            fs::write(&from, "newer").unwrap();
            assert!(!rename(&from, &to).unwrap());
            assert_eq!(
                (fs::read_to_string(&from).unwrap(), fs::read_to_string(&to).unwrap()),
                ("newer".into(), "new".into())
            );
        }
    }

    #[test]
    fn what_has_just_the_most_bytes_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_at_most(&path, 5).unwrap(), b"12345");
        assert_eq!(read_at_most(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
