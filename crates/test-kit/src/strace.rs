//! Kills a program right after its n-th change: a system call that changes a file, a directory or a name, or that
//! sends something. With `strace`, which stops the program after every change, all threads counted together.
//!
//! Random moments hit what takes long; this hits every step of what is over in a microsecond.
//!
//! `strace` can kill by count itself, but it counts each system call and each thread for itself: "the third change"
//! would be the third `write`, and what stands between two of the most frequent calls would never be hit.
//!
//! Absent: changes of mapped memory, and what is written to pipes, terminals and `/dev`.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::{
    collections::HashMap,
    io::{self, BufRead as _, BufReader, PipeReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// The calls that change something, if they succeed; a question mark allows that a machine lacks one.
const CHANGES: &str = "?open,?creat,openat,write,writev,pwrite64,pwritev,?pwritev2,?sendfile,copy_file_range,sendto,\
                       sendmsg,fsync,fdatasync,fallocate,ftruncate,?rename,?renameat,renameat2,?link,linkat,?symlink,\
                       symlinkat,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,?chmod,fchmod,fchmodat";

/// Where Debian and everybody else has it; the environment of tests is empty.
const STRACE: &str = "/usr/bin/strace";

/// How long a program may make no call at all before the test is failed rather than hung.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a program did while it was watched.
#[derive(Debug)]
pub struct Trace {
    /// Its changes, as `strace` prints them.
    pub changes: Vec<String>,
    /// How it ended; `None` if it was killed after the last of the changes.
    pub status: Option<ExitStatus>,
}

/// Whether programs can be traced here.
pub fn can_trace() -> bool {
    let mut strace = Command::new(STRACE);
    strace.args(["-qq", "-f", "-o", "/dev/null", "true"]).stderr(Stdio::null());
    strace.status().is_ok_and(|status| status.success())
}

/// Runs `command` to its end and tells its changes.
///
/// # Panics
///
/// If `strace` cannot be started, or the program hangs.
pub fn changes_of(command: &Command) -> Trace {
    kill_after_change(command, usize::MAX)
}

/// Runs `command` and kills it with SIGKILL right after its `n`-th change, counted from 1.
///
/// ```
/// # use std::process::Command;
/// # use test_kit::strace;
/// # if !strace::can_trace() { return; }
/// let dir = std::env::temp_dir().join(format!("strace-doc-{}", std::process::id()));
/// let mut mkdir = Command::new("/bin/mkdir");
/// mkdir.arg("-p").arg(dir.join("a/b"));
/// let trace = strace::kill_after_change(&mkdir, 2);
/// assert!(trace.status.is_none() && trace.changes.len() == 2, "{trace:?}");
/// assert!(dir.join("a").exists() && !dir.join("a/b").exists());
/// # fs_err::remove_dir_all(&dir).unwrap();
/// ```
///
/// # Panics
///
/// If `strace` cannot be started, or the program hangs.
pub fn kill_after_change(command: &Command, n: usize) -> Trace {
    let mut watched = Watched::start(command);
    let mut log = Log::default();
    let mut changes = Vec::new();
    while let Some(line) = watched.next_line() {
        let Some((thread, said)) = line.trim_start().split_once(' ') else { continue };
        let Some(id) = thread.parse().ok().and_then(Pid::from_raw) else { continue };
        let leader = *watched.leader.get_or_insert(id);
        if said.contains("--- stopped by SIGSTOP ---") {
            signal(id, Signal::CONT);
        }
        let Some(change) = log.change(thread, said.trim_start()) else { continue };
        changes.push(change);
        if changes.len() == n {
            // The program, and a child of it if it was one that changed something.
            signal(leader, Signal::KILL);
            signal(id, Signal::KILL);
            watched.wait();
            return Trace { changes, status: None };
        }
    }
    let status = watched.wait();
    Trace { changes, status: Some(status) }
}

/// A program under `strace`. Both are gone when it is dropped.
struct Watched {
    strace: Child,
    lines: Receiver<String>,
    /// The program's process.
    leader: Option<Pid>,
}

impl Watched {
    fn start(command: &Command) -> Self {
        let (reader, writer) = io::pipe().expect("a pipe");
        let mut strace = Command::new(STRACE);
        // The program finds the pipe as its standard input, too, and leaves it alone. `--seccomp-bpf` would be faster,
        // but strace 6.1 then sends no signals.
        strace.args(["-f", "-qq", "-y", "-s", "0", "-o", "/proc/self/fd/0", "-e", "signal=SIGSTOP"]);
        strace.arg("-e").arg(format!("trace=execve,{CHANGES}"));
        strace.arg("-e").arg(format!("inject={CHANGES}:signal=SIGSTOP"));
        strace.arg(command.get_program()).args(command.get_args());
        if let Some(dir) = command.get_current_dir() {
            strace.current_dir(dir);
        }
        strace.env_clear();
        strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        strace.stdin(writer).stdout(Stdio::null()).stderr(Stdio::null());
        let child = strace.spawn().expect("strace starts");
        // It holds the other end of the pipe.
        drop(strace);
        Self { strace: child, lines: lines_of(reader), leader: None }
    }

    /// The next line; `None` when there will be none.
    fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the program neither ends nor changes anything"),
        }
    }

    /// strace ends after the program, and as it did.
    fn wait(&mut self) -> ExitStatus {
        self.strace.wait().expect("it was started")
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if matches!(self.strace.try_wait(), Ok(None)) {
            if let Some(leader) = self.leader {
                signal(leader, Signal::KILL);
            }
            drop(self.strace.kill());
            drop(self.strace.wait());
        }
    }
}

/// Signals the process of a thread. Fails if it has ended, which the next line tells.
fn signal(thread: Pid, signal: Signal) {
    let _ = kill_process(thread, signal);
}

fn lines_of(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(reader).split(b'\n').map_while(Result::ok);
        // Whoever no longer listens has killed the program.
        lines.for_each(|line| drop(sender.send(String::from_utf8_lossy(&line).into_owned())));
    });
    receiver
}

/// Puts together what `strace` prints in two pieces when another thread comes in between.
#[derive(Default)]
struct Log {
    unfinished: HashMap<String, String>,
}

impl Log {
    /// The change that this line completes, if it does.
    fn change(&mut self, thread: &str, said: &str) -> Option<String> {
        if let Some(begun) = said.strip_suffix("<unfinished ...>") {
            self.unfinished.insert(thread.to_owned(), begun.trim_end().to_owned());
            return None;
        }
        let call = match said.strip_prefix("<... ") {
            None => said.to_owned(),
            Some(rest) => format!("{}{}", self.unfinished.remove(thread)?, rest.split_once(" resumed>")?.1),
        };
        is_change(&call).then_some(call)
    }
}

/// Whether this call, printed with its result, has changed something.
fn is_change(call: &str) -> bool {
    let Some((name, rest)) = call.split_once('(') else { return false };
    let Some((arguments, result)) = rest.rsplit_once(" = ") else { return false };
    if result.starts_with(['-', '?']) {
        return false;
    }
    match name {
        "execve" => false,
        "open" | "openat" => ["O_CREAT", "O_TRUNC"].iter().any(|flag| arguments.contains(flag)),
        "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" | "sendto" | "sendmsg" => {
            // The file of the descriptor: a path, a socket; not a pipe, not an event counter.
            let file = arguments.split_once('<').map_or("", |(_, file)| file);
            file.starts_with('/') && !file.starts_with("/dev/") || file.starts_with("socket:")
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_from_what_changes_nothing() {
        let mut log = Log::default();
        for (line, is_change) in [
            ("7 execve(\"/bin/a\", [...], 0x7 /* 1 var */) = 0", false),
            ("7 openat(AT_FDCWD</a>, \"x\", O_RDONLY|O_CLOEXEC) = 3</a/x>", false),
            ("7 openat(AT_FDCWD</a>, \"x\", O_WRONLY|O_CREAT|O_EXCL, 0666) = 3</a/x>", true),
            ("7 openat(AT_FDCWD</a>, \"x\", O_WRONLY|O_CREAT|O_EXCL, 0666) = -1 EEXIST (File exists)", false),
            ("7 write(3</a/x>, \"\"..., 8) = 8", true),
            ("7 write(3<socket:[12]>, \"\"..., 8) = 8", true),
            ("7 write(3<pipe:[12]>, \"\"..., 8) = 8", false),
            ("7 write(1</dev/null>, \"\"..., 8) = 8", false),
            ("7 write(3<anon_inode:[eventfd]>, \"\"..., 8) = 8", false),
            ("7 fsync(3</a/x> <unfinished ...>", false),
            ("8 unlink(\"a = b\") = 0", true),
            ("7 <... fsync resumed>) = 0", true),
            ("8 write(4</a/y>, \"\"..., 8 <unfinished ...>", false),
            ("8 <... write resumed>) = -1 ENOSPC (No space left on device)", false),
            ("7 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_KERNEL} ---", false),
            ("7 rename(\"a\", \"b\") = ?", false),
        ] {
            let (thread, said) = line.split_once(' ').expect("a number");
            assert_eq!(log.change(thread, said).is_some(), is_change, "{line}");
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "what is skipped is said")]
    fn every_moment_is_met_once() {
        if !can_trace() {
            eprintln!("SKIPPED: needs strace and the right to trace; `apt-get install strace`");
            return;
        }
        // Three calls of different names, twice: counted call by call, the fourth change would be out of reach.
        let script = "echo 1 > a; mv a b; echo 2 > a; mv a c";
        let command = |dir: &tempfile::TempDir| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", script]).current_dir(dir.path()).env("PATH", "/usr/bin:/bin");
            shell
        };
        let dir = tempfile::tempdir().expect("a directory");
        let whole = changes_of(&command(&dir));
        assert!(whole.status.is_some_and(|status| status.success()), "{whole:#?}");
        assert_eq!(whole.changes.len(), 6, "{whole:#?}");
        for n in 1..=6 {
            let dir = tempfile::tempdir().expect("a directory");
            let trace = kill_after_change(&command(&dir), n);
            assert!(trace.status.is_none() && trace.changes.len() == n, "{n}: {trace:#?}");
            let file = |name: &str| fs_err::read_to_string(dir.path().join(name)).ok();
            let (one, two, nothing) = (|| Some("1\n".to_owned()), || Some("2\n".to_owned()), || Some(String::new()));
            let expect = match n {
                1 => [nothing(), None, None],
                2 => [one(), None, None],
                3 => [None, one(), None],
                4 => [nothing(), one(), None],
                5 => [two(), one(), None],
                _ => [None, one(), two()],
            };
            assert_eq!([file("a"), file("b"), file("c")], expect, "{n}: {trace:#?}");
        }
        let beyond = kill_after_change(&command(&tempfile::tempdir().expect("a directory")), 7);
        assert!(beyond.status.is_some_and(|status| status.success()), "{beyond:#?}");
    }
}
