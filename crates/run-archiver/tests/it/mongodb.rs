//! artdaqDB in a MongoDB server: a real one, which `cargo xtask servers mongod` starts.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    process,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use artdaq_db::{Certificates, MongoStore, MongoUri, Surroundings, mongodb::drop_test_database};
use fs_err as fs;
use serde_json::json;
use test_kit::story::at_random;

use crate::{
    faults_mongod::Relay,
    kill::knob,
    kill_world::{Archive, Ucon, Work},
    support::{World, block_on},
};

/// Where the server is.
const URI: &str = "WAYMARK_TEST_MONGODB_URI";

/// The address of the server, or `None`, said aloud, where there is none.
#[expect(clippy::disallowed_methods, reason = "how tests are told of a server")]
pub(crate) fn server() -> Option<String> {
    let uri = std::env::var(URI).ok();
    if uri.is_none() {
        eprintln!("SKIPPED: `{URI}` is not set; enable with `cargo xtask servers mongod -- COMMAND`");
    }
    uri
}

/// A database of one world; removed with it.
pub(crate) struct Scratch {
    pub(crate) uri: String,
}

impl Scratch {
    fn new(server: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (place, options) = server.split_once('?').unwrap_or((server, ""));
        let servers = place.strip_prefix("mongodb://").unwrap().split('/').next().unwrap();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let scratch =
            Self { uri: format!("mongodb://{servers}/waymark_test_archiver_{}_{number}?{options}", process::id()) };
        scratch.remove();
        scratch
    }

    fn parsed(&self) -> MongoUri {
        MongoUri::parse(&self.uri).unwrap()
    }

    pub(crate) fn store(&self, surroundings: Surroundings) -> MongoStore {
        MongoStore::new(self.parsed(), Certificates::default(), surroundings)
    }

    fn remove(&self) {
        block_on(drop_test_database(&self.parsed()));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A second panic would hide the first.
        if !std::thread::panicking() {
            self.remove();
        }
    }
}

impl World {
    /// Puts artdaqDB into a new database of the server, which must be there.
    pub(crate) fn move_to_mongodb(&mut self) {
        let scratch = Scratch::new(&server().unwrap());
        self.configure("filesystemdb://stores/artdaqdb", &scratch.uri);
        self.mongodb = Some(scratch);
    }

    /// Likewise, but the program finds the server only behind what `between` makes of its address.
    pub(crate) fn move_to_mongodb_behind(&mut self, between: impl FnOnce(SocketAddr) -> Relay) -> Relay {
        self.move_to_mongodb();
        let uri = &self.mongodb.as_ref().unwrap().uri;
        let servers = uri.strip_prefix("mongodb://").unwrap().split('/').next().unwrap();
        let (credentials, server) =
            servers.rsplit_once('@').map_or(("", servers), |(credentials, server)| (credentials, server));
        let address = server.split(',').next().unwrap().to_socket_addrs().unwrap().next().unwrap();
        let relay = between(address);
        let (_, place) = uri.split_once(servers).unwrap();
        let at = if credentials.is_empty() { String::new() } else { format!("{credentials}@") };
        let join = if place.ends_with('?') { "" } else { "&" };
        // Else the client goes past the relay to the servers of a set.
        let behind = format!(
            "mongodb://{at}{}{place}{join}directConnection=true&serverSelectionTimeoutMS=10000",
            relay.address()
        );
        let uri = uri.clone();
        self.configure(&uri, &behind);
        relay
    }
}

#[test]
fn the_example_is_archived_incrementally() {
    let Some(server) = server() else { return };
    let world = crate::example::world();
    let scratch = Scratch::new(&server);
    let config = world.env.join("example/config.yaml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("filesystemdb://${app.work_dir}/artdaqdb_archive"));
    fs::write(&config, text.replace("filesystemdb://${app.work_dir}/artdaqdb_archive", &scratch.uri)).unwrap();

    fs::rename(world.env.join("example/records/5110"), world.env.join("later")).unwrap();
    let (stdout, _) = world.run("example/config.yaml --incremental", 1);
    assert!(stdout.contains("import: 7 runs archived, 1 failed"), "{stdout}");
    assert!(stdout.contains("migrate: 7 runs archived, 0 failed"), "{stdout}");
    assert_eq!(world.state(), "5103/5109 5108, 5103/5109 none");

    // The second start does nothing.
    let answer = world.json("example/config.yaml --incremental", 0);
    for stage in answer["stages"].as_array().unwrap() {
        assert_eq!(stage["runs"], json!([]), "{stage:#}");
    }

    // A run directory that is added: just that run. Indexes change nothing but the time it takes.
    let indexes = |is_new| json!([{"collection": "RunHistory", "is_new": is_new}, {"collection": "SystemLayout", "is_new": is_new}]);
    assert_eq!(world.json("example/config.yaml --create-indexes", 0)["indexes"], indexes(true));
    assert_eq!(world.json("example/config.yaml --create-indexes", 0)["indexes"], indexes(false));
    fs::rename(world.env.join("later"), world.env.join("example/records/5110")).unwrap();
    let answer = world.json("example/config.yaml --incremental", 0);
    for stage in answer["stages"].as_array().unwrap() {
        let runs = stage["runs"].as_array().unwrap();
        assert_eq!((runs.len(), &runs[0]["run"], &runs[0]["outcome"]), (1, &5110.into(), &"archived".into()));
    }
    assert_eq!(world.state(), "5103/5110 5108, 5103/5110 none");
    assert!(!world.env.join("work/artdaqdb_archive").exists());
}

#[test]
fn the_state_is_rebuilt_from_the_server() {
    if server().is_none() {
        return;
    }
    let mut world = World::new("100-105");
    world.move_to_mongodb();
    world.run("", 0);
    let state = world.state();
    fs::remove_file(world.work("importer_state.json")).unwrap();
    world.run("--recover-import-state", 0);
    world.run("--recover-migrate-state", 0);
    assert_eq!(world.state(), state);
    let (_, stderr) = world.run("--repair-artdaqdb", 1);
    assert!(stderr.contains("there are no index files to repair"), "{stderr}");
}

#[test]
fn what_cannot_be_a_server_is_told_and_passwords_are_not() {
    for (uri, says) in [
        ("mongodb://daq:hunter2@127.0.0.1:1/db?serverSelectionTimeoutMS=50", "could not read"),
        ("mongodb://daq:hunter2@127.0.0.1:1/db?tls=hunter2", "could not understand"),
        ("mongodb://daq:hunter2@127.0.0.1:1", "no valid name of a database"),
        ("mongodb://daq:hunt@er2@h/db", "is malformed"),
        ("mongodb+srv://daq:hunter2@cluster.example.org/db", "`mongodb+srv://` is not supported"),
    ] {
        let world = World::new("100");
        world.configure("filesystemdb://stores/artdaqdb", uri);
        for arguments in ["--verbose", "--json", "--dry-run", "--create-indexes", "--repair-artdaqdb"] {
            let (stdout, stderr) = world.run(arguments, 1);
            let shown = format!("{stdout}{stderr}{}", world.log());
            assert!(!shown.contains("hunt") && !shown.contains("er2"), "{uri} {arguments}: {shown}");
            let is_asked = !arguments.starts_with("--repair");
            assert!(
                !is_asked || shown.contains(says) || shown.contains("could not list"),
                "{uri} {arguments}: {shown}"
            );
        }
    }
}

#[test]
fn a_certificate_that_is_not_there_is_told_with_its_variable() {
    for variable in ["ARTDAQ_DATABASE_CLIENT_CERT", "ARTDAQ_DATABASE_CA_CERT"] {
        let world = World::new("100");
        world.configure("filesystemdb://stores/artdaqdb", "mongodb://127.0.0.1:1/db");
        let output = world.env.plain_command(["--quiet"]).env(variable, "/nowhere/daq.pem").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("/nowhere/daq.pem") && stderr.contains(variable), "{stderr}");
    }
}

/// Both archives in servers, one of them behind our own authority; the other pairs are in [`crate::kill`].
#[test]
fn kills_are_survived_with_ucondb_over_https() {
    if server().is_none() {
        return;
    }
    let subject = Archive::new(Work::Archiving, "1001-1020", Ucon::Https, true);
    let wanted = knob("WAYMARK_KILLS").map_or(6, |all| all.div_ceil(6));
    let delays = Duration::ZERO..=subject.one_start.mul_f64(0.7);
    at_random(&subject, wanted, 20.min(wanted.div_ceil(2)), delays)
        .conclude("run-archiver, import and migration, mongod and UconDB over HTTPS, random moments", wanted);
}
