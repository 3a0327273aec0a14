//! Runs a program: its environment and directory explicit, its output bounded, its time limited.
//!
//! A program runs in a process group of its own, so that a Ctrl-C on the terminal, after which we finish the runs
//! under way, does not end it; when its time is over, the group is killed.

use std::{
    collections::BTreeMap,
    io,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process_group},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    time::timeout,
};

use super::ToolError;

/// So much of what a tool says is kept.
pub(super) const WORDS_BYTES_MAX: usize = 64 * 1024;

/// What a program reads.
pub(super) enum Input {
    /// Nothing.
    Nothing,
    /// Nothing either; but it inherits the file, and with it the lock on it, for as long as it lives.
    Held(fs_err::File),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// A program to run.
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<String>,
    /// The whole environment.
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) directory: &'a Path,
    pub(super) input: Input,
    /// So much of its standard output is kept.
    pub(super) stdout_bytes_max: usize,
    pub(super) time_max: Duration,
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code; 128 and the number of the signal if one killed it.
    pub(super) code: i32,
    /// The beginning of its standard output.
    pub(super) stdout: Vec<u8>,
    /// The beginning of its standard error.
    pub(super) stderr: Vec<u8>,
    /// Whether there was more on its standard output.
    pub(super) is_cut: bool,
}

impl Call<'_> {
    /// Runs the program to its end.
    pub(super) async fn run(self) -> Result<Ended, ToolError> {
        let failed = |source| ToolError::Run { program: self.program.to_owned(), source };
        let (stdin, bytes) = match self.input {
            Input::Nothing => (Stdio::null(), None),
            Input::Held(file) => (Stdio::from(file.into_parts().0), None),
            Input::Bytes(bytes) => (Stdio::piped(), Some(bytes)),
        };
        let mut command = Command::new(self.program);
        command.args(&self.arguments).env_clear().envs(self.environment).current_dir(self.directory);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        // The command holds the file of the lock open.
        drop(command);
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let talk = timeout(self.time_max, talk(&mut child, bytes, self.stdout_bytes_max)).await;
        if let Ok(ended) = talk {
            return ended.map_err(failed);
        }
        if let Some(group) = group {
            match kill_process_group(group, Signal::KILL) {
                // It may have ended just now.
                Ok(()) | Err(Errno::SRCH) => {}
                // Whoever cannot be killed, a program of another user, is not waited for, either.
                Err(error) => return Err(failed(error.into())),
            }
        }
        child.wait().await.map_err(failed)?;
        Err(ToolError::Timeout { program: self.program.to_owned(), after: self.time_max })
    }
}

async fn talk(child: &mut Child, bytes: Option<Vec<u8>>, stdout_bytes_max: usize) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let (Some(mut stdin), Some(bytes)) = (stdin, bytes) {
            // A program that does not read to the end says by its exit code what it thinks of that.
            let _ = stdin.write_all(&bytes).await;
            let _ = stdin.shutdown().await;
        }
    };
    let (stdout, stderr, ()) =
        tokio::join!(beginning(stdout, stdout_bytes_max), beginning(stderr, WORDS_BYTES_MAX), feed);
    let ((stdout, is_cut), (stderr, _)) = (stdout?, stderr?);
    Ok(Ended { code: code(child.wait().await?), stdout, stderr, is_cut })
}

/// The first bytes; the rest is read and dropped, so that the writer does not wait for ever.
async fn beginning(stream: Option<impl AsyncRead + Unpin>, bytes_max: usize) -> io::Result<(Vec<u8>, bool)> {
    let Some(mut stream) = stream else { return Ok((Vec::new(), false)) };
    let (mut kept, mut is_cut) = (Vec::new(), false);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok((kept, is_cut));
        }
        let fits = count.min(bytes_max - kept.len());
        kept.extend_from_slice(&buffer[..fits]);
        is_cut |= fits < count;
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    async fn shell(script: &str, input: Input, time_max: Duration) -> Result<Ended, ToolError> {
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        let (program, directory) = (Path::new("/bin/sh"), Path::new("/"));
        Call { program, arguments, environment: &environment, directory, input, stdout_bytes_max: 10, time_max }
            .run()
            .await
    }

    #[tokio::test]
    async fn codes_signals_and_output_come_back() {
        let long = Duration::from_mins(1);
        let ended = shell("echo out; echo err >&2; exit 144", Input::Nothing, long).await.unwrap();
        assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (144, &b"out\n"[..], &b"err\n"[..]));
        let ended = shell("kill -FPE $$", Input::Nothing, long).await.unwrap();
        assert_eq!(ended.code, 136);
        let ended = shell("cat", Input::Bytes(vec![b'x'; 1_000_000]), long).await.unwrap();
        assert_eq!((ended.code, &*ended.stdout, ended.is_cut), (0, &b"xxxxxxxxxx"[..], true));
        let ended = shell("exit 3", Input::Bytes(vec![b'x'; 1_000_000]), long).await.unwrap();
        assert_eq!(ended.code, 3, "a program need not read");
        let ended = shell("env | grep -c HOME", Input::Nothing, long).await.unwrap();
        assert_eq!(&*ended.stdout, b"0\n", "nothing is inherited");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed_with_its_children() {
        // The child of the shell holds the pipe open: it must die, too.
        let outcome = shell("sleep 1000 & sleep 1000", Input::Nothing, Duration::from_millis(100)).await;
        assert!(matches!(outcome, Err(ToolError::Timeout { .. })), "{outcome:?}");
    }
}
