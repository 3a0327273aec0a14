//! `cargo xtask planted`: plants known bugs, one at a time, and sees whether the test that is named for each
//! of them fails. A test suite that lets one live does not guard what it says it guards.
//!
//! Works on a copy of HEAD below the target directory, with a target directory of its own; the work tree is
//! not touched.

mod bugs;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use xshell::cmd;

use self::bugs::Bug;
use crate::{
    say,
    table::{self, Align},
    workspace,
};

/// What to plant.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only the bugs whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// Only list the bugs and the tests that must find them.
    #[arg(long)]
    list: bool,
}

/// What came of a planted bug.
enum Fate {
    /// The test failed, as it must.
    Killed,
    /// The test did not end.
    Hung,
    /// The test passed.
    Lives,
}

/// A test that a planted bug sends round in circles is stopped after this time.
const TEST_TIME_MAX: Duration = Duration::from_mins(4);

/// Plants every chosen bug.
pub(crate) fn run(options: &Options) -> Result<std::process::ExitCode> {
    let bugs = bugs::read(&workspace::root())?;
    let chosen: Vec<&Bug> =
        bugs.iter().filter(|bug| options.only.as_ref().is_none_or(|text| bug.name.contains(text))).collect();
    ensure!(!chosen.is_empty(), "no planted bug has such a name");
    if options.list {
        for bug in chosen {
            say::line(format_args!("{}: {} {}", bug.name, bug.package, bug.test));
        }
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let garden = Garden::lay_out()?;
    let mut rows = Vec::new();
    let mut alive = 0;
    for bug in chosen {
        say::part(format_args!("{} … ", bug.name));
        let began = Instant::now();
        let fate = garden.plant(bug).with_context(|| format!("could not try `{}`", bug.name))?;
        let word = match fate {
            Fate::Killed => "killed",
            Fate::Hung => "killed (hung)",
            Fate::Lives => "LIVES",
        };
        alive += usize::from(matches!(fate, Fate::Lives));
        say::line(word);
        let seconds = format!("{:.0}", began.elapsed().as_secs_f64());
        rows.push(vec![bug.name.clone(), word.to_owned(), seconds, format!("{} {}", bug.package, bug.test)]);
    }
    let columns = [("bug", Align::Left), ("fate", Align::Left), ("seconds", Align::Right), ("test", Align::Left)];
    say::line(table::render(&columns, &rows));
    say::line(format_args!("evidence: {} of {} planted bugs killed", rows.len() - alive, rows.len()));
    Ok(if alive == 0 { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE })
}

/// The copy in which bugs are planted.
struct Garden {
    tree: PathBuf,
    target: PathBuf,
}

impl Garden {
    fn lay_out() -> Result<Self> {
        let shell = workspace::shell()?;
        let place = workspace::target_dir(&shell)?.join("planted");
        let garden = Self { tree: place.join("tree"), target: place.join("target") };
        if !cmd!(shell, "git status --porcelain --untracked-files=no").quiet().read()?.is_empty() {
            say::error("warning: the work tree has changes; the bugs are planted in HEAD");
        }
        fs::create_dir_all(&place)?;
        if garden.tree.exists() {
            fs::remove_dir_all(&garden.tree)?;
        }
        let (root, tree) = (workspace::root(), &garden.tree);
        cmd!(shell, "git clone --quiet --shared {root} {tree}").quiet().run()?;
        Ok(garden)
    }

    fn plant(&self, bug: &Bug) -> Result<Fate> {
        let path = self.tree.join(&bug.file);
        let healthy = fs::read_to_string(&path)?;
        self.test(bug, true)?;
        match self.test(bug, false)? {
            Fate::Lives => {}
            Fate::Killed | Fate::Hung => bail!("its test fails without it, too"),
        }
        fs::write(&path, bug.plant(&healthy)?)?;
        let fate = self.test(bug, true).and_then(|_| self.test(bug, false));
        fs::write(&path, healthy)?;
        fate
    }

    /// Builds the test of a bug (which must succeed), or runs it.
    fn test(&self, bug: &Bug, is_building: bool) -> Result<Fate> {
        let mut command = Command::new("cargo");
        command.args(["test", "--quiet", "--package", &bug.package]).args(bug.target.split_whitespace());
        if is_building {
            command.arg("--no-run");
        } else {
            command.args(["--", "--exact", &bug.test]);
        }
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        let log = self.tree.with_extension("log");
        let output = fs::File::create(&log)?.into_parts().0;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
        let limit = if is_building { Duration::from_hours(1) } else { TEST_TIME_MAX };
        match (wait(child, limit)?, is_building) {
            (Some(true), true) => Ok(Fate::Lives),
            (_, true) => bail!("it does not compile:\n{}", tail(&log)),
            (None, false) => Ok(Fate::Hung),
            (Some(is_success), false) => {
                let said = fs::read_to_string(&log)?;
                ensure!(said.contains("running 1 test"), "there is no test `{}`:\n{}", bug.test, tail(&log));
                Ok(if is_success { Fate::Lives } else { Fate::Killed })
            }
        }
    }
}

/// Waits for a process; `None` where it was stopped after `limit`.
fn wait(mut child: Child, limit: Duration) -> Result<Option<bool>> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if began.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but the other process")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
