//! UconDB over HTTP in good temper. What goes wrong with it are rows of [`crate::faults`].

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
