//! SIGINT and SIGTERM.

use crate::support::World;

#[test]
fn a_signal_finishes_the_runs_under_way_and_saves() {
    for is_sigint in [true, false] {
        let world = World::new("1-200");
        let mut program = world.env.start(["--import-only"]);
        program.wait_for_line("archived");
        if is_sigint {
            program.interrupt();
        } else {
            program.terminate();
        }
        let ended = program.wait();
        assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
        assert!(ended.stderr.contains("stopping: the runs under way are finished"), "{}", ended.stderr);
        assert!(ended.stdout.contains("interrupted; the same command goes on"), "{}", ended.stdout);

        let snapshot = world.snapshot("importer_state.json", "import_failures.log");
        assert!(snapshot.failed.is_empty() && snapshot.in_flight.is_empty(), "{snapshot:?}");
        let archived = world.archived().artdaq.len() as u64;
        assert!((1..200).contains(&archived), "{archived} runs before the signal counted");
        assert_eq!(snapshot.marks.to_string(), format!("{archived}/{archived}"));
        world.run("--import-only --quiet", 0);
        assert_eq!(world.archived().artdaq.len(), 200);
    }
}
