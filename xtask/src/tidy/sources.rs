//! What every file must look like, whatever stands in it.

use super::Finding;
use super::tree::Tree;

/// A file of more lines takes more than a sitting.
const LINES_WARN: usize = 300;
/// A file of more lines must be split.
const LINES_MAX: usize = 600;

/// Sizes of source files.
pub(super) fn file_length(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("rs")
        .filter_map(|file| match file.text.lines().count() {
            lines if lines > LINES_MAX => {
                Some(Finding::error(&file.path, format!("has {lines} lines, more than {LINES_MAX}; split it")))
            }
            lines if lines > LINES_WARN => {
                Some(Finding::warning(&file.path, format!("has {lines} lines; {LINES_WARN} fit a sitting")))
            }
            _ => None,
        })
        .collect()
}

/// Heads of source files.
pub(super) fn file_heads(tree: &Tree) -> Vec<Finding> {
    let has_head = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty())
    };
    tree.with_extension("rs")
        .filter(|file| !has_head(&file.text))
        .map(|file| Finding::error(&file.path, "does not begin with `//!` and what the file is for"))
        .collect()
}

/// Tests that nobody runs. Only a process that a test starts may be ignored, and its reason says so.
pub(super) fn ignored(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs").filter(|file| !file.path.starts_with("xtask/src/tidy/")) {
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim_start();
            let is_left_out = line.starts_with("#[ignore") && !line.contains("start");
            let is_example = line.trim_start_matches(['/', '!']).trim_start().starts_with("```ignore");
            if is_left_out || is_example {
                let text =
                    "is never run; make it run, or write `#[ignore = \"started by TEST\"]` if it is no test by itself";
                findings.push(Finding::error(format!("{}:{}", file.path, index + 1), text));
            }
        }
    }
    findings
}

/// Paths of a machine: in no file of the checkout, documents and fixtures included.
pub(super) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    // Written in two parts, so that this file does not find itself.
    let patterns = [["/", "work/"].concat(), ["/", "root/"].concat(), ["/", "tmp/waymark"].concat()];
    let mut findings = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(path) = patterns.iter().find(|pattern| has_absolute(line, pattern)) {
                let text = format!("names `{path}`, which exists on one machine only");
                findings.push(Finding::error(format!("{}:{}", file.path, index + 1), text));
            }
        }
    }
    findings
}

/// Whether `path` stands in the line as the beginning of a path, and not as the middle of one or as a host (`x://work/`).
fn has_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = &line[..start];
        let is_host = before.ends_with(":/");
        !is_host && !before.ends_with(|before: char| before.is_alphanumeric() || "._-})>".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::{Tree, file_heads, file_length, has_absolute, ignored, machine_paths};
    use crate::tidy::Severity;

    #[test]
    fn long_files_are_found() {
        for (lines, expect) in
            [(300, None), (301, Some(Severity::Warning)), (600, Some(Severity::Warning)), (601, Some(Severity::Error))]
        {
            let findings = file_length(&Tree::of_files(&[("crates/a/src/lib.rs", &"x\n".repeat(lines))]));
            assert_eq!(findings.first().map(|finding| finding.severity), expect, "{lines} lines");
        }
        assert_eq!(file_length(&Tree::of_files(&[("Cargo.lock", &"x\n".repeat(9_000))])), []);
    }

    #[test]
    fn files_without_a_head_are_found() {
        for (text, expect) in
            [("//! What it is for.\n", 0), ("//!\n", 1), ("use a;\n//! Late.\n", 1), ("// No.\n", 1), ("", 1)]
        {
            assert_eq!(file_heads(&Tree::of_files(&[("crates/a/src/lib.rs", text)])).len(), expect, "{text}");
        }
    }

    #[test]
    fn tests_that_nobody_runs_are_found() {
        for (text, expect) in [
            ("#[ignore]", 1),
            ("    #[ignore = \"slow\"]", 1),
            ("//! ```ignore", 1),
            ("/// ```ignore", 1),
            ("#[ignore = \"started by the_kill_loop\"]", 0),
            ("// an #[ignore] that is only mentioned", 0),
            ("/// ```", 0),
        ] {
            assert_eq!(ignored(&Tree::of_files(&[("crates/a/src/lib.rs", text)])).len(), expect, "{text}");
        }
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let work = ["/", "work/"].concat();
        for (line, expect) in [
            (format!("cd {work}main"), true),
            (format!("\"{work}main\""), true),
            (format!("file://{work}main"), true),
            (format!("target{work}x"), false),
            (format!("https://example.org{work}x"), false),
            (format!("embedded:/{work}x"), false),
            (format!("..{work}x"), false),
            ("../shared/golden".to_owned(), false),
        ] {
            assert_eq!(has_absolute(&line, &work), expect, "{line}");
            let found = machine_paths(&Tree::of_files(&[("docs/a.md", &line)]));
            assert_eq!(!found.is_empty(), expect, "{line}");
        }
    }
}
