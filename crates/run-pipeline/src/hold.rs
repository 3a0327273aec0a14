//! Runs that are held back, since they are still being taken: not worked on, and no failure.
//!
//! A directory that was changed a moment ago may change again, and what is archived is archived for ever. So the
//! import looks at the directories of the runs that it is about to take, and leaves out those that are not settled;
//! the next execution looks again. Nothing else is looked at: whatever an earlier execution left in flight must be
//! settled in any case.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use fs_err as fs;
use run_record::{convert::run_history2, directory::Limits};
use run_state::{RunNumber, RunSet};

use crate::{
    files::StageSnapshot,
    select::{Holdings, Request, select},
};

/// When a run counts as still being taken.
///
/// ```
/// // By default every run is taken as it is.
/// assert_eq!(run_pipeline::HoldPolicy::default().settle_seconds, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldPolicy {
    /// As long as something in its directory was changed within so many seconds; 0: this does not matter.
    pub settle_seconds: u64,
    /// As long as its `metadata.txt` has no stop time.
    pub is_stop_time_required: bool,
    /// As long as no run has a higher number.
    pub is_newest_excluded: bool,
}

/// Why a run is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// Something in its directory was changed a moment ago.
    Changing {
        /// When.
        seconds_ago: u64,
    },
    /// It has no stop time yet.
    NoStopTime,
    /// It is the newest one.
    Newest,
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changing { seconds_ago } => write!(f, "changed {seconds_ago} s ago"),
            Self::NoStopTime => f.write_str("no stop time yet"),
            Self::Newest => f.write_str("the newest run"),
        }
    }
}

/// Runs that are held back, with the reasons.
pub(crate) type Held = BTreeMap<RunNumber, HoldReason>;

impl HoldPolicy {
    /// Why the run at `path` is held back at `now`; `None` where it is not, or where that cannot be seen: then
    /// the import fails, and says why. Blocks.
    pub(crate) fn look(&self, path: &Path, now: DateTime<Utc>) -> Option<HoldReason> {
        if let Some(seconds_ago) = (self.settle_seconds > 0).then(|| seconds_since_change(path, now)).flatten()
            && seconds_ago < self.settle_seconds
        {
            return Some(HoldReason::Changing { seconds_ago });
        }
        let is_open = self.is_stop_time_required && !times(path).is_some_and(|times| times.has_stop);
        is_open.then_some(HoldReason::NoStopTime)
    }

    /// The runs that `request` would take, and that are held back. Blocks.
    pub(crate) fn held(
        &self,
        state: &StageSnapshot,
        holdings: &Holdings,
        request: &Request,
        paths: &BTreeMap<RunNumber, PathBuf>,
        now: DateTime<Utc>,
    ) -> Held {
        let (mut held, mut seen) = (Held::new(), state.in_flight.clone());
        let mut request = request.clone();
        if let Some(newest) = holdings.available.last().filter(|_| self.is_newest_excluded)
            && !seen.contains(newest)
        {
            request.held.insert(newest);
            if request_names(&request, state, holdings, newest) {
                held.insert(newest, HoldReason::Newest);
            }
        }
        if self.settle_seconds == 0 && !self.is_stop_time_required {
            return held;
        }
        // Whoever is held back makes a place for another one, which has to be looked at, too.
        loop {
            let next = select(state, holdings, &request).work.difference(&seen);
            let found: Vec<_> = next.iter().filter_map(|run| Some((run, self.look(paths.get(&run)?, now)?))).collect();
            if found.is_empty() {
                return held;
            }
            seen = seen.union(&next);
            request.held.extend(found.iter().map(|(run, _)| *run));
            held.extend(found);
        }
    }
}

/// Whether `run` would be taken, were it not held back.
fn request_names(request: &Request, state: &StageSnapshot, holdings: &Holdings, run: RunNumber) -> bool {
    let request = Request { held: RunSet::new(), ..request.clone() };
    let selection = select(state, holdings, &request);
    selection.work.union(&selection.beyond_limit).contains(run)
}

/// Deep enough for every record, and an end for a directory that is not one.
const DEPTH_MAX: usize = 8;

/// How long ago something in the directory was changed. A time that lies further in the future than it could
/// be wrong by chance counts by its distance, too: a clock that is wrong must not hold a run back for ever.
fn seconds_since_change(path: &Path, now: DateTime<Utc>) -> Option<u64> {
    fn visit(path: &Path, depth: usize, see: &mut dyn FnMut(DateTime<Utc>)) -> Option<()> {
        let metadata = fs::symlink_metadata(path).ok()?;
        see(metadata.modified().ok()?.into());
        if metadata.is_dir() && depth < DEPTH_MAX {
            for entry in fs::read_dir(path).ok()? {
                visit(&entry.ok()?.path(), depth + 1, see)?;
            }
        }
        Some(())
    }
    let mut newest: Option<u64> = None;
    let mut see = |changed: DateTime<Utc>| {
        let ago = (now - changed).abs().num_seconds().unsigned_abs();
        newest = Some(newest.map_or(ago, |newest| newest.min(ago)));
    };
    // A link in the place of a directory leads to the record.
    let path = fs::canonicalize(path).ok()?;
    visit(&path, 0, &mut see)?;
    newest
}

/// Which times a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// There may be a start time only.
    pub(crate) has_stop: bool,
}

/// The times in the `metadata.txt` of the run at `path`; `None` where there are none. Blocks.
pub(crate) fn times(path: &Path) -> Option<Times> {
    // What is no file, or too large, is for the import to refuse.
    let metadata = statefile::read(&path.join("metadata.txt"), Limits::default().file_bytes_max).ok()?;
    Some(times_of(&run_history2(&run_record::text::decode(&metadata))?))
}

/// The times in the text of a second pass.
pub(crate) fn times_of(pass: &str) -> Times {
    Times { has_stop: pass.contains("DAQInterface_stop_time") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::select::Mode;

    struct Records {
        dir: tempfile::TempDir,
        now: DateTime<Utc>,
    }

    impl Records {
        fn with(runs: &[(u64, i64, &str)]) -> Self {
            let records = Self { dir: tempfile::tempdir().unwrap(), now: "2026-11-21T12:00:00Z".parse().unwrap() };
            for (run, seconds_ago, metadata) in runs {
                let dir = records.dir.path().join(run.to_string());
                fs::create_dir(&dir).unwrap();
                fs::write(dir.join("metadata.txt"), metadata).unwrap();
                let changed = records.now - chrono::TimeDelta::seconds(*seconds_ago);
                for path in [dir.join("metadata.txt"), dir] {
                    fs::File::open(path).unwrap().into_parts().0.set_modified(changed.into()).unwrap();
                }
            }
            records
        }

        fn held(&self, policy: HoldPolicy, state: &StageSnapshot, mode: Mode) -> String {
            let paths = run_record::directory::list_runs(self.dir.path()).unwrap();
            let holdings = Holdings { available: paths.keys().copied().collect(), complete: RunSet::new() };
            let held = policy.held(state, &holdings, &Request::new(mode, 2), &paths, self.now);
            held.iter().map(|(run, reason)| format!("{run}: {reason}")).collect::<Vec<_>>().join(", ")
        }
    }

    #[test]
    fn what_is_still_being_taken_is_held_back() {
        let start = "DAQInterface start time: Sat Nov 21 00:37:50 UTC 2026\n";
        let stop = "DAQInterface stop time: Sat Nov 21 00:47:50 UTC 2026\n";
        let records = Records::with(&[
            (100, 3600, stop),
            (101, 59, stop),
            (102, 60, start),
            (103, -20, stop),
            (104, -7200, stop),
            (105, 5, ""),
        ]);
        let state = StageSnapshot::default();
        let check =
            |policy, mode, expect| assert_eq!(records.held(policy, &state, mode), expect, "{policy:?} {mode:?}");
        let settle = HoldPolicy { settle_seconds: 60, ..HoldPolicy::default() };
        check(HoldPolicy::default(), Mode::Full, "");
        check(settle, Mode::Full, "101: changed 59 s ago, 103: changed 20 s ago, 105: changed 5 s ago");
        // Two runs are taken, and only as many directories looked at as it takes to find them.
        check(settle, Mode::Incremental, "101: changed 59 s ago");
        let stop_time = HoldPolicy { is_stop_time_required: true, ..HoldPolicy::default() };
        check(stop_time, Mode::Full, "102: no stop time yet, 105: no stop time yet");
        let newest = HoldPolicy { is_newest_excluded: true, ..HoldPolicy::default() };
        check(newest, Mode::Full, "105: the newest run");
        check(newest, Mode::RetryFailed, "");

        // What was cut off must be settled.
        let cut = StageSnapshot { in_flight: "101, 105".parse().unwrap(), ..StageSnapshot::default() };
        let policy = HoldPolicy { is_newest_excluded: true, ..settle };
        assert_eq!(records.held(policy, &cut, Mode::Full), "103: changed 20 s ago");
    }
}
