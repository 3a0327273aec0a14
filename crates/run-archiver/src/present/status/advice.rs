//! What is to be done, in words and as commands to copy.

use std::path::Path;

use run_pipeline::{
    Stage,
    status::{Advice, Depth},
};
use run_state::RunSet;

use super::{Picture, brief, runs};
use crate::exit::recovery_flag;

/// One recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) text: String,
    /// To be copied into a shell; `None` where no command helps.
    pub(crate) command: Option<String>,
    pub(crate) runs: RunSet,
}

/// What is to be done, in this order.
pub(crate) fn steps(picture: &Picture) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    if picture.report.has_stores {
        steps.extend(picture.analysis.advice.iter().map(|advice| step(advice, &picture.config)));
    }
    if let Some(verification) = &picture.verification
        && verification.depth == Depth::Receipt
        && !verification.unknown.is_empty()
    {
        let text = format!(
            "{} have no digest recorded at upload: only their bytes can tell",
            runs(verification.unknown.len())
        );
        let command = Some(command(&picture.config, "--verify-archive=full"));
        steps.push(Step { text, command, runs: verification.unknown.clone() });
    }
    steps
}

fn step(advice: &Advice, config: &Path) -> Step {
    let set = advice.runs();
    let which = || format!("{}: {}", runs(set.len()), brief(&set, 8));
    let (text, arguments) = match advice {
        Advice::LookAt(store) => (
            format!(
                "see why {store} could not be read in full; nothing was concluded from it, and nothing has changed"
            ),
            None,
        ),
        Advice::RebuildState(stage) => {
            (format!("rebuild the state of the {stage}, which cannot be read"), Some(recovery_flag(*stage).to_owned()))
        }
        Advice::Mend(part) => (format!("restore the {part}, which cannot be read, or move it away"), None),
        Advice::Recover(stage) => (
            format!("the marks of the {stage} are not where the archives say; the state can be rebuilt"),
            Some(recovery_flag(*stage).to_owned()),
        ),
        Advice::Run(Stage::Import, _) => {
            (format!("run the importer for {}", which()), Some("--import-only".to_owned()))
        }
        Advice::Run(Stage::Migrate, _) => {
            (format!("run the migrator for {}", which()), Some("--migrate-only".to_owned()))
        }
        Advice::Retry(stage, _) => (
            format!("remove the cause, then retry the {stage} of {}", which()),
            Some(match stage {
                Stage::Import => "--retry-failed-import".to_owned(),
                Stage::Migrate => "--retry-failed-migrate".to_owned(),
            }),
        ),
        Advice::FindRecords(_) => (
            format!("in UconDB, but neither in artdaqDB nor on disk: {}; restore one of them from a backup", which()),
            None,
        ),
        Advice::Compare(_) => {
            let first = set.first().map(|run| format!("--explain {run}"));
            (format!("UconDB holds something else than was archived: {}", which()), first)
        }
        Advice::Acknowledge(_) => (
            format!("if it is known why, acknowledge what no store has: {}", which()),
            as_argument(&set).map(|runs| format!("--acknowledge {runs} --reason 'no run was taken'")),
        ),
        Advice::MoveAway(_) => (format!("not of this series, though a number: move away {}", which()), None),
    };
    Step { text, command: arguments.map(|arguments| command(config, &arguments)), runs: set }
}

/// Longer ones nobody copies.
const ARGUMENT_BYTES_MAX: usize = 1000;

/// The runs as the command line takes them.
fn as_argument(set: &RunSet) -> Option<String> {
    (set.ranges().count() <= ARGUMENT_BYTES_MAX / 2)
        .then(|| set.to_string().replace(", ", ","))
        .filter(|text| text.len() <= ARGUMENT_BYTES_MAX)
}

fn command(config: &Path, arguments: &str) -> String {
    format!("run-archiver {} {arguments}", quoted(&config.display().to_string()))
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_reach_the_program_as_they_are() {
        for (path, expect) in [
            ("config.yaml", "config.yaml"),
            ("/etc/a b.yaml", "'/etc/a b.yaml'"),
            ("it's.yaml", r"'it'\''s.yaml'"),
            ("$(reboot).yaml", "'$(reboot).yaml'"),
        ] {
            assert_eq!(quoted(path), expect);
        }
    }
}
