//! `cargo xtask tidy`: the architecture, checked.
//!
//! A check is a function from [`Tree`] (the manifests and the text of every file of the checkout) to
//! findings. It knows nothing of the disk, so that its test can show it a bad tree: a check that cannot
//! fail is worse than none. docs/ARCHITECTURE.md names the checks as `tidy::NAME`, and the check
//! [`documents::invariants`] verifies that what the page names exists.

mod arrows;
mod code;
mod documents;
mod manifests;
mod sources;
mod tree;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::say;
use crate::table::{self, Align};
use tree::Tree;

/// Options of `tidy`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Lists the checks and what they promise, without running them
    #[arg(long)]
    list: bool,
}

/// One promise about the tree.
struct Check {
    name: &'static str,
    /// What holds when the check passes.
    promise: &'static str,
    run: fn(&Tree) -> Vec<Finding>,
}

/// Something that breaks a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    severity: Severity,
    /// `path` or `path:line` below the root, or the name of a crate.
    place: String,
    /// What is wrong, and what to do.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Warning,
    Error,
}

impl Finding {
    fn error(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), text: text.into() }
    }

    fn warning(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, place: place.into(), text: text.into() }
    }
}

const fn check(name: &'static str, promise: &'static str, run: fn(&Tree) -> Vec<Finding>) -> Check {
    Check { name, promise, run }
}

const CHECKS: &[Check] = &[
    check("arrows", "a crate uses only the members that the table of arrows allows", arrows::arrows),
    check("families", "gsi-* and run-* know nothing of each other", arrows::families),
    check("libraries", "no library depends on clap, anyhow, indicatif, tracing-subscriber", arrows::libraries),
    check("pipeline", "run-pipeline depends on no client of a database or of HTTP", arrows::pipeline),
    check("sdk", "the AWS SDK is named only in its adapter, its wiring and dynamo-embedded", code::sdk),
    check("dynoxide", "dynoxide's types are named only in dynamo-embedded", code::dynoxide),
    check("bare_fs", "files are touched through fs_err, whose errors name the path", code::bare_fs),
    check("exceptions", "methods that clippy.toml bans are used only in the listed files", code::exceptions),
    check("dependencies", "every version stands once, in the root manifest", manifests::dependencies),
    check("lints", "every member takes the lints of the workspace", manifests::lints),
    check("registry", "every dependency comes from crates.io", manifests::registry),
    check("function_length", "clippy refuses functions over 70 lines, without exception", manifests::function_length),
    check("file_length", "no .rs file is over 600 lines; over 300 is a warning", sources::file_length),
    check("file_heads", "every .rs file says at its head what it is for", sources::file_heads),
    check(
        "ignored",
        "every test and example is run; what is ignored is a process that a test starts",
        sources::ignored,
    ),
    check("machine_paths", "no file names a path of somebody's machine", sources::machine_paths),
    check("invariants", "every invariant in ARCHITECTURE.md names a check that exists", documents::invariants),
    check("changelog", "the changelog has a section for what is next or for the present version", documents::changelog),
    check("decisions", "decisions are numbered and have a title", documents::decisions),
    check("links", "relative links in documents lead somewhere", documents::links),
];

/// The findings of all checks.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<(&'static str, Finding)>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        let rows: Vec<_> = CHECKS.iter().map(|check| vec![check.name.to_owned(), check.promise.to_owned()]).collect();
        say::line(table::render(&[("check", Align::Left), ("promise", Align::Left)], &rows));
        return Ok(ExitCode::SUCCESS);
    }
    let report = check_tree()?;
    say::line(&report);
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs every check on the checkout.
pub(crate) fn check_tree() -> Result<Report> {
    let tree = Tree::read()?;
    let findings = CHECKS.iter().flat_map(|check| (check.run)(&tree).into_iter().map(|finding| (check.name, finding)));
    Ok(Report { findings: findings.collect() })
}

impl Report {
    /// Whether there are no errors; warnings may remain.
    pub(crate) fn is_clean(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// One line.
    pub(crate) fn totals(&self) -> String {
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        format!("{} checks, {errors} errors, {warnings} warnings", CHECKS.len())
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|(_, finding)| finding.severity == severity).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for severity in [Severity::Warning, Severity::Error] {
            for (check, finding) in self.findings.iter().filter(|(_, finding)| finding.severity == severity) {
                let label = if severity == Severity::Error { "error" } else { "warning" };
                writeln!(f, "{label}[{check}] {}: {}", finding.place, finding.text)?;
            }
        }
        write!(f, "{}", self.totals())
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, Finding, Report};

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKS.len());
    }

    #[test]
    fn warnings_do_not_fail_and_errors_come_last() {
        let mut report = Report { findings: vec![("a", Finding::warning("x.rs", "long"))] };
        assert!(report.is_clean());
        report.findings.insert(0, ("b", Finding::error("y.rs:3", "wrong")));
        assert!(!report.is_clean());
        let expected =
            format!("warning[a] x.rs: long\nerror[b] y.rs:3: wrong\n{} checks, 1 errors, 1 warnings", CHECKS.len());
        assert_eq!(report.to_string(), expected);
    }
}
