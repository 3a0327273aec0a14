//! The steps, as data. All of them build with the same profile and features, so that nothing is compiled twice.

use super::counts::Reader;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) action: Action,
}

/// How a step is performed.
#[derive(Debug)]
pub(crate) enum Action {
    /// A cargo command, whose output is captured.
    Cargo {
        arguments: Vec<&'static str>,
        environment: Vec<(&'static str, &'static str)>,
        /// How to count tests in the output, if the command runs tests.
        reader: Option<Reader>,
    },
    /// The architecture checks, in this process.
    Tidy,
    /// A tool that is not installed and that nothing depends on.
    Absent { remedy: &'static str },
}

impl Step {
    /// What to type to run this step alone.
    pub(crate) fn command(&self) -> String {
        match &self.action {
            Action::Cargo { arguments, environment, .. } => environment
                .iter()
                .map(|(name, value)| format!("{name}='{value}'"))
                .chain(std::iter::once("cargo".to_owned()))
                .chain(arguments.iter().map(|&argument| argument.to_owned()))
                .collect::<Vec<_>>()
                .join(" "),
            Action::Tidy => "cargo xtask tidy".to_owned(),
            Action::Absent { remedy } => (*remedy).to_owned(),
        }
    }
}

/// Every step, cheap ones first.
pub(crate) fn all(nextest: bool, deny: bool) -> Vec<Step> {
    let cargo = |name, line: &'static str| Step {
        name,
        action: Action::Cargo { arguments: line.split(' ').collect(), environment: vec![], reader: None },
    };
    let tests = if nextest {
        // `final`: what passing tests print, and the names of ignored ones, come after the summary.
        "nextest run --workspace --no-fail-fast --cargo-quiet --failure-output immediate --success-output final \
         --status-level fail --final-status-level skip"
    } else {
        "test --workspace --lib --bins --tests --examples --no-fail-fast -- --show-output"
    };
    let reader = if nextest { Reader::Nextest } else { Reader::Libtest };
    vec![
        cargo("fmt", "fmt --all --check"),
        Step { name: "tidy", action: Action::Tidy },
        cargo("clippy", "clippy --quiet --workspace --all-targets -- -D warnings"),
        with_reader(cargo("tests", tests), reader),
        with_reader(cargo("doctests", "test --workspace --doc --no-fail-fast -- --show-output"), Reader::Libtest),
        with_environment(cargo("docs", "doc --quiet --workspace --no-deps"), ("RUSTDOCFLAGS", "-D warnings")),
        // Whether the published libraries can be packaged. Not built from there: cargo keeps the unpacked
        // packages by version and would build an older state of the same version.
        cargo("package", "package --quiet --allow-dirty --no-verify -p statefile -p gsi-state"),
        if deny {
            // Without advisories: the verdict must not depend on the day or on the network.
            cargo("deny", "deny --workspace check licenses bans sources")
        } else {
            Step { name: "deny", action: Action::Absent { remedy: "cargo install cargo-deny --locked" } }
        },
    ]
}

fn with_reader(mut step: Step, wanted: Reader) -> Step {
    if let Action::Cargo { reader, .. } = &mut step.action {
        *reader = Some(wanted);
    }
    step
}

fn with_environment(mut step: Step, pair: (&'static str, &'static str)) -> Step {
    if let Action::Cargo { environment, .. } = &mut step.action {
        environment.push(pair);
    }
    step
}

#[cfg(test)]
mod tests {
    use super::{Action, all};

    #[test]
    fn the_steps_are_these() {
        let names = |nextest, deny| all(nextest, deny).iter().map(|step| step.name).collect::<Vec<_>>();
        let expected = ["fmt", "tidy", "clippy", "tests", "doctests", "docs", "package", "deny"];
        assert_eq!(names(true, true), expected);
        assert_eq!(names(false, false), expected);
    }

    #[test]
    fn a_missing_tool_is_not_run() {
        let absent = |step: &super::Step| matches!(step.action, Action::Absent { .. });
        assert_eq!(all(true, false).iter().filter(|step| absent(step)).count(), 1);
        assert_eq!(all(true, true).iter().filter(|step| absent(step)).count(), 0);
    }

    #[test]
    fn a_step_can_be_repeated_by_hand() {
        let commands: Vec<String> = all(true, true).iter().map(super::Step::command).collect();
        assert_eq!(commands[2], "cargo clippy --quiet --workspace --all-targets -- -D warnings");
        assert_eq!(commands[5], "RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps");
    }
}
