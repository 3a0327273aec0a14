//! run-archiver: run records from disk to artdaqDB to UconDB, in two incremental steps.
//!
//! The records of `examples/run-archiver` have a gap (5104), a run without a stop time, one with text
//! beyond ASCII, and one that is malformed. The last one is held back for the second step.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::{command, heading, list};
use crate::{say, workspace};

const EXAMPLE: &str = "examples/run-archiver";
/// The run that appears between the two steps.
const LATER: &str = "5110";
/// The malformed one, its cut-off file, and a run whose copy of that file is whole.
const MALFORMED: (&str, &str, &str) = ("5108", "tpc_crate02.fcl", "5101");

/// Gives the tour.
pub(super) fn tour(shell: &Shell, binary: PathBuf, dir: PathBuf) -> Result<()> {
    let tour = Tour { shell, binary, dir };
    heading("Archive run records: disk → artdaqDB → UconDB, without any server");
    tour.lay_out()?;
    say::line("Run 5104 was never taken, and a file of run 5108 is malformed: the other runs go on without it.");
    tour.archive(&["--incremental"], 1)?;
    tour.show(5103, 5109, "5108\n")?;

    heading("A new run appears: the same command archives just that one");
    tour.copy_record(LATER)?;
    let answer = tour.archive(&["--incremental"], 0)?;
    ensure!(answer.contains("import: 1 run archived"), "the second step must archive one run, but says: {answer}");
    tour.show(5103, 5110, "5108\n")?;

    heading("The malformed file is repaired: a retry brings the run in, and the next one on");
    tour.repair()?;
    tour.archive(&["--retry-failed-import"], 0)?;
    tour.archive(&["--migrate-only"], 0)?;
    tour.show(5103, 5110, "")?;
    list(shell, &tour.dir.join("work"))
}

struct Tour<'a> {
    shell: &'a Shell,
    binary: PathBuf,
    dir: PathBuf,
}

impl Tour<'_> {
    /// Copies the example, without the later run.
    fn lay_out(&self) -> Result<()> {
        for name in ["config.yaml", "schema.fcl"] {
            self.shell.copy_file(format!("{EXAMPLE}/{name}"), &self.dir)?;
        }
        self.shell.create_dir(self.dir.join("records"))?;
        for record in self.shell.read_dir(format!("{EXAMPLE}/records"))? {
            let run = record.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if run != LATER {
                self.copy_record(&run)?;
            }
        }
        Ok(())
    }

    fn copy_record(&self, run: &str) -> Result<()> {
        let records = self.dir.join("records");
        command(format_args!("cp -r {EXAMPLE}/records/{run} {}", records.display()));
        cmd!(self.shell, "cp -r {EXAMPLE}/records/{run} {records}").quiet().run().context("could not copy a record")
    }

    /// Runs the archiver, checks how it ended, and gives back its answer.
    fn archive(&self, more: &[&str], expect: i32) -> Result<String> {
        let (config, work) = (self.dir.join("config.yaml"), self.dir.join("work"));
        let (binary, more_text) = (self.binary.display(), more.join(" "));
        command(format_args!("WAYMARK_DEMO_DIR={} {binary} {} {more_text}", work.display(), config.display()));
        let root = workspace::root();
        let output = Command::new(root.join(&self.binary))
            .arg(&config)
            .args(more)
            .env("WAYMARK_DEMO_DIR", &work)
            .current_dir(root)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("could not start `{}`", self.binary.display()))?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        say::line(format_args!("{}\n→ {}", answer.trim_end(), output.status));
        ensure!(output.status.code() == Some(expect), "run-archiver must exit {expect} here");
        Ok(answer)
    }

    /// Puts a whole file in the place of the one that was cut off.
    fn repair(&self) -> Result<()> {
        let (run, file, whole) = MALFORMED;
        let (source, target) =
            (format!("{EXAMPLE}/records/{whole}/{file}"), self.dir.join("records").join(run).join(file));
        command(format_args!("cp {source} {}", target.display()));
        self.shell.copy_file(source, target).context("could not repair the record")
    }

    /// Shows the state files and the failure log, and checks them.
    fn show(&self, contiguous: u64, attempted: u64, failures: &str) -> Result<()> {
        let work = self.dir.join("work");
        command(format_args!("cat {0}/importer_state.json {0}/import_failures.log", work.display()));
        let state = self.shell.read_file(work.join("importer_state.json"))?;
        let log = self.shell.read_file(work.join("import_failures.log"))?;
        say::line(format_args!("{state}\n{log}"));
        let marks: Value = serde_json::from_str(&state).context("the state file is not JSON")?;
        let expect = serde_json::json!({"last_contiguous_run": contiguous, "last_attempted_run": attempted});
        ensure!(marks == expect, "the marks must be {expect}");
        ensure!(log == failures, "the failure log must be {failures:?}");
        Ok(())
    }
}
