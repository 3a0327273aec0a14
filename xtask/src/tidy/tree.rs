//! The checkout as the checks see it: members with their dependencies, and the text of every file.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace;

/// Everything that checks look at.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) members: Vec<Member>,
    /// Every text file but those that git ignores, sorted by path.
    pub(crate) files: Vec<File>,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Below the root, with `/`.
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line of a member's manifest, as cargo understands it.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The package, not the name that it is given here.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a dependency is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The code itself, or its build script.
    Normal,
    /// Tests, examples and benches.
    Dev,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Below the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Directories that hold no source: what is built, and git's own.
const NOT_SOURCE: [&str; 2] = ["target", ".git"];

impl Tree {
    /// Reads the checkout.
    pub(crate) fn read() -> Result<Self> {
        let root = workspace::root();
        let metadata = workspace::metadata(&workspace::shell()?)?;
        let mut files = Vec::new();
        read_files(&root, &root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { members: members(&metadata, &root)?, files })
    }

    /// The file at a path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files of a kind.
    pub(crate) fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| Path::new(&file.path).extension().is_some_and(|found| found == extension))
    }
}

/// Files that are not UTF-8 are no text and are left out.
fn read_files(root: &Path, dir: &Path, files: &mut Vec<File>) -> Result<()> {
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !NOT_SOURCE.iter().any(|skip| name == *skip) {
                read_files(root, &entry.path(), files)?;
            }
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs_err::read(entry.path())?)
        {
            let path = below(root, &entry.path())?;
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn below(root: &Path, path: &Path) -> Result<String> {
    let relative = path.strip_prefix(root).with_context(|| format!("`{}` is outside the workspace", path.display()))?;
    Ok(relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

fn members(metadata: &Value, root: &Path) -> Result<Vec<Member>> {
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    packages.iter().map(|package| member(package, root)).collect()
}

fn member(package: &Value, root: &Path) -> Result<Member> {
    let manifest = package["manifest_path"].as_str().context("a package without a manifest")?;
    let dependencies = package["dependencies"].as_array().context("a package without dependencies")?;
    Ok(Member {
        name: package["name"].as_str().context("a package without a name")?.to_owned(),
        manifest_path: below(root, Path::new(manifest))?,
        dependencies: dependencies
            .iter()
            .map(|dependency| {
                let kind = if dependency["kind"].as_str() == Some("dev") { Kind::Dev } else { Kind::Normal };
                let name = dependency["name"].as_str().context("a dependency without a name")?.to_owned();
                Ok(Dependency { name, kind })
            })
            .collect::<Result<_>>()?,
    })
}

#[cfg(test)]
impl Tree {
    /// A made-up tree of files.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Self { members: vec![], files: files.collect() }
    }

    /// Adds a member; a dependency that starts with `dev:` is one of its tests.
    pub(crate) fn with_member(mut self, name: &str, dependencies: &[&str]) -> Self {
        let dependencies = dependencies
            .iter()
            .map(|&dependency| match dependency.strip_prefix("dev:") {
                Some(name) => Dependency { name: name.to_owned(), kind: Kind::Dev },
                None => Dependency { name: dependency.to_owned(), kind: Kind::Normal },
            })
            .collect();
        let manifest_path = format!("crates/{name}/Cargo.toml");
        self.members.push(Member { name: name.to_owned(), manifest_path, dependencies });
        self
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Kind, Tree};

    #[test]
    fn this_checkout_is_read() {
        let tree = Tree::read().unwrap();
        let own = tree.members.iter().find(|member| member.name == "xtask").unwrap();
        assert_eq!(own.manifest_path, "xtask/Cargo.toml");
        let kind_of = |name| own.dependencies.iter().find(|found| found.name == name).map(|found| found.kind);
        assert_eq!(kind_of("clap"), Some(Kind::Normal));
        assert_eq!(kind_of("gsi-state"), Some(Kind::Dev));
        assert!(tree.file("xtask/src/tidy/tree.rs").is_some_and(|file| file.text.contains("this_checkout_is_read")));
        assert!(tree.file(".cargo/config.toml").is_some());
        assert!(!tree.files.iter().any(|file| file.path.starts_with("target/") || file.path.starts_with(".git/")));
    }
}
