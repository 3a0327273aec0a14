//! What must stand in the manifests and in the settings of the tools.

use toml::{Table, Value};

use super::Finding;
use super::tree::{File, Tree};

/// The longest function that clippy lets pass.
const FUNCTION_LINES_MAX: i64 = 70;

/// The source that Cargo.lock may name.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Members take every dependency from `[workspace.dependencies]`.
pub(super) fn dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, manifest) in member_manifests(tree, &mut findings) {
        let tables = dependency_tables(&manifest);
        for (name, dependency) in tables.into_iter().flatten() {
            if dependency.get("workspace") != Some(&Value::Boolean(true)) {
                let text = format!(
                    "`{name}` does not come from the workspace; put its version into [workspace.dependencies] and \
                     write `{name}.workspace = true`"
                );
                findings.push(Finding::error(path, text));
            }
        }
    }
    findings
}

/// Members take the workspace's lints.
pub(super) fn lints(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, manifest) in member_manifests(tree, &mut findings) {
        let taken = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if taken != Some(&Value::Boolean(true)) {
            findings.push(Finding::error(path, "has no `[lints] workspace = true`"));
        }
    }
    findings
}

/// Cargo.lock names crates.io and nothing else, and cargo is not pointed elsewhere.
pub(super) fn registry(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    match parsed(tree, "Cargo.lock") {
        Ok(lock) => {
            for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
                let name = package.get("name").and_then(Value::as_str).unwrap_or("?");
                if let Some(source) =
                    package.get("source").and_then(Value::as_str).filter(|&source| source != CRATES_IO)
                {
                    findings.push(Finding::error(
                        "Cargo.lock",
                        format!("`{name}` comes from `{source}`, not from crates.io"),
                    ));
                }
            }
        }
        Err(finding) => findings.push(finding),
    }
    match parsed(tree, ".cargo/config.toml") {
        Ok(config) => {
            for key in ["source", "registry", "registries", "http", "paths"]
                .into_iter()
                .filter(|&key| config.contains_key(key))
            {
                let text = format!("`{key}` points cargo at something of one machine; keep it in the cargo home");
                findings.push(Finding::error(".cargo/config.toml", text));
            }
        }
        Err(finding) => findings.push(finding),
    }
    findings
}

/// Clippy measures functions, and nobody is let off.
pub(super) fn function_length(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    match parsed(tree, "clippy.toml") {
        Ok(settings) => {
            let limit = settings.get("too-many-lines-threshold").and_then(Value::as_integer);
            if limit.is_none_or(|limit| limit > FUNCTION_LINES_MAX) {
                let text = format!("lacks `too-many-lines-threshold = {FUNCTION_LINES_MAX}`");
                findings.push(Finding::error("clippy.toml", text));
            }
        }
        Err(finding) => findings.push(finding),
    }
    match parsed(tree, "Cargo.toml") {
        Ok(manifest) => {
            let clippy =
                manifest.get("workspace").and_then(|table| table.get("lints")).and_then(|lints| lints.get("clippy"));
            if clippy.and_then(|lints| lints.get("pedantic")).is_none() {
                findings.push(Finding::error("Cargo.toml", "lacks clippy's `pedantic` lints, which measure functions"));
            }
            if clippy.and_then(|lints| lints.get("too_many_lines")).is_some() {
                findings.push(Finding::error("Cargo.toml", "sets `too_many_lines` itself; `pedantic` switches it on"));
            }
        }
        Err(finding) => findings.push(finding),
    }
    for file in tree.with_extension("rs").filter(|file| !file.path.starts_with("xtask/src/tidy/")) {
        for (index, _) in file.text.lines().enumerate().filter(|(_, line)| line.contains("clippy::too_many_lines")) {
            let text = "lets a function be longer than a screen; split the function";
            findings.push(Finding::error(format!("{}:{}", file.path, index + 1), text));
        }
    }
    findings
}

/// The manifests of all members; one that cannot be read is a finding.
fn member_manifests<'a>(tree: &'a Tree, findings: &mut Vec<Finding>) -> Vec<(&'a str, Table)> {
    let mut manifests = Vec::new();
    for member in &tree.members {
        match parsed(tree, &member.manifest_path) {
            Ok(manifest) => manifests.push((member.manifest_path.as_str(), manifest)),
            Err(finding) => findings.push(finding),
        }
    }
    manifests
}

fn parsed(tree: &Tree, path: &str) -> Result<Table, Finding> {
    let File { text, .. } = tree.file(path).ok_or_else(|| Finding::error(path, "is missing"))?;
    text.parse::<Table>().map_err(|error| Finding::error(path, format!("is not TOML: {}", error.message())))
}

/// `[dependencies]`, `[dev-dependencies]`, `[build-dependencies]`, also those of `[target.*]`.
fn dependency_tables(manifest: &Table) -> Vec<&Table> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    std::iter::once(manifest)
        .chain(targets.filter_map(Value::as_table))
        .flat_map(|table| {
            ["dependencies", "dev-dependencies", "build-dependencies"]
                .into_iter()
                .filter_map(|name| table.get(name).and_then(Value::as_table))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Finding, Tree, dependencies, function_length, lints, registry};

    fn of_member(check: fn(&Tree) -> Vec<Finding>, manifest: &str) -> usize {
        check(&Tree::of_files(&[("crates/a/Cargo.toml", manifest)]).with_member("a", &[])).len()
    }

    #[test]
    fn own_versions_are_found() {
        let rows = [
            ("[dependencies]\nserde.workspace = true\ntokio = { workspace = true, features = [\"net\"] }\n", 0),
            ("[dependencies]\nserde = \"1\"\n", 1),
            ("[dependencies]\nserde = { version = \"1\" }\n[dev-dependencies]\nproptest = \"1\"\n", 2),
            ("[dependencies.serde]\nversion = \"1\"\n", 1),
            ("[build-dependencies]\ncc = \"1\"\n", 1),
            ("[dependencies]\nb = { path = \"../b\" }\n", 1),
            ("[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n", 1),
            ("[dependencies", 1),
        ];
        for (manifest, expect) in rows {
            assert_eq!(of_member(dependencies, manifest), expect, "{manifest}");
        }
        assert_eq!(dependencies(&Tree::default().with_member("a", &[])).len(), 1, "a manifest is missing");
    }

    #[test]
    fn missing_lints_are_found() {
        for (manifest, expect) in [
            ("[lints]\nworkspace = true\n", 0),
            ("[lints]\nworkspace = false\n", 1),
            ("[lints.rust]\nunsafe_code = \"forbid\"\n", 1),
            ("[package]\nname = \"a\"\n", 1),
        ] {
            assert_eq!(of_member(lints, manifest), expect, "{manifest}");
        }
    }

    #[test]
    fn other_sources_are_found() {
        let check = |lock: &str, config: &str, expect: usize| {
            let tree = Tree::of_files(&[("Cargo.lock", lock), (".cargo/config.toml", config)]);
            assert_eq!(registry(&tree).len(), expect, "{lock} {config}");
        };
        let package = |source: &str| format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n");
        let alias = "[alias]\nxtask = \"run\"\n";
        check("[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n", alias, 0);
        check(&package(super::CRATES_IO), alias, 0);
        check(&package("sparse+https://crates.example.org/"), alias, 1);
        check(&package("git+https://github.com/a/b"), alias, 1);
        check("", "[source.crates-io]\nreplace-with = \"mirror\"\n", 1);
        check("", "[registries.mirror]\nindex = \"sparse+https://crates.example.org/\"\n", 1);
        assert_eq!(registry(&Tree::default()).len(), 2, "both files are missing");
    }

    #[test]
    fn a_loosened_limit_is_found() {
        let check = |clippy: &str, lints: &str, source: &str, expect: usize| {
            let manifest = format!("[workspace.lints.clippy]\n{lints}\n");
            let files = [("clippy.toml", clippy), ("Cargo.toml", manifest.as_str()), ("crates/a/src/lib.rs", source)];
            assert_eq!(function_length(&Tree::of_files(&files)).len(), expect, "{clippy} {lints} {source}");
        };
        let (limit, pedantic) = ("too-many-lines-threshold = 70", "pedantic = \"warn\"");
        check(limit, pedantic, "//! Short.", 0);
        check("too-many-lines-threshold = 100", pedantic, "", 1);
        check("", pedantic, "", 1);
        check(limit, "", "", 1);
        check(limit, "pedantic = \"warn\"\ntoo_many_lines = \"allow\"", "", 1);
        check(limit, pedantic, "#[expect(clippy::too_many_lines, reason = \"mine is special\")]", 1);
    }
}
