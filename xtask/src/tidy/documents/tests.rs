//! Documents that promise what is not there.

use super::{ARCHITECTURE, Finding, Tree, changelog, decisions, invariants, links};

const LIBRARY: &str = "
//! A library.
#[test]
fn holds() {}

// Why it holds.
#[tokio::test(
    start_paused = true
)]
async fn holds_later() {}

proptest! {
    #[test]
    fn holds_for_all(n in 0..9) {}
}

fn helper() {}

mod inner {
    #[test]
    fn holds_within() {}
}
";

/// The texts of the findings about one check cell.
fn of_cell(cell: &str) -> Vec<String> {
    let page = format!("# Architecture\n\n| invariant | why | check |\n|---|---|---|\n| it holds | so | {cell} |\n");
    let files = [
        (ARCHITECTURE, page.as_str()),
        ("crates/a/tests/it/ground.rs", LIBRARY),
        (
            "Cargo.toml",
            "[workspace.lints.clippy]\nunwrap_used = \"deny\"\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
        ),
        ("clippy.toml", "too-many-lines-threshold = 70\ndisallowed-methods = []\n"),
    ];
    let findings = invariants(&Tree::of_files(&files).with_member("a", &[]));
    assert!(findings.iter().all(|finding| finding.place == format!("{ARCHITECTURE}:5")), "{findings:?}");
    findings.into_iter().map(|finding| finding.text).collect()
}

#[test]
fn invariants_name_checks_that_exist() {
    for cell in [
        "`tidy::arrows`",
        "`a::ground::holds`, `a::holds_later` and `tidy::arrows`",
        "`a::it::ground::holds_for_all`",
        "`a::inner::holds_within`",
        "`clippy::unwrap_used`",
        "`clippy::disallowed_methods`, `clippy::too_many_lines`",
        "`rust::unsafe_code`",
    ] {
        assert_eq!(of_cell(cell), Vec::<String>::new(), "{cell}");
    }
}

#[test]
fn invariants_without_a_check_are_found() {
    for (cell, reason) in [
        ("", "names no check"),
        ("we are careful", "names no check"),
        ("`tidy`", "names no check"),
        ("`tidy::no_such`", "there is no such check"),
        ("`a::ground::missing`", "no test function `ground::missing`"),
        ("`a::ground::helper`", "no test function `ground::helper`"),
        ("`a::elsewhere::holds`", "no test function `elsewhere::holds`"),
        ("`a::hold`", "no test function `hold`"),
        ("`b::ground::holds`", "no crate `b`"),
        ("`clippy::todo`", "sets that lint"),
        ("`rust::disallowed_methods`", "sets that lint"),
        ("`tidy::arrows`, `a::ground::missing`", "no test function `ground::missing`"),
    ] {
        let texts = of_cell(cell);
        assert!(texts.len() == 1 && texts[0].contains(reason), "{cell}: {texts:?}");
    }
}

#[test]
fn a_page_without_the_table_is_found() {
    assert_eq!(invariants(&Tree::default()).len(), 1);
    let page = "| crate | may use |\n|---|---|\n| a | b |\n";
    assert_eq!(invariants(&Tree::of_files(&[(ARCHITECTURE, page)])).len(), 1);
}

#[test]
fn a_changelog_that_lags_is_found() {
    let check = |text: &str, expect: usize| {
        let manifest = "[workspace.package]\nversion = \"0.2.0\"\n";
        let tree = Tree::of_files(&[("CHANGELOG.md", text), ("Cargo.toml", manifest)]);
        assert_eq!(changelog(&tree).len(), expect, "{text}");
    };
    check("# Changelog\n\n## [Unreleased]\n", 0);
    check("# Changelog\n\n## Unreleased\n", 0);
    check("# Changelog\n\n## [0.2.0] - 2026-11-21\n", 0);
    check("# Changelog\n\n## [0.1.0]\n", 1);
    check("# Unreleased\n", 1);
    assert_eq!(changelog(&Tree::default()).len(), 1);
}

#[test]
fn decisions_without_number_or_title_are_found() {
    let check = |files: &[(&str, &str)], expect: usize| {
        assert_eq!(decisions(&Tree::of_files(files)).len(), expect, "{files:?}");
    };
    check(&[("docs/decisions/0001-one-lock.md", "# One lock\n")], 0);
    check(&[("docs/decisions/1-one-lock.md", "# One lock\n")], 1);
    check(&[("docs/decisions/0001.md", "# One lock\n")], 1);
    check(&[("docs/decisions/0001-One lock.md", "# One lock\n")], 1);
    check(&[("docs/decisions/notes.txt", "# Notes\n")], 1);
    check(&[("docs/decisions/0001-one-lock.md", "One lock\n")], 1);
    check(&[("docs/decisions/0001-a.md", "# A\n"), ("docs/decisions/0001-b.md", "# B\n")], 1);
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let check = |text: &str, expect: usize| {
        let tree =
            Tree::of_files(&[("docs/a.md", text), ("docs/b.md", ""), ("README.md", ""), ("examples/x/y.json", "")]);
        let findings: Vec<Finding> = links(&tree);
        assert_eq!(findings.len(), expect, "{text}: {findings:?}");
    };
    check("[b](b.md), [b](./b.md#part), [readme](../README.md), [x](../examples/x/), [here](#part)", 0);
    check("[web](https://example.org/none.md) and [mail](mailto:a@example.org)", 0);
    check("[gone](c.md)", 1);
    check("[outside](../../shared/a.md) [gone](../docs/c.md)", 2);
}
