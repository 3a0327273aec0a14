//! Replaces a file as a whole: atomic for readers, durable when it returns.
//!
//! The order is what makes it safe: write a temporary file, flush it, rename it over the old one,
//! flush the directory. Before the rename nothing has changed; after it, everything has.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempPath;

use crate::sys;

/// Replaces the content of `path` with `bytes`.
///
/// A reader sees the old content or the new; when this returns `Ok`, the new content is on stable
/// storage. The permissions of an existing file are kept, a symbolic link is followed, and the
/// temporary file `<name>.tmp-*` in the same directory is removed on failure. What a killed process
/// leaves of it is found by [`remove_leftovers`].
///
/// # Errors
///
/// The system's, naming the call and the path. `path` then has its old content, or, if only the last
/// step failed (flushing the directory), the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = follow_links(path)?;
    Staged::write(&target, &target, bytes)?.install()
}

/// Removes what writers that died left beside `path`, and says what that was.
///
/// Call it only while no other process can be writing `path`: the leftovers of a dead writer and the
/// file of a living one look alike.
///
/// # Errors
///
/// The system's, when the directory cannot be listed or a leftover cannot be removed.
pub fn remove_leftovers(path: &Path) -> io::Result<Vec<PathBuf>> {
    let path = follow_links(path)?;
    let prefix = temporary_prefix(&path);
    let mut removed = Vec::new();
    for leftover in sys::files_with_prefix(directory_of(&path), &prefix)? {
        sys::remove_file(&leftover)?;
        removed.push(leftover);
    }
    Ok(removed)
}

/// Writes `bytes` to the new file `path`, whole and durable; `Ok(false)` where that name is taken, be it by a link
/// that leads nowhere. Nothing is followed and nothing overwritten.
///
/// # Errors
///
/// The system's; there is no such file then, unless only the last step failed (flushing the directory).
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    Staged::write(path, path, bytes)?.install_new()
}

/// Copies the file `from` to the new file `to`, as [`create`] does, with its permissions. What a killed process leaves
/// is found by [`remove_leftovers`] of `from`, if they are in the same directory.
///
/// # Errors
///
/// As [`create`]; also when `from` cannot be read.
pub fn copy_aside(from: &Path, to: &Path) -> io::Result<bool> {
    let from = follow_links(from)?;
    let state = if directory_of(&from) == directory_of(to) { &from } else { to };
    Staged::write_like(&from, to, state, &sys::read(&from)?)?.install_new()
}

/// Reads the regular file `path`, links followed, if it has at most `bytes_max` bytes.
///
/// For files in directories into which others may write: a FIFO in the place of a file would be waited for, and a
/// device would have no end.
///
/// # Errors
///
/// The system's; [`io::ErrorKind::InvalidInput`] for what is no regular file, [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    sys::read_at_most(path, bytes_max)
}

/// New content that is on stable storage beside its target, but not yet in its place.
#[derive(Debug)]
pub(crate) struct Staged {
    temporary: TempPath,
    target: PathBuf,
}

impl Staged {
    /// Writes and flushes a temporary file for `target`, named as one of the state file `state` in the
    /// same directory, so that the next start of its writer finds it. Neither may be a symbolic link.
    pub(crate) fn write(target: &Path, state: &Path, bytes: &[u8]) -> io::Result<Self> {
        Self::write_like(target, target, state, bytes)
    }

    /// Like [`write`](Self::write), with the permissions of the file `model`, if there is one.
    fn write_like(model: &Path, target: &Path, state: &Path, bytes: &[u8]) -> io::Result<Self> {
        let permissions = match sys::metadata(model) {
            Ok(metadata) => Some(metadata.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Never more open than it will be, not even for a moment: whoever opens it then reads what is written later.
        let mode = permissions.as_ref().map_or(ANY_FILE, |permissions| permissions.mode() & ANY_FILE | OWNER);
        let (mut file, temporary) = temporary_beside(state, mode)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(Self { temporary, target: target.to_owned() })
    }

    /// Puts the content in its place if that is free.
    fn install_new(self) -> io::Result<bool> {
        let Self { temporary, target } = self;
        if !sys::rename_to_free_name(&temporary, &target)? {
            return Ok(false);
        }
        // As in `install`.
        drop(temporary.keep());
        sync_directory(&target).map(|()| true)
    }

    /// Puts the content in its place.
    pub(crate) fn install(self) -> io::Result<()> {
        sys::rename(&self.temporary, &self.target)?;
        // The name is gone, so there is nothing left to clean up; a failure here would be a bug of
        // `tempfile` on a platform that marks temporary files, and must not undo the rename.
        drop(self.temporary.keep());
        sync_directory(&self.target)
    }
}

/// Keeps the present content of `target` as `backup`, without copying it where the file system can.
///
/// Not flushed: the flush of the directory that ends the update covers it.
pub(crate) fn keep_generation(target: &Path, backup: &Path) -> io::Result<()> {
    let (_, temporary) = temporary_beside(target, OWNER)?;
    // A link cannot be made over an existing name, so the reserved name is freed first; nobody else
    // takes it, since the writer's lock is held.
    sys::remove_file(&temporary)?;
    match sys::hard_link(target, &temporary) {
        Ok(()) => {
            sys::rename(&temporary, backup)?;
            // Renaming one link of a file over another link of it does nothing and says `Ok`. Then
            // `temporary` still exists, and its drop removes it.
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Some file systems have no links: copy.
        Err(_) => Staged::write_like(target, backup, target, &sys::read(target)?)?.install(),
    }
}

/// Renames `source` to `target` in the same directory unless something is there (`Ok(false)`), durably.
///
/// # Errors
///
/// When the rename fails, or the flush of the directory after it.
pub fn move_aside(source: &Path, target: &Path) -> io::Result<bool> {
    Ok(sys::rename_to_free_name(source, target)? && sync_directory(target).map(|()| true)?)
}

/// Flushes the directory that holds `path`, so that a rename in it is durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    sys::sync_directory(directory_of(path))
}

/// The file that `path` leads to, which need not exist.
pub(crate) fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match sys::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let link = sys::read_link(&path)?;
                path = directory_of(&path).join(link);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("too many symbolic links at `{}`", path.display())))
}

/// What Linux follows before it says ELOOP.
const LINKS_MAX: usize = 40;

/// The directory that holds `path`.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` appended to its name: `state.json` and `.lock` give `state.json.lock`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn temporary_prefix(target: &Path) -> OsString {
    let mut prefix = target.file_name().unwrap_or(OsStr::new("state")).to_owned();
    prefix.push(".tmp-");
    prefix
}

fn temporary_beside(target: &Path, mode: u32) -> io::Result<(sys::File, TempPath)> {
    sys::create_temporary(directory_of(target), &temporary_prefix(target), mode)
}

/// The permissions of a file that any program creates, of which the umask takes away what the user wants taken away.
const ANY_FILE: u32 = 0o666;

/// The permissions that it takes to write a file.
const OWNER: u32 = 0o600;
