//! Rows and pictures of runners' outputs.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Counts, Reader, TestRun, closing_line, nextest_counts, read, without_output_of_passing_tests};

const NEXTEST: &str = "\
    Finished `test` profile [unoptimized + debuginfo] target(s) in 8.63s
    Starting 4 tests across 2 binaries
        FAIL [   0.002s] (1/4) one::it broken
  stdout ───

    running 1 test
    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
────────────
     Summary [   0.100s] 4 tests run: 3 passed (1 slow), 1 failed, 2 skipped
        FAIL [   0.002s] (1/4) one::it broken
        SKIP [         ] (───) one::it kill::victim
        PASS [   0.029s] (2/4) one::it golden::loads
  stderr ───
    SKIPPED: no golden files; put `shared` beside the checkout
    SKIPPED: and no sample either
        PASS [   0.029s] (3/4) two::it golden::loads
  stderr ───
    SKIPPED: no golden files; put `shared` beside the checkout
        PASS [   0.029s] (4/4) two::it says::SKIPPED_in_the_middle
  stdout ───
    nothing was SKIPPED here
";

const LIBTEST: &str = "\
     Running unittests src/lib.rs (target/debug/deps/one-1)

running 1 test
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 17 filtered out; finished in 0.00s
test a_child_of_a_test_printed_the_line_above ... ok
test golden ... ok
test victim ... ignored, started by other tests

successes:

---- golden stdout ----
SKIPPED: no golden files

successes:
    golden

test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/it/main.rs (target/debug/deps/it-2)

running 2 tests
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests one

running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 1 test
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
    Counts { passed, failed, skipped }
}

#[test]
fn a_test_that_says_so_is_skipped_and_not_passed() {
    // nextest counts 3 passed and 2 skipped; two of the passed said SKIPPED, one of the skipped has a name.
    let TestRun { counts: found, skips, ignored } = read(Reader::Nextest, NEXTEST).unwrap();
    assert_eq!(found, counts(1, 1, 3));
    assert_eq!(ignored, ["one::it kill::victim"]);
    assert_eq!(
        skips,
        [
            "one::it golden::loads: SKIPPED: and no sample either",
            "one::it golden::loads: SKIPPED: no golden files; put `shared` beside the checkout",
            "two::it golden::loads: SKIPPED: no golden files; put `shared` beside the checkout",
        ]
    );
}

#[test]
fn libtest_is_summed_over_binaries_and_doctests() {
    let TestRun { counts: found, skips, ignored } = read(Reader::Libtest, LIBTEST).unwrap();
    assert_eq!(found, counts(5 - 1 + 1 + 3, 1, 1));
    assert_eq!(ignored, ["unittests src/lib.rs (target/debug/deps/one-1) victim"]);
    assert_eq!(skips, ["unittests src/lib.rs (target/debug/deps/one-1) golden: SKIPPED: no golden files"]);
}

#[test]
fn summaries_of_nextest() {
    let rows = [
        ("20 tests run: 20 passed, 0 skipped", Some(counts(20, 0, 0))),
        ("1 test run: 1 passed (1 flaky, 1 leaky), 3 skipped", Some(counts(1, 0, 3))),
        (
            "9 tests run: 2 passed, 3 failed (1 due to being leaky), 3 timed out, 1 exec failed, 0 skipped",
            Some(counts(2, 7, 0)),
        ),
        ("4/9 tests run: 3 passed, 1 failed, 0 skipped", Some(counts(3, 1, 0))),
        ("20 tests", None),
    ];
    for (summary, expect) in rows {
        assert_eq!(nextest_counts(&format!("\n     Summary [   0.782s] {summary}\n")), expect, "{summary}");
    }
}

#[test]
fn closing_lines_of_libtest() {
    let line = "FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s";
    assert_eq!(closing_line(line), Some(counts(5, 2, 1)));
    assert_eq!(closing_line("ok"), None);
}

#[test]
fn what_did_not_compile_has_no_counts() {
    let output = "error[E0308]: mismatched types\nerror: could not compile `one`\n";
    assert_eq!(read(Reader::Nextest, output), None);
    assert_eq!(read(Reader::Libtest, output), None);
}

#[test]
fn a_failing_step_shows_failures_and_not_what_passing_tests_printed() {
    let shown = without_output_of_passing_tests(Some(Reader::Nextest), NEXTEST);
    assert!(shown.contains("one::it broken") && shown.ends_with("2 skipped"), "{shown}");
    assert_eq!(without_output_of_passing_tests(Some(Reader::Libtest), LIBTEST), LIBTEST);
    assert_eq!(without_output_of_passing_tests(None, NEXTEST), NEXTEST);
}
