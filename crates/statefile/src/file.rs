//! The document on disk: one writer ([`StateFile`]), any number of readers ([`Snapshot`]).

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use crate::{
    ArchiveError, CommitError, Document, Lock, OpenError, UpdateError, Version,
    document::{Decoded, decode},
    replace::{Staged, directory_of, follow_links, keep_generation, move_aside, remove_leftovers, with_suffix},
    sys,
};

/// A document that this process alone may change.
///
/// The lock is held for as long as this value lives.
#[derive(Debug)]
pub struct StateFile<D> {
    /// As the user named it.
    path: PathBuf,
    /// Where it really lies: `path` with symbolic links followed.
    target: PathBuf,
    document: D,
    on_disk: bool,
    health: Health,
    lock: Arc<Lock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Sound,
    Poisoned,
    Archived,
}

impl<D: Document + Clone> StateFile<D> {
    /// The lock file that belongs to the state file `path`: `<path>.lock`, beside the file itself where
    /// `path` is a symbolic link, so that two names of one file share one lock.
    pub fn lock_path(path: &Path) -> PathBuf {
        with_suffix(&target_of(path), ".lock")
    }

    /// The last good generation of the state file `path`: `<path>.bak`, beside the file itself.
    pub fn backup_path(path: &Path) -> PathBuf {
        with_suffix(&target_of(path), ".bak")
    }

    /// Opens the document at `path`, or starts with `fresh` where there is no file.
    ///
    /// A fresh document is written by its first update, not before. `lock` must guard `path`: usually
    /// it is the one at [`lock_path`](Self::lock_path); several files may share one. What dead writers
    /// left beside the file is removed.
    ///
    /// # Errors
    ///
    /// When the file is unreadable, damaged or newer than [`Document::VERSION`]; its bytes are kept.
    pub fn open(
        path: impl Into<PathBuf>,
        lock: impl Into<Arc<Lock>>,
        fresh: impl FnOnce() -> D,
    ) -> Result<Self, OpenError> {
        let path = path.into();
        let io_error = |source| OpenError::Io { path: path.clone(), source };
        let target = follow_links(&path).map_err(io_error)?;
        remove_leftovers(&target).map_err(io_error)?;
        let found = match read::<D>(&path)? {
            None => None,
            Some((Decoded::TooNew { found, supported }, _)) => {
                return Err(OpenError::TooNew { path, found, supported });
            }
            Some((Decoded::Document { version: Some(found), .. }, _)) if !is_writable::<D>(found) => {
                // Readable, but fields of the newer version might need upkeep that we do not know.
                return Err(OpenError::TooNew { path, found, supported: D::VERSION.unwrap_or(found) });
            }
            Some((Decoded::Document { document, .. }, _)) => Some(document),
        };
        let on_disk = found.is_some();
        let document = found.unwrap_or_else(fresh);
        Ok(Self { path, target, document, on_disk, health: Health::Sound, lock: lock.into() })
    }

    /// The document, as it is on disk (or would be, where nothing was written yet).
    pub fn document(&self) -> &D {
        &self.document
    }

    /// Whether there is a file: `false` for a fresh document before its first update.
    pub fn is_on_disk(&self) -> bool {
        self.on_disk
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lock that guards the file.
    pub fn lock(&self) -> &Arc<Lock> {
        &self.lock
    }

    /// Applies `change`, writes the result durably, and only then adopts it.
    ///
    /// The generation before it becomes `<path>.bak`.
    ///
    /// # Errors
    ///
    /// On error the in-memory document is unchanged and this value refuses further updates.
    /// The file holds the old document, or the new one if only the directory sync failed;
    /// reopen it to find out which.
    pub fn update<R>(&mut self, change: impl FnOnce(&mut D) -> R) -> Result<R, CommitError> {
        self.try_update(|document| Ok::<R, Infallible>(change(document))).map_err(|error| match error {
            UpdateError::Rejected(never) => match never {},
            UpdateError::Commit(error) => error,
        })
    }

    /// Like [`update`](Self::update), for a change that may itself be refused: then nothing is written.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Rejected`] with the refusal of `change`, after which further updates are welcome;
    /// [`UpdateError::Commit`] as in [`update`](Self::update).
    pub fn try_update<R, E: std::error::Error>(
        &mut self,
        change: impl FnOnce(&mut D) -> Result<R, E>,
    ) -> Result<R, UpdateError<E>> {
        self.check_health()?;
        let mut next = self.document.clone();
        let outcome = change(&mut next).map_err(UpdateError::Rejected)?;
        self.write(&next)?;
        self.document = next;
        Ok(outcome)
    }

    fn check_health(&self) -> Result<(), CommitError> {
        match self.health {
            Health::Sound => Ok(()),
            Health::Poisoned => Err(CommitError::Poisoned { path: self.path.clone() }),
            Health::Archived => Err(CommitError::Archived { path: self.path.clone() }),
        }
    }

    fn write(&mut self, next: &D) -> Result<(), CommitError> {
        let text = next.encode().map_err(|source| CommitError::Encode { path: self.path.clone(), source })?;
        self.health = Health::Poisoned;
        let written = Staged::write(&self.target, &self.target, text.as_bytes()).and_then(|staged| {
            if self.on_disk {
                keep_generation(&self.target, &Self::backup_path(&self.target))?;
            }
            staged.install()
        });
        written.map_err(|source| CommitError::Write { path: self.path.clone(), source })?;
        self.health = Health::Sound;
        self.on_disk = true;
        Ok(())
    }

    /// Moves the file to `<stem><extension>` beside it, or to `<stem>_2<extension>` and so on where the
    /// name is taken, and says where it went.
    ///
    /// Nothing is ever overwritten. The backup is removed, since the archive is the record now, and
    /// this value takes no more changes.
    ///
    /// # Errors
    ///
    /// When there is no file, or the system refuses a step.
    pub fn archive(&mut self, stem: &str, extension: &str) -> Result<PathBuf, ArchiveError> {
        if !self.on_disk {
            return Err(ArchiveError::Missing { path: self.path.clone() });
        }
        let names = (1_u32..).map(|n| match n {
            1 => format!("{stem}{extension}"),
            n => format!("{stem}_{n}{extension}"),
        });
        for name in names {
            let archive = directory_of(&self.target).join(name);
            let moved = move_aside(&self.target, &archive).map_err(|source| ArchiveError::Io {
                path: self.path.clone(),
                archive: archive.clone(),
                source,
            })?;
            if moved {
                self.health = Health::Archived;
                self.on_disk = false;
                // The archive is durable; a backup that cannot be removed as well does no harm.
                drop(sys::remove_file(&Self::backup_path(&self.target)));
                return Ok(archive);
            }
        }
        unreachable!("a directory holds fewer than 2^32 archives of one name")
    }
}

/// A document as it was on disk at one moment, read without a lock and without write access.
#[derive(Debug, Clone)]
pub struct Snapshot<D> {
    /// The document.
    pub document: D,
    /// Its format version, for kinds that carry one; its minor number may be newer than we know.
    pub version: Option<Version>,
    /// When the file was last written, by its own modification time.
    pub modified_at: DateTime<Utc>,
}

impl<D: Document> Snapshot<D> {
    /// Reads the document at `path`; `None` where there is no file.
    ///
    /// A newer minor version is read as far as we know it. A newer major version is refused.
    ///
    /// # Errors
    ///
    /// When the file is unreadable, damaged or of a newer major version.
    pub fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        match read::<D>(path)? {
            None => Ok(None),
            Some((Decoded::TooNew { found, supported }, _)) => {
                Err(OpenError::TooNew { path: path.to_owned(), found, supported })
            }
            Some((Decoded::Document { document, version }, modified_at)) => {
                Ok(Some(Self { document, version, modified_at }))
            }
        }
    }
}

fn is_writable<D: Document>(found: Version) -> bool {
    D::VERSION.is_none_or(|supported| found.is_writable_by(supported))
}

/// What was read, and when the file was last written.
type Found<D> = (Decoded<D>, DateTime<Utc>);

/// Reads and decodes the file at `path`; `None` where there is none.
fn read<D: Document>(path: &Path) -> Result<Option<Found<D>>, OpenError> {
    let io_error = |source| OpenError::Io { path: path.to_owned(), source };
    let metadata = match sys::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    if !metadata.is_file() {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    }
    let bytes = match sys::read(path) {
        Ok(bytes) => bytes,
        // Archived between the two calls.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    let modified_at = metadata.modified().map_err(io_error)?.into();
    match decode::<D>(&bytes) {
        Ok(decoded) => Ok(Some((decoded, modified_at))),
        Err(source) => {
            let last_good = Some(with_suffix(&target_of(path), ".bak")).filter(|backup| is_good::<D>(backup));
            Err(OpenError::Damaged { path: path.to_owned(), kind: D::KIND, source, last_good })
        }
    }
}

/// Where `path` leads; `path` itself where that cannot be found out, since the next call on it will
/// report why.
fn target_of(path: &Path) -> PathBuf {
    follow_links(path).unwrap_or_else(|_| path.to_owned())
}

fn is_good<D: Document>(path: &Path) -> bool {
    sys::read(path).is_ok_and(|bytes| matches!(decode::<D>(&bytes), Ok(Decoded::Document { .. })))
}
