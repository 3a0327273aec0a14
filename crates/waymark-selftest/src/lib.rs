//! Can this mount hold state? Trials of the promises of `statefile` on a file system that a site wants to use.
//!
//! What a state file promises rests on what the file system does: that a rename is atomic, that a flush reaches the
//! disk, that a lock excludes. File systems differ (ext4, xfs, NFS, Lustre, tmpfs, overlay, FUSE), and so do their mount
//! options. [`run`] tries each promise in a directory of its own inside a directory of the user's, removes it
//! afterwards, and says what it found in a [`Report`].
//!
//! # Promises
//!
//! 1. Nothing else in the directory is touched, and what was made is removed: also after a failure, and after a
//!    cancellation.
//! 2. It ends soon after its budget, unless the file system itself does not answer.
//! 3. [`Verdict::Kept`] is said of what was tried here, [`Verdict::Broken`] of what went wrong or cannot hold on such a
//!    file system, [`Verdict::Unknown`] of what cannot be tried from one host without pulling the plug.
//!
//! # Processes
//!
//! Trials kill processes and lock against them, and only a program knows how to start itself again. It gives a way to
//! do so ([`Setup::command`]), and answers with [`child`] when it finds itself started like that. [`Screen`] and [`work_if_asked`] do both for a program
//! with a command line.
//!
//! # What is absent
//!
//! A loss of power, a disk that is really full, and another host: no program can make them on a mount that others use.
//! The file operations of the trials themselves do not go through the seam for faults in `statefile`; what they try does.

mod child;
mod judge;
mod mount;
mod process;
mod report;
mod screen;
mod trials;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use chrono::{DateTime, Utc};
use statefile::Clock;

pub use self::{
    child::{Kind, child},
    mount::{FileSystem, Mount},
    report::{Promise, Report, Trial, Verdict},
    screen::{Screen, ScreenError, work_if_asked},
};

/// What a self-test is given.
#[expect(missing_debug_implementations, reason = "made of closures")]
pub struct Setup<'a> {
    /// Where to make the directory of the trials.
    pub dir: &'a Path,
    /// How long the trials may take together, roughly.
    pub budget: Duration,
    /// Where random moments come from.
    pub seed: u64,
    /// The time of day: for the owner of a lock, and to compare the mount's clock with.
    pub clock: &'a dyn Clock,
    /// The time since some moment in the past; it never goes back.
    pub elapsed: &'a dyn Fn() -> Duration,
    /// The command that starts this program again such that it calls [`child`] with this kind and directory.
    pub command: &'a dyn Fn(Kind, &Path) -> Command,
    /// Whether the user has had enough; asked at least every 0.1 s.
    pub is_cancelled: &'a dyn Fn() -> bool,
    /// Told what is being tried, with how far it is.
    pub progress: &'a dyn Fn(Promise, &str),
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    /// The directory cannot be used.
    #[error("no directory can be made in `{dir}`")]
    Directory {
        /// The directory that was asked about.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The trials need some room, and a full disk would look like broken promises.
    #[error("`{dir}` has no room for the trials")]
    Room {
        /// The directory that was asked about.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// [`Setup::is_cancelled`] said so; what was made is removed.
    #[error("the self-test of `{dir}` was interrupted")]
    Cancelled {
        /// The directory that was asked about.
        dir: PathBuf,
    },
}

/// Tries every promise on the file system of [`Setup::dir`].
///
/// ```
/// use std::{process::Command, time::{Duration, Instant}};
/// use statefile::SystemClock;
/// use waymark_selftest::{Promise, Setup, Verdict, run};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let start = Instant::now();
/// let report = run(&Setup {
///     dir: dir.path(),
///     budget: Duration::from_secs(1),
///     seed: 1,
///     clock: &SystemClock,
///     elapsed: &|| start.elapsed(),
///     // A program names itself, and calls `child` when it is started like that. Without processes there is no
///     // verdict on kills and locks.
///     command: &|kind, dir| {
///         let mut command = Command::new("a-program-that-is-not-there");
///         command.arg(format!("--child={kind}")).arg(dir);
///         command
///     },
///     is_cancelled: &|| false,
///     progress: &|_, _| {},
/// })?;
/// let verdict = |promise| report.trials.iter().find(|trial| trial.promise == promise).map(|trial| trial.verdict);
/// assert_eq!(verdict(Promise::Names), Some(Verdict::Kept));
/// assert_eq!(verdict(Promise::Kill), Some(Verdict::Unknown));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When the directory cannot be used at all, or the user has had enough. A promise that is broken is no error: it
/// stands in the report.
pub fn run(setup: &Setup<'_>) -> Result<Report, SelftestError> {
    let unusable = |source| SelftestError::Directory { dir: setup.dir.to_owned(), source };
    let start = (setup.elapsed)();
    let place = tempfile::Builder::new().prefix(".waymark-selftest-").tempdir_in(setup.dir).map_err(unusable)?;
    let mount = Mount::of(place.path()).map_err(unusable)?;
    make_room(place.path()).map_err(|source| SelftestError::Room { dir: setup.dir.to_owned(), source })?;
    let mut notes = Vec::new();
    notes.extend(skew(place.path(), setup.clock.now()));
    notes.extend(scarcity(&mount));
    let trials = trials::all(setup, place.path(), &mount);
    let left = place.path().to_owned();
    if let Err(error) = place.close() {
        notes.push(format!("`{}` could not be removed: {error}", left.display()));
    }
    match trials {
        None => Err(SelftestError::Cancelled { dir: setup.dir.to_owned() }),
        Some(trials) => Ok(Report {
            dir: setup.dir.to_owned(),
            mount,
            trials,
            notes,
            took: (setup.elapsed)().saturating_sub(start),
        }),
    }
}

/// Makes sure of the room that the trials need.
fn make_room(dir: &Path) -> io::Result<()> {
    let path = dir.join("room");
    let mut file = fs_err::File::create(&path)?;
    file.write_all(&vec![b'x'; ROOM_BYTES])?;
    // Servers say so no earlier.
    file.sync_all()?;
    drop(file);
    fs_err::remove_file(&path)
}

const ROOM_BYTES: usize = 1_000_000;

/// What to say of the file system's clock: its times are shown to people, and decide nothing.
fn skew(dir: &Path, now: DateTime<Utc>) -> Option<String> {
    let path = dir.join("clock");
    let modified = fs_err::write(&path, "tick").and_then(|()| fs_err::metadata(&path)?.modified()).ok()?;
    let skew = (DateTime::<Utc>::from(modified) - now).num_milliseconds();
    (skew.abs() > SKEW_MILLISECONDS_MAX).then(|| {
        let (amount, way) = (skew.abs() / 1000, if skew > 0 { "ahead of" } else { "behind" });
        format!(
            "the clock of the file system is {amount} s {way} this host's: times of files will look wrong to people; \
             no decision rests on them"
        )
    })
}

/// What to say where there is hardly any room left.
fn scarcity(mount: &Mount) -> Option<String> {
    let Mount { free_bytes, free_files, .. } = mount;
    if *free_bytes < FREE_BYTES_MIN {
        return Some(format!("only {} are free", mount::bytes(*free_bytes)));
    }
    free_files.filter(|free| *free < FREE_FILES_MIN).map(|free| format!("only {free} more files fit"))
}

const FREE_BYTES_MIN: u64 = 50_000_000;
const FREE_FILES_MIN: u64 = 1_000;

/// Some file systems keep times to two seconds.
const SKEW_MILLISECONDS_MAX: i64 = 3_000;

#[cfg(test)]
mod tests;
