//! Every step that changes the disk, in one place, so that tests can stop the process before any of them.

use std::{
    fmt,
    io::{self, Write as _},
    path::Path,
};

use fs_err as fs;

use crate::ConfigError;

/// Asked before every step; an error stands for the death of the process.
#[cfg(test)]
pub(super) type Failpoint = std::sync::Arc<dyn Fn(&'static str, &Path) -> io::Result<()> + Send + Sync>;

/// The disk, as far as it is changed.
#[derive(Default, Clone)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) failpoint: Option<Failpoint>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

/// Attaches what was tried, and with which file.
pub(super) fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ConfigError {
    move |source| ConfigError::Io { operation, path: path.to_owned(), source }
}

impl Disk {
    #[cfg(test)]
    fn step(&self, operation: &'static str, path: &Path) -> io::Result<()> {
        self.failpoint.as_ref().map_or(Ok(()), |failpoint| failpoint(operation, path))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "fails in tests only")]
    fn step(&self, _operation: &'static str, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Creates a directory with its parents.
    pub(super) fn create_directory(&self, path: &Path) -> Result<(), ConfigError> {
        self.step("create", path).and_then(|()| fs::create_dir_all(path)).map_err(io_error("create", path))
    }

    /// Creates a file, which must not exist. Not durable yet.
    pub(super) fn create_file(&self, path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
        let write = |bytes: &[u8]| fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes);
        let outcome = match self.step("write", path) {
            Ok(()) => write(bytes),
            Err(error) => write(&bytes[..bytes.len() / 2]).and(Err(error)),
        };
        outcome.map_err(io_error("write", path))
    }

    /// Replaces a file durably.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
        let outcome = match self.step("replace", path) {
            Ok(()) => statefile::replace(path, bytes),
            Err(error) => {
                let mut leftover = path.as_os_str().to_owned();
                leftover.push(".tmp-dead");
                fs::write(leftover, &bytes[..bytes.len() / 2]).and(Err(error))
            }
        };
        outcome.map_err(io_error("replace", path))
    }

    /// Gives a file its final name.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), ConfigError> {
        self.step("rename", from).and_then(|()| fs::rename(from, to)).map_err(io_error("rename", from))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove_file(&self, path: &Path) -> Result<(), ConfigError> {
        let remove = || match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        self.step("remove", path).and_then(|()| remove()).map_err(io_error("remove", path))
    }

    /// Removes what a dead writer has left of a replacement of `path`.
    pub(super) fn remove_leftovers(&self, path: &Path) -> Result<(), ConfigError> {
        let remove = || statefile::remove_leftovers(path).map(drop);
        self.step("clean up", path).and_then(|()| remove()).map_err(io_error("clean up", path))
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_directory(&self, path: &Path) -> Result<(), ConfigError> {
        let sync = || fs::File::open(path)?.sync_all();
        self.step("flush", path).and_then(|()| sync()).map_err(io_error("flush", path))
    }

    /// Makes files in `directory` durable that were written before.
    ///
    /// More than a few are flushed with their whole file system (`syncfs`), which costs one commit of its journal
    /// instead of one a file: for 170 files 10 ms instead of 645 ms where this was measured.
    pub(super) fn sync_files<'a>(
        &self,
        directory: &Path,
        files: impl ExactSizeIterator<Item = &'a Path>,
    ) -> Result<(), ConfigError> {
        const FEW: usize = 3;
        self.step("flush", directory).map_err(io_error("flush", directory))?;
        if files.len() > FEW {
            let sync = || Ok(rustix::fs::syncfs(fs::File::open(directory)?)?);
            return sync().map_err(io_error("flush", directory));
        }
        for file in files {
            let sync = || fs::File::open(file)?.sync_all();
            sync().map_err(io_error("flush", file))?;
        }
        Ok(())
    }
}
