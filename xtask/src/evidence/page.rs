//! The table of `docs/evidence.md`: one line a proof, the last measurement of each.

use anyhow::{Context, Result};

use super::list::Proof;

/// The page, relative to the root of the workspace.
pub(crate) const PAGE: &str = "docs/evidence.md";

/// A figure, and of what it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measurement {
    pub(crate) figure: String,
    /// A day, as `2026-11-21`.
    pub(crate) date: String,
    /// The commit, shortened.
    pub(crate) commit: String,
}

/// Where the line of a proof begins.
fn start(proof: &Proof) -> String {
    format!("| {} | ", proof.name)
}

/// The line of a proof.
fn line(proof: &Proof, measured: &Measurement) -> String {
    let Measurement { figure, date, commit } = measured;
    let figure = figure.replace('|', "/");
    format!("{}{figure} | {} | `{}` | {date}, {commit} |", start(proof), proof.target, proof.command)
}

/// The page with the line of a proof replaced.
pub(crate) fn with(page: &str, proof: &Proof, measured: &Measurement) -> Result<String> {
    let start = start(proof);
    let old = page.lines().find(|line| line.starts_with(&start));
    let old = old.with_context(|| format!("`{PAGE}` has no line that begins with `{start}`"))?;
    Ok(page.replacen(old, &line(proof, measured), 1))
}

/// Whether the page has a line for a proof, with its target and its command.
#[cfg(test)]
pub(crate) fn has(page: &str, proof: &Proof) -> bool {
    let (start, middle) = (start(proof), format!(" | {} | `{}` | ", proof.target, proof.command));
    page.lines().any(|line| line.starts_with(&start) && line.contains(&middle))
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::{Measurement, PAGE, Proof, has, with};
    use crate::{evidence::list, workspace};

    #[test]
    fn a_line_is_replaced() {
        let proof = Proof { name: "kills".into(), target: "0 lost".into(), command: "cargo test".into() };
        let figure = Measurement { figure: "9 | 0".into(), date: "2026-01-02".into(), commit: "abc".into() };
        let page = "| x | y |\n|---|---|\n| kills | |\n| killstoo | |\n";
        let expected =
            "| x | y |\n|---|---|\n| kills | 9 / 0 | 0 lost | `cargo test` | 2026-01-02, abc |\n| killstoo | |\n";
        let new = with(page, &proof, &figure).unwrap_or_default();
        assert_eq!(new, expected);
        assert_eq!((has(page, &proof), has(&new, &proof)), (false, true));
        assert!(with("nothing", &proof, &figure).is_err());
    }

    #[test]
    fn the_page_has_every_proof_with_its_command() {
        let root = workspace::root();
        let page = fs::read_to_string(root.join(PAGE)).unwrap_or_default();
        for proof in list::read(&root).unwrap_or_default() {
            assert!(has(&page, &proof), "`{PAGE}` has no line for {proof:?}");
        }
    }
}
