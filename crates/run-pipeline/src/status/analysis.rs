//! All of it together: the stores, the causes, the state, how grave it is, and what is to be done.

use run_state::RunSet;

use super::{
    causes::{Cause, Group, causes},
    compare::{StateCheck, compare},
    facts::{Facts, Store, Unreadable},
    verify::Verification,
};
use crate::{event::Stage, strays::strays};

/// How grave something is. An archive is as grave as the gravest thing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// As it should be, or something to live with.
    Fine,
    /// The program, or somebody, has something to do.
    Work,
    /// Something contradicts something else, or could not be read.
    Wrong,
}

impl Cause {
    /// How grave it is that runs are missing for this cause.
    ///
    /// Runs that are complete in both archives and gone from the disk are fine: disks are cleaned. See
    /// [`Group::weight`].
    pub const fn weight(self) -> Weight {
        match self {
            Self::ContentDiffers | Self::MissingDownstream | Self::OnlyDownstream => Weight::Wrong,
            Self::HalfImported | Self::Failed | Self::Interrupted | Self::Late | Self::Waiting | Self::Stray => {
                Weight::Work
            }
            Self::HeldBack | Self::Acknowledged | Self::NeverTaken => Weight::Fine,
        }
    }
}

impl Group {
    /// How grave it is.
    pub fn weight(&self) -> Weight {
        match (self.cause, self.missing_in) {
            (Cause::OnlyDownstream, Store::Records) => Weight::Fine,
            (cause, _) => cause.weight(),
        }
    }
}

/// What one store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreReport {
    /// Which.
    pub store: Store,
    /// Its runs, strays apart, or why nothing is known.
    pub runs: Result<RunSet, Unreadable>,
    /// Of these, the runs that are there in part.
    pub partial: RunSet,
    /// Runs far from all others.
    pub strays: RunSet,
    /// The last known count, where the listing lost more than is plausible: nothing is concluded from it then.
    pub shrunk_from_runs: Option<u64>,
}

impl StoreReport {
    /// The numbers that are missing between its lowest and its highest run.
    pub fn gaps(&self) -> RunSet {
        self.runs.as_ref().map(RunSet::gaps).unwrap_or_default()
    }

    /// How grave it is.
    pub fn weight(&self) -> Weight {
        if self.runs.is_err() || self.shrunk_from_runs.is_some() { Weight::Wrong } else { Weight::Fine }
    }
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// A store could not be read, or lists too little.
    LookAt(Store),
    /// A part of the state could not be read: the stage's state is to be rebuilt.
    RebuildState(Stage),
    /// Another part could not be read; what is wrong with it is said elsewhere.
    Mend(&'static str),
    /// Marks are not where they should be.
    Recover(Stage),
    /// These runs are to be taken by the stage.
    Run(Stage, RunSet),
    /// These runs failed: remove the cause, then retry.
    Retry(Stage, RunSet),
    /// These are in UconDB and not in artdaqDB.
    FindRecords(RunSet),
    /// These differ from what was archived.
    Compare(RunSet),
    /// Nobody has these, and nobody has said so.
    Acknowledge(RunSet),
    /// These directories are no runs.
    MoveAway(RunSet),
}

/// The whole picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// The three stores, in the order of [`Store::ALL`].
    pub stores: Vec<StoreReport>,
    /// Every run that is not where it should be.
    pub groups: Vec<Group>,
    /// The states of import and migration; a stage is absent where its state or one of its sides is unknown.
    pub states: Vec<StateCheck>,
    /// What could not be read beside the stores: what it is, and why.
    pub unread: Vec<(&'static str, Unreadable)>,
    /// What is to be done.
    pub advice: Vec<Advice>,
    /// How grave it is, states included.
    pub weight: Weight,
}

/// Draws the conclusions. `verification` is the result of a look at contents, where there was one.
///
/// ```
/// use run_pipeline::status::{Cause, Facts, Imported, Weight, analyse};
/// let runs = |text: &str| text.parse().unwrap();
/// let facts = Facts {
///     records: Ok(runs("100-102, 105-108")),
///     artdaq: Ok(Imported { complete: runs("100-102, 105-107"), ..Imported::default() }),
///     ucon: Ok(runs("100-102, 105-107")),
///     ..Facts::default()
/// };
/// let analysis = analyse(&facts, None);
/// assert_eq!(analysis.runs_of(Cause::NeverTaken).to_string(), "103-104");
/// assert_eq!(analysis.runs_of(Cause::Waiting).to_string(), "108");
/// assert_eq!(analysis.weight, Weight::Work);
/// ```
pub fn analyse(facts: &Facts, verification: Option<&Verification>) -> Analysis {
    let seen = Store::ALL.into_iter().filter_map(|store| facts.runs(store));
    let strays = strays(&seen.fold(RunSet::new(), |all, runs| all.union(&runs)));
    let stores = Store::ALL.map(|store| store_report(facts, store, &strays)).to_vec();
    let differing = verification.map(Verification::differing).unwrap_or_default();
    let groups = causes(facts, &strays, &differing);
    let states: Vec<_> =
        [Stage::Import, Stage::Migrate].into_iter().filter_map(|stage| compare(facts, stage, &strays)).collect();
    let unread = unread(facts, verification);
    let mut analysis = Analysis { stores, groups, states, unread, advice: Vec::new(), weight: Weight::Fine };
    analysis.weight = analysis.weigh();
    analysis.advice = advice(facts, &analysis);
    analysis
}

impl Analysis {
    /// All runs with a cause, whatever the place.
    pub fn runs_of(&self, cause: Cause) -> RunSet {
        let of_cause = self.groups.iter().filter(|group| group.cause == cause);
        of_cause.fold(RunSet::new(), |all, group| all.union(&group.runs))
    }

    fn weigh(&self) -> Weight {
        let unread = if self.unread.is_empty() { Weight::Fine } else { Weight::Wrong };
        let stores = self.stores.iter().map(StoreReport::weight);
        let groups = self.groups.iter().map(Group::weight);
        let states = self.states.iter().map(StateCheck::weight);
        stores.chain(groups).chain(states).chain([unread]).max().unwrap_or(Weight::Fine)
    }
}

fn store_report(facts: &Facts, store: Store, strays: &RunSet) -> StoreReport {
    let error = match store {
        Store::Records => facts.records.as_ref().err(),
        Store::Artdaq => facts.artdaq.as_ref().err(),
        Store::Ucon => facts.ucon.as_ref().err(),
    };
    let all = facts.runs(store).unwrap_or_default();
    let partial = match (store, &facts.artdaq) {
        (Store::Artdaq, Ok(imported)) => imported.partial.difference(strays),
        _ => RunSet::new(),
    };
    StoreReport {
        store,
        runs: error.map_or_else(|| Ok(all.difference(strays)), |error| Err(error.clone())),
        partial,
        strays: all.intersection(strays),
        shrunk_from_runs: facts.shrunk(store).map(|(known, _)| known),
    }
}

/// The parts beside the stores that could not be read.
fn unread(facts: &Facts, verification: Option<&Verification>) -> Vec<(&'static str, Unreadable)> {
    let parts = [
        ("state of the import", facts.import.state.as_ref().err()),
        ("journal of the import", facts.import.history.as_ref().err()),
        ("state of the migration", facts.migrate.state.as_ref().err()),
        ("journal of the migration", facts.migrate.history.as_ref().err()),
        ("acknowledged gaps", facts.acknowledged.as_ref().err()),
        ("contents of UconDB", verification.and_then(|verification| verification.stopped.as_ref())),
    ];
    parts.into_iter().filter_map(|(name, error)| Some((name, error?.clone()))).collect()
}

fn advice(facts: &Facts, analysis: &Analysis) -> Vec<Advice> {
    let mut advice = Vec::new();
    advice.extend(
        analysis.stores.iter().filter(|store| store.weight() == Weight::Wrong).map(|store| Advice::LookAt(store.store)),
    );
    for stage in [Stage::Import, Stage::Migrate] {
        if facts.stage(stage).state.is_err() {
            advice.push(Advice::RebuildState(stage));
        }
    }
    let others = ["journal of the import", "journal of the migration", "acknowledged gaps"];
    let unread = analysis.unread.iter().map(|(name, _)| *name).filter(|name| others.contains(name));
    advice.extend(unread.map(Advice::Mend));
    let wrong_marks = analysis.states.iter().filter(|state| state.wants_recovery());
    advice.extend(wrong_marks.map(|state| Advice::Recover(state.stage)));
    let of = |causes: &[Cause], store: Store| {
        let groups = analysis.groups.iter();
        let chosen = groups.filter(|group| group.missing_in == store && causes.contains(&group.cause));
        chosen.fold(RunSet::new(), |all, group| all.union(&group.runs))
    };
    let to_run = [Cause::Waiting, Cause::Late, Cause::Interrupted, Cause::HalfImported, Cause::MissingDownstream];
    let failed_nowhere = of(&[Cause::Failed, Cause::MissingDownstream], Store::Records);
    let not_verified = |stage: Stage| {
        let state = analysis.states.iter().find(|state| state.stage == stage);
        state.map(|state| state.logged_and_present.clone()).unwrap_or_default()
    };
    let plans = [
        Advice::Run(Stage::Import, of(&to_run, Store::Artdaq)),
        Advice::Retry(Stage::Import, of(&[Cause::Failed], Store::Artdaq).union(&not_verified(Stage::Import))),
        Advice::Run(Stage::Migrate, of(&to_run, Store::Ucon)),
        Advice::Retry(Stage::Migrate, of(&[Cause::Failed], Store::Ucon).union(&not_verified(Stage::Migrate))),
        Advice::FindRecords(of(&[Cause::OnlyDownstream], Store::Artdaq)),
        Advice::Compare(analysis.runs_of(Cause::ContentDiffers)),
        Advice::Acknowledge(of(&[Cause::NeverTaken], Store::Records).union(&failed_nowhere)),
        Advice::MoveAway(of(&[Cause::Stray], Store::Records)),
    ];
    advice.extend(plans.into_iter().filter(|plan| !plan.runs().is_empty()));
    advice
}

impl Advice {
    /// The runs that it is about.
    pub fn runs(&self) -> RunSet {
        match self {
            Self::Run(_, runs)
            | Self::Retry(_, runs)
            | Self::FindRecords(runs)
            | Self::Compare(runs)
            | Self::Acknowledge(runs)
            | Self::MoveAway(runs) => runs.clone(),
            Self::LookAt(_) | Self::RebuildState(_) | Self::Mend(_) | Self::Recover(_) => RunSet::new(),
        }
    }
}
