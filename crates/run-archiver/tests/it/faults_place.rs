//! Where a story of a failure plays: a world with two archives of some kind, and what may happen to them.

use std::{net::SocketAddr, sync::OnceLock};

use serde_json::Value;
use test_kit::ucondb::{Certificate, FakeUconDb, Fault, Front, Options};
use tokio::{net::TcpSocket, runtime::Runtime};

#[cfg(feature = "mongodb")]
use crate::faults_mongod::Relay;
use crate::{
    kill_world::Ucon,
    support::{Archived, World, block_on},
};

/// Where artdaqDB is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Artdaq {
    Directory,
    #[cfg(feature = "mongodb")]
    Mongod,
}

/// The first of these is archived before anything happens.
pub(crate) const RUNS: &str = "101-105";

/// The folder and the object in UconDB.
const OBJECT: (&str, &str) = ("public.test01", "configuration");

/// Starts a program while the disk of the stores is full but for a little, the first argument. Without the namespace the disk is as it was; what the program
/// has left on it is in `kept`.
const ON_A_FULL_DISK: &str = r#"
cp -a stores kept && mount -t tmpfs -o size=$(($(du -sk stores | cut -f1) + 64))k tmpfs stores && cp -a kept/. stores/ || exit 77
cat /dev/zero >stores/filler 2>/dev/null
truncate -s -$1 stores/filler && shift
"$@"
code=$?
rm -r stores/filler kept && cp -a stores kept || exit 77
exit $code
"#;

/// A world, what its stores really are, and the way to them.
pub(crate) struct Place {
    pub(crate) world: World,
    server: Option<FakeUconDb>,
    #[cfg(feature = "mongodb")]
    relay: Option<Relay>,
    /// A port at which nobody listens, and that nobody else can take.
    nobody: (TcpSocket, SocketAddr),
    /// So much room is left on the disk of the stores, if it is a small one.
    room: Option<&'static str>,
}

impl Place {
    pub(crate) fn new(artdaq: Artdaq, ucon: Ucon) -> Self {
        #[cfg_attr(not(feature = "mongodb"), expect(unused_mut, reason = "only artdaqDB in a server is moved there"))]
        let mut world = World::new(RUNS);
        world.configure("app: {", "app: {parallel_workers: 1, ");
        #[cfg(feature = "mongodb")]
        let relay = (artdaq == Artdaq::Mongod).then(|| world.move_to_mongodb_behind(Relay::start));
        #[cfg(not(feature = "mongodb"))]
        let Artdaq::Directory = artdaq;
        let server = (ucon != Ucon::Embedded).then(|| serve(&world, ucon == Ucon::Https));
        let nobody = block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = socket.local_addr().unwrap();
            (socket, address)
        });
        Self {
            world,
            server,
            #[cfg(feature = "mongodb")]
            relay,
            nobody,
            room: None,
        }
    }

    /// Whether this machine lets us have a full disk; if not, that is said aloud.
    pub(crate) fn has_full_disks() -> bool {
        static HAS: OnceLock<bool> = OnceLock::new();
        *HAS.get_or_init(|| {
            let mut command = std::process::Command::new("unshare");
            let status = command.args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).status();
            let has = status.is_ok_and(|status| status.success());
            if !has {
                eprintln!("SKIPPED: full disks; enable by permitting `unshare -rm` (user namespaces), or run as root");
            }
            has
        })
    }

    /// Starts the program with `--json`; its exit code must be `code`. Returns the document, and all that was said.
    pub(crate) fn start(&self, arguments: &str, code: i32) -> (Value, String) {
        let arguments: Vec<_> = arguments.split_whitespace().chain(["--json"]).collect();
        let mut command = if let Some(room) = self.room {
            let mut command = self.world.env.other_command("/bin/sh");
            command.args(["-c", "exec unshare -rm sh -c \"$@\"", "sh", ON_A_FULL_DISK, "sh", room]);
            command.arg(self.world.env.program()).args(&arguments);
            command
        } else {
            self.world.env.plain_command(&arguments)
        };
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let said = format!("{}{}{}", text(&output.stdout), text(&output.stderr), self.world.log());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        (serde_json::from_slice(&output.stdout).unwrap(), said)
    }

    /// What both stores hold, asked directly.
    pub(crate) fn archived(&self) -> Archived {
        let mut archived = self.world.archived();
        if let Some(server) = &self.server {
            let contents = server.contents(OBJECT.0, OBJECT.1);
            assert_eq!(server.version_count(OBJECT.0), contents.len(), "nothing twice");
            let blobs = contents.into_iter().map(|(run, blob)| (run.parse().unwrap(), (1, text(blob))));
            archived.ucon = blobs.collect();
        }
        archived
    }

    /// Makes the first run fail that is put.
    pub(crate) fn put_fails(&self, fault: Fault) {
        let server = self.server.as_ref().unwrap();
        // Before it the client asks for a challenge, by an empty put; that one is answered in full.
        server.fail_next("POST", "/data", Fault::CutAnswerAfter(usize::MAX));
        server.fail_next("POST", "/data", fault);
    }

    /// Makes the first run fail that is read back.
    pub(crate) fn readback_fails(&self, fault: Fault) {
        self.server.as_ref().unwrap().fail_next("GET", "/data", fault);
    }

    /// Makes requests to UconDB fail until it is healed.
    pub(crate) fn ucon_fails(&self, method: &str, path: &str, fault: Fault) {
        self.server.as_ref().unwrap().fail_always(method, path, fault);
    }

    pub(crate) fn heal_ucon(&self) {
        self.server.as_ref().unwrap().heal();
    }

    pub(crate) fn show(&self, certificate: Certificate) {
        self.server.as_ref().unwrap().show(certificate).unwrap();
    }

    /// How many requests UconDB has seen.
    pub(crate) fn ucon_requests(&self) -> usize {
        self.server.as_ref().map_or(0, |server| server.ledger().len())
    }

    /// The address of UconDB, and one at which nobody answers.
    pub(crate) fn ucon_urls(&self) -> (String, String) {
        let url = self.server.as_ref().unwrap().url();
        let (scheme, _) = url.split_once("://").unwrap();
        (url.clone(), format!("{scheme}://{}/app", self.nobody.1))
    }

    #[cfg(feature = "mongodb")]
    pub(crate) fn relay(&self) -> &Relay {
        self.relay.as_ref().unwrap()
    }

    /// The server of artdaqDB in the configuration, and one at which nobody answers.
    #[cfg(feature = "mongodb")]
    pub(crate) fn mongod_addresses(&self) -> (String, String) {
        (format!("{}/", self.relay().address()), format!("{}/", self.nobody.1))
    }

    /// The disk of both archives is full, but for so much, for whoever is started now.
    pub(crate) fn fill_disk_but_for(&mut self, room: &'static str) {
        self.room = Some(room);
    }

    /// Moves the archives to a greater disk.
    pub(crate) fn move_to_greater_disk(&mut self) {
        self.room = None;
        let at = |name: &str| self.world.env.join(name);
        fs_err::remove_dir_all(at("stores")).unwrap();
        fs_err::rename(at("kept"), at("stores")).unwrap();
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A server for UconDB in the world's configuration; it lives outside of the program.
fn serve(world: &World, tls: bool) -> FakeUconDb {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME
        .get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
    // As it is found in the field: encrypted by an Apache, which keeps connections, or in the clear and by itself.
    let front = if tls { Front::Apache } else { Front::Webpie };
    let server = runtime.block_on(FakeUconDb::start(Options { front, tls, ..Options::default() })).unwrap();
    let mut entry = format!("{}', writer_user: writer, writer_password: 'secret", server.url());
    if let Some(pem) = server.authority_pem() {
        world.env.write("conf/ca.pem", pem);
        entry += "', ca_file: 'conf/ca.pem";
    }
    world.configure("embedded://stores/ucondb.sqlite", &entry);
    server
}
