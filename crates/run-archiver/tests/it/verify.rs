//! A verification of contents that was asked for alone, and had little to go by: it must not call that consistent.

use fs_err as fs;

use crate::support::World;

const DEPTHS: [&str; 2] = ["receipt", "full"];

#[test]
fn what_was_uploaded_and_is_gone_is_missed() {
    let world = World::new("100-109");
    world.run("", 0);
    let other = World::new("100-107, 109");
    other.run("", 0);
    fs::copy(other.env.join("stores/ucondb.sqlite"), world.env.join("stores/ucondb.sqlite")).unwrap();
    for depth in DEPTHS {
        let answer = world.json(&format!("--verify-archive={depth}"), 1);
        let verification = &answer["verification"];
        assert_eq!((&verification["missing"], &verification["good"]), (&"108".into(), &"100-107, 109".into()));
        let (stdout, _) = world.run(&format!("--verify-archive={depth}"), 1);
        assert!(stdout.contains("  Uploaded, and not there any more: 1 run: 108\n"), "{stdout}");
    }
    // With the whole report it has its cause, and no other.
    let answer = world.json("--report-status --verify-archive", 1);
    assert_eq!(answer["causes"][0]["cause"], "missing downstream", "{answer:#}");
    // Somebody lives with it.
    let words = ["--acknowledge", "108", "--reason", "lost"];
    assert_eq!(world.env.command(words).output().unwrap().status.code(), Some(0));
    for depth in DEPTHS {
        world.json(&format!("--verify-archive={depth}"), 0);
    }
}

#[test]
fn a_listing_that_is_not_believed_verifies_nothing() {
    let world = World::new("100-109");
    world.run("", 0);
    let other = World::new("100-104");
    other.run("", 0);
    fs::copy(other.env.join("stores/ucondb.sqlite"), world.env.join("stores/ucondb.sqlite")).unwrap();
    for depth in DEPTHS {
        let answer = world.json(&format!("--verify-archive={depth}"), 1);
        assert_eq!(answer["verification"]["missing"], "none", "nothing is concluded: {answer:#}");
    }
    let (stdout, _) = world.run("--verify-archive", 1);
    assert!(stdout.contains("UconDB lists 5 runs where there were 10"), "{stdout}");
    // Another archive, by a slip of the configuration.
    world.configure("object_name: configuration", "object_name: other");
    for depth in DEPTHS {
        world.json(&format!("--verify-archive={depth}"), 1);
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_no_journal_without_entries() {
    let world = World::new("100-102");
    world.run("", 0);
    let journal = fs::read_to_string(world.work("migrated.jsonl")).unwrap();
    fs::write(world.work("migrated.jsonl"), journal.replacen("crc32", "crc33", 1)).unwrap();
    for depth in DEPTHS {
        world.json(&format!("--verify-archive={depth}"), 1);
    }
    let (stdout, _) = world.run("--verify-archive", 1);
    assert!(stdout.contains("the journal of the migration could not be read"), "{stdout}");
    // Where it is lost, nothing was compared, and that is said; every byte still can be.
    fs::remove_file(world.work("migrated.jsonl")).unwrap();
    world.json("--verify-archive=receipt", 3);
    world.json("--verify-archive=full", 0);
}

#[test]
fn a_record_that_has_lost_a_document_is_not_archived_as_if_it_were_whole() {
    let world = World::new("100-102");
    world.run("--import-only", 0);
    // By hand; then what the program itself advises.
    let collection = world.env.join("stores/artdaqdb/RunHistory");
    let mut removed = 0;
    for entry in fs::read_dir(&collection).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if text.contains("\"101/demo\"") && text.contains("board1") && text.contains("seed") {
            fs::remove_file(path).unwrap();
            removed += 1;
        }
    }
    assert_eq!(removed, 1);
    world.run("--repair-artdaqdb", 0);
    let answer = world.json("--migrate-only", 1);
    assert_eq!(answer["stages"][0]["failure_log"], "101", "{answer:#}");
    let (_, stderr) = world.run("--retry-failed-migrate", 1);
    assert!(stderr.contains("artdaqDB has lost `board1` of run 101"), "{stderr}");
    // The import does not call it verified either.
    fs::write(world.work("import_failures.log"), "101\n").unwrap();
    let (_, stderr) = world.run("--retry-failed-import", 1);
    assert!(stderr.contains("artdaqDB has lost `board1` of run 101"), "{stderr}");
    world.run("--refresh 101", 1);
    assert_eq!(world.state(), "102/102 101, 100/102 101");
}
