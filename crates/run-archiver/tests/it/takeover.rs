//! The state of the Python archiver is taken over, and given back.

use fs_err as fs;

use crate::support::World;

/// What Python's `json.dump` with an indent of 2 and its failure log look like.
fn python_writes(world: &World, stage: [&str; 2], marks: (u64, u64), failed: &[u64]) {
    let (contiguous, attempted) = marks;
    let text = format!("{{\n  \"last_contiguous_run\": {contiguous},\n  \"last_attempted_run\": {attempted}\n}}");
    world.env.write(format!("work/{}", stage[0]), text);
    let lines: Vec<_> = failed.iter().map(u64::to_string).chain([String::new()]).collect();
    world.env.write(format!("work/{}", stage[1]), lines.join("\n"));
}

/// What Python makes of them: `json.load`, and `int` of every line.
fn python_reads(world: &World, stage: [&str; 2]) -> ((u64, u64), Vec<u64>) {
    let text = fs::read_to_string(world.work(stage[0])).unwrap();
    let marks: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(marks.as_object().unwrap().len(), 2, "{text}");
    let number = |name: &str| marks[name].as_u64().unwrap();
    let log = fs::read_to_string(world.work(stage[1])).unwrap();
    let failed = log.lines().map(|line| line.parse().unwrap()).collect();
    ((number("last_contiguous_run"), number("last_attempted_run")), failed)
}

const IMPORT: [&str; 2] = ["importer_state.json", "import_failures.log"];
const MIGRATE: [&str; 2] = ["migrator_state.json", "migrate_failures.log"];

#[test]
fn the_files_of_the_python_archiver_are_taken_over_and_given_back() {
    // Somebody else has imported 100 to 104 and migrated 100 to 102.
    let world = World::new("100-105");
    world.spoil(103);
    world.run("--runs 100-104", 1);
    world.mend(103);
    fs::remove_dir_all(world.work("")).unwrap();
    python_writes(&world, IMPORT, (102, 104), &[103]);
    python_writes(&world, MIGRATE, (102, 104), &[]);
    // An old lock file of a dead process, as Python leaves it.
    world.env.write("work/.archiver.lock", "4711");

    world.run("--incremental", 0);
    assert_eq!(python_reads(&world, IMPORT), ((102, 105), vec![103]));
    assert_eq!(python_reads(&world, MIGRATE), ((102, 105), vec![]));
    world.run("--retry-failed-import", 0);
    assert_eq!(
        fs::read_to_string(world.work(IMPORT[0])).unwrap(),
        "{\n  \"last_contiguous_run\": 105,\n  \"last_attempted_run\": 105\n}"
    );
    assert_eq!(fs::read(world.work(IMPORT[1])).unwrap(), b"");

    // Python goes on for a while: our own files are of before, and that does no harm.
    world.add("106-108");
    world.configure("work_dir: work", "work_dir: python");
    fs::create_dir_all(world.env.join("python")).unwrap();
    world.run("--runs 106-107", 0);
    world.configure("work_dir: python", "work_dir: work");
    python_writes(&world, IMPORT, (107, 107), &[]);
    python_writes(&world, MIGRATE, (102, 107), &[103]);
    world.run("--incremental", 0);
    assert_eq!(python_reads(&world, IMPORT), ((108, 108), vec![]));
    world.run("--retry-failed-migrate", 0);
    assert_eq!(python_reads(&world, MIGRATE), ((108, 108), vec![]));
    assert_eq!(world.runs(), ("100-108".to_owned(), "100-108".to_owned()));
    assert!(world.archived().ucon.values().all(|(versions, _)| *versions == 1));
}
