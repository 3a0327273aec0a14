//! A place of its own for a program under test: a directory, an emptied environment, a way to watch it.
//!
//! Promises: nothing of the machine's environment reaches the program (no credentials, no proxy, no
//! colours), nothing it writes with relative paths lands outside the directory, and a program that is
//! still running when its test ends is killed.
//!
//! Absent: anything that knows what the program does.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, SystemTime},
};

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take before the test is failed rather than hung.
const PATIENCE: Duration = Duration::from_mins(1);

/// What every program under test finds in its environment, besides `HOME`.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("AWS_EC2_METADATA_DISABLED", "true"), // no network while looking for credentials
    ("NO_COLOR", "1"),
    ("LC_ALL", "C.UTF-8"),
    ("COLUMNS", "100"),
    ("USER", "tester"),
];

/// A directory and a program to run in it.
///
/// ```
/// use test_kit::TestEnv;
/// let env = TestEnv::new("/bin/cat");
/// env.write("poem.txt", "so much depends");
/// env.command(["poem.txt"]).assert().success().stdout("so much depends");
/// ```
#[derive(Debug)]
pub struct TestEnv {
    dir: TempDir,
    program: PathBuf,
}

impl TestEnv {
    /// An empty directory for the program at the absolute path `program`.
    ///
    /// # Panics
    ///
    /// If there is no room for a directory.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory"), program: program.into() }
    }

    /// The directory: the program's current directory and its home.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The path of `name` in the directory.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file in the directory, with the directories above it.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("a file in the directory")).expect("a directory");
        fs::write(&path, content).expect("a file");
        path
    }

    /// Another such place with the same program and copies of all files.
    ///
    /// # Panics
    ///
    /// If there is no room for them.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new(&self.program);
        let mut waiting = vec![PathBuf::new()];
        while let Some(dir) = waiting.pop() {
            for entry in fs::read_dir(self.join(&dir)).expect("a readable directory") {
                let name = dir.join(entry.expect("a readable entry").file_name());
                if self.join(&name).is_dir() {
                    fs::create_dir(copy.join(&name)).expect("a directory");
                    waiting.push(name);
                } else {
                    fs::copy(self.join(&name), copy.join(&name)).expect("a file");
                }
            }
        }
        copy
    }

    /// The program with arguments, to be run to its end and judged.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.plain_command(args));
        command.timeout(PATIENCE);
        command
    }

    /// The same as a plain command, for those that run something beside it.
    pub fn plain_command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.other_command(&self.program);
        command.args(args);
        command
    }

    /// Another program in the same place, say a shell that starts the one under test.
    pub fn other_command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(ENVIRONMENT).env("HOME", self.path()).current_dir(self.path());
        command
    }

    /// Starts the program and returns while it runs.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Running {
        Running::start(self.plain_command(args))
    }

    /// The program under test.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// A program that runs. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    comments: Receiver<String>,
    answer: Option<thread::JoinHandle<String>>,
    seen: Vec<String>,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Running {
    /// Starts a command with both outputs caught.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("it is piped");
        let mut stdout = child.stdout.take().expect("it is piped");
        let (sender, comments) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            // A test that no longer listens is no reason to stop reading: the program would block.
            lines.for_each(|line| drop(sender.send(line)));
        });
        let answer = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map_or_else(|error| error.to_string(), |_| text)
        });
        Self { child, comments, answer: Some(answer), seen: Vec::new() }
    }

    /// The process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns when a line of standard error contains `text`, and returns that line.
    ///
    /// # Panics
    ///
    /// If the program ends, or a minute passes, without such a line.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        loop {
            match self.comments.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with `{text}` ({error}); seen: {:#?}", self.seen),
            }
        }
    }

    /// Sends SIGINT.
    ///
    /// # Panics
    ///
    /// If the program has ended.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    ///
    /// If the program has ended.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process number");
        kill_process(pid, signal).expect("the program runs");
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it says nothing for a minute and does not end.
    pub fn wait(mut self) -> Ended {
        // Its end closes its standard error.
        loop {
            use std::sync::mpsc::RecvTimeoutError as E;
            match self.comments.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(E::Disconnected) => break,
                Err(E::Timeout) => panic!("the program does not end; seen: {:#?}", self.seen),
            }
        }
        let status = self.child.wait().expect("it was started");
        let answer = self.answer.take().expect("waited for once").join().expect("it only reads");
        Ended { status, stdout: answer, stderr: self.seen.join("\n") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One entry of a directory tree, in all that a careless program might change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// The content; absent for a directory.
    pub bytes: Option<Vec<u8>>,
    /// When it was last changed.
    pub modified_at: SystemTime,
}

/// Every file and directory under `dir`, itself included (as an empty path), by relative path.
///
/// Two equal answers prove that nothing in between changed a byte.
///
/// # Panics
///
/// If something cannot be read.
pub fn files_of(dir: &Path) -> BTreeMap<PathBuf, FileRecord> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::metadata(&path).expect("it was listed");
        let bytes = metadata.is_file().then(|| fs::read(&path).expect("a readable file"));
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).expect("a readable directory");
            waiting.extend(entries.map(|entry| entry.expect("a readable entry").path()));
        }
        let name = path.strip_prefix(dir).expect("it lies under it").to_owned();
        found.insert(name, FileRecord { bytes, modified_at: metadata.modified().expect("Linux has it") });
    }
    found
}
