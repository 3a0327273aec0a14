//! What was seen, as plain sets: the input of everything pure.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use run_state::{RunNumber, RunSet};

use crate::{event::Stage, files::StageSnapshot};

/// One of the three places that hold runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Store {
    /// The run directories on disk.
    Records,
    /// artdaqDB.
    Artdaq,
    /// UconDB.
    Ucon,
}

impl Store {
    /// All three, in the order in which runs go through them.
    pub const ALL: [Self; 3] = [Self::Records, Self::Artdaq, Self::Ucon];
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Records => "filesystem",
            Self::Artdaq => "artdaqDB",
            Self::Ucon => "UconDB",
        })
    }
}

/// Why a part of the picture is missing: the chain of causes in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// What was seen, or why nothing was.
pub type Seen<T> = Result<T, Unreadable>;

/// The runs of artdaqDB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// They were imported to the end.
    pub complete: RunSet,
    /// They are there in part.
    pub partial: RunSet,
}

/// How often a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureStory {
    /// How many executions gave it up.
    pub times: u64,
    /// Why, the last time.
    pub last_reason: String,
    /// When that was.
    pub last_at: DateTime<Utc>,
}

/// One thing that the journal of a stage tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// When it was written down.
    pub at: DateTime<Utc>,
    /// Which stage.
    pub stage: Stage,
    /// Which run.
    pub run: RunNumber,
    /// What happened, in one word: `archived`, `failed`.
    pub what: &'static str,
    /// More about it; may be empty.
    pub text: String,
}

/// What the journal of a stage tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageHistory {
    /// Runs that were archived at some time.
    pub archived: RunSet,
    /// Runs that failed since they were last archived.
    pub failures: BTreeMap<RunNumber, FailureStory>,
    /// The last things that happened, oldest first.
    pub recent: Vec<Activity>,
}

/// What is known of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageFacts {
    /// Marks, failure log, runs in flight, last known counts.
    pub state: Seen<StageSnapshot>,
    /// The journal.
    pub history: Seen<StageHistory>,
}

impl Default for StageFacts {
    fn default() -> Self {
        Self { state: Ok(StageSnapshot::default()), history: Ok(StageHistory::default()) }
    }
}

/// Everything that was seen at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The runs on disk.
    pub records: Seen<RunSet>,
    /// The runs of artdaqDB.
    pub artdaq: Seen<Imported>,
    /// The runs of UconDB.
    pub ucon: Seen<RunSet>,
    /// The import.
    pub import: StageFacts,
    /// The migration.
    pub migrate: StageFacts,
    /// Runs that somebody has acknowledged as lost, and whose acknowledgement has not expired.
    pub acknowledged: Seen<RunSet>,
    /// By how much a listing may shrink against the last known count, in per cent.
    pub max_shrink_percent: u8,
}

impl Default for Facts {
    /// Nothing is there, and nothing was ever done.
    fn default() -> Self {
        Self {
            records: Ok(RunSet::new()),
            artdaq: Ok(Imported::default()),
            ucon: Ok(RunSet::new()),
            import: StageFacts::default(),
            migrate: StageFacts::default(),
            acknowledged: Ok(RunSet::new()),
            max_shrink_percent: 10,
        }
    }
}

impl Facts {
    /// What is known of a stage.
    pub const fn stage(&self, stage: Stage) -> &StageFacts {
        match stage {
            Stage::Import => &self.import,
            Stage::Migrate => &self.migrate,
        }
    }

    /// The last known count of a store and the count that was found, where the listing lost more than is
    /// plausible.
    pub fn shrunk(&self, store: Store) -> Option<(u64, u64)> {
        let counts = |stage: Stage| self.stage(stage).state.as_ref().ok().and_then(|state| state.counts);
        let (import, migrate) = (counts(Stage::Import), counts(Stage::Migrate));
        let known = match store {
            Store::Records => [import.map(|counts| counts.source_runs), None],
            Store::Artdaq => [import.map(|counts| counts.destination_runs), migrate.map(|counts| counts.source_runs)],
            Store::Ucon => [migrate.map(|counts| counts.destination_runs), None],
        };
        let found = self.runs(store)?.len();
        let known = known.into_iter().flatten().max()?;
        let lost = u128::from(known.saturating_sub(found));
        (lost * 100 > u128::from(known) * u128::from(self.max_shrink_percent)).then_some((known, found))
    }

    /// Everything that a store lists, halves included; `None` where it could not be read.
    pub fn runs(&self, store: Store) -> Option<RunSet> {
        match store {
            Store::Records => self.records.as_ref().ok().cloned(),
            Store::Artdaq => self.artdaq.as_ref().ok().map(|runs| runs.complete.union(&runs.partial)),
            Store::Ucon => self.ucon.as_ref().ok().cloned(),
        }
    }

    /// As [`runs`](Self::runs), and `None` where the listing cannot be believed.
    pub(super) fn believed(&self, store: Store) -> Option<RunSet> {
        self.runs(store).filter(|_| self.shrunk(store).is_none())
    }
}
