//! One writer at a time, by a kernel lock on a file of its own.
//!
//! The kernel drops the lock when its holder dies, however it dies, so there are no stale locks and
//! nothing to remove by hand. The file is never truncated before the lock is held and never deleted:
//! a deleted lock file lets two processes lock two files of one name.

use std::{
    fmt,
    fs::TryLockError,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{
    Clock, LockError,
    plain::to_plain_json,
    replace::{move_aside, with_suffix},
    sys,
};

/// Who holds a lock, as written in the lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process number on `host`.
    pub pid: u32,
    /// The name of the machine.
    pub host: String,
    /// The name of the user, or `uid N` where the environment does not tell.
    pub user: String,
    /// The command line; what stands before the `@` of an address, where a password may be, is `***`.
    pub command: String,
    /// When the process asked for the lock, to the second, UTC.
    #[serde(with = "seconds")]
    pub started_at: DateTime<Utc>,
}

impl Owner {
    /// This process, now.
    #[expect(clippy::disallowed_methods, reason = "a lock says who asks, which only the process itself knows")]
    pub fn current(clock: &dyn Clock) -> Self {
        let command =
            std::env::args_os().map(|part| without_password(&part.to_string_lossy())).collect::<Vec<_>>().join(" ");
        Self {
            pid: std::process::id(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            user: user(|name| std::env::var(name).ok()),
            command: command.chars().take(COMMAND_CHARS_MAX).collect(),
            started_at: clock.now(),
        }
    }

    /// Whether the process is certainly dead: this is its host, and no process has its number.
    pub fn is_dead(&self) -> bool {
        !self.may_live()
    }

    /// Whether the process may be alive: `false` only where that is certain.
    fn may_live(&self) -> bool {
        if gethostname::gethostname().to_string_lossy() != self.host {
            return true;
        }
        let Some(pid) = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw) else {
            return false;
        };
        rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
    }
}

/// Who the environment says we are; the number where it says nothing.
fn user(variable: impl Fn(&str) -> Option<String>) -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| variable(name).filter(|user| !user.is_empty()));
    named.unwrap_or_else(|| format!("uid {}", rustix::process::geteuid().as_raw()))
}

/// An argument with `***` for the user and password of each address in it.
fn without_password(argument: &str) -> String {
    let mut parts = argument.split("://");
    let mut safe = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.split(['/', '?', '#']).next().unwrap_or_default();
        // A password with a slash in it ends the authority too early; the last `@` of all is beyond it then.
        let end = authority.rfind('@').or_else(|| part.rfind('@').filter(|_| authority.contains(':')));
        safe.push_str("://");
        match end {
            Some(end) => safe.extend(["***", &part[end..]]),
            None => safe.push_str(part),
        }
    }
    safe
}

/// Long enough to recognise a command, short enough for one write of the lock file.
const COMMAND_CHARS_MAX: usize = 500;

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, user, started_at, .. } = self;
        let since = started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, "process {pid} of {user} on {host} since {since}")
    }
}

mod seconds {
    //! Times of the owner record: RFC 3339, UTC, whole seconds.

    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The right to write, held for as long as this value lives.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: fs::File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would do, were it not for a process that another thread is starting right now: until it
        // runs its own program, it has the file open, too.
        drop(self.file.file().unlock());
    }
}

impl Lock {
    /// Locks the file `path`, creating it where it is missing, and writes `owner` into it.
    ///
    /// Does not wait for another holder.
    ///
    /// # Errors
    ///
    /// [`LockError::InUse`] with the holder's record when another process has the lock (no byte of
    /// the file has changed then), [`LockError::Io`] when the system refuses.
    pub fn acquire(path: impl Into<PathBuf>, owner: &Owner) -> Result<Self, LockError> {
        let path = path.into();
        match Self::try_acquire(&path, owner) {
            Ok(Some(file)) => Ok(Self { path, file }),
            Ok(None) => Err(LockError::InUse { holder: holder_of(&path).map(Box::new), path }),
            Err(source) => Err(LockError::Io { path, source }),
        }
    }

    fn try_acquire(path: &Path, owner: &Owner) -> io::Result<Option<fs::File>> {
        let file = match sys::open_lock(path) {
            Ok(file) => file,
            // Somebody else's lock file. Whether it is held can be asked without writing.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => match sys::open_lock_to_read(path) {
                Ok(file) if !try_lock(&file)? => return Ok(None),
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        };
        if !try_lock(&file)? {
            return Ok(None);
        }
        let record = to_plain_json(owner)? + "\n";
        // One write of less than a page, then the cut: a reader sees the old record, the new one, or
        // the new one with a tail that does not parse, and asks again.
        sys::write_record(&file, record.as_bytes())?;
        Ok(Some(file))
    }

    /// Breaks the lock at `path`: moves the lock file to `<path>.broken`, or `.broken_2` and so on, and says
    /// where it went. The next [`acquire`](Self::acquire) makes a new file.
    ///
    /// A holder that lives does not notice, and then two processes write one state. Only for a person who is
    /// certain that the holder is gone, say together with its host.
    ///
    /// # Errors
    ///
    /// The system's, when the file is not moved.
    pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
        let names = (1_u32..).map(|n| if n == 1 { ".broken".to_owned() } else { format!(".broken_{n}") });
        for name in names {
            let aside = with_suffix(path, &name);
            if move_aside(path, &aside)? {
                return Ok(aside);
            }
        }
        unreachable!("a directory holds fewer than 2^32 files of one name")
    }

    /// Where the lock file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Takes the kernel lock; `false` where another process has it.
fn try_lock(file: &fs::File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Reads who holds the lock; asks again for a moment if the holder has not yet written it.
#[expect(clippy::disallowed_methods, reason = "a pause of at most 0.1 s for another process")]
fn holder_of(path: &Path) -> Option<Owner> {
    let mut found = None;
    for _ in 0..READ_ATTEMPTS {
        found = read_owner(path);
        // The record of a dead process is the previous holder's: the present one is about to write.
        if found.as_ref().is_some_and(Owner::may_live) {
            return found;
        }
        std::thread::sleep(READ_PAUSE);
    }
    found
}

const READ_ATTEMPTS: u32 = 20;
const READ_PAUSE: Duration = Duration::from_millis(5);

/// More than any record has.
const RECORD_BYTES_MAX: u64 = 64 << 10;

fn read_owner(path: &Path) -> Option<Owner> {
    let mut text = String::new();
    sys::open_lock_to_read(path).ok()?.take(RECORD_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn a_user_is_named_by_the_environment_or_by_a_number() {
        let number = format!("uid {}", rustix::process::geteuid().as_raw());
        for (user_variable, logname, expect) in [
            (Some("ada"), Some("bob"), "ada"),
            (Some(""), Some("bob"), "bob"),
            (None, Some("bob"), "bob"),
            (Some(""), Some(""), &number),
            (None, None, &number),
        ] {
            let variable = |name: &str| if name == "USER" { user_variable } else { logname }.map(str::to_owned);
            assert_eq!(user(variable), expect);
        }
    }

    #[test]
    fn a_holder_is_dead_where_that_is_certain() {
        let me = Owner::current(&ManualClock::at(DateTime::UNIX_EPOCH));
        // Linux numbers processes up to 2^22.
        let nobody = 2_000_000_000;
        let elsewhere = format!("not-{}", me.host);
        for (pid, host, is_dead) in [
            (me.pid, &me.host, false),
            (nobody, &me.host, true),
            (u32::MAX, &me.host, true),
            (0, &me.host, true),
            (nobody, &elsewhere, false),
        ] {
            let owner = Owner { pid, host: host.clone(), ..me.clone() };
            assert_eq!(owner.is_dead(), is_dead, "{pid} on {host}");
        }
    }

    #[test]
    fn a_holder_is_told_in_one_line() {
        let started_at = "2026-02-01T10:30:00Z".parse().unwrap_or_default();
        let command = "gsi-create".to_owned();
        let owner = Owner { pid: 7, host: "daq01".to_owned(), user: "ada".to_owned(), command, started_at };
        assert_eq!(owner.to_string(), "process 7 of ada on daq01 since 2026-02-01T10:30:00Z");
    }

    #[test]
    fn no_password_of_an_address_is_recorded() {
        for (argument, expect) in [
            ("--endpoint=http://me:hush@host:80/x", "--endpoint=http://***@host:80/x"),
            ("http://hush@host", "http://***@host"),
            ("mongodb://me:hu@sh@host/db", "mongodb://***@host/db"),
            ("mongodb://me:hu/sh@host/db", "mongodb://***@host/db"),
            ("http://a:b@c,http://d:e@f", "http://***@c,http://***@f"),
            ("http://host/a@b", "http://host/a@b"),
            ("me@host", "me@host"),
            ("", ""),
        ] {
            assert_eq!(without_password(argument), expect);
        }
    }
}
