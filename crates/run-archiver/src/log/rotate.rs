//! Sets the log file aside when it is too large or too old: `archiver.log` becomes `archiver.log.1`, that one
//! `archiver.log.2`, and so on; the last is dropped.
//!
//! Only at start-up and under the lock, so that no other process holds the file. Its age is that of its first
//! line, since the time of its last change says nothing about a file that is appended to every day.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use fs_err as fs;

/// When a file is set aside, and how many are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From this size on it is set aside.
    pub(super) bytes: u64,
    /// From this age on, too.
    pub(super) age: TimeDelta,
    /// How many files set aside are kept.
    pub(super) backups: u32,
}

impl Default for Limits {
    /// Those of the Python archiver: 500 MB, 14 days, 5 files.
    fn default() -> Self {
        Self { bytes: 500 << 20, age: TimeDelta::days(14), backups: 5 }
    }
}

/// Sets `path` aside if it is due.
pub(super) fn rotate(path: &Path, now: DateTime<Utc>, limits: &Limits) -> io::Result<()> {
    let length = match fs::metadata(path) {
        // A terminal or a pipe is nothing to set aside, and reading a FIFO would wait for its writer.
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_old = || Ok::<_, io::Error>(first_time(path)?.is_some_and(|first| now - first >= limits.age));
    if length < limits.bytes && !is_old()? {
        return Ok(());
    }
    for number in (1..limits.backups).rev() {
        rename_if_there(&backup(path, number), &backup(path, number + 1))?;
    }
    rename_if_there(path, &backup(path, 1))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn backup(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// The time that the first line begins with, ours or the Python archiver's; `None` for anything else.
fn first_time(path: &Path) -> io::Result<Option<DateTime<Utc>>> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(40).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let ours =
        head.split(' ').next().and_then(|word| DateTime::parse_from_rfc3339(word).ok()).map(|time| time.to_utc());
    // `2026-03-01 10:15:02,123 - `, in local time; a few hours do not matter here.
    let python = || head.get(..19).and_then(|text| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok());
    Ok(ours.or_else(|| python().map(|time| time.and_utc())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const LIMITS: Limits = Limits { bytes: 100, age: TimeDelta::days(14), backups: 3 };

    #[test]
    fn a_file_is_set_aside_when_it_is_large_or_old() {
        for (content, expect) in [
            ("2026-03-01T00:00:00Z INFO x\n".to_owned(), false),
            ("2026-02-16T00:00:00Z INFO x\n".to_owned(), true),
            ("2026-02-16T00:00:01Z INFO x\n".to_owned(), false),
            ("2026-02-01 10:00:00,123 - root - INFO - x\n".to_owned(), true),
            ("no time\n".to_owned(), false),
            (String::new(), false),
            ("x".repeat(99), false),
            ("x".repeat(100), true),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.log");
            fs::write(&path, &content).unwrap();
            rotate(&path, "2026-03-02T00:00:00Z".parse().unwrap(), &LIMITS).unwrap();
            assert_eq!(!path.exists(), expect, "{content}");
            assert_eq!(dir.path().join("a.log.1").exists(), expect, "{content}");
        }
    }

    #[test]
    fn the_oldest_backup_is_dropped_and_a_missing_file_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let now = "2026-03-02T00:00:00Z".parse().unwrap();
        rotate(&path, now, &LIMITS).unwrap();
        for letter in ["a", "b", "c", "d", "e"] {
            fs::write(&path, letter.repeat(100)).unwrap();
            rotate(&path, now, &LIMITS).unwrap();
        }
        let mut left: Vec<(String, char)> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let content = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), content.chars().next().unwrap())
            })
            .collect();
        left.sort();
        let expect = [("a.log.1", 'e'), ("a.log.2", 'd'), ("a.log.3", 'c')];
        assert_eq!(left, expect.map(|(name, letter)| (name.to_owned(), letter)));
    }
}
