//! Runs that are still being taken, change later, or are lived without; and runs that are named.

use std::time::{Duration, SystemTime};

use fs_err as fs;
use run_pipeline::{RunEvent, read_notes};

use crate::support::World;

const START: &str = "Config name: demo\nDAQInterface start time: Mon Mar  2 08:14:09 UTC 2026\n";
const STOP: &str = "DAQInterface stop time: Mon Mar  2 09:15:10 UTC 2026\n";

/// Makes everything in the directory of a run look as if it had been written so long ago.
fn age(world: &World, run: u64, seconds: u64) {
    let dir = world.env.join(format!("records/{run}"));
    let changed: SystemTime = fs::metadata(&dir).unwrap().modified().unwrap() - Duration::from_secs(seconds);
    let files = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    for path in files.chain([dir.clone()]) {
        fs::File::open(path).unwrap().into_parts().0.set_modified(changed).unwrap();
    }
}

#[test]
fn a_run_that_was_changed_a_moment_ago_is_held_back() {
    let world = World::new("100-104");
    world.configure(", settle_seconds: 0", "");
    for run in [100, 101, 103, 104] {
        age(&world, run, 61);
    }
    let answer = world.json("--incremental --dry-run", 0);
    assert_eq!(
        (&answer["stages"][0]["held"], &answer["stages"][0]["work"]),
        (&"102".into(), &"100-101, 103-104".into())
    );
    let (stdout, stderr) = world.run("--incremental", 0);
    assert!(stderr.contains("import: still being taken, held back: 102 (changed "), "{stderr}");
    assert!(stdout.contains("  still being taken, held back: 102 (changed "), "{stdout}");
    // Not failed, and no mark has passed it.
    assert_eq!(world.state(), "101/101 none, 101/104 none");
    assert_eq!(fs::read_to_string(world.work("importer_state.json.held")).unwrap(), "102\n");
    let answer = world.json("--incremental", 0);
    assert_eq!(
        (&answer["stages"][0]["held"]["102"].is_string(), &answer["stages"][0]["runs"]),
        (&true, &serde_json::json!([]))
    );
    age(&world, 102, 61);
    let answer = world.json("--incremental", 0);
    assert_eq!(answer["stages"][0]["runs"][0]["run"], 102);
    // For the migration it came late.
    assert_eq!(world.state(), "104/104 none, 101/104 102");
    let notes = read_notes(&world.work("imported.jsonl")).unwrap();
    let held = notes.iter().filter(|note| matches!(note.event, RunEvent::Held { .. })).count();
    assert_eq!(held, 1, "written down once: {notes:?}");
}

#[test]
fn runs_without_stop_time_and_the_newest_one_are_held_back_on_demand() {
    let world = World::new("none");
    world.configure("settle_seconds: 0", "settle_seconds: 0, require_stop_time: true");
    for run in 100..104 {
        world.write(run, "metadata.txt", &format!("{START}{}", if run == 101 { "" } else { STOP }));
    }
    let (_, stderr) = world.run("--import-only --incremental", 0);
    assert!(stderr.contains("held back: 101 (no stop time yet)"), "{stderr}");
    assert_eq!(world.state(), "100/100 none, 0/0 none");
    world.configure("require_stop_time: true", "require_stop_time: false");
    world.configure("batch_size: 50", "batch_size: 50, exclude_most_recent_run: true");
    world.write(104, "metadata.txt", START);
    let (_, stderr) = world.run("--import-only", 0);
    assert!(stderr.contains("held back: 104 (the newest run)"), "{stderr}");
    assert_eq!(world.state(), "103/103 none, 0/0 none");
    world.write(105, "metadata.txt", START);
    world.run("--import-only --incremental", 0);
    assert_eq!(world.state(), "104/104 none, 0/0 none");
}

#[test]
fn the_stop_time_of_a_run_is_added_in_both_archives_and_what_was_there_is_kept() {
    let world = World::new("none");
    for run in 100..103 {
        world.write(run, "metadata.txt", START);
    }
    world.run("--incremental", 0);
    assert_eq!(fs::read_to_string(world.work("importer_state.json.unfinished")).unwrap(), "100\n101\n102\n");
    let before = world.archived();
    assert!(!before.ucon[&101].1.contains("DAQInterface_stop_time"));

    world.write(101, "metadata.txt", &format!("{START}{STOP}"));
    let (stdout, _) = world.run("--incremental", 0);
    assert!(stdout.contains("  stop time added: 101"), "{stdout}");
    assert!(stdout.contains("  new version stored: 101"), "{stdout}");
    let after = world.archived();
    assert!(after.ucon[&101].1.contains("DAQInterface_stop_time"), "{}", after.ucon[&101].1);
    assert_eq!((after.ucon[&101].0, after.ucon[&100].0), (2, 1));
    assert!(after.artdaq[&101].documents > before.artdaq[&101].documents);
    assert_eq!((&after.ucon[&100], &after.artdaq[&100]), (&before.ucon[&100], &before.artdaq[&100]));
    assert_eq!(fs::read_to_string(world.work("importer_state.json.unfinished")).unwrap(), "100\n102\n");
    assert_eq!(fs::read_to_string(world.work("importer_state.json.amended")).unwrap(), "");
    let events = |name| -> Vec<_> {
        let notes = read_notes(&world.work(name)).unwrap().into_iter();
        notes.filter(|note| note.run == 101.into()).map(|note| note.event).collect()
    };
    assert!(
        matches!(&events("imported.jsonl")[..], [RunEvent::Archived { .. }, RunEvent::Amended { version }] if version == "101/demov2"),
        "{:?}",
        events("imported.jsonl")
    );
    let migrated = events("migrated.jsonl");
    let [RunEvent::Archived { content: first, .. }, RunEvent::Refreshed { content: second }] = &migrated[..] else {
        panic!("{migrated:?}");
    };
    let size = |blob: &str| Some(blob.len() as u64);
    assert_eq!((first.size_bytes, second.size_bytes), (size(&before.ucon[&101].1), size(&after.ucon[&101].1)));
    assert!(second.md5.is_some() && second.adler32.is_some() && second.version > first.version);

    // Once is enough.
    world.run("", 0);
    assert_eq!(world.archived(), after);
}

#[test]
fn a_stop_time_that_was_added_before_a_kill_still_reaches_ucondb() {
    let world = World::new("none");
    world.write(100, "metadata.txt", START);
    world.run("", 0);
    world.write(100, "metadata.txt", &format!("{START}{STOP}"));
    world.run("--import-only", 0);
    assert_eq!(fs::read_to_string(world.work("importer_state.json.amended")).unwrap(), "100\n");
    world.run("--migrate-only --incremental", 0);
    assert_eq!(world.archived().ucon[&100].0, 2);
}

#[test]
fn a_run_is_refreshed_by_hand() {
    let world = World::new("none");
    for run in 100..102 {
        world.write(run, "metadata.txt", START);
        world.write(run, "board1.fcl", "seed: 1\n");
    }
    world.run("", 0);
    // Nobody remembers that it had no stop time.
    fs::write(world.work("importer_state.json.unfinished"), "").unwrap();
    world.write(100, "metadata.txt", &format!("{START}{STOP}"));
    world.run("--incremental", 0);
    assert_eq!(world.archived().ucon[&100].0, 1);
    let answer = world.json("--refresh 100", 0);
    assert_eq!((&answer["stages"][0]["amended"], &answer["stages"][1]["amended"]), (&"100".into(), &"100".into()));
    assert_eq!(world.archived().ucon[&100].0, 2);
    assert_eq!(world.state(), "101/101 none, 101/101 none");
    // Nothing new: nothing is stored. And what is not archived cannot be refreshed.
    let archived = world.archived();
    world.run("--refresh 100-101", 0);
    // Other files that have changed are not stored, and nobody is left to think so.
    world.write(101, "board1.fcl", "seed: 99999\n");
    let answer = world.json("--refresh 100-101", 1);
    let reason = answer["stages"][0]["not_amended"]["101"].as_str().unwrap();
    assert!(reason.ends_with("which stays as it is: `board1` differs"), "{reason}");
    assert_eq!(answer["stages"][0]["not_amended"].as_object().unwrap().len(), 1);
    world.add("102");
    let answer = world.json("--refresh 102", 1);
    assert_eq!(answer["stages"][0]["not_amended"]["102"], "it is not archived in artdaqDB yet");
    assert_eq!(world.archived(), archived);
}

#[test]
fn only_the_named_runs_are_worked_on_and_no_mark_is_fooled() {
    let world = World::new("100-120");
    let (stdout, _) = world.run("--runs 110-112,200", 0);
    assert!(stdout.contains("import: 3 runs archived"), "{stdout}");
    assert_eq!(world.runs(), ("110-112".to_owned(), "110-112".to_owned()));
    assert_eq!(world.state(), "0/0 none, 112/112 none");
    world.spoil(115);
    world.run("--incremental --runs 115", 1);
    assert_eq!(world.state(), "0/0 115, 112/112 none");
    // What failed above the mark is left to a retry.
    world.run("--incremental", 0);
    assert_eq!(world.runs().0, "100-114, 116-120");
    assert!(world.state().starts_with("114/120 115, "), "{}", world.state());
    world.mend(115);
    world.run("--retry-failed-import --runs 116", 0);
    assert!(world.state().starts_with("114/120 115, "), "{}", world.state());
    world.run("--retry-failed-import --runs 115", 0);
    assert!(world.state().starts_with("120/120 none, "), "{}", world.state());
}

#[test]
fn the_contiguous_mark_passes_acknowledged_gaps_while_they_hold() {
    let world = World::new("100-102, 105-107");
    let gaps = |until: &str| {
        let text = format!(
            r#"{{"version": "1.0", "acknowledgements": [{{"runs": "103-104", "reason": "detector off", "person": "ada", "at": "2026-01-01T00:00:00Z"{until}}}]}}"#
        );
        world.env.write("work/acknowledged_gaps.json", text);
    };
    gaps(r#", "until": "2026-01-02""#);
    world.run("--import-only", 0);
    assert_eq!(world.state(), "102/107 none, 0/0 none", "it has expired");
    gaps("");
    world.run("", 0);
    assert_eq!(world.state(), "107/107 none, 107/107 none");
    // A run that comes after all is archived like any other that comes late.
    world.add("104");
    world.run("--incremental", 0);
    assert_eq!(world.state(), "107/107 104, 107/107 none");
    world.run("", 0);
    assert_eq!(
        (world.runs().1, world.state()),
        ("100-102, 104-107".to_owned(), "107/107 none, 107/107 none".to_owned())
    );

    world.env.write("work/acknowledged_gaps.json", "{");
    let (_, stderr) = world.run("", 1);
    assert!(stderr.contains("acknowledged_gaps.json` is not a valid list of acknowledged gaps"), "{stderr}");
}
