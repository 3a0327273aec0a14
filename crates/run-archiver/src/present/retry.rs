//! What a retry says before it begins: why each run has failed, and how often.

use std::collections::BTreeMap;

use run_pipeline::{Stage, Trouble};
use run_state::{RunNumber, RunSet};

use super::name;

/// The runs that are told one by one.
const TOLD_MAX: usize = 20;

/// One line a run of the failure log, with what the journal knows of it.
pub(crate) fn troubles(stage: Stage, failed: &RunSet, found: &BTreeMap<RunNumber, Trouble>) -> Vec<String> {
    let name = name(stage);
    let line = |run: RunNumber| match found.get(&run) {
        None => format!("{name}: run {run}: the journal does not know why it failed"),
        Some(Trouble { times, last_at, last_reason, .. }) => {
            let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
            let when = last_at.format("%Y-%m-%d %H:%M:%S");
            format!("{name}: run {run}: failed {times}, last on {when} UTC: {}", terminal::clean(last_reason))
        }
    };
    let mut lines: Vec<_> = failed.iter().take(TOLD_MAX).map(line).collect();
    let more = failed.len().saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("{name}: and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use run_pipeline::FailureClass;

    use super::*;

    #[test]
    fn reasons_and_counts_are_told() {
        let trouble = |times| Trouble {
            times,
            last_at: chrono::DateTime::UNIX_EPOCH,
            last_class: FailureClass::Record,
            last_reason: "malformed".to_owned(),
        };
        let found = BTreeMap::from([(103.into(), trouble(1)), (104.into(), trouble(3))]);
        let failed = (103..130_u64).map(RunNumber::new).collect();
        let lines = troubles(Stage::Import, &failed, &found);
        assert_eq!(lines.len(), 21);
        assert_eq!(lines[0], "import: run 103: failed once, last on 1970-01-01 00:00:00 UTC: malformed");
        assert_eq!(lines[1], "import: run 104: failed 3 times, last on 1970-01-01 00:00:00 UTC: malformed");
        assert_eq!(lines[2], "import: run 105: the journal does not know why it failed");
        assert_eq!(lines[20], "import: and 7 more");
    }
}
