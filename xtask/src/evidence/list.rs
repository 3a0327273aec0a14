//! The list of proofs: what is claimed, and the command whose output holds the figure.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_err as fs;

/// A claim, and how it is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) name: String,
    /// What the figure must be.
    pub(crate) target: String,
    /// As it is typed: `NAME=value` pairs, a program, its arguments; no quotes.
    pub(crate) command: String,
}

/// The list, relative to the root of the workspace.
const LIST: &str = "xtask/evidence.toml";

/// Reads the list.
pub(crate) fn read(root: &Path) -> Result<Vec<Proof>> {
    let text = fs::read_to_string(root.join(LIST))?;
    let table: toml::Table = text.parse().with_context(|| format!("`{LIST}` is not TOML"))?;
    let entries = table.get("proof").and_then(toml::Value::as_array).context("there is no [[proof]]")?;
    entries.iter().map(proof).collect()
}

fn proof(entry: &toml::Value) -> Result<Proof> {
    let text = |key: &str| {
        let value = entry.get(key).and_then(toml::Value::as_str);
        let text = value.with_context(|| format!("a [[proof]] of `{LIST}` has no `{key}`: {entry:?}"))?;
        // Each becomes a cell of a Markdown table.
        ensure!(!text.contains(['|', '\n', '`']), "`{key}` of `{LIST}` has a sign that a table cannot hold: {text}");
        Ok(text.to_owned())
    };
    Ok(Proof { name: text("name")?, target: text("target")?, command: text("command")? })
}

/// A command, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words<'a> {
    pub(crate) environment: Vec<(&'a str, &'a str)>,
    pub(crate) program: &'a str,
    pub(crate) arguments: Vec<&'a str>,
}

impl Proof {
    /// Takes the command apart.
    pub(crate) fn words(&self) -> Result<Words<'_>> {
        let mut environment = Vec::new();
        let mut words = self.command.split_whitespace();
        loop {
            let word = words.next().with_context(|| format!("`{}` has no program", self.name))?;
            let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            match word.split_once('=') {
                Some((name, value)) if is_name(name) => environment.push((name, value)),
                _ => return Ok(Words { environment, program: word, arguments: words.collect() }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Proof, Words, read};
    use crate::workspace;

    #[test]
    fn a_command_is_taken_apart() {
        let proof = |command: &str| Proof { name: "x".into(), target: String::new(), command: command.into() };
        let kills = proof("WAYMARK_KILLS=7 A=b=c cargo test -- --exact=no");
        let expected = Words {
            environment: vec![("WAYMARK_KILLS", "7"), ("A", "b=c")],
            program: "cargo",
            arguments: vec!["test", "--", "--exact=no"],
        };
        assert_eq!(kills.words().ok(), Some(expected));
        assert!(proof("A=b").words().is_err());
        assert!(proof("").words().is_err());
    }

    #[test]
    fn the_list_can_be_read() {
        let proofs = read(&workspace::root()).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(proofs.len() > 5);
        for proof in &proofs {
            assert!(proof.words().is_ok(), "{proof:?}");
            assert_eq!(proofs.iter().filter(|other| other.name == proof.name).count(), 1, "{}", proof.name);
        }
    }
}
