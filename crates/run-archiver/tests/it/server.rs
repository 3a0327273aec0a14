//! UconDB over HTTP, in good and in bad temper.

use test_kit::ucondb::{FakeUconDb, Fault, Options};

use crate::support::World;

/// A world whose UconDB is a fake server; `act` runs while the server does.
pub(crate) fn with_server(runs: &str, password: &str, act: impl FnOnce(&World, &FakeUconDb)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(FakeUconDb::start(Options::default())).unwrap();
    let world = World::new(runs);
    let url = format!("{}', writer_user: writer, writer_password: '{password}", server.url());
    world.configure("embedded://stores/ucondb.sqlite", &url);
    act(&world, &server);
}

fn contents(server: &FakeUconDb) -> Vec<String> {
    server.contents("public.test01", "configuration").into_iter().map(|(key, _)| key).collect()
}

#[test]
fn runs_are_archived_once() {
    with_server("100-104", "secret", |world, server| {
        world.run("", 0);
        assert_eq!(contents(server), ["100", "101", "102", "103", "104"]);
        assert_eq!(server.version_count("public.test01"), 5);
        server.clear_ledger();
        world.run("--incremental", 0);
        assert_eq!(server.ledger().len(), 1, "one listing: {:?}", server.ledger());
    });
}

#[test]
fn a_wrong_password_stops_the_migration_and_says_so() {
    with_server("100-104", "wrong", |world, server| {
        let (stdout, stderr) = world.run("", 1);
        assert!(stderr.contains("no further run is started"), "{stderr}");
        assert!(stdout.contains("import: 5 runs archived"), "{stdout}");
        assert!(contents(server).is_empty());
        world.configure("wrong", "secret");
        world.run("", 0);
        assert_eq!(contents(server).len(), 5);
        assert_eq!(world.state(), "104/104 none, 104/104 none");
    });
}

#[test]
fn a_failing_put_fails_its_run_only() {
    let faults = [
        ("unavailable", Fault::Unavailable),
        ("cut in the middle of the put", Fault::CutRequestAfter(200)),
        ("status 502", Fault::Status(502, "Bad Gateway".to_owned())),
    ];
    for (name, fault) in faults {
        with_server("100-104", "secret", |world, server| {
            world.configure("app: {", "app: {parallel_workers: 1, ");
            world.run("--import-only", 0);
            server.fail_next("POST", "/data", fault);
            let answer = world.json("--migrate-only", 1);
            let failed: Vec<_> = answer["stages"][0]["runs"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|run| run["outcome"] == "failed")
                .collect();
            assert_eq!(failed.len(), 1, "{name}: {answer:#}");
            assert_eq!(contents(server).len(), 4, "{name}");
            world.run("--retry-failed-migrate", 0);
            assert_eq!(contents(server).len(), 5, "{name}");
            assert_eq!(server.version_count("public.test01"), 5, "{name}");
            assert_eq!(world.state(), "104/104 none, 104/104 none", "{name}");
        });
    }
}

#[test]
fn a_lost_answer_is_found_to_be_done() {
    with_server("100-102", "secret", |world, server| {
        world.configure("run_process_retries: 0", "run_process_retries: 2");
        server.fail_next("POST", "/data", Fault::LoseAnswer);
        world.run("", 0);
        assert_eq!(server.version_count("public.test01"), 3);
        assert_eq!(world.state(), "102/102 none, 102/102 none");
    });
}

#[test]
fn a_server_that_is_down_changes_no_state() {
    with_server("100-102", "secret", |world, server| {
        server.fail_always("GET", "/", Fault::Unavailable);
        let (_, stderr) = world.run("", 1);
        assert!(stderr.contains("the destination of the migration could not be listed"), "{stderr}");
        assert_eq!(world.state(), "102/102 none, 0/0 none");
        server.heal();
        world.run("", 0);
        assert_eq!(world.state(), "102/102 none, 102/102 none");
    });
}

#[test]
fn three_signals_end_a_program_that_waits_for_a_server() {
    with_server("100", "secret", |world, server| {
        world.run("--import-only", 0);
        world.configure("object_name: configuration", "object_name: configuration, timeout_seconds: 50");
        server.fail_always("GET", "/", Fault::Stall);
        let mut program = world.env.start(["--migrate-only"]);
        while server.ledger().is_empty() {
            std::thread::yield_now();
        }
        program.interrupt();
        program.wait_for_line("stopping: ");
        program.terminate();
        program.interrupt();
        let ended = program.wait();
        assert_eq!(ended.status.code(), Some(130), "{}", ended.stderr);
        assert!(ended.stdout.is_empty(), "it saved no answer: {}", ended.stdout);
        assert_eq!(world.state(), "100/100 none, 0/0 none");
    });
}
