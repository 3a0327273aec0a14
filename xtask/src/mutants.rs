//! `cargo xtask mutants`: changes the code of the libraries that everything rests on in every small way that
//! `cargo mutants` knows, one at a time, and counts the changes that their tests do not notice.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use serde_json::Value;
use xshell::cmd;

use crate::{say, workspace};

/// What to change.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many changes are tried side by side
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Only the K-th of N equal parts, for a quick look: `1/10`
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only these packages
    #[arg(default_values = ["statefile", "gsi-state", "run-state"])]
    packages: Vec<String>,
}

/// What must be noticed at least, in per cent.
const CAUGHT_MIN: f64 = 95.0;

/// Tries every change, and says which ones no test noticed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    ensure!(
        cmd!(shell, "cargo mutants --version").quiet().ignore_stderr().read().is_ok(),
        "`cargo mutants` is not installed: cargo install cargo-mutants --locked",
    );
    let place = workspace::target_dir(&shell)?.join("mutants");
    fs::create_dir_all(&place)?;
    let packages = options.packages.iter().flat_map(|package| ["--package", package]);
    let shard = options.shard.iter().flat_map(|part| ["--shard", part]);
    let jobs = options.jobs.to_string();
    // Its exit code says whether anything was missed; the outcomes say it better.
    cmd!(shell, "cargo mutants --jobs {jobs} --output {place} --colors never {packages...} {shard...}")
        .ignore_status()
        .quiet()
        .run()?;
    let place = place.join("mutants.out");
    let outcomes: Value = serde_json::from_str(&fs::read_to_string(place.join("outcomes.json"))?)
        .with_context(|| format!("`{}` holds no JSON", place.display()))?;
    let missed = fs::read_to_string(place.join("missed.txt"))?;
    if !missed.is_empty() {
        say::line(format_args!("no test noticed:\n{missed}"));
    }
    let tally = Tally::read(&outcomes)?;
    say::line(format_args!("evidence: {tally}"));
    Ok(if tally.is_enough() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of the changes.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    caught: u32,
    /// Noticed, too: a test that does not end is no pass.
    timeout: u32,
    missed: u32,
    /// These do not compile, so there is nothing to notice.
    unviable: u32,
}

impl Tally {
    fn read(outcomes: &Value) -> Result<Self> {
        let number = |name: &str| {
            let number = outcomes.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
            number.with_context(|| format!("the outcomes have no number `{name}`"))
        };
        Ok(Self {
            caught: number("caught")?,
            timeout: number("timeout")?,
            missed: number("missed")?,
            unviable: number("unviable")?,
        })
    }

    const fn noticed(&self) -> u32 {
        self.caught + self.timeout
    }

    fn percent(&self) -> f64 {
        f64::from(self.noticed()) * 100.0 / f64::from(self.noticed() + self.missed)
    }

    /// Nothing tried is nothing proved.
    fn is_enough(&self) -> bool {
        self.percent() >= CAUGHT_MIN
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (noticed, all) = (self.noticed(), self.noticed() + self.missed);
        write!(out, "{noticed} of {all} mutants caught ({:.1} %), {} did not compile", self.percent(), self.unviable)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Tally;

    #[test]
    fn the_tally_counts_what_compiles() {
        let read = |caught, timeout, missed| {
            Tally::read(&json!({ "caught": caught, "timeout": timeout, "missed": missed, "unviable": 7, "x": 1 })).ok()
        };
        let tally = read(90, 5, 5).map(|tally| (tally.to_string(), tally.is_enough()));
        assert_eq!(tally, Some(("95 of 100 mutants caught (95.0 %), 7 did not compile".into(), true)));
        assert_eq!(read(94, 0, 6).map(|tally| tally.is_enough()), Some(false));
        assert_eq!(read(0, 0, 0).map(|tally| tally.is_enough()), Some(false), "nothing was tried");
        assert_eq!(Tally::read(&json!({})).ok(), None);
    }
}
