//! `kill -9` at random moments, of a rollback: exactly what was created by the job is gone, each deleted once.

use std::{
    collections::BTreeMap,
    process::{Command, ExitStatus},
    time::Duration,
};

use dynamo_embedded::{EmbeddedDynamo, IndexAction};
use gsi_state::{GsiStatus, StatusView};
use test_kit::{
    Tally, TestEnv, Wrong,
    story::{Subject, at_random, check_code},
};

use crate::{
    kill::{kills_of_story, knob, look_at_reports, look_for_leftovers},
    support::*,
};

const KILLS: u32 = 15;
/// Four indexes of three tables.
const OURS: [(&str, &str); 4] =
    [("bookings", "by-flight"), ("bookings", "by-date"), ("crew", "by-date"), ("flights", "by-tail")];
/// Two that were there before the job.
const ADOPTED: [(&str, &str); 2] = [("bookings", "by-status"), ("crew", "by-name")];

#[test]
fn killed_at_random_moments_the_rollback_goes_on() {
    let wanted = knob("WAYMARK_KILLS").map_or(KILLS, |all| all.div_ceil(2));
    let subject = Rollback::new("20ms,40ms,100ms");
    let delays = Duration::from_millis(5)..=Duration::from_millis(250);
    let tally = at_random(&subject, wanted, kills_of_story(wanted), delays);
    tally.conclude("gsi-create, rollback, random moments", wanted);
}

/// As if it had been killed between the last deletion and the archive.
#[test]
fn what_is_done_but_for_the_archive_is_archived() {
    let env = Rollback::new("0s,0s,0s").world().env;
    let undo = ["--rollback", "--yes", "--endpoint", "embedded:db.sqlite", "--state-dir", "s"];
    env.command(undo).assert().success();
    let archives = gsi_state::archives(&env.join("s")).unwrap();
    let of_rollback = archives.iter().find(|path| fs_err::read_to_string(path).unwrap().contains("deleted")).unwrap();
    fs_err::rename(of_rollback, env.join(STATE)).unwrap();
    let assert = env.command(undo).assert().success();
    let said = stdout(&assert);
    assert!(said.starts_with("there is nothing to roll back; "), "{said}");
    assert!(said.contains("archived as s/.gsi_creation_state_"), "{said}");
    assert!(!env.join(STATE).exists());
    assert_eq!(gsi_state::archives(&env.join("s")).unwrap().len(), archives.len());
}

/// Four indexes are deleted, and two are not.
pub(crate) struct Rollback {
    /// What there is before.
    template: TestEnv,
    arguments: Vec<String>,
}

pub(crate) struct RollbackWorld {
    env: TestEnv,
    is_done: bool,
}

/// What came of an index.
#[derive(Debug, Default)]
struct Fate {
    created: usize,
    deleted: usize,
}

impl Rollback {
    /// With times for the embedded database.
    pub(crate) fn new(times: &str) -> Self {
        let template = env_with(&definitions(&ADOPTED));
        let create = |state| {
            let arguments =
                ["gsis.json", "--endpoint", "embedded:db.sqlite", "--state-dir", state, "--embedded-times", "0s,0s,0s"];
            template.command(arguments).assert().success();
        };
        create("other");
        template.write("gsis.json", definitions(&[&OURS[..], &ADOPTED].concat()));
        create("s");
        let arguments = ["--rollback", "--yes", "--endpoint", "embedded:db.sqlite", "--state-dir", "s"];
        let arguments = arguments.into_iter().chain(["--embedded-times", times]).map(str::to_owned).collect();
        Self { template, arguments }
    }
}

/// By the service's ledger.
fn fates(env: &TestEnv) -> BTreeMap<String, Fate> {
    let mut fates = BTreeMap::<String, Fate>::new();
    for call in EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap() {
        if !call.outcome.took_effect() {
            continue;
        }
        let (Some(table), Some(index), Some(action)) = (call.table, call.index, call.action) else { continue };
        let fate = fates.entry(format!("{table}.{index}")).or_default();
        match action {
            IndexAction::Create => fate.created += 1,
            IndexAction::Delete => fate.deleted += 1,
            IndexAction::Update => {}
        }
    }
    fates
}

/// What must hold at any time; by index, whether it is gone.
fn look_at_service(env: &TestEnv, tally: &mut Tally, context: &str) -> Option<BTreeMap<String, bool>> {
    let fates = tally.read(context, || fates(env))?;
    for (table, index) in ADOPTED {
        let fate = &fates[&format!("{table}.{index}")];
        tally.check(fate.deleted == 0, Wrong::Lost, || format!("{context}: {table}.{index}, not ours, was deleted"));
    }
    for (key, fate) in &fates {
        let is_once = fate.created == 1 && fate.deleted <= 1;
        tally.check(is_once, Wrong::Repeated, || format!("{context}: {key}: {fate:?}"));
    }
    Some(fates.into_iter().map(|(key, fate)| (key, fate.deleted > 0)).collect())
}

impl Subject for Rollback {
    type World = RollbackWorld;

    fn world(&self) -> RollbackWorld {
        RollbackWorld { env: self.template.copy(), is_done: false }
    }

    fn next(&self, world: &RollbackWorld) -> Option<Command> {
        (!world.is_done).then(|| world.env.plain_command(&self.arguments))
    }

    fn ended(&self, world: &mut RollbackWorld, status: ExitStatus, tally: &mut Tally, context: &str) {
        check_code(status, 0, tally, context);
        world.is_done = true;
    }

    /// The state is readable, says nothing untrue, and nothing went without an intent.
    fn look(&self, RollbackWorld { env, .. }: &mut RollbackWorld, tally: &mut Tally, context: &str) {
        look_at_reports(env, tally, context);
        let Some(gone) = look_at_service(env, tally, context) else { return };
        let Some(view) = tally.read(context, || StatusView::read(&env.join("s")).unwrap()) else { return };
        let Some(view) = view else {
            // Not begun, or archived.
            let count = gone.values().filter(|is_gone| **is_gone).count();
            let is_either = count == 0 || count == OURS.len();
            return tally.check(is_either, Wrong::Lost, || format!("{context}: no state, and {count} are gone"));
        };
        for (table, index) in OURS {
            let key = format!("{table}.{index}");
            let known = view.state.gsis().find(|gsi| gsi.key.to_string() == key).map(|gsi| gsi.status);
            let is_true = match known {
                Some(GsiStatus::Deleted) => gone[&key],
                Some(GsiStatus::Deleting) => true,
                _ => !gone[&key],
            };
            let is_gone = gone[&key];
            tally.check(is_true, Wrong::Lost, || format!("{context}: {key} is {known:?}, and gone: {is_gone}"));
        }
    }

    fn judge(&self, RollbackWorld { env, .. }: &mut RollbackWorld, tally: &mut Tally, context: &str) {
        let Some(gone) = look_at_service(env, tally, context) else { return };
        for (table, index) in OURS {
            let is_gone = gone[&format!("{table}.{index}")];
            tally.check(is_gone, Wrong::Lost, || format!("{context}: the deletion of {table}.{index} was forgotten"));
        }
        let archives = tally.read(context, || gsi_state::archives(&env.join("s")).unwrap()).unwrap_or_default();
        tally.check(archives.len() == 2, Wrong::Other, || format!("{context}: {archives:?}"));
        tally.check(!env.join(STATE).exists(), Wrong::Other, || format!("{context}: the state is not archived"));
        look_at_reports(env, tally, context);
        look_for_leftovers(env, tally, context);
    }
}
