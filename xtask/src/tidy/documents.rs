//! What the documents promise must exist.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::tree::{File, Tree};
use super::{CHECKS, Finding};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const DECISIONS: &str = "docs/decisions/";

/// The table `| invariant | check |` of ARCHITECTURE.md: every check that it names exists.
///
/// In backticks: `tidy::NAME`, `clippy::LINT`, `rust::LINT`, or `CRATE::MODULE::TEST`. A row may name several,
/// and must name one.
pub(super) fn invariants(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.file(ARCHITECTURE) else { return vec![Finding::error(ARCHITECTURE, "is missing")] };
    let rows = invariant_rows(&page.text);
    if rows.is_empty() {
        return vec![Finding::error(ARCHITECTURE, "has no table with the columns `invariant` and `check`")];
    }
    let mut findings = Vec::new();
    for (line, checks) in rows {
        let place = format!("{ARCHITECTURE}:{line}");
        let names: Vec<&str> = checks.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
        if names.is_empty() {
            findings.push(Finding::error(&place, "names no check; write `tidy::NAME` or `CRATE::PATH::TEST`"));
        }
        for name in names {
            if let Err(reason) = exists(tree, name) {
                findings.push(Finding::error(&place, format!("names `{name}`, but {reason}")));
            }
        }
    }
    findings
}

/// Line numbers and check cells of the rows below every header that has both columns.
fn invariant_rows(page: &str) -> Vec<(usize, &str)> {
    let mut rows = Vec::new();
    let mut check_column = None;
    for (index, line) in page.lines().enumerate() {
        let Some(inner) = line.trim().strip_prefix('|') else {
            check_column = None;
            continue;
        };
        let cells: Vec<&str> = inner.trim_end_matches('|').split('|').map(str::trim).collect();
        let column = |name: &str| cells.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        if let (Some(_), Some(check)) = (column("invariant"), column("check")) {
            check_column = Some(check);
        } else if let Some(check) = check_column
            && !cells.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c)))
        {
            rows.push((index + 1, cells.get(check).copied().unwrap_or_default()));
        }
    }
    rows
}

fn exists(tree: &Tree, name: &str) -> Result<(), String> {
    let (home, rest) = name.split_once("::").unwrap_or((name, ""));
    match home {
        "tidy" if CHECKS.iter().any(|check| check.name == rest) => Ok(()),
        "tidy" => Err("there is no such check; see `cargo xtask tidy --list`".to_owned()),
        "clippy" | "rust" => lint_is_set(tree, home, rest),
        _ => test_exists(tree, home, rest),
    }
}

/// Whether the workspace configures a lint. `disallowed_methods` and the like count when clippy.toml feeds them.
fn lint_is_set(tree: &Tree, tool: &str, lint: &str) -> Result<(), String> {
    let table = |path: &str| tree.file(path).and_then(|file| file.text.parse::<Table>().ok());
    let manifest = table("Cargo.toml");
    let lints = manifest.as_ref().and_then(|manifest| manifest.get("workspace")?.get("lints")?.get(tool));
    let settings = table("clippy.toml").unwrap_or_default();
    let fed = settings.keys().any(|key| key.replace('-', "_").trim_end_matches("_threshold") == lint);
    if lints.and_then(|lints: &Value| lints.get(lint)).is_some() || tool == "clippy" && fed {
        return Ok(());
    }
    Err("neither [workspace.lints] nor clippy.toml sets that lint".to_owned())
}

fn test_exists(tree: &Tree, package: &str, path: &str) -> Result<(), String> {
    let Some(member) = tree.members.iter().find(|member| member.name == package) else {
        return Err(format!("the workspace has no crate `{package}`"));
    };
    let dir = member.manifest_path.trim_end_matches("Cargo.toml");
    let (module, test) =
        path.rsplit_once("::").map_or((None, path), |(module, test)| (module.rsplit("::").next(), test));
    let mut files = tree.with_extension("rs").filter(|file| file.path.starts_with(dir));
    if files.any(|file| module.is_none_or(|module| has_module(file, module)) && has_test(file, test)) {
        return Ok(());
    }
    Err(format!("`{dir}` has no test function `{path}`"))
}

/// Whether the file is the module, or holds it.
fn has_module(file: &File, module: &str) -> bool {
    let is_it = |part: &str| part.trim_end_matches(".rs") == module;
    file.path.split('/').any(is_it) || file.text.contains(&format!("mod {module} {{"))
}

/// Whether the file has the function, with an attribute that says `test` on one of the lines right above it.
fn has_test(file: &File, name: &str) -> bool {
    let lines: Vec<&str> = file.text.lines().collect();
    let is_it = |line: &str| {
        line.split_once("fn ")
            .and_then(|(_, rest)| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let belongs_to_next = |line: &&&str| {
        let line = line.trim();
        !line.is_empty() && !line.ends_with(['{', '}', ';'])
    };
    let is_attribute = |line: &&str| line.trim_start().starts_with("#[") && line.contains("test");
    lines
        .iter()
        .enumerate()
        .any(|(index, line)| is_it(line) && lines[..index].iter().rev().take_while(belongs_to_next).any(is_attribute))
}

/// The changelog speaks of what is next, or of the present version.
pub(super) fn changelog(tree: &Tree) -> Vec<Finding> {
    let path = "CHANGELOG.md";
    let Some(file) = tree.file(path) else { return vec![Finding::error(path, "is missing")] };
    let version = tree
        .file("Cargo.toml")
        .and_then(|file| file.text.parse::<Table>().ok())
        .and_then(|manifest| Some(manifest.get("workspace")?.get("package")?.get("version")?.as_str()?.to_owned()))
        .unwrap_or_default();
    let is_current = |title: &str| {
        let title = title.trim_start_matches('[');
        title.to_lowercase().starts_with("unreleased") || !version.is_empty() && title.starts_with(&version)
    };
    if file.text.lines().filter_map(|line| line.strip_prefix("## ")).any(|title| is_current(title.trim())) {
        return vec![];
    }
    vec![Finding::error(path, format!("has no section `## [Unreleased]` or `## [{version}]`"))]
}

/// Decisions are `NNNN-some-words.md` with a title, no number twice.
pub(super) fn decisions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(DECISIONS)) {
        let name = &file.path[DECISIONS.len()..];
        let Some(number) = decision_number(name) else {
            findings.push(Finding::error(&file.path, "is not named NNNN-some-words.md"));
            continue;
        };
        if let Some(other) = numbers.insert(number, name) {
            findings.push(Finding::error(&file.path, format!("has the number of `{other}`")));
        }
        if !file.text.lines().next().is_some_and(|line| line.starts_with("# ")) {
            findings.push(Finding::error(&file.path, "does not begin with a title (`# …`)"));
        }
    }
    findings
}

fn decision_number(name: &str) -> Option<&str> {
    let (number, words) = name.strip_suffix(".md")?.split_once('-')?;
    let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_words =
        !words.is_empty() && words.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (is_number && is_words).then_some(number)
}

/// Links in Markdown that lead to a file of the checkout.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("md") {
        for (index, line) in file.text.lines().enumerate() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let path = target.split('#').next().unwrap_or_default();
                let is_elsewhere = path.is_empty() || path.contains(':') || path.contains(' ');
                if !is_elsewhere && !leads_somewhere(tree, &file.path, path) {
                    let text = format!("links to `{target}`, which is not there");
                    findings.push(Finding::error(format!("{}:{}", file.path, index + 1), text));
                }
            }
        }
    }
    findings
}

fn leads_somewhere(tree: &Tree, from: &str, link: &str) -> bool {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let below = format!("{path}/");
    path.is_empty() || tree.files.iter().any(|file| file.path == path || file.path.starts_with(&below))
}

#[cfg(test)]
mod tests;
