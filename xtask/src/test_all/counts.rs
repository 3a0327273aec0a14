//! Reads a test runner's output: how many tests passed, failed, were skipped, and which said so themselves.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

/// Whose output it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Nextest,
    /// `cargo test`, doctests included.
    Libtest,
}

/// Numbers of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// What a runner's output says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestRun {
    /// A test that passed for the runner but printed `SKIPPED` is counted as skipped.
    pub(crate) counts: Counts,
    /// One text a skipping test and reason, `NAME: SKIPPED …`, sorted.
    pub(crate) skips: Vec<String>,
    /// The names of `#[ignore]`d tests, sorted. They are in no count: `tidy::ignored` sees to it that they are
    /// no tests but processes that tests start.
    pub(crate) ignored: Vec<String>,
}

/// Reads the output of a runner; `None` if it holds no count, as after a compile error.
pub(crate) fn read(reader: Reader, output: &str) -> Option<TestRun> {
    let mut counts = match reader {
        Reader::Nextest => nextest_counts(output),
        Reader::Libtest => libtest_counts(output),
    }?;
    let notes = Notes::read(reader, output);
    let tests = notes.skips.iter().map(|(test, _)| test).collect::<BTreeSet<_>>().len();
    counts.passed = counts.passed.saturating_sub(tests);
    // Whatever the runner left out without naming it remains a skipped test.
    counts.skipped = counts.skipped.saturating_sub(notes.ignored.len()) + tests;
    let skips = notes.skips.iter().map(|(test, line)| format!("{test}: {line}")).collect();
    Some(TestRun { counts, skips, ignored: notes.ignored.into_iter().collect() })
}

/// The output up to nextest's summary: what follows is the output of tests that passed.
pub(crate) fn without_output_of_passing_tests(reader: Option<Reader>, output: &str) -> &str {
    if reader != Some(Reader::Nextest) {
        return output;
    }
    let Some(summary) = output.lines().find(|line| is_nextest_summary(line)) else { return output };
    let end = summary.as_ptr().addr() - output.as_ptr().addr() + summary.len();
    &output[..end]
}

fn is_nextest_summary(line: &str) -> bool {
    line.trim_start().starts_with("Summary [") && line.contains(" run: ")
}

/// `Summary [   0.782s] 20 tests run: 18 passed (1 slow), 1 failed, 1 timed out, 3 skipped`
fn nextest_counts(output: &str) -> Option<Counts> {
    let summary = output.lines().find(|line| is_nextest_summary(line))?;
    let (_, list) = summary.split_once(" run: ")?;
    let mut counts = Counts::default();
    for item in without_parentheses(list).split(',') {
        let (number, what) = item.trim().split_once(' ')?;
        let number: usize = number.parse().ok()?;
        match what.trim() {
            "passed" => counts.passed += number,
            "skipped" => counts.skipped += number,
            // failed, timed out, exec failed, and whatever a later version calls it: not passed.
            _ => counts.failed += number,
        }
    }
    Some(counts)
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|&c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

/// Sums the closing lines of all test binaries.
///
/// A test may run its own binary again and let it print a closing line; so of a binary only the last one
/// counts. Doctests of one crate may be several runs (those that share a binary, and the others): all count.
fn libtest_counts(output: &str) -> Option<Counts> {
    let mut total = None;
    let mut of_binary = Counts::default();
    let mut in_doctests = false;
    for line in output.lines() {
        let header = line.trim_start();
        if line.starts_with(' ') && (header.starts_with("Running ") || header.starts_with("Doc-tests ")) {
            *total.get_or_insert_default() += std::mem::take(&mut of_binary);
            in_doctests = header.starts_with("Doc-tests ");
        } else if let Some(counts) = line.strip_prefix("test result: ").and_then(closing_line) {
            if in_doctests {
                of_binary += counts;
            } else {
                of_binary = counts;
            }
        }
    }
    if let Some(total) = &mut total {
        *total += of_binary;
    }
    total
}

/// `ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn closing_line(line: &str) -> Option<Counts> {
    let (_, list) = line.split_once(". ")?;
    let mut counts = Counts::default();
    for item in list.split(';') {
        let (number, what) = item.trim().split_once(' ')?;
        match what {
            "passed" => counts.passed = number.parse().ok()?,
            "failed" => counts.failed = number.parse().ok()?,
            "ignored" => counts.skipped = number.parse().ok()?,
            _ => {}
        }
    }
    Some(counts)
}

/// What the output says of single tests.
#[derive(Debug, Default)]
struct Notes {
    /// Every line that starts with `SKIPPED`, after the name of the test that printed it.
    skips: BTreeSet<(String, String)>,
    /// The names of tests that the runner was told to ignore.
    ignored: BTreeSet<String>,
}

impl Notes {
    fn read(reader: Reader, output: &str) -> Self {
        let mut notes = Self::default();
        let mut binary = String::new();
        let mut test = String::from("a test");
        for line in output.lines().map(str::trim) {
            match reader {
                Reader::Nextest => {
                    if let Some((verdict, name)) = nextest_header(line) {
                        name.clone_into(&mut test);
                        if verdict == "SKIP" {
                            notes.ignored.insert(test.clone());
                        }
                    }
                }
                Reader::Libtest => {
                    if let Some(name) = line.strip_prefix("Running ").or_else(|| line.strip_prefix("Doc-tests ")) {
                        name.clone_into(&mut binary);
                    } else if let Some(name) =
                        line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
                    {
                        test = format!("{binary} {name}");
                    } else if let Some((name, _)) =
                        line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored"))
                    {
                        notes.ignored.insert(format!("{binary} {name}"));
                    }
                }
            }
            if line.starts_with("SKIPPED") {
                notes.skips.insert((test.clone(), line.to_owned()));
            }
        }
        notes
    }
}

/// `PASS [   0.029s] (13/20) gsi-state::it manager::the_view` -> `PASS` and `gsi-state::it manager::the_view`
fn nextest_header(line: &str) -> Option<(&str, &str)> {
    let (verdict, rest) = line.split_once(" [")?;
    let is_verdict = verdict.chars().any(|c| c.is_ascii_uppercase())
        && verdict.chars().all(|c| c.is_ascii_uppercase() || "+- 0123456789".contains(c));
    let (_, name) = rest.split_once("] ").filter(|_| is_verdict)?;
    let name = name.split_once(") ").filter(|_| name.starts_with('(')).map_or(name, |(_, name)| name);
    Some((verdict, name.trim()))
}

#[cfg(test)]
mod tests;
