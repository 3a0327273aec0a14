//! gsi-create: six indexes on an embedded DynamoDB, interrupted once and resumed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use xshell::Shell;

use super::{command, heading, list};
use crate::{say, workspace};

const DEFINITIONS: &str = "examples/gsis/priority1.json";
/// How many indexes the definitions name.
const INDEXES: u64 = 6;
const STATE_FILE: &str = ".gsi_creation_state.json";
/// How the name of an archived state file begins; a time and `.json` follow.
const ARCHIVE_PREFIX: &str = ".gsi_creation_state_";
const INTERRUPTED: i32 = 130;
/// After this time something hangs; the whole tour takes a few seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// Gives the tour.
pub(super) fn tour(shell: &Shell, binary: PathBuf, dir: PathBuf) -> Result<()> {
    let tour = Tour { shell, binary, dir };
    tour.interrupt()?;
    tour.look()?;
    tour.resume()?;
    tour.look_at_archive()
}

/// The places of the tour. Paths are relative to the root where that is possible, so that commands can be copied.
struct Tour<'a> {
    shell: &'a Shell,
    binary: PathBuf,
    dir: PathBuf,
}

impl Tour<'_> {
    /// Starts the creation and interrupts it after the first index became active.
    fn interrupt(&self) -> Result<()> {
        heading("Create six indexes on five tables, and press Ctrl-C when the first one is active");
        say::line("DynamoDB is embedded in the program, in a file; each index takes about two seconds there.");
        let mut job = self.start()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = job.0.try_wait().context("could not ask for gsi-create's end")? {
                bail!("gsi-create ended ({status}) before an index was active and it could be interrupted");
            }
            if self.actives()? > 0 {
                break;
            }
            ensure!(Instant::now() < deadline, "no index became active within {PATIENCE:?}; see `{STATE_FILE}`");
            pause();
        }
        command(format_args!("kill -INT {}        # as Ctrl-C does", job.0.id()));
        let pid = rustix::process::Pid::from_child(&job.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).context("could not send SIGINT")?;
        let status = job.wait()?;
        say::line(format_args!("→ exit code {}: interrupted, and it says so", code(status)?));
        ensure!(code(status)? == INTERRUPTED, "an interrupted gsi-create must exit {INTERRUPTED}, but: {status}");
        let actives = self.actives()?;
        ensure!(actives < INDEXES, "all indexes were active before the interruption; there is nothing left to resume");
        Ok(())
    }

    /// Shows the state between the two starts, without the lock.
    fn look(&self) -> Result<()> {
        heading("Look at what is known: a file for people, and a view of it");
        let state = self.state_dir();
        let arguments = [PathBuf::from("--status"), "--state-dir".into(), state.clone()];
        self.announce(&arguments);
        let status = self.gsi_create(&arguments).status().context("could not start gsi-create")?;
        ensure!(status.success(), "`gsi-create --status` must exit 0, but: {status}");
        list(self.shell, &state)
    }

    /// Starts the same command again, to the end.
    fn resume(&self) -> Result<()> {
        heading("Start the same command again: it goes on where it stopped");
        let status = self.start()?.wait()?;
        say::line(format_args!("→ exit code {}", code(status)?));
        ensure!(status.success(), "the second start must finish the job and exit 0, but: {status}");
        Ok(())
    }

    /// Shows the archive, and checks its summary.
    fn look_at_archive(&self) -> Result<()> {
        heading("The finished job is archived");
        let state = self.state_dir();
        list(self.shell, &state)?;
        ensure!(self.read_state()?.is_none(), "`{STATE_FILE}` is still there after the job was finished");
        let archives: Vec<PathBuf> = self
            .shell
            .read_dir(&state)?
            .into_iter()
            .filter(|path| file_name(path).starts_with(ARCHIVE_PREFIX))
            .collect();
        let [archive] = archives.as_slice() else { bail!("expected one archived state, found {}", archives.len()) };
        let kept: Value = serde_json::from_slice(&fs_err::read(archive)?).context("the archived state is not JSON")?;
        say::line(format_args!("\n{}\nsummary: {}", file_name(archive), kept["summary"]));
        check_summary(&kept["summary"])
    }

    fn state_dir(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// Starts the creation, on the same screen.
    fn start(&self) -> Result<Job> {
        let endpoint = format!("embedded:{}", self.dir.join("db.sqlite").display());
        let arguments =
            [DEFINITIONS.into(), "--endpoint".into(), endpoint.into(), "--state-dir".into(), self.state_dir()];
        self.announce(&arguments);
        let child = self.gsi_create(&arguments).spawn();
        Ok(Job(child.with_context(|| format!("could not start `{}`", self.binary.display()))?))
    }

    fn gsi_create(&self, arguments: &[PathBuf]) -> Command {
        let root = workspace::root();
        let mut command = Command::new(root.join(&self.binary));
        command.args(arguments).current_dir(root).stdin(Stdio::null());
        command
    }

    fn announce(&self, arguments: &[PathBuf]) {
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.display().to_string()).collect();
        command(format_args!("{} {}", self.binary.display(), arguments.join(" ")));
    }

    /// The state file, which is replaced as a whole and so can be read at any moment.
    fn read_state(&self) -> Result<Option<Value>> {
        let path = workspace::root().join(self.state_dir()).join(STATE_FILE);
        match fs_err::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("the state file is not JSON").map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn actives(&self) -> Result<u64> {
        let Some(state) = self.read_state()? else { return Ok(0) };
        state["summary"]["active"].as_u64().context("the state file has no summary.active")
    }
}

/// A running gsi-create, which does not outlive a tour that ends early.
struct Job(Child);

impl Job {
    fn wait(mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().context("could not ask for gsi-create's end")? {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "gsi-create did not end within {PATIENCE:?} and was killed");
            pause();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // It has ended already, unless the tour failed; either way nothing is left to be said.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn check_summary(summary: &Value) -> Result<()> {
    let expected =
        serde_json::json!({"total": INDEXES, "pending": 0, "in_progress": 0, "active": INDEXES, "failed": 0});
    ensure!(*summary == expected, "the summary must be {expected}, but is {summary}");
    Ok(())
}

fn code(status: ExitStatus) -> Result<i32> {
    status.code().with_context(|| format!("gsi-create was ended by a signal ({status}) and not by itself"))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "another process is watched, which tells nobody of its progress")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check_summary;

    #[test]
    fn only_six_active_indexes_are_a_success() {
        for (active, failed, expect) in [(6, 0, true), (5, 1, false), (5, 0, false)] {
            let summary = json!({"total": 6, "pending": 0, "in_progress": 0, "active": active, "failed": failed});
            assert_eq!(check_summary(&summary).is_ok(), expect, "{summary}");
        }
        assert!(check_summary(&json!(null)).is_err());
    }
}
