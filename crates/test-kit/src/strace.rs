//! Kills a program right after its n-th system call that changes something: with `strace`, which counts.
//!
//! Random moments hit what takes long; this hits every step of what is over in a microsecond. Threads are
//! counted one by one, so a moment is "the first thread that comes to its n-th change".

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
};

/// The calls that change files, or names of files.
const CHANGES: &str = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,\
                       unlink,unlinkat,mkdir,mkdirat";

/// Where Debian and everybody else has it; the environment of tests is empty.
const STRACE: &str = "/usr/bin/strace";

/// Whether programs can be traced here.
pub fn can_trace() -> bool {
    let traced = Command::new(STRACE).args(["-qq", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    traced.is_ok_and(|status| status.success())
}

/// Runs `command` and kills it with SIGKILL right after its `n`-th change, counted from 1.
///
/// # Errors
///
/// The status of a program that ended by itself.
///
/// # Panics
///
/// If `strace` cannot be started.
pub fn kill_after_change(command: &Command, n: u32) -> Result<(), ExitStatus> {
    let mut strace = Command::new(STRACE);
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={CHANGES}"));
    strace.arg("-e").arg(format!("inject={CHANGES}:signal=SIGKILL:when={n}"));
    strace.arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        strace.current_dir(dir);
    }
    strace.env_clear();
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = strace.status().expect("strace starts");
    // strace ends as the program did.
    if status.signal() == Some(9) || status.code() == Some(137) { Ok(()) } else { Err(status) }
}
