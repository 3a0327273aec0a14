//! What was decided goes to the disk: copies of the old files first, then the new ones.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use fs_err as fs;
use run_state::{FailureLog, RunNumber, RunSet};
use statefile::{Clock, CommitError, Document as _, Lock, copy_aside, replace};

use super::{RecoverError, Recovery};
use crate::{
    files::{NextState, StageFiles},
    journal::RunEvent,
    paths::StagePaths,
};

/// Does what was decided: keeps the old files, then writes the new ones. `lock` must guard the state. Says under
/// which names the old files are kept.
///
/// # Errors
///
/// When an old file cannot be kept, or a new one not be written.
pub fn recover(
    paths: &StagePaths,
    lock: Arc<Lock>,
    clock: Arc<dyn Clock>,
    recovery: &Recovery,
) -> Result<Vec<PathBuf>, RecoverError> {
    let kept = keep(paths, recovery, clock.now())?;
    mend(paths, recovery)?;
    write(StageFiles::open(paths, lock, clock)?, recovery)?;
    Ok(kept)
}

/// Writes the new state over the old one.
pub(super) fn write(mut files: StageFiles, recovery: &Recovery) -> Result<(), CommitError> {
    let now = files.snapshot();
    let event = RunEvent::Recovered { marks: recovery.marks.to_string(), missing: recovery.missing.to_string() };
    files.save(NextState {
        notes: vec![(RunNumber::default(), event)],
        marks: recovery.marks.clone(),
        failed: recovery.missing.clone(),
        in_flight: now.in_flight,
        held: RunSet::new(),
        unfinished: now.unfinished,
        amended: now.amended,
    })?;
    files.save_counts(recovery.sides.counts())
}

/// Copies every old file to a name with the time.
fn keep(paths: &StagePaths, recovery: &Recovery, now: DateTime<Utc>) -> Result<Vec<PathBuf>, RecoverError> {
    let mut files: BTreeSet<PathBuf> = recovery.damaged.iter().cloned().collect();
    let lists = [paths.in_flight(), paths.held(), paths.unfinished(), paths.amended(), paths.counts()];
    files.extend([paths.state.clone(), paths.failure_log.clone()].into_iter().chain(lists));
    let time = now.format("%Y%m%d_%H%M%S");
    let mut kept = Vec::new();
    for path in files {
        let failed = |source| RecoverError::Keep { path: path.clone(), source };
        if !fs::exists(&path).map_err(failed)? {
            continue;
        }
        remove_torn_copies(&path).map_err(failed)?;
        let copy = free_name(&path, &time.to_string()).map_err(failed)?;
        if !copy_aside(&path, &copy).map_err(failed)? {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        kept.push(copy);
    }
    Ok(kept)
}

/// Puts sound files in the places of damaged ones, the marks last: until then they are refused, as before.
fn mend(paths: &StagePaths, recovery: &Recovery) -> Result<(), RecoverError> {
    let encode = |path: &Path, document: serde_json::Result<String>| {
        document.map_err(|source| CommitError::Encode { path: path.to_owned(), source })
    };
    let is_state = |path: &Path| path == paths.state;
    let (last, first): (Vec<_>, Vec<_>) = recovery.damaged.iter().partition(|path| is_state(path));
    for path in first.into_iter().chain(last) {
        let failed = |source| CommitError::Write { path: path.clone(), source };
        if *path == paths.counts() || *path == paths.journal() {
            fs::remove_file(path).map_err(failed)?;
            continue;
        }
        let text = if is_state(path) {
            encode(path, recovery.marks.encode())?
        } else if *path == paths.failure_log {
            encode(path, FailureLog { runs: recovery.missing.clone() }.encode())?
        } else {
            String::new()
        };
        replace(path, text.as_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// The first of `<name>.before-<time>`, `<name>.before-<time>_2`, … that is free.
fn free_name(path: &Path, time: &str) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".before-{time}"));
        if number > 1 {
            name.push(format!("_{number}"));
        }
        let name = PathBuf::from(name);
        match fs::symlink_metadata(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(name),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes what a recovery that died while it copied the file at `path` has left.
fn remove_torn_copies(path: &Path) -> io::Result<()> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else { return Ok(()) };
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let copy = file_name.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix(".before-"));
        if copy.is_some_and(|time| time.contains(".tmp-")) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
