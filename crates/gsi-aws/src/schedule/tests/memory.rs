//! A state that is kept nowhere: flushing a disk would take longer than the thousand jobs.

use chrono::{DateTime, Utc};
use gsi_state::{ChangeError, CommitError, CreationState, GsiKey, GsiState, GsiStatus, HistoryEvent, StatusChange};
use statefile::UpdateError;

use super::scenario::Scenario;
use crate::{record::Book, spec::IndexSpec};

pub(super) struct Memory {
    state: CreationState,
    history: Vec<(GsiKey, HistoryEvent)>,
}

impl Memory {
    pub(super) fn new(specs: &[IndexSpec]) -> Self {
        let mut state = CreationState::new("test", DateTime::<Utc>::UNIX_EPOCH);
        for spec in specs {
            assert!(state.add(spec.key()));
        }
        Self { state, history: Vec::new() }
    }

    /// The state agrees with the end of the run, and the history tells of changes only.
    pub(super) fn check(&self, scenario: &Scenario) {
        for gsi in self.state.gsis() {
            let is_good = gsi.status == GsiStatus::Active || scenario.may_fail(&gsi.key);
            assert!(is_good, "{}: {}", gsi.key, gsi.status);
        }
        let is_repeated = |pair: &[(GsiKey, HistoryEvent)]| {
            pair[0] == pair[1] && matches!(pair[0].1, HistoryEvent::Building { .. } | HistoryEvent::Waiting { .. })
        };
        assert!(!self.history.windows(2).any(is_repeated));
    }
}

impl Book for Memory {
    const BLOCKS: bool = false;

    fn apply(&mut self, changes: &[StatusChange]) -> Result<(), UpdateError<ChangeError>> {
        let apply = |change| self.state.apply(change, DateTime::<Utc>::UNIX_EPOCH);
        changes.iter().try_for_each(apply).map_err(UpdateError::Rejected)
    }

    fn note(&mut self, events: Vec<(GsiKey, HistoryEvent)>) -> Result<(), CommitError> {
        self.history.extend(events);
        Ok(())
    }

    fn get(&self, key: &GsiKey) -> Option<&GsiState> {
        self.state.get(key)
    }

    fn all(&self) -> impl Iterator<Item = &GsiState> {
        self.state.gsis()
    }
}
