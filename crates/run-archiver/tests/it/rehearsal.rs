//! A rehearsal of failures is loud, fails runs, and is mended by a normal execution.

use crate::support::World;

#[test]
fn a_rehearsal_is_loud_everywhere_and_a_normal_execution_mends_it() {
    let world = World::new("100-119");
    world.configure(
        "source_files:",
        "app_fuzz: {random_skip_percent: 30, random_error_percent: 30, random_seed: 5}\nsource_files:",
    );
    world.configure("run_process_retries: 0", "run_process_retries: 1");
    let (stdout, stderr) = world.run("", 1);
    let head = "failures are rehearsed: 30 % of the attempts are skipped, 30 % fail; seed 5";
    assert!(stderr.contains(head), "{stderr}");
    assert!(
        stderr
            .trim_end()
            .ends_with("this was a rehearsal of failures: 30 % of the attempts are skipped, 30 % fail; seed 5"),
        "{stderr}"
    );
    assert!(stdout.starts_with("rehearsal of failures: 30 %"), "{stdout}");
    assert!(stderr.contains("rehearsal of failures: the run was left alone"), "{stderr}");
    let log = world.log();
    assert!(log.lines().count() > 20 && log.lines().all(|line| line.contains(" [REHEARSAL] ")), "{log}");
    let answer = world.json("--retry-failed-import", 1);
    assert!(answer["rehearsal"].as_str().unwrap().contains("seed 5"), "{answer:#}");

    world.configure("app_fuzz: {random_skip_percent: 30, random_error_percent: 30, random_seed: 5}\n", "");
    let lines = world.log().lines().count();
    world.run("--retry-failed-import", 0);
    world.run("", 0);
    world.run("--retry-failed-migrate", 0);
    assert_eq!(world.state(), "119/119 none, 119/119 none");
    let archived = world.archived();
    assert_eq!((archived.artdaq.len(), archived.ucon.len()), (20, 20));
    assert!(archived.artdaq.values().all(|run| run.is_complete), "{archived:?}");
    assert!(archived.ucon.values().all(|(versions, _)| *versions == 1), "a lost answer stores nothing twice");
    assert!(!world.log().lines().skip(lines).any(|line| line.contains("REHEARSAL")));
    assert!(world.json("--incremental", 0).get("rehearsal").is_none());
}
