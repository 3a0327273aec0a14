//! Which crate may use which. The one place where the arrows stand.

use super::Finding;
use super::tree::{Kind, Member, Tree};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Code for others: it neither prints nor parses command lines.
    Library,
    /// What only the binaries use: it may know the terminal.
    Screen,
    /// A program.
    Binary,
    /// The commands of the workspace: not shipped.
    Tool,
}

/// A row of the table of arrows.
struct Row {
    name: &'static str,
    role: Role,
    /// The members that the code may use.
    uses: &'static [&'static str],
    /// The members that tests, examples and benches may use on top of these (and of `test-kit`).
    tests_use: &'static [&'static str],
}

const fn row(name: &'static str, role: Role, uses: &'static [&'static str], tests_use: &'static [&'static str]) -> Row {
    Row { name, role, uses, tests_use }
}

const ARROWS: &[Row] = &[
    row("statefile", Role::Library, &[], &[]),
    row("gsi-state", Role::Library, &["statefile"], &[]),
    row("gsi-aws", Role::Library, &["gsi-state", "statefile"], &["dynamo-embedded"]),
    row("dynamo-embedded", Role::Library, &[], &[]),
    row(
        "gsi-create",
        Role::Binary,
        &["gsi-aws", "gsi-state", "statefile", "dynamo-embedded", "terminal", "waymark-selftest"],
        &[],
    ),
    row("run-state", Role::Library, &["statefile"], &[]),
    row("run-record", Role::Library, &["run-state"], &[]),
    row("artdaq-db", Role::Library, &["run-record", "run-state", "statefile"], &[]),
    row("ucon-db", Role::Library, &["run-record", "run-state", "statefile"], &[]),
    row("run-pipeline", Role::Library, &["artdaq-db", "ucon-db", "run-record", "run-state", "statefile"], &[]),
    row("run-config", Role::Library, &["artdaq-db", "ucon-db", "run-pipeline", "run-record"], &[]),
    row(
        "run-archiver",
        Role::Binary,
        &[
            "run-state",
            "run-record",
            "run-config",
            "run-pipeline",
            "artdaq-db",
            "ucon-db",
            "statefile",
            "terminal",
            "waymark-selftest",
        ],
        &[],
    ),
    row("terminal", Role::Screen, &[], &[]),
    row("waymark-selftest", Role::Screen, &["statefile", "terminal"], &[]),
    row("test-kit", Role::Library, &[], &[]),
    // What fuzzers and tests hold every parser to.
    row(
        "parser-fuzz",
        Role::Library,
        &["gsi-aws", "gsi-state", "run-state", "run-record", "run-config", "artdaq-db", "ucon-db", "statefile"],
        &[],
    ),
    // What its benches measure.
    row("xtask", Role::Tool, &[], &["gsi-state", "statefile", "artdaq-db", "run-pipeline", "run-record", "ucon-db"]),
];

/// Everybody's tests may use it, and nothing else may.
const TEST_SUPPORT: &str = "test-kit";

/// What a library leaves to the binaries.
const NOT_IN_LIBRARIES: [&str; 5] = ["clap", "anyhow", "terminal", "indicatif", "tracing-subscriber"];

/// Clients that run-pipeline reaches only through the ports of artdaq-db and ucon-db.
const NOT_IN_PIPELINE: [&str; 3] = ["reqwest", "mongodb", "rusqlite"];

fn row_of(name: &str) -> Option<&'static Row> {
    ARROWS.iter().find(|row| row.name == name)
}

/// Members use only members that the table allows.
pub(super) fn arrows(tree: &Tree) -> Vec<Finding> {
    let is_member = |name: &str| tree.members.iter().any(|member| member.name == name) || row_of(name).is_some();
    let mut findings = Vec::new();
    for member in &tree.members {
        let Some(row) = row_of(&member.name) else {
            let text =
                "is not in the table of arrows; add a row to xtask/src/tidy/arrows.rs and to docs/ARCHITECTURE.md";
            findings.push(Finding::error(&member.manifest_path, format!("`{}` {text}", member.name)));
            continue;
        };
        for dependency in member.dependencies.iter().filter(|dependency| is_member(&dependency.name)) {
            let name = dependency.name.as_str();
            let allowed = row.uses.contains(&name)
                || dependency.kind == Kind::Dev
                    && (name == TEST_SUPPORT || name == member.name || row.tests_use.contains(&name));
            if !allowed {
                let whose = if dependency.kind == Kind::Dev { "its tests" } else { "it" };
                let allowed = if row.uses.is_empty() { "no other member".to_owned() } else { row.uses.join(", ") };
                let text = format!("`{}` uses `{name}`, but {whose} may use only: {allowed}", member.name);
                findings.push(Finding::error(&member.manifest_path, text));
            }
        }
    }
    findings
}

/// The two programs share only what is neither the one's nor the other's, their tests included.
pub(super) fn families(tree: &Tree) -> Vec<Finding> {
    let families = [["gsi-", "dynamo-"].as_slice(), ["run-", "artdaq-", "ucon-"].as_slice()];
    let family =
        |name: &str| families.iter().position(|prefixes| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    find(tree, |member, dependency, _| {
        let (own, other) = (family(&member.name)?, family(dependency)?);
        (own != other).then(|| {
            format!(
                "`{}` uses `{dependency}` of the other program; move what both need to a crate of its own",
                member.name
            )
        })
    })
}

/// Libraries leave the command line, the screen and untyped errors to the binaries.
pub(super) fn libraries(tree: &Tree) -> Vec<Finding> {
    find(tree, |member, dependency, kind| {
        let is_library = row_of(&member.name).is_none_or(|row| row.role == Role::Library);
        (is_library && kind == Kind::Normal && NOT_IN_LIBRARIES.contains(&dependency))
            .then(|| format!("the library `{}` depends on `{dependency}`, which belongs to the binaries", member.name))
    })
}

/// run-pipeline knows the ports, not the clients behind them.
pub(super) fn pipeline(tree: &Tree) -> Vec<Finding> {
    find(tree, |member, dependency, _| {
        (member.name == "run-pipeline" && NOT_IN_PIPELINE.contains(&dependency))
            .then(|| format!("`run-pipeline` depends on `{dependency}`; use the traits of artdaq-db and ucon-db"))
    })
}

fn find(tree: &Tree, judge: impl Fn(&Member, &str, Kind) -> Option<String>) -> Vec<Finding> {
    let all = tree.members.iter().flat_map(|member| member.dependencies.iter().map(move |found| (member, found)));
    all.filter_map(|(member, found)| {
        judge(member, &found.name, found.kind).map(|text| Finding::error(&member.manifest_path, text))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{ARROWS, Finding, Tree, arrows, families, libraries, pipeline};

    /// Runs a check on one member and says whether it objects.
    fn objects(check: fn(&Tree) -> Vec<Finding>, name: &str, dependency: &str) -> bool {
        !check(&Tree::default().with_member(name, &[dependency])).is_empty()
    }

    #[test]
    fn arrows_that_the_table_lacks_are_found() {
        let rows = [
            // member      dependency          objects
            ("gsi-state", "statefile", false),
            ("gsi-state", "serde", false),
            ("statefile", "gsi-state", true),
            ("gsi-state", "gsi-aws", true),
            ("gsi-aws", "dynamo-embedded", true),
            ("gsi-aws", "dev:dynamo-embedded", false),
            ("gsi-aws", "test-kit", true),
            ("gsi-aws", "dev:test-kit", false),
            ("gsi-state", "dev:gsi-aws", true),
            ("run-pipeline", "terminal", true),
            ("brand-new", "serde", true),
        ];
        for (member, dependency, expect) in rows {
            assert_eq!(objects(arrows, member, dependency), expect, "{member} -> {dependency}");
        }
    }

    #[test]
    fn the_programs_are_apart() {
        for (member, dependency, expect) in [
            ("gsi-create", "run-state", true),
            ("run-archiver", "gsi-state", true),
            ("ucon-db", "dev:dynamo-embedded", true),
            ("gsi-create", "statefile", false),
            ("run-archiver", "ucon-db", false),
        ] {
            assert_eq!(objects(families, member, dependency), expect, "{member} -> {dependency}");
        }
    }

    #[test]
    fn libraries_that_know_the_screen_are_found() {
        for (member, dependency, expect) in [
            ("statefile", "clap", true),
            ("gsi-aws", "anyhow", true),
            ("gsi-aws", "terminal", true),
            ("test-kit", "indicatif", true),
            ("brand-new", "tracing-subscriber", true),
            ("gsi-aws", "dev:anyhow", false),
            ("gsi-create", "clap", false),
            ("terminal", "indicatif", false),
            ("xtask", "anyhow", false),
        ] {
            assert_eq!(objects(libraries, member, dependency), expect, "{member} -> {dependency}");
        }
    }

    #[test]
    fn a_pipeline_with_a_client_is_found() {
        for (member, dependency, expect) in [
            ("run-pipeline", "reqwest", true),
            ("run-pipeline", "mongodb", true),
            ("run-pipeline", "dev:rusqlite", true),
            ("run-pipeline", "tokio", false),
            ("ucon-db", "reqwest", false),
        ] {
            assert_eq!(objects(pipeline, member, dependency), expect, "{member} -> {dependency}");
        }
    }

    #[test]
    fn the_table_itself_has_no_circle() {
        // Every row may use only rows that can be built before it.
        let mut built: Vec<&str> = Vec::new();
        while let Some(next) =
            ARROWS.iter().find(|row| !built.contains(&row.name) && row.uses.iter().all(|used| built.contains(used)))
        {
            built.push(next.name);
        }
        assert_eq!(built.len(), ARROWS.len(), "built: {built:?}");
    }
}
