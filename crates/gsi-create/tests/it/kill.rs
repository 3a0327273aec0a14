//! `kill -9` at random moments, of a creation: it always ends with every index active, each created once.

use std::{
    collections::BTreeSet,
    process::{Command, ExitStatus},
    time::Duration,
};

use gsi_state::{GsiStatus, StatusView};
use test_kit::{
    Tally, TestEnv, Wrong, files_of,
    story::{Subject, at_random, check_code},
};

use crate::support::*;

/// Kills that the suite is content with; `WAYMARK_KILLS` wants so many of creations and rollbacks together.
const KILLS: u32 = 20;
/// Kills of one story, at most.
const KILLS_OF_STORY: u32 = 20;
const INDEXES: usize = 6;

#[test]
fn killed_at_twenty_random_moments_and_started_again() {
    let wanted = knob("WAYMARK_KILLS").map_or(KILLS, |all| all.div_ceil(2));
    let subject = Creation { arguments: timed("100ms,200ms,50ms", &[]) };
    let delays = Duration::from_millis(5)..=Duration::from_millis(300);
    let tally = at_random(&subject, wanted, kills_of_story(wanted), delays);
    tally.conclude("gsi-create, creation, random moments", wanted);
}

#[test]
fn what_a_killed_start_left_of_a_report_is_removed() {
    let env = env();
    let left = ["summary_20260302_081500.md.tmp-a1b2c3", "failures_20260302_081500_2.json.tmp-ABCdef"];
    let kept = ["notes.md", "notes.md.tmp-a1b2c3", "summary_20260302_081500.md"];
    for name in left.iter().chain(&kept) {
        env.write(format!("s/gsi_creation_reports/{name}"), "# half");
    }
    run(&env, &[]).success();
    let there = |name: &&&str| env.join("s/gsi_creation_reports").join(name).exists();
    assert_eq!(left.iter().filter(there).count(), 0);
    assert_eq!(kept.iter().filter(there).count(), kept.len());
}

/// A number that makes a test longer than the suite wants it.
#[expect(clippy::disallowed_methods, reason = "the long run is on demand")]
pub(crate) fn knob(name: &str) -> Option<u32> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// So many that there is more than one story.
pub(crate) fn kills_of_story(wanted: u32) -> u32 {
    KILLS_OF_STORY.min(wanted.div_ceil(2))
}

/// Six indexes are created.
pub(crate) struct Creation {
    pub(crate) arguments: Vec<String>,
}

pub(crate) struct CreationWorld {
    env: TestEnv,
    /// What the state has called active.
    seen_active: BTreeSet<String>,
    is_done: bool,
}

impl Subject for Creation {
    type World = CreationWorld;

    fn world(&self) -> CreationWorld {
        CreationWorld { env: env_with(PRIORITY1), seen_active: BTreeSet::new(), is_done: false }
    }

    fn next(&self, world: &CreationWorld) -> Option<Command> {
        (!world.is_done).then(|| world.env.plain_command(&self.arguments))
    }

    fn ended(&self, world: &mut CreationWorld, status: ExitStatus, tally: &mut Tally, context: &str) {
        // Its own end comes after the archive: killed in between, it finds everything active and says so.
        check_code(status, 0, tally, context);
        world.is_done = true;
    }

    /// The state is readable, says nothing untrue, and no index was created twice.
    fn look(&self, CreationWorld { env, seen_active, .. }: &mut CreationWorld, tally: &mut Tally, context: &str) {
        look_at_reports(env, tally, context);
        let created = tally.read(context, || if env.join("db.sqlite").exists() { creations(env) } else { default() });
        let view = tally.read(context, || StatusView::read(&env.join("s")).unwrap());
        let (Some(created), Some(view)) = (created, view) else { return };
        tally.check(created.values().all(|times| *times == 1), Wrong::Repeated, || format!("{context}: {created:?}"));
        let Some(view) = view else {
            // Not begun, or archived.
            let is_either = created.is_empty() || created.len() == INDEXES;
            return tally.check(is_either, Wrong::Lost, || format!("{context}: no state, and there are {created:?}"));
        };
        let total = view.summary().total;
        tally.check(total == INDEXES, Wrong::Lost, || format!("{context}: a state of {total} indexes"));
        // Killed between the archive and its end, it begins another job, which finds the indexes one by one.
        let is_another_job = !archives(&env.join("s")).is_empty();
        for gsi in view.state.gsis() {
            let key = gsi.key.to_string();
            let is_created = created.contains_key(&key);
            match gsi.status {
                GsiStatus::Pending if is_created && !is_another_job => {
                    tally.find(Wrong::Lost, format!("{context}: {key} was asked for without an intent"));
                }
                GsiStatus::InProgress if seen_active.contains(&key) && !is_another_job => {
                    tally.find(Wrong::Lost, format!("{context}: {key} was active"));
                }
                GsiStatus::Active if is_created => drop(seen_active.insert(key)),
                GsiStatus::Pending | GsiStatus::InProgress => {}
                status => tally.find(Wrong::Other, format!("{context}: {key} is {status}: {:?}", gsi.last_error)),
            }
        }
    }

    fn judge(&self, CreationWorld { env, .. }: &mut CreationWorld, tally: &mut Tally, context: &str) {
        let created = tally.read(context, || creations(env)).unwrap_or_default();
        tally.check(created.len() == INDEXES, Wrong::Lost, || format!("{context}: {created:?}"));
        tally.check(created.values().all(|times| *times == 1), Wrong::Repeated, || format!("{context}: {created:?}"));
        let archives = archives(&env.join("s"));
        tally.check(!archives.is_empty(), Wrong::Lost, || format!("{context}: no archive"));
        for archive in archives {
            let read = || serde_json::from_slice::<serde_json::Value>(&fs_err::read(archive).unwrap()).unwrap();
            let Some(archive) = tally.read(context, read) else { continue };
            let summary = &archive["summary"];
            let is_all = (&summary["total"], &summary["active"]) == (&6.into(), &6.into());
            tally.check(is_all, Wrong::Lost, || format!("{context}: archived: {summary}"));
        }
        look_at_reports(env, tally, context);
        look_for_leftovers(env, tally, context);
    }
}

fn default<T: Default>() -> T {
    T::default()
}

/// Every report is whole.
pub(crate) fn look_at_reports(env: &TestEnv, tally: &mut Tally, context: &str) {
    let dir = env.join("s/gsi_creation_reports");
    if !dir.exists() {
        return;
    }
    for (name, record) in files_of(&dir) {
        let (name, bytes) = (name.display().to_string(), record.bytes.unwrap_or_default());
        let is_whole = match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "json" => serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(),
            "md" => bytes.starts_with(b"# ") && bytes.ends_with(b"\n"),
            // The directory itself, and writes in progress.
            _ => true,
        };
        tally.check(is_whole, Wrong::Unreadable, || format!("{context}: {name} is not whole"));
    }
}

/// Nothing temporary is left.
pub(crate) fn look_for_leftovers(env: &TestEnv, tally: &mut Tally, context: &str) {
    for path in files_of(&env.join("s")).into_keys() {
        let is_temporary = path.to_string_lossy().contains(".tmp");
        tally.check(!is_temporary, Wrong::Other, || format!("{context}: {} is left", path.display()));
    }
}
