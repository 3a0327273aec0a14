//! Why a run is not where it should be.
//!
//! Set algebra from top to bottom: every rule takes its runs away from what is left, so that each run has one
//! cause. A stage's rules need both of its sides; where one could not be read, nothing is said.
//!
//! | cause | rule, the first that holds |
//! |---|---|
//! | stray | its number is far from all others |
//! | content differs | a verification has found so |
//! | acknowledged | somebody lives with the gap, and no execution would take the run by itself |
//! | half-imported | artdaqDB has a part of it |
//! | interrupted | in flight, and nobody has settled it |
//! | failed | in the failure log of the stage |
//! | missing downstream | it was archived: the journal says so, or it lies within what the contiguous mark covers |
//! | held back | the last execution left it to be finished |
//! | late | at or below the mark, and in no log |
//! | waiting | above the mark: the next execution takes it |
//! | only downstream | it is gone where it came from |
//! | never taken | no store has it, and no journal has ever heard of it |
//!
//! # What marks alone can tell
//!
//! The journals begin with this program. Of what was archived before, only the contiguous mark tells that it was:
//! from the lowest archived run to the mark. So where somebody put a run into an archive by hand below all others, a
//! directory that appeared late above it looks as if it had been archived, and is shown as missing downstream.

use run_state::RunSet;

use super::facts::{Facts, StageFacts, StageHistory, Store};
use crate::{event::Stage, files::StageSnapshot, strays::between};

/// Why a run is not in all three stores, or not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A copy holds something else than was archived.
    ContentDiffers,
    /// It was archived, and is not there any more.
    MissingDownstream,
    /// artdaqDB holds a part of it.
    HalfImported,
    /// An execution gave it up; it is in the failure log.
    Failed,
    /// An execution is working on it, or died over it.
    Interrupted,
    /// It appeared below the mark, and is in no log yet.
    Late,
    /// Above the mark: the next execution takes it.
    Waiting,
    /// It is still being taken.
    HeldBack,
    /// It is in an archive, and not where it came from.
    OnlyDownstream,
    /// Somebody lives with the gap.
    Acknowledged,
    /// No store has it.
    NeverTaken,
    /// Its number is too far from all others to be a run of the same series.
    Stray,
}

impl Cause {
    /// Every cause, the gravest first.
    pub const ALL: [Self; 12] = [
        Self::ContentDiffers,
        Self::MissingDownstream,
        Self::HalfImported,
        Self::Failed,
        Self::Interrupted,
        Self::Late,
        Self::Waiting,
        Self::HeldBack,
        Self::OnlyDownstream,
        Self::Acknowledged,
        Self::NeverTaken,
        Self::Stray,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContentDiffers => "content differs",
            Self::MissingDownstream => "missing downstream",
            Self::HalfImported => "half-imported",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Late => "late",
            Self::Waiting => "waiting",
            Self::HeldBack => "held back",
            Self::OnlyDownstream => "only downstream",
            Self::Acknowledged => "acknowledged",
            Self::NeverTaken => "never taken",
            Self::Stray => "stray",
        }
    }

    /// What it means, in one sentence without a full stop.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ContentDiffers => "a copy holds something else than was archived",
            Self::MissingDownstream => "it was archived, and is not there any more",
            Self::HalfImported => "artdaqDB holds a part of it; the import completes it",
            Self::Failed => "an execution gave it up; it is in the failure log",
            Self::Interrupted => "an execution works on it, or died over it; the next one settles it",
            Self::Late => "it appeared below the mark, and is in no failure log yet",
            Self::Waiting => "the next execution takes it",
            Self::HeldBack => "it is still being taken",
            Self::OnlyDownstream => "it is in an archive, and not where it came from",
            Self::Acknowledged => "somebody has acknowledged that it is missing",
            Self::NeverTaken => "no store has it",
            Self::Stray => "its number is too far from all others to be a run of the same series",
        }
    }
}

/// Runs with the same cause in the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Why.
    pub cause: Cause,
    /// Where they should be, or, of [`Cause::Stray`], where they should not be.
    pub missing_in: Store,
    /// Which.
    pub runs: RunSet,
}

/// Takes runs away from what is left, one rule after the other.
struct Sieve {
    missing_in: Store,
    left: RunSet,
    groups: Vec<Group>,
}

impl Sieve {
    fn new(missing_in: Store, left: RunSet) -> Self {
        Self { missing_in, left, groups: Vec::new() }
    }

    fn take(&mut self, cause: Cause, runs: &RunSet) -> &mut Self {
        let taken = self.left.intersection(runs);
        if !taken.is_empty() {
            self.left = self.left.difference(&taken);
            self.groups.push(Group { cause, missing_in: self.missing_in, runs: taken });
        }
        self
    }

    fn rest(mut self, cause: Cause) -> Vec<Group> {
        let left = self.left.clone();
        self.take(cause, &left);
        self.groups
    }
}

/// Every run that is not where it should be, grouped by cause and place, the gravest first.
///
/// `differing` are the runs of which a verification has found that their content differs.
pub(super) fn causes(facts: &Facts, strays: &RunSet, differing: &RunSet) -> Vec<Group> {
    let believed = |store| facts.believed(store).map(|runs: RunSet| runs.difference(strays));
    let (records, artdaq, ucon) = (believed(Store::Records), believed(Store::Artdaq), believed(Store::Ucon));
    let complete = artdaq.as_ref().and_then(|_| facts.artdaq.as_ref().ok());
    let complete = complete.map(|imported| imported.complete.difference(strays));
    let mut groups = stray_groups(facts, strays);
    let mut found = differing.clone();
    if !differing.is_empty() {
        let runs = differing.clone();
        groups.push(Group { cause: Cause::ContentDiffers, missing_in: Store::Ucon, runs });
    }
    if let (Some(records), Some(artdaq), Some(complete)) = (&records, &artdaq, &complete) {
        let open = records.union(artdaq).difference(complete).difference(&found);
        let partial = artdaq.difference(complete);
        groups.extend(stage_causes(facts, Stage::Import, open.clone(), complete, &partial));
        found = found.union(&open);
    }
    if let (Some(complete), Some(ucon)) = (&complete, &ucon) {
        let open = complete.difference(ucon).difference(&found);
        groups.extend(stage_causes(facts, Stage::Migrate, open.clone(), ucon, &RunSet::new()));
        found = found.union(&open);
    }
    if let (Some(records), Some(artdaq), Some(ucon)) = (&records, &artdaq, &ucon) {
        let below_artdaq = ucon.difference(artdaq).difference(&found);
        groups.extend(Sieve::new(Store::Artdaq, below_artdaq.clone()).rest(Cause::OnlyDownstream));
        found = found.union(&below_artdaq);
        let below_disk = artdaq.difference(records).difference(&found);
        groups.extend(Sieve::new(Store::Records, below_disk).rest(Cause::OnlyDownstream));
        groups.extend(nowhere(facts, strays, &records.union(artdaq).union(ucon)));
    }
    groups.sort_by_key(|group| (group.cause, group.missing_in));
    groups
}

fn stray_groups(facts: &Facts, strays: &RunSet) -> Vec<Group> {
    let group = |missing_in| {
        let runs = facts.runs(missing_in)?.intersection(strays);
        (!runs.is_empty()).then_some(Group { cause: Cause::Stray, missing_in, runs })
    };
    Store::ALL.into_iter().filter_map(group).collect()
}

/// What keeps runs of a stage's source out of its destination.
fn stage_causes(facts: &Facts, stage: Stage, open: RunSet, destination: &RunSet, partial: &RunSet) -> Vec<Group> {
    let (known, history) = of_stage(facts.stage(stage));
    let acknowledged = facts.acknowledged.clone().unwrap_or_default();
    let first = destination.union(&history.archived).first().unwrap_or_default();
    // From the lowest run that ever was archived to the contiguous mark all were.
    let covered = between(&open, first, known.marks.last_contiguous_run);
    let was_archived = covered.union(&history.archived);
    let below_mark = open.up_to(known.marks.incremental_start());
    // What the next execution takes is no gap yet, however much somebody has acknowledged.
    let lived_without = acknowledged.intersection(&below_mark.union(&known.failed));
    let mut sieve = Sieve::new(if stage == Stage::Import { Store::Artdaq } else { Store::Ucon }, open);
    sieve
        .take(Cause::Acknowledged, &lived_without)
        .take(Cause::HalfImported, partial)
        .take(Cause::Interrupted, &known.in_flight)
        .take(Cause::Failed, &known.failed)
        .take(Cause::MissingDownstream, &was_archived)
        .take(Cause::HeldBack, &known.held)
        .take(Cause::Late, &below_mark);
    sieve.rest(Cause::Waiting)
}

/// State and history of a stage; what could not be read tells nothing.
fn of_stage(facts: &StageFacts) -> (StageSnapshot, StageHistory) {
    (facts.state.clone().unwrap_or_default(), facts.history.clone().unwrap_or_default())
}

/// Numbers within the series that no store has.
fn nowhere(facts: &Facts, strays: &RunSet, all: &RunSet) -> Vec<Group> {
    let (import, import_history) = of_stage(&facts.import);
    let (migrate, migrate_history) = of_stage(&facts.migrate);
    let acknowledged = facts.acknowledged.clone().unwrap_or_default();
    let was_archived = import_history.archived.union(&migrate_history.archived);
    let failed = import.failed.union(&migrate.failed);
    // A run may also be gone from all stores at the end of the series.
    let vanished = was_archived.union(&failed).difference(all).difference(strays);
    let mut sieve = Sieve::new(Store::Records, all.gaps().union(&vanished));
    sieve
        .take(Cause::Acknowledged, &acknowledged)
        .take(Cause::MissingDownstream, &was_archived)
        .take(Cause::Failed, &failed);
    sieve.rest(Cause::NeverTaken)
}
