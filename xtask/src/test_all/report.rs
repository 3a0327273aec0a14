//! How the steps ended: the lines, the table, the last line.

use std::time::Duration;

use super::counts::{Counts, TestRun};
use crate::table::{self, Align};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// The tool is missing and nothing was checked.
    NotInstalled,
}

impl Verdict {
    pub(crate) fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotInstalled => "not installed",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) elapsed: Duration,
    pub(crate) detail: String,
    /// For a step that runs tests and got as far as counting them.
    pub(crate) tests: Option<TestRun>,
}

impl Outcome {
    /// Verdict, seconds and detail, to stand after the name.
    pub(crate) fn line(&self) -> String {
        format!("{:<13} {:>7}  {}", self.verdict.as_str(), self.seconds(), self.detail).trim_end().to_owned()
    }

    fn seconds(&self) -> String {
        if self.verdict == Verdict::NotInstalled {
            return String::new();
        }
        format!("{:.1} s", self.elapsed.as_secs_f64())
    }

    fn row(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.verdict.as_str().to_owned(), self.seconds(), self.detail.clone()]
    }
}

/// A further row, where tests must not be skipped: passed or failed.
pub(crate) fn forbid_skips(outcomes: &[Outcome]) -> Option<Outcome> {
    let runs: Vec<&TestRun> = outcomes.iter().filter_map(|outcome| outcome.tests.as_ref()).collect();
    let skips = runs.iter().map(|run| run.skips.len()).sum::<usize>();
    (!runs.is_empty()).then(|| Outcome {
        name: "no skips",
        verdict: Verdict::of(skips == 0),
        elapsed: Duration::ZERO,
        detail: if skips == 0 {
            String::new()
        } else {
            "tests must not be skipped here (CI=true or --no-skips)".to_owned()
        },
        tests: None,
    })
}

/// What the last line counts.
///
/// Tests, wherever the runner's output can be read. A step without tests (fmt, clippy, …) adds nothing when
/// it passes, so that the number of passed tests is just that, and one failure when it fails, so that
/// "0 failed" is never the last word of a run that failed. A test step that fails without a failing test, as
/// on a compile error in one crate, counts as one failure too. If no test could be counted, the passed steps are.
pub(crate) fn totals(outcomes: &[Outcome]) -> Counts {
    let mut total = Counts::default();
    for outcome in outcomes {
        let counts = outcome.tests.as_ref().map(|run| run.counts).unwrap_or_default();
        total += counts;
        if outcome.verdict == Verdict::Failed && counts.failed == 0 {
            total.failed += 1;
        }
    }
    if outcomes.iter().all(|outcome| outcome.tests.is_none()) {
        total.passed = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Passed).count();
    }
    total
}

/// Skips, table and last line.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut blocks = Vec::new();
    let runs = || outcomes.iter().filter_map(|outcome| outcome.tests.as_ref());
    blocks.extend(list("Not run by themselves, but by other tests:", runs().flat_map(|run| &run.ignored)));
    blocks.extend(list("Tests that say they were skipped:", runs().flat_map(|run| &run.skips)));
    let columns = [("step", Align::Left), ("verdict", Align::Left), ("time", Align::Right), ("", Align::Left)];
    blocks.push(table::render(&columns, &outcomes.iter().map(Outcome::row).collect::<Vec<_>>()));
    blocks.push(totals(outcomes).to_string());
    format!("\n{}", blocks.join("\n\n"))
}

fn list<'a>(title: &str, items: impl Iterator<Item = &'a String>) -> Option<String> {
    let items: Vec<&str> = items.map(String::as_str).collect();
    (!items.is_empty()).then(|| format!("{title}\n  {}", items.join("\n  ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::counts::{Counts, TestRun};
    use super::{Outcome, Verdict, forbid_skips, render, totals};

    fn step(name: &'static str, verdict: Verdict, tests: Option<(usize, usize, &[&str])>) -> Outcome {
        let tests = tests.map(|(passed, failed, skips)| TestRun {
            counts: Counts { passed, failed, skipped: skips.len() },
            skips: skips.iter().map(|&skip| skip.to_owned()).collect(),
            ignored: vec![format!("one::it victim of {name}")],
        });
        let detail = tests.as_ref().map_or_else(String::new, |run| run.counts.to_string());
        Outcome { name, verdict, elapsed: Duration::from_millis(1_234), detail, tests }
    }

    #[test]
    fn the_last_line_counts_tests_and_never_hides_a_failure() {
        use Verdict::{Failed, NotInstalled, Passed};
        let check = |steps: &[Outcome], expect: &str| assert_eq!(totals(steps).to_string(), expect);
        let fmt = || step("fmt", Passed, None);
        check(&[fmt(), step("tests", Passed, Some((5, 0, &[])))], "5 passed, 0 failed, 0 skipped");
        check(&[fmt(), step("tests", Failed, Some((5, 2, &["a"])))], "5 passed, 2 failed, 1 skipped");
        // A failing step without tests, and a test step that failed outside of its tests.
        check(&[step("fmt", Failed, None), step("tests", Passed, Some((5, 0, &[])))], "5 passed, 1 failed, 0 skipped");
        check(&[fmt(), step("tests", Failed, Some((5, 0, &[])))], "5 passed, 1 failed, 0 skipped");
        // No tests counted at all: steps.
        check(&[fmt(), step("tests", Failed, None), step("deny", NotInstalled, None)], "1 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn a_skip_fails_where_skips_are_forbidden() {
        let check = |skips: &[&str], expect| {
            let added = forbid_skips(&[step("tests", Verdict::Passed, Some((5, 0, skips)))]);
            assert_eq!(added.map(|outcome| outcome.verdict), Some(expect));
        };
        check(&[], Verdict::Passed);
        check(&["one::it golden: SKIPPED: no files"], Verdict::Failed);
    }

    #[test]
    fn the_end_of_a_run() {
        let outcomes = [
            step("fmt", Verdict::Failed, None),
            step("tests", Verdict::Passed, Some((412, 0, &["one::it golden: SKIPPED: no files"]))),
            step("deny", Verdict::NotInstalled, None),
        ];
        let expected = "
Not run by themselves, but by other tests:
  one::it victim of tests

Tests that say they were skipped:
  one::it golden: SKIPPED: no files

step   verdict         time
────────────────────────────────────────────────────────────
fmt    FAILED         1.2 s
tests  passed         1.2 s  412 passed, 0 failed, 1 skipped
deny   not installed

412 passed, 1 failed, 1 skipped";
        assert_eq!(render(&outcomes), expected);
    }
}
