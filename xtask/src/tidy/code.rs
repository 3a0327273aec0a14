//! Which names may stand in which source files.

use super::Finding;
use super::tree::{File, Tree};

/// Where the AWS SDK and its parts may be named: prefixes of paths. The tests of the adapter build clients for it.
const SDK_HOMES: [&str; 4] =
    ["crates/gsi-aws/src/sdk", "crates/gsi-aws/tests/", "crates/gsi-create/src/wire", "crates/dynamo-embedded/"];

/// The crates that make up the AWS SDK: the beginnings of their names.
const SDK_NAMES: [&str; 6] =
    ["aws_sdk_", "aws_config", "aws_smithy_", "aws_types", "aws_credential_types", "aws_runtime"];

/// Types of `std::fs` that touch no file themselves and that `fs_err` takes.
const FS_VALUES: [&str; 4] =
    ["std::fs::Permissions", "std::fs::Metadata", "std::fs::FileType", "std::fs::TryLockError"];

/// Files that may use what clippy.toml bans, each at a place with a reason. Tests, test-kit, examples, benches
/// and this tool are free: they are not shipped.
const EXCEPTIONS: [&str; 5] = [
    "crates/statefile/src/clock.rs",
    "crates/statefile/src/lock.rs",
    "crates/dynamo-embedded/src/embedded.rs",
    "crates/terminal/src/signals.rs",
    "crates/gsi-create/src/wire",
];

/// The AWS SDK stays behind its adapter.
pub(super) fn sdk(tree: &Tree) -> Vec<Finding> {
    let remedy = "use the port `IndexApi` and its plain types";
    confine(tree, &SDK_NAMES, &SDK_HOMES, remedy)
}

/// dynoxide stays behind dynamo-embedded.
pub(super) fn dynoxide(tree: &Tree) -> Vec<Finding> {
    confine(tree, &["dynoxide"], &["crates/dynamo-embedded/"], "use dynamo-embedded's own types")
}

/// Bare `std::fs` has errors that name no path.
pub(super) fn bare_fs(tree: &Tree) -> Vec<Finding> {
    let text = "bare `std::fs`; use fs_err, whose errors name the path";
    let mut findings = find(tree, |code| {
        let rest = FS_VALUES.iter().fold(code.to_owned(), |rest, value| rest.replace(value, ""));
        has_name(&rest, "std::fs").then(|| text.to_owned())
    });
    for file in sources(tree).filter(|file| groups_fs(&file.text)) {
        findings.push(Finding::error(&file.path, text));
    }
    findings
}

/// Whether a `use std::{…}` names `fs` itself; `os::unix::fs` is another module.
fn groups_fs(text: &str) -> bool {
    let code: String = text.lines().map(without_comment).collect();
    code.split("use std::{").skip(1).filter_map(|rest| rest.split(';').next()).any(|group| {
        let group = FS_VALUES
            .iter()
            .filter_map(|value| value.strip_prefix("std::"))
            .fold(group.to_owned(), |rest, value| rest.replace(value, ""));
        group.match_indices("fs").any(|(start, name)| {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            !group[..start].ends_with(|c| is_part(c) || c == ':') && !group[start + name.len()..].starts_with(is_part)
        })
    })
}

/// The environment, the wall clock and the like have their places.
pub(super) fn exceptions(tree: &Tree) -> Vec<Finding> {
    let is_free = |path: &str| {
        path.starts_with("xtask/")
            || path.starts_with("crates/test-kit/")
            || ["/tests/", "/examples/", "/benches/"].iter().any(|part| path.contains(part))
            || EXCEPTIONS.iter().any(|home| path.starts_with(home))
    };
    let all = find(tree, |code| {
        code.contains("clippy::disallowed_methods").then(|| {
            "uses what clippy.toml bans; take it as an argument, or add the file to xtask/src/tidy/code.rs".to_owned()
        })
    });
    all.into_iter().filter(|finding| !is_free(&finding.place)).collect()
}

/// Names that begin with one of `names` may stand only below `homes`.
fn confine(tree: &Tree, names: &[&str], homes: &[&str], remedy: &str) -> Vec<Finding> {
    let found = find(tree, |code| {
        let name = names.iter().find(|name| has_name(code, name))?;
        Some(format!("names `{name}`, which may stand only in {}; {remedy}", homes.join(", ")))
    });
    found.into_iter().filter(|finding| !homes.iter().any(|home| finding.place.starts_with(home))).collect()
}

/// Every source file but the tables and tests of these checks, which name what they look for.
fn sources(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.with_extension("rs").filter(|file| !file.path.starts_with("xtask/src/tidy/"))
}

/// Judges every line of every source file, without its comment.
fn find(tree: &Tree, judge: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    sources(tree).flat_map(|file| find_in(file, &judge)).collect()
}

fn find_in(file: &File, judge: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            judge(without_comment(line)).map(|text| Finding::error(format!("{}:{}", file.path, index + 1), text))
        })
        .collect()
}

/// The line up to a comment. A `//` inside a word, as in a URL, begins none.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.find(" //").map_or(line, |end| &line[..end])
}

/// Whether a word of the line begins with `name`.
fn has_name(code: &str, name: &str) -> bool {
    code.match_indices(name)
        .any(|(start, _)| !code[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

#[cfg(test)]
mod tests {
    use super::{Finding, Tree, bare_fs, dynoxide, exceptions, has_name, sdk, without_comment};

    fn check(check: fn(&Tree) -> Vec<Finding>, rows: &[(&str, &str, bool)]) {
        for (path, line, objects) in rows {
            let findings = check(&Tree::of_files(&[(path, &format!("//! Head.\n{line}\n"))]));
            assert_eq!(!findings.is_empty(), *objects, "{path}: {line}: {findings:?}");
            assert!(findings.iter().all(|finding| finding.place == format!("{path}:2")), "{findings:?}");
        }
    }

    #[test]
    fn a_stray_sdk_is_found() {
        check(
            sdk,
            &[
                ("crates/gsi-aws/src/create.rs", "use aws_sdk_dynamodb::Client;", true),
                ("crates/gsi-create/src/cli.rs", "let config = aws_config::load();", true),
                ("crates/gsi-aws/src/classify.rs", "fn f(_: &aws_smithy_types::Error) {}", true),
                ("crates/gsi-aws/src/classify.rs", "// as aws_sdk_dynamodb names it", false),
                ("crates/gsi-aws/tests/it/support.rs", "use aws_sdk_dynamodb::Client;", false),
                ("crates/gsi-aws/src/sdk.rs", "use aws_sdk_dynamodb::Client;", false),
                ("crates/gsi-aws/src/sdk/items.rs", "use aws_sdk_dynamodb::Client;", false),
                ("crates/gsi-create/src/wire.rs", "use aws_config::BehaviorVersion;", false),
                ("crates/gsi-create/src/wire/mod.rs", "use aws_config::BehaviorVersion;", false),
                ("crates/dynamo-embedded/tests/it/main.rs", "use aws_sdk_dynamodb::Client;", false),
                ("crates/gsi-aws/src/create.rs", "let my_aws_config = 1;", false),
            ],
        );
    }

    #[test]
    fn a_stray_dynoxide_is_found() {
        check(
            dynoxide,
            &[
                ("crates/gsi-create/src/wire/embedded.rs", "use dynoxide_rs::Engine;", true),
                ("crates/dynamo-embedded/src/engine.rs", "use dynoxide_rs::Engine;", false),
            ],
        );
    }

    #[test]
    fn bare_files_are_found() {
        check(
            bare_fs,
            &[
                ("crates/a/src/lib.rs", "use std::fs;", true),
                ("crates/a/src/lib.rs", "std::fs::OpenOptions::new()", true),
                ("crates/a/src/lib.rs", "let p: std::fs::Permissions = std::fs::read_link(x)?;", true),
                ("crates/a/src/lib.rs", "std::fs::Permissions::from_mode(0o600)", false),
                ("crates/a/src/lib.rs", "use fs_err as fs; // not std::fs", false),
            ],
        );
    }

    #[test]
    fn grouped_imports_of_files_are_found() {
        for (text, expect) in [
            ("use std::{fs, io};", true),
            ("use std::{\n    fs::{self, File},\n    io,\n};", true),
            ("use std::{fs::File, io};", true),
            ("use std::{fs::Permissions, io};", false),
            ("use std::{io, os::unix::fs::PermissionsExt};", false),
            ("use std::{\n    // fs,\n    io,\n};", false),
            ("use std::{offset, fsx};", false),
        ] {
            assert_eq!(!bare_fs(&Tree::of_files(&[("crates/a/src/lib.rs", text)])).is_empty(), expect, "{text}");
        }
    }

    #[test]
    fn stray_exceptions_are_found() {
        let line = "#[expect(clippy::disallowed_methods, reason = \"why not\")]";
        check(
            exceptions,
            &[
                ("crates/gsi-aws/src/create.rs", line, true),
                ("crates/statefile/src/clock.rs", line, false),
                ("crates/statefile/tests/it/main.rs", line, false),
                ("crates/test-kit/src/kill.rs", line, false),
                ("crates/gsi-state/examples/resume_loop.rs", line, false),
            ],
        );
    }

    #[test]
    fn comments_are_not_code() {
        for (line, expect) in [
            ("    // all of it", ""),
            ("/// all of it", ""),
            ("code(); // why", "code();"),
            ("let url = \"http://x\";", "let url = \"http://x\";"),
        ] {
            assert_eq!(without_comment(line), expect);
        }
    }

    #[test]
    fn a_name_begins_a_word() {
        assert!(has_name("use std::fs;", "std::fs"));
        assert!(has_name("(std::fs::read)", "std::fs"));
        assert!(!has_name("nostd::fs", "std::fs"));
    }
}
