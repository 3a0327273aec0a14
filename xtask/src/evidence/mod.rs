//! `cargo xtask evidence`: measures what `docs/evidence.md` claims, each claim with the command that stands there.
//!
//! The figure is what the command says after `evidence: `; nothing is measured or counted here. A command that
//! fails, or says no figure, gives no figure.

mod list;
mod page;

use std::{
    io::{BufRead, BufReader},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use xshell::cmd;

use self::{list::Proof, page::Measurement};
use crate::{say, workspace};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only the claims whose name holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only list the claims, their targets and their commands
    #[arg(long)]
    list: bool,
    /// Write the figures into docs/evidence.md
    #[arg(long)]
    write: bool,
}

/// The start of the line that holds the figure.
const MARK: &str = "evidence: ";

/// Measures every chosen claim.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let root = workspace::root();
    let proofs = list::read(&root)?;
    let chosen = proofs.iter().filter(|proof| options.only.as_ref().is_none_or(|text| proof.name.contains(text)));
    let chosen: Vec<&Proof> = chosen.collect();
    ensure!(!chosen.is_empty(), "no claim has such a name; see `cargo xtask evidence --list`");
    if options.list {
        for Proof { name, target, command } in chosen {
            say::line(format_args!("{name}: {target}\n    {command}"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let shell = workspace::shell()?;
    let date = cmd!(shell, "date -u +%F").quiet().read()?;
    let commit = cmd!(shell, "git rev-parse --short HEAD").quiet().read()?;
    // The page itself changes with every claim that is measured.
    let others = format!(":!{}", page::PAGE);
    if !cmd!(shell, "git status --porcelain --untracked-files=no -- {others}").quiet().read()?.is_empty() {
        say::error("warning: the work tree has changes; the figures are not those of the commit alone");
    }
    let mut failed = 0;
    for proof in chosen {
        match measure(proof) {
            Ok(figure) => {
                say::line(format_args!("{}: {figure}", proof.name));
                if options.write {
                    let measured = Measurement { figure, date: date.clone(), commit: commit.clone() };
                    // Read anew: other lines may have been written meanwhile.
                    let path = root.join(page::PAGE);
                    fs::write(&path, page::with(&fs::read_to_string(&path)?, proof, &measured)?)?;
                }
            }
            Err(error) => {
                failed += 1;
                say::line(format_args!("{}: FAILED: {error:#}", proof.name));
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the command of a claim; what it says of its figure, pieces joined.
fn measure(proof: &Proof) -> Result<String> {
    let words = proof.words()?;
    let mut command = Command::new(words.program);
    command.args(&words.arguments).envs(words.environment).current_dir(workspace::root());
    // One pipe for both streams, so that neither fills while the other is read.
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("`{}` cannot be started", words.program))?;
    // It holds the other ends of the pipe.
    drop(command);
    let mut said = Vec::new();
    for line in BufReader::new(reader).split(b'\n') {
        said.push(String::from_utf8_lossy(&line?).into_owned());
    }
    let status = child.wait()?;
    if !status.success() {
        let last = &said[said.len().saturating_sub(30)..];
        bail!("{status}: {}\n{}", proof.command, last.join("\n"));
    }
    figure(&said).with_context(|| format!("it says no line with `{MARK}`: {}", proof.command))
}

/// The figures in an output. Test harnesses may write on the same line before them.
fn figure(said: &[String]) -> Option<String> {
    let figures: Vec<&str> = said.iter().filter_map(|line| Some(line.split_once(MARK)?.1.trim())).collect();
    (!figures.is_empty()).then(|| figures.join("; "))
}

#[cfg(test)]
mod tests {
    use super::{Proof, figure, measure};

    #[test]
    fn figures_are_found() {
        let lines = |text: &str| figure(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(
            lines("a\nevidence: 3 kills, 0 lost\ntest x ... evidence: 4\n").as_deref(),
            Some("3 kills, 0 lost; 4")
        );
        assert_eq!(lines("no evidence"), None);
    }

    #[test]
    fn what_fails_gives_no_figure() {
        let proof = |command: &str| Proof { name: "x".into(), target: "y".into(), command: command.into() };
        assert_eq!(measure(&proof("WORD=3 printenv WORD")).ok(), None, "no figure");
        assert_eq!(measure(&proof("echo evidence: 3")).ok().as_deref(), Some("3"));
        assert_eq!(measure(&proof("ls evidence: 3")).ok(), None, "it fails");
        assert_eq!(measure(&proof("no-such-program evidence: 3")).ok(), None);
    }
}
