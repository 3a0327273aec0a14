//! The list of planted bugs.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_err as fs;

/// A bug that can be planted: a piece of code, what it becomes, and the test that must notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bug {
    pub(crate) name: String,
    /// Relative to the root of the workspace.
    pub(crate) file: String,
    find: String,
    replace: String,
    pub(crate) package: String,
    /// Arguments of `cargo test` that choose the test's binary.
    pub(crate) target: String,
    /// The name of the test in its binary.
    pub(crate) test: String,
}

/// The list, relative to the root of the workspace.
const LIST: &str = "xtask/planted.toml";

/// Reads the list.
pub(crate) fn read(root: &Path) -> Result<Vec<Bug>> {
    let text = fs::read_to_string(root.join(LIST))?;
    let table: toml::Table = text.parse().with_context(|| format!("`{LIST}` is not TOML"))?;
    let entries = table.get("bug").and_then(toml::Value::as_array).context("there is no [[bug]]")?;
    entries.iter().map(bug).collect()
}

fn bug(entry: &toml::Value) -> Result<Bug> {
    let text = |key: &str| {
        let value = entry.get(key).and_then(toml::Value::as_str);
        value.map(str::to_owned).with_context(|| format!("a [[bug]] of `{LIST}` has no `{key}`: {entry:?}"))
    };
    Ok(Bug {
        name: text("name")?,
        file: text("file")?,
        find: text("find")?,
        replace: text("replace")?,
        package: text("package")?,
        target: text("target")?,
        test: text("test")?,
    })
}

impl Bug {
    /// The code with the bug in it.
    pub(crate) fn plant(&self, healthy: &str) -> Result<String> {
        let places = healthy.matches(&self.find).count();
        ensure!(places == 1, "`{}`: its code is {places} times in {}, not once", self.name, self.file);
        let sick = healthy.replacen(&self.find, &self.replace, 1);
        ensure!(sick != healthy, "`{}` changes nothing", self.name);
        Ok(sick)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::HashSet;

    use super::*;
    use crate::workspace;

    /// So that a change of the code cannot silently make the list useless.
    #[test]
    fn every_bug_can_be_planted() {
        let root = workspace::root();
        let bugs = read(&root).unwrap();
        for bug in &bugs {
            let healthy = fs::read_to_string(root.join(&bug.file)).unwrap();
            bug.plant(&healthy).unwrap();
            let name = bug.test.rsplit("::").next().unwrap();
            let is_there = sources(&root.join("crates").join(&bug.package))
                .iter()
                .any(|text| text.contains(&format!("fn {name}")));
            assert!(is_there, "`{}`: there is no test `{}` in {}", bug.name, bug.test, bug.package);
        }
        let names: HashSet<_> = bugs.iter().map(|bug| &bug.name).collect();
        assert_eq!(names.len(), bugs.len(), "two bugs share a name");
    }

    fn sources(dir: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(sources(&path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
        found
    }
}
