//! What kills have done: counted, so that a test can say it and not only pass.

#![allow(clippy::print_stderr, clippy::panic, reason = "a test tells its figures and fails")]

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What may be wrong after a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Something that was to be there is not, and nothing remembers it.
    Lost,
    /// Something was done twice, or more than was asked for.
    Repeated,
    /// Something can be seen that is not whole.
    Unreadable,
    /// Anything else: an exit code, a state that says what is not so, a leftover.
    Other,
}

/// Kills and what was found after them. Every figure is one of findings, never of what was hoped for.
///
/// ```
/// use test_kit::{Tally, Wrong};
/// let mut tally = Tally::default();
/// tally.killed(false);
/// tally.killed(true);
/// tally.check(1 + 1 == 2, Wrong::Other, || "arithmetic".to_owned());
/// assert_eq!(
///     tally.to_string(),
///     "2 kills in 0 stories, 1 of them in a start after a kill: 0 lost, 0 repeated, 0 unreadable, 0 otherwise wrong"
/// );
/// tally.conclude("sums", 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Stories that came to their end.
    pub stories: u32,
    /// Kills.
    pub kills: u32,
    /// Of these, kills of a start whose predecessor was killed: of a recovery.
    pub kills_in_recovery: u32,
    findings: Vec<(Wrong, String)>,
    spoiled_stories: u32,
}

impl Tally {
    /// Counts a kill.
    pub fn killed(&mut self, is_in_recovery: bool) {
        self.kills += 1;
        self.kills_in_recovery += u32::from(is_in_recovery);
    }

    /// Enters a finding.
    pub fn find(&mut self, wrong: Wrong, what: String) {
        self.findings.push((wrong, what));
    }

    /// Enters a finding unless `is_right`.
    pub fn check(&mut self, is_right: bool, wrong: Wrong, what: impl FnOnce() -> String) {
        if !is_right {
            self.find(wrong, what());
        }
    }

    /// What `read` gives; a panic of it is something unreadable.
    pub fn read<T>(&mut self, context: &str, read: impl FnOnce() -> T) -> Option<T> {
        let answer = catch_unwind(AssertUnwindSafe(read));
        if let Err(panic) = &answer {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            self.find(Wrong::Unreadable, format!("{context}: {text}"));
        }
        answer.ok()
    }

    /// How often something was wrong in this way.
    pub fn count(&self, wrong: Wrong) -> usize {
        self.findings.iter().filter(|(kind, _)| *kind == wrong).count()
    }

    /// Whether anything was wrong.
    pub fn is_spoiled(&self) -> bool {
        !self.findings.is_empty()
    }

    /// How many of the stories that were added up had something wrong.
    pub fn spoiled_stories(&self) -> u32 {
        self.spoiled_stories
    }

    /// Takes the figures of a story.
    pub fn add(&mut self, other: Self) {
        self.spoiled_stories += u32::from(other.is_spoiled());
        self.stories += other.stories;
        self.kills += other.kills;
        self.kills_in_recovery += other.kills_in_recovery;
        self.findings.extend(other.findings);
    }

    /// Says the figures, in a line that `cargo xtask evidence` finds.
    ///
    /// # Panics
    ///
    /// If anything was wrong, or there were fewer than `kills_min` kills.
    pub fn conclude(&self, what: &str, kills_min: u32) {
        eprintln!("evidence: {what}: {self}");
        if !self.findings.is_empty() {
            let findings: Vec<String> =
                self.findings.iter().take(20).map(|(kind, what)| format!("{kind:?}: {what}")).collect();
            panic!("{what}: {} findings, among them\n{}", self.findings.len(), findings.join("\n"));
        }
        assert!(self.kills >= kills_min, "{what}: only {} kills, where {kills_min} were wanted", self.kills);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stories, kills, kills_in_recovery, .. } = self;
        let count = |wrong| self.count(wrong);
        write!(
            f,
            "{kills} kills in {stories} stories, {kills_in_recovery} of them in a start after a kill: {} lost, {} \
             repeated, {} unreadable, {} otherwise wrong",
            count(Wrong::Lost),
            count(Wrong::Repeated),
            count(Wrong::Unreadable),
            count(Wrong::Other)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "1 findings, among them\nUnreadable: here: no digits in `x`")]
    fn what_is_found_fails_the_test() {
        let mut tally = Tally::default();
        let digits = |text: &str| text.parse::<u8>().unwrap_or_else(|_| panic!("no digits in `{text}`"));
        assert_eq!(tally.read("there", || digits("7")), Some(7));
        assert_eq!(tally.read("here", || digits("x")), None);
        let mut sum = Tally::default();
        sum.add(tally);
        sum.conclude("digits", 0);
    }

    #[test]
    #[should_panic(expected = "only 0 kills, where 1 were wanted")]
    fn a_kill_that_never_came_fails_the_test() {
        Tally::default().conclude("nothing", 1);
    }
}
