//! Undoing what was created: who is asked, what goes, what stays, and what a kill leaves.

use std::{cell::Cell, collections::BTreeMap, io::Write, process::Stdio, time::Duration};

use dynamo_embedded::{EmbeddedDynamo, IndexAction};
use gsi_state::GsiStatus;
use test_kit::{Killer, TestEnv, files_of};

use crate::support::*;

/// The usual arguments of a rollback.
pub(crate) fn undo(more: &[&str]) -> Vec<String> {
    timed_undo("20ms,40ms,20ms", more)
}

pub(crate) fn timed_undo(times: &str, more: &[&str]) -> Vec<String> {
    let usual = ["--endpoint", "embedded:db.sqlite", "--state-dir", "s", "--embedded-times", times];
    usual.iter().chain(more).map(|&arg| arg.to_owned()).collect()
}

/// Two jobs in two directories on one database: the indexes of `by-flight` and `by-date` are ours, `by-status` was
/// there before.
fn prepared() -> TestEnv {
    let env = env_with(&definitions(&[("bookings", "by-status")]));
    let other =
        ["gsis.json", "--endpoint", "embedded:db.sqlite", "--state-dir", "other", "--embedded-times", "0s,0s,0s"];
    env.command(other).assert().success();
    env.write("gsis.json", definitions(&[("bookings", "by-flight"), ("bookings", "by-status"), ("crew", "by-date")]));
    run(&env, &[]).success();
    env
}

/// The indexes that there are, by what the service answers, and how often each was deleted.
pub(crate) fn at_the_service(env: &TestEnv) -> (Vec<String>, BTreeMap<String, usize>) {
    let calls = EmbeddedDynamo::builder().file(env.join("db.sqlite")).open().unwrap().calls().unwrap();
    let (mut there, mut deleted) = (BTreeMap::new(), BTreeMap::new());
    for call in calls.into_iter().filter(|call| call.outcome.took_effect()) {
        let (Some(table), Some(index), Some(action)) = (call.table, call.index, call.action) else { continue };
        let key = format!("{table}.{index}");
        let change = match action {
            IndexAction::Create => 1,
            IndexAction::Delete => {
                *deleted.entry(key.clone()).or_default() += 1;
                -1
            }
            IndexAction::Update => 0,
        };
        *there.entry(key).or_insert(0) += change;
    }
    assert!(there.values().all(|count| (0..=1).contains(count)), "{there:?}");
    (there.into_iter().filter(|(_, count)| *count == 1).map(|(key, _)| key).collect(), deleted)
}

pub(crate) fn once(keys: &[&str]) -> BTreeMap<String, usize> {
    keys.iter().map(|key| ((*key).to_owned(), 1)).collect()
}

#[test]
fn a_completed_job_is_undone_from_its_archive() {
    let env = prepared();
    assert_eq!(archives(&env.join("s")).len(), 1);
    let answer = json_of(&env.command(undo(&["--rollback", "--yes", "--json"])).assert().success());
    assert_eq!(answer["exit_code"], 0);
    let outcomes: Vec<_> = answer["indexes"].as_array().unwrap().iter().map(|index| index["outcome"].clone()).collect();
    assert_eq!(outcomes, ["deleted", "deleted"], "{answer:#}");
    assert_eq!(answer["left_alone"][0]["index"], "by-status", "{answer:#}");
    assert!(answer["report"].as_str().unwrap().starts_with("s/gsi_creation_reports/rollback_"), "{answer:#}");
    let (there, deleted) = at_the_service(&env);
    assert_eq!(
        (there, deleted),
        (vec!["bookings.by-status".to_owned()], once(&["bookings.by-flight", "crew.by-date"]))
    );
    assert_eq!(gsi_state::archives(&env.join("s")).unwrap().len(), 2);
    assert!(!env.join(STATE).exists(), "the rollback is complete, and archived, too");

    // Nothing is left, and what somebody makes under the name is not ours.
    env.command([
        "gsis.json",
        "--endpoint",
        "embedded:db.sqlite",
        "--state-dir",
        "third",
        "--embedded-times",
        "0s,0s,0s",
    ])
    .assert()
    .success();
    let assert = env.command(undo(&["--rollback", "--yes"])).assert().success();
    assert!(stdout(&assert).starts_with("there is nothing to roll back; 3 left alone"), "{}", stdout(&assert));
    assert!(
        stderr(&assert).contains("bookings.by-flight is left alone: it was rolled back already"),
        "{}",
        stderr(&assert)
    );
    assert_eq!(at_the_service(&env).0.len(), 3);
}

#[test]
fn without_a_terminal_somebody_must_have_said_yes() {
    let env = prepared();
    let before = files_of(&env.join("s"));
    refused(
        env.command(undo(&["--rollback"])).assert(),
        64,
        &[
            "nobody is there to confirm the deletion of `bookings.by-flight`, `crew.by-date`",
            "nothing was changed; add `--yes`",
        ],
    );
    let after = files_of(&env.join("s"));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_eq!(at_the_service(&env).0.len(), 3);
}

#[test]
fn on_a_terminal_the_name_is_asked_for() {
    let env = prepared();
    let command = format!("'{}' {}", env.program().display(), undo(&["--rollback"]).join(" "));
    let mut terminal = env.other_command("script");
    terminal.args(["-qec", &command, "/dev/null"]).env("TERM", "dumb").env("PATH", "/usr/bin:/bin");
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match terminal.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("SKIPPED on_a_terminal_the_name_is_asked_for: there is no `script` to make a terminal: {error}");
            return;
        }
    };
    child.stdin.take().unwrap().write_all(b"by-flight\nby-dat\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(screen.contains("bookings.by-flight is ACTIVE: 0 items, 0 B; "), "{screen}");
    assert!(screen.contains("created by this job, 20"), "{screen}");
    assert!(screen.contains("recent read traffic: unknown, CloudWatch is not asked"), "{screen}");
    assert!(screen.contains("type its name to delete it, or press Enter to keep it: "), "{screen}");
    assert!(screen.contains("1 of 2 indexes gone"), "{screen}");
    assert!(screen.contains("crew.by-date is kept, as you chose"), "{screen}");
    assert_eq!(output.status.code(), Some(1), "not all of what was asked for is done");
    assert_eq!(
        at_the_service(&env),
        (vec!["bookings.by-status".to_owned(), "crew.by-date".to_owned()], once(&["bookings.by-flight"]))
    );
}

#[test]
fn what_is_not_ours_is_refused_by_name_and_goes_only_by_insisting() {
    let env = prepared();
    refused(
        env.command(undo(&["--rollback", "--yes", "--index", "by-status"])).assert(),
        1,
        &["`bookings.by-status` is not deleted: it was found in place", "add `--include-adopted`"],
    );
    refused(
        env.command(undo(&["--rollback", "--yes", "--index", "by-statu"])).assert(),
        64,
        &["neither the state nor an archive of it knows the index `by-statu`", "did you mean `by-status`?"],
    );
    refused(env.command(undo(&["--rollback", "--table", "nowhere"])).assert(), 64, &["the table `nowhere`"]);
    assert_eq!(at_the_service(&env).0.len(), 3);
    env.command(undo(&["--rollback", "--yes", "--index", "by-status", "--include-adopted"])).assert().success();
    assert_eq!(at_the_service(&env).0, ["bookings.by-flight", "crew.by-date"]);
}

#[test]
fn tables_and_definitions_limit_it() {
    let env = prepared();
    env.command(undo(&["--rollback", "--yes", "--table", "crew"])).assert().success();
    assert_eq!(at_the_service(&env).0, ["bookings.by-flight", "bookings.by-status"]);
    // The archive of the first rollback and that of the creation both know the rest.
    env.write("some.json", definitions(&[("crew", "by-date"), ("bookings", "by-status")]));
    let assert = env.command(undo(&["some.json", "--rollback", "--yes"])).assert().success();
    assert!(stdout(&assert).contains("nothing to roll back"), "{}", stdout(&assert));
    env.command(undo(&["--rollback", "--yes"])).assert().success();
    assert_eq!(at_the_service(&env).0, ["bookings.by-status"]);
}

#[test]
fn where_nothing_was_begun_nothing_is_made() {
    let env = env();
    let before = files_of(env.path());
    refused(env.command(undo(&["--rollback", "--yes"])).assert(), 66, &["there is no index-creation state in `s`"]);
    refused(env.command(undo(&["--cancel"])).assert(), 66, &["there is no index-creation state in `s`"]);
    assert_eq!(files_of(env.path()), before);
}

#[test]
fn an_archive_that_cannot_be_read_stops_it() {
    let env = prepared();
    fs_err::write(env.join("s/.gsi_creation_state_29990101_000000.json"), "{").unwrap();
    refused(
        env.command(undo(&["--rollback", "--yes"])).assert(),
        66,
        &["29990101_000000.json` is not a valid", "must know what every earlier job did"],
    );
    assert_eq!(at_the_service(&env).0.len(), 3);
}

#[test]
fn tries_and_pauses_are_settings_and_the_cause_is_told() {
    let env = prepared();
    let faults = "UpdateTable[crew]#*=InternalServerError";
    let args = ["--rollback", "--yes", "--delete-attempts", "2", "--delete-pause", "1ms", "--embedded-faults", faults];
    let assert = env.command(undo(&args)).assert().code(1);
    let answer = stdout(&assert);
    assert!(answer.starts_with("1 of 2 indexes gone after "), "{answer}");
    assert!(answer.contains("✗ crew.by-date is not deleted: InternalServerError: "), "{answer}");
    assert!(answer.contains("next: remove the cause, then run the same command again (state: s)"), "{answer}");
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::Deleting);

    // A creation leaves alone what is half undone, and says what to do.
    let assert = run(&env, &["--table", "crew"]).code(1);
    assert!(
        stderr(&assert)
            .contains("crew.by-date is being rolled back, and is left alone: finish that with `--rollback` first")
    );
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::Deleting);

    env.command(undo(&["--rollback", "--yes"])).assert().success();
    assert_eq!(at_the_service(&env).0, ["bookings.by-status"]);
    // Whoever asks for it again gets it.
    run(&env, &[]).success();
    assert_eq!(at_the_service(&env).0.len(), 3);
}

#[test]
fn without_waiting_it_says_what_is_left() {
    let env = prepared();
    let args = ["--rollback", "--yes", "--no-wait"];
    let assert = env.command(timed_undo("20ms,40ms,300ms", &args)).assert().code(4);
    assert!(stdout(&assert).starts_with("0 of 2 indexes gone"), "{}", stdout(&assert));
    env.command(undo(&["--rollback", "--yes"])).assert().success();
    assert_eq!(at_the_service(&env).1, once(&["bookings.by-flight", "crew.by-date"]));
}

#[test]
fn killed_at_random_moments_and_started_again() {
    let kills = Cell::new(0);
    for seed in 1.. {
        assert!(seed < 30, "the program ends before it can be killed");
        let env = prepared();
        let killer = Killer::new(seed).delays(Duration::from_millis(5)..=Duration::from_millis(250)).kills_max(10);
        let report = killer.run(
            || env.plain_command(timed_undo("20ms,40ms,150ms", &["--rollback", "--yes"])),
            |kill| {
                let (there, deleted) = at_the_service(&env);
                assert!(there.contains(&"bookings.by-status".to_owned()), "seed {seed}, kill {kill}");
                assert!(deleted.values().all(|times| *times == 1), "seed {seed}, kill {kill}: {deleted:?}");
            },
        );
        assert_eq!(report.status.code(), Some(0), "seed {seed}");
        let expect = (vec!["bookings.by-status".to_owned()], once(&["bookings.by-flight", "crew.by-date"]));
        assert_eq!(at_the_service(&env), expect, "seed {seed}");
        kills.set(kills.get() + report.kills);
        if kills.get() >= 15 {
            return;
        }
    }
}

#[test]
fn a_signal_ends_it_and_the_next_start_finishes_it() {
    let env = prepared();
    let mut running = env.start(timed_undo("20ms,40ms,2s", &["--rollback", "--yes"]));
    running.wait_for_line("being deleted");
    running.interrupt();
    let ended = running.wait();
    assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
    assert!(ended.stdout.contains("is to be deleted"), "{}", ended.stdout);
    assert!(ended.stdout.contains("next: run the same command again to finish (state: s)"), "{}", ended.stdout);
    env.command(undo(&["--rollback", "--yes"])).assert().success();
    assert_eq!(at_the_service(&env).1, once(&["bookings.by-flight", "crew.by-date"]));
}

#[test]
fn while_another_process_has_the_state_it_does_not_begin() {
    let env = prepared();
    let mut running = env.start(timed_undo("20ms,40ms,2s", &["--rollback", "--yes"]));
    running.wait_for_line("being deleted");
    refused(env.command(undo(&["--rollback", "--yes"])).assert(), 75, &["is held by process"]);
}

#[test]
fn the_end_of_a_rollback() {
    let env = prepared();
    let faults = "UpdateTable[crew]#*=ValidationException(no)";
    let assert = env.command(undo(&["--rollback", "--yes", "--embedded-faults", faults])).assert().code(1);
    insta::with_settings!({filters => vec![(r"\d+\.\d s", "[seconds]"), (r"_\d{8}_\d{6}\.", "_[time].")]}, {
        insta::assert_snapshot!(stdout(&assert), @r#"
        1 of 2 indexes gone after [seconds]
          ✗ crew.by-date is not deleted: ValidationException: no
        report: s/gsi_creation_reports/rollback_[time].md
        next: remove the cause, then run the same command again (state: s)
        "#);
    });
}
