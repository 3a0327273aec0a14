//! `cargo xtask mutants`: changes the code of the libraries that everything rests on in every small way that
//! `cargo mutants` knows, one at a time, and counts the changes that their tests do not notice.

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use anyhow::{Result, ensure};
use fs_err as fs;
use xshell::cmd;

use crate::{say, workspace};

/// What to change.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many changes are tried side by side
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Try only what no test has noticed so far, or what the last run did not come to
    #[arg(long)]
    iterate: bool,
    /// Only the K-th of N equal parts, for a quick look: `1/10`
    #[arg(long, value_name = "K/N", conflicts_with = "iterate")]
    shard: Option<String>,
    /// Only these packages
    #[arg(default_values = ["statefile", "gsi-state", "run-state"])]
    packages: Vec<String>,
}

/// What must be noticed at least, in per cent.
const CAUGHT_MIN: f64 = 95.0;

/// How long tests may take at least: what a busy machine delays has noticed nothing.
const TEST_SECONDS_MIN: u32 = 120;

/// Tries every change, and says which ones no test noticed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    ensure!(
        cmd!(shell, "cargo mutants --version").quiet().ignore_stderr().read().is_ok(),
        "`cargo mutants` is not installed: cargo install cargo-mutants --locked",
    );
    let place = workspace::target_dir(&shell)?.join("mutants");
    fs::create_dir_all(&place)?;
    let packages: Vec<&str> = options.packages.iter().flat_map(|package| ["--package", package]).collect();
    let shard: Vec<&str> = options.shard.iter().flat_map(|part| ["--shard", part]).collect();
    let iterate = options.iterate.then_some("--iterate");
    let before = if options.iterate { Outcomes::read(&place)? } else { Outcomes::default() };
    let (jobs, patience) = (options.jobs.to_string(), TEST_SECONDS_MIN.to_string());
    let (wanted, part) = (&packages, &shard);
    let all = cmd!(shell, "cargo mutants --list --colors never {wanted...} {part...}").quiet().read()?;
    // Its exit code says whether anything was missed; the lists say it better.
    cmd!(shell, "cargo mutants --jobs {jobs} --minimum-test-timeout {patience} --output {place} --colors never {iterate...} {packages...} {shard...}")
        .ignore_status()
        .quiet()
        .run()?;
    let outcomes = before.and(Outcomes::read(&place)?);
    outcomes.write(&place)?;
    let tally = outcomes.tally(&names(&all));
    if !tally.missed.is_empty() {
        say::line(format_args!("no test noticed:\n{}", tally.missed.join("\n")));
    }
    say::line(format_args!("evidence: {tally}"));
    Ok(if tally.is_enough() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Names of changes, one a line.
fn names(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

/// What is known of changes, in this run and, with `--iterate`, those before it.
#[derive(Debug, Default)]
struct Outcomes {
    caught: BTreeSet<String>,
    /// A test that did not end has noticed something, too; in the last run only, since it may have been the machine.
    timeout: BTreeSet<String>,
    /// These do not compile, so there is nothing to notice.
    unviable: BTreeSet<String>,
}

/// Lists of our own, since `cargo mutants` does not keep apart what it passes over.
const CAUGHT: &str = "caught.txt";
const UNVIABLE: &str = "unviable.txt";

impl Outcomes {
    /// What stands in the lists of `place`, ours and those of the last run; nothing where there are none.
    fn read(place: &Path) -> Result<Self> {
        let read = |files: &[&str]| -> Result<BTreeSet<String>> {
            let mut found = BTreeSet::new();
            for path in files.iter().map(|file| place.join(file)).filter(|path| path.exists()) {
                found.append(&mut names(&fs::read_to_string(path)?));
            }
            Ok(found)
        };
        Ok(Self {
            caught: read(&[CAUGHT, "mutants.out/caught.txt"])?,
            timeout: read(&["mutants.out/timeout.txt"])?,
            unviable: read(&[UNVIABLE, "mutants.out/unviable.txt"])?,
        })
    }

    /// What is known after `last`, a run that tried what these do not know.
    fn and(mut self, mut last: Self) -> Self {
        self.caught.append(&mut last.caught);
        self.unviable.append(&mut last.unviable);
        Self { timeout: last.timeout, ..self }
    }

    fn write(&self, place: &Path) -> Result<()> {
        for (file, list) in [(CAUGHT, &self.caught), (UNVIABLE, &self.unviable)] {
            let lines: String = list.iter().flat_map(|name| [name, "\n"]).collect();
            fs::write(place.join(file), lines)?;
        }
        Ok(())
    }

    /// What became of `all`.
    fn tally(&self, all: &BTreeSet<String>) -> Tally {
        let unviable = all.intersection(&self.unviable).count();
        let is_noticed = |name: &String| self.caught.contains(name) || self.timeout.contains(name);
        let (noticed, missed): (Vec<_>, Vec<_>) =
            all.difference(&self.unviable).cloned().partition(|name| is_noticed(name));
        Tally { noticed: noticed.len(), missed, unviable }
    }
}

/// What became of the changes.
#[derive(Debug)]
struct Tally {
    noticed: usize,
    /// By name; what was not come to counts as missed.
    missed: Vec<String>,
    unviable: usize,
}

impl Tally {
    fn percent(&self) -> f64 {
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        number(self.noticed) * 100.0 / number(self.noticed + self.missed.len())
    }

    /// Nothing tried is nothing proved.
    fn is_enough(&self) -> bool {
        self.percent() >= CAUGHT_MIN
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (noticed, all) = (self.noticed, self.noticed + self.missed.len());
        write!(out, "{noticed} of {all} mutants caught ({:.1} %), {} did not compile", self.percent(), self.unviable)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_tally_counts_what_compiles_and_what_was_not_come_to() {
        let list = |letter: &str, count: usize| {
            (0..count).map(|n| letter.to_owned() + &n.to_string()).collect::<Vec<_>>().join("\n") + "\n"
        };
        let tally = |caught, missed, unviable| {
            let all = names(&(list("c", caught) + &list("m", missed) + &list("u", unviable)));
            // One more each than there is now: code that has gone since.
            let outcomes = Outcomes {
                caught: names(&list("c", caught + 1)),
                unviable: names(&list("u", unviable + 1)),
                ..Outcomes::default()
            };
            let tally = outcomes.tally(&all);
            (tally.to_string(), tally.is_enough())
        };
        assert_eq!(tally(95, 5, 7), ("95 of 100 mutants caught (95.0 %), 7 did not compile".into(), true));
        assert!(!tally(94, 6, 0).1);
        assert!(!tally(0, 0, 0).1, "nothing was tried");
    }

    #[test]
    fn what_was_noticed_before_counts_with_what_is_noticed_now() {
        let dir = tempfile::tempdir().unwrap();
        let run = |caught: &str, timeout: &str, unviable: &str| {
            let before = Outcomes::read(dir.path()).unwrap();
            fs::create_dir_all(dir.path().join("mutants.out")).unwrap();
            for (file, list) in [("caught", caught), ("timeout", timeout), ("unviable", unviable)] {
                fs::write(dir.path().join("mutants.out").join(file).with_extension("txt"), list).unwrap();
            }
            let outcomes = before.and(Outcomes::read(dir.path()).unwrap());
            outcomes.write(dir.path()).unwrap();
            outcomes.tally(&names("a\nb\nc\nd\ne\n"))
        };
        assert_eq!(run("a\n", "", "b\n").missed, ["c", "d", "e"]);
        assert_eq!(run("", "c\n", "").missed, ["d", "e"]);
        // What did not end was tried again, and it was missed.
        let last = run("d\n", "", "");
        assert_eq!((last.noticed, last.missed, last.unviable), (2, vec!["c".to_owned(), "e".to_owned()], 1));
    }
}
