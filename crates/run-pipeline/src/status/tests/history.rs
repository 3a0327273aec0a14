//! Ten thousand random histories of three stores, with what went wrong planted by hand.
//!
//! The oracle does not look at the stores: it knows of every number what was planted there.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use run_state::{Marks, RunNumber, RunSet};
use ucon_db::BlobInfo;

use super::super::{
    Analysis, Cause, Digest, Facts, FailureStory, Imported, MarkCheck, StageFacts, StageHistory, Store, Verification,
    Weight, analyse, verify_receipts,
};
use crate::{
    Counts, Holdings, Stage, StageError, StageOptions, StageSnapshot,
    plan::{Listing, Plan},
};

/// What became of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Plant {
    /// No run was taken.
    Skipped,
    /// Archived, and still there.
    Sound,
    /// Archived, and gone from the disk.
    Cleaned,
    /// Archived in both, and gone from artdaqDB.
    LostInArtdaq,
    /// Archived in both, and gone from UconDB.
    LostInUcon,
    /// Archived in both, and gone from everywhere.
    LostEverywhere,
    /// Archived in both, and UconDB holds other bytes now.
    Corrupt,
    Half,
    HalfAndLogged,
    FailedImport,
    FailedMigrate,
    CutImport,
    CutMigrate,
    /// A directory that appeared after the mark had passed its number.
    LateDirectory,
    /// Somebody imported it by hand after the migration had passed its number.
    LateInArtdaq,
    /// Somebody put it into UconDB by hand.
    Extra,
    AcknowledgedNumber,
    AcknowledgedFailure,
}

use Plant as P;

impl Plant {
    /// Whether import and migration have brought it to its end, at the time.
    const fn was_archived(self) -> bool {
        matches!(self, P::Sound | P::Cleaned | P::LostInArtdaq | P::LostInUcon | P::LostEverywhere | P::Corrupt)
    }

    const fn was_imported(self) -> bool {
        self.was_archived() || matches!(self, P::FailedMigrate | P::CutMigrate)
    }

    const fn is_on_disk(self) -> bool {
        !matches!(self, P::Skipped | P::Cleaned | P::LostEverywhere | P::Extra | P::AcknowledgedNumber)
    }

    const fn is_complete(self) -> bool {
        matches!(
            self,
            P::Sound | P::Cleaned | P::LostInUcon | P::Corrupt | P::FailedMigrate | P::CutMigrate | P::LateInArtdaq
        )
    }

    const fn is_in_ucon(self) -> bool {
        matches!(self, P::Sound | P::Cleaned | P::LostInArtdaq | P::Corrupt | P::Extra)
    }

    /// The cause that must be found, where the run should be, and how grave that is.
    const fn expected(self) -> Option<(Cause, Store, Weight)> {
        Some(match self {
            P::Sound => return None,
            P::Skipped => (Cause::NeverTaken, Store::Records, Weight::Fine),
            P::Cleaned => (Cause::OnlyDownstream, Store::Records, Weight::Fine),
            P::LostInArtdaq => (Cause::MissingDownstream, Store::Artdaq, Weight::Wrong),
            P::LostInUcon => (Cause::MissingDownstream, Store::Ucon, Weight::Wrong),
            P::LostEverywhere => (Cause::MissingDownstream, Store::Records, Weight::Wrong),
            P::Corrupt => (Cause::ContentDiffers, Store::Ucon, Weight::Wrong),
            P::Half | P::HalfAndLogged => (Cause::HalfImported, Store::Artdaq, Weight::Work),
            P::FailedImport => (Cause::Failed, Store::Artdaq, Weight::Work),
            P::FailedMigrate => (Cause::Failed, Store::Ucon, Weight::Work),
            P::CutImport => (Cause::Interrupted, Store::Artdaq, Weight::Work),
            P::CutMigrate => (Cause::Interrupted, Store::Ucon, Weight::Work),
            P::LateDirectory => (Cause::Late, Store::Artdaq, Weight::Work),
            P::LateInArtdaq => (Cause::Late, Store::Ucon, Weight::Work),
            P::Extra => (Cause::OnlyDownstream, Store::Artdaq, Weight::Wrong),
            P::AcknowledgedNumber => (Cause::Acknowledged, Store::Records, Weight::Fine),
            P::AcknowledgedFailure => (Cause::Acknowledged, Store::Artdaq, Weight::Fine),
        })
    }
}

fn plant() -> impl Strategy<Value = Plant> {
    prop_oneof![
        30 => Just(P::Sound),
        3 => Just(P::Skipped),
        1 => Just(P::Cleaned),
        1 => Just(P::LostInArtdaq),
        1 => Just(P::LostInUcon),
        1 => Just(P::LostEverywhere),
        1 => Just(P::Corrupt),
        1 => Just(P::Half),
        1 => Just(P::HalfAndLogged),
        2 => Just(P::FailedImport),
        2 => Just(P::FailedMigrate),
        1 => Just(P::CutImport),
        1 => Just(P::CutMigrate),
        1 => Just(P::LateDirectory),
        1 => Just(P::LateInArtdaq),
        1 => Just(P::Extra),
        1 => Just(P::AcknowledgedNumber),
        1 => Just(P::AcknowledgedFailure),
    ]
}

/// What stands above the marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fresh {
    New,
    Held,
}

#[derive(Debug, Clone)]
struct History {
    first: u64,
    plants: Vec<Plant>,
    fresh: Vec<Fresh>,
    stray: Option<u64>,
    /// Which store's listing broke off, and after how many per cent.
    truncated: Option<(Store, u64)>,
}

fn history() -> impl Strategy<Value = History> {
    let fresh = proptest::collection::vec(prop_oneof![3 => Just(Fresh::New), 1 => Just(Fresh::Held)], 0..6);
    let stores = prop_oneof![Just(Store::Records), Just(Store::Artdaq), Just(Store::Ucon)];
    (
        1_u64..20_000,
        proptest::collection::vec(plant(), 0..40),
        fresh,
        proptest::option::weighted(
            0.1,
            prop_oneof![Just(2_026_020_110_u64), Just(u64::MAX), 20_000_000..30_000_000_u64],
        ),
        proptest::option::weighted(0.2, (stores, 0_u64..89)),
    )
        .prop_map(|(first, plants, fresh, stray, truncated)| History {
            first,
            plants: as_documented(plants),
            fresh,
            stray,
            truncated,
        })
}

/// Below the lowest archived run nobody puts one by hand: it would be taken for the beginning of what the contiguous
/// mark covers, and what is late above it for lost.
fn as_documented(mut plants: Vec<Plant>) -> Vec<Plant> {
    let first = |is_done: fn(Plant) -> bool, plants: &[Plant]| plants.iter().position(|plant| is_done(*plant));
    let (imported, archived) = (first(Plant::was_imported, &plants), first(Plant::was_archived, &plants));
    for (index, plant) in plants.iter_mut().enumerate() {
        match plant {
            P::LateInArtdaq if imported.is_none_or(|first| index < first) => *plant = P::LateDirectory,
            P::Extra if archived.is_none_or(|first| index < first) => *plant = P::Skipped,
            _ => {}
        }
    }
    plants
}

impl History {
    fn numbered(&self) -> impl Iterator<Item = (RunNumber, Plant)> + '_ {
        (self.first..).map(RunNumber::new).zip(self.plants.iter().copied())
    }

    fn which(&self, is_chosen: impl Fn(Plant) -> bool) -> RunSet {
        self.numbered().filter(|(_, plant)| is_chosen(*plant)).map(|(run, _)| run).collect()
    }

    fn fresh_runs(&self) -> impl Iterator<Item = (RunNumber, Fresh)> + '_ {
        let first = self.first + self.plants.len() as u64;
        (first..).map(RunNumber::new).zip(self.fresh.iter().copied())
    }

    /// The marks as they were when everything was still in its place.
    fn marks(&self, is_done: impl Fn(Plant) -> bool, was_tried: impl Fn(Plant) -> bool) -> Marks {
        let done = self.which(&is_done);
        let passable =
            done.union(&self.which(|plant| plant == P::AcknowledgedNumber || plant == P::AcknowledgedFailure));
        let mut contiguous = done.first().unwrap_or_default();
        while let Some(next) = Some(RunNumber::new(contiguous.get() + 1)).filter(|next| passable.contains(*next)) {
            contiguous = next;
        }
        let contiguous = done.up_to(contiguous).last().unwrap_or_default();
        Marks::new(contiguous, self.which(was_tried).last().unwrap_or_default())
    }

    fn stage(&self, stage: Stage) -> (StageSnapshot, StageHistory) {
        let (is_done, failed, cut): (fn(Plant) -> bool, &[Plant], Plant) = match stage {
            Stage::Import => {
                (Plant::was_imported, &[P::HalfAndLogged, P::FailedImport, P::AcknowledgedFailure], P::CutImport)
            }
            Stage::Migrate => (Plant::was_archived, &[P::FailedMigrate], P::CutMigrate),
        };
        let was_tried = |plant| {
            is_done(plant) || failed.contains(&plant) || plant == cut || stage == Stage::Import && plant == P::Half
        };
        let failed = self.which(|plant| failed.contains(&plant));
        let held = self.fresh_runs().filter(|(_, fresh)| *fresh == Fresh::Held && stage == Stage::Import);
        let known = StageSnapshot {
            marks: self.marks(is_done, was_tried),
            failed: failed.clone(),
            in_flight: self.which(|plant| plant == cut),
            held: held.map(|(run, _)| run).collect(),
            ..StageSnapshot::default()
        };
        let story = FailureStory { times: 2, last_reason: "malformed".into(), last_at: chrono::DateTime::UNIX_EPOCH };
        let history = StageHistory {
            archived: self.which(is_done),
            failures: failed.iter().map(|run| (run, story.clone())).collect(),
            recent: Vec::new(),
        };
        (known, history)
    }

    fn facts(&self) -> Facts {
        let mut records = self.which(Plant::is_on_disk);
        records.extend(self.fresh_runs().map(|(run, _)| run));
        records.extend(self.stray.map(RunNumber::new));
        let complete = self.which(Plant::is_complete);
        let partial = self.which(|plant| plant == P::Half || plant == P::HalfAndLogged);
        let ucon = self.which(Plant::is_in_ucon);
        let (mut import, import_history) = self.stage(Stage::Import);
        let (mut migrate, migrate_history) = self.stage(Stage::Migrate);
        let artdaq = complete.union(&partial);
        import.counts = Some(Counts::new(records.len(), artdaq.len()));
        migrate.counts = Some(Counts::new(artdaq.len(), ucon.len()));
        Facts {
            records: Ok(records),
            artdaq: Ok(Imported { complete, partial }),
            ucon: Ok(ucon),
            import: StageFacts { state: Ok(import), history: Ok(import_history) },
            migrate: StageFacts { state: Ok(migrate), history: Ok(migrate_history) },
            acknowledged: Ok(self.which(|plant| plant == P::AcknowledgedNumber || plant == P::AcknowledgedFailure)),
            max_shrink_percent: 10,
        }
    }

    /// Receipts: of everything in UconDB its size, and what the migration wrote down.
    fn verification(&self) -> Verification {
        let digest = |run: RunNumber| Digest::of(run.to_string().as_bytes());
        let digests = self.which(Plant::was_archived).iter().map(|run| (run, digest(run))).collect();
        let corrupt = self.which(|plant| plant == P::Corrupt);
        let info = |run: RunNumber| BlobInfo {
            size_bytes: digest(run).size_bytes,
            adler32: digest(run).adler32 ^ u32::from(corrupt.contains(run)),
        };
        let listing = self.which(Plant::is_in_ucon).iter().map(|run| (run, info(run))).collect();
        let verification = verify_receipts(&listing, &digests);
        assert_eq!(verification.unknown, self.which(|plant| plant == P::Extra));
        verification
    }

    /// What must be found: by run, the cause and the place.
    fn expected(&self) -> BTreeMap<RunNumber, (Cause, Store, Weight)> {
        let known: BTreeSet<RunNumber> = self
            .numbered()
            .filter(|(_, plant)| plant.is_on_disk() || plant.is_complete() || plant.is_in_ucon())
            .map(|(run, _)| run)
            .chain(self.fresh_runs().map(|(run, _)| run))
            .collect();
        // Nobody can know of a number outside of the series.
        let is_inside = |run: RunNumber| known.first().is_some_and(|first| run > *first) && known.last() > Some(&run);
        let mut expected = BTreeMap::new();
        for (run, plant) in self.numbered() {
            let is_unknowable = matches!(plant, P::Skipped | P::AcknowledgedNumber) && !is_inside(run);
            if let Some(cause) = plant.expected().filter(|_| !is_unknowable) {
                expected.insert(run, cause);
            }
        }
        for (run, fresh) in self.fresh_runs() {
            let cause = match fresh {
                Fresh::New => (Cause::Waiting, Store::Artdaq, Weight::Work),
                Fresh::Held => (Cause::HeldBack, Store::Artdaq, Weight::Fine),
            };
            expected.insert(run, cause);
        }
        // A run is only late if the mark has passed it; else the next execution takes it anyhow.
        for (plant, stage) in [(P::LateDirectory, Stage::Import), (P::LateInArtdaq, Stage::Migrate)] {
            let mark = self.stage(stage).0.marks.incremental_start();
            for run in self.which(|other| other == plant).iter().filter(|run| *run > mark) {
                if let Some(cause) = expected.get_mut(&run) {
                    cause.0 = Cause::Waiting;
                }
            }
        }
        // A stray is one only where there is something from which it is far.
        if let (Some(stray), false) = (self.stray, known.is_empty()) {
            expected.insert(stray.into(), (Cause::Stray, Store::Records, Weight::Work));
        } else if let Some(only) = self.stray {
            expected.insert(only.into(), (Cause::Waiting, Store::Artdaq, Weight::Work));
        }
        expected
    }
}

fn found(analysis: &Analysis) -> BTreeMap<RunNumber, (Cause, Store, Weight)> {
    let mut found = BTreeMap::new();
    for group in &analysis.groups {
        for run in group.runs.iter() {
            let again = found.insert(run, (group.cause, group.missing_in, group.weight()));
            assert_eq!(again, None, "run {run} has two causes");
        }
    }
    found
}

/// Breaks off a listing; says whether that is implausible.
fn truncate(facts: &mut Facts, store: Store, percent: u64) -> bool {
    let all = facts.runs(store).unwrap();
    let kept: RunSet = all.iter().take(usize::try_from(all.len() * percent / 100).unwrap()).collect();
    match store {
        Store::Records => facts.records = Ok(kept.clone()),
        Store::Artdaq => {
            let imported = facts.artdaq.as_mut().unwrap();
            imported.complete = imported.complete.intersection(&kept);
            imported.partial = imported.partial.intersection(&kept);
        }
        Store::Ucon => facts.ucon = Ok(kept.clone()),
    }
    (all.len() - kept.len()) * 100 > all.len() * 10
}

/// What a stage decides about the listing before it touches anything.
fn is_refused(facts: &Facts, stage: Stage) -> bool {
    let artdaq = facts.artdaq.clone().unwrap();
    let present = facts.runs(if stage == Stage::Import { Store::Artdaq } else { Store::Ucon }).unwrap();
    let source = facts.runs(if stage == Stage::Import { Store::Records } else { Store::Artdaq }).unwrap();
    let holdings = match stage {
        Stage::Import => Holdings { available: source.clone(), complete: artdaq.complete },
        Stage::Migrate => Holdings { available: artdaq.complete, complete: present.clone() },
    };
    let listing =
        Listing { holdings, source_runs: source.len(), present, held: BTreeMap::new(), turns: BTreeMap::new() };
    let known = facts.stage(stage).state.clone().unwrap();
    let plan = Plan::new(stage, known, &listing, &StageOptions::default(), "counts".into());
    matches!(plan, Err(StageError::Shrunk { .. }))
}

fn check_truncated(history: &History, facts: &mut Facts, store: Store, percent: u64) {
    let all_expected = history.expected();
    if !truncate(facts, store, percent) {
        return;
    }
    for stage in [Stage::Import, Stage::Migrate] {
        let concerns = match stage {
            Stage::Import => store != Store::Ucon,
            Stage::Migrate => store != Store::Records,
        };
        assert_eq!(is_refused(facts, stage), concerns, "{stage} with {store} cut short");
    }
    let analysis = analyse(facts, Some(&history.verification()));
    assert_eq!(analysis.weight, Weight::Wrong);
    for (run, (cause, place, _)) in &found(&analysis) {
        let sees_it = match (cause, place) {
            (Cause::ContentDiffers | Cause::Stray, _) => true,
            // These follow from all three listings.
            (Cause::OnlyDownstream, _) | (_, Store::Records) => false,
            (_, Store::Artdaq) => store == Store::Ucon,
            (_, Store::Ucon) => store == Store::Records,
        };
        assert!(sees_it, "{cause:?} of run {run} follows from a listing that cannot be believed");
        // What is concluded nevertheless must be right.
        assert_eq!(all_expected.get(run).map(|expected| expected.0), Some(*cause), "run {run}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cause_is_found_and_no_other(history in history()) {
        let mut facts = history.facts();
        let expected = history.expected();
        let analysis = analyse(&facts, Some(&history.verification()));
        prop_assert_eq!(&found(&analysis), &expected);
        let gravest = expected.values().map(|(.., weight)| *weight).max().unwrap_or(Weight::Fine);
        prop_assert_eq!(analysis.weight, gravest.max(state_weight(&history, &analysis)));
        if let Some((store, percent)) = history.truncated {
            check_truncated(&history, &mut facts, store, percent);
        }
    }
}

/// What the state adds to the causes.
fn state_weight(history: &History, analysis: &Analysis) -> Weight {
    for state in &analysis.states {
        // Nobody has moved a mark by hand: one that is ahead stands above runs that were lost.
        let is_lost = |plant| matches!(plant, P::LostInArtdaq | P::LostInUcon | P::LostEverywhere);
        let is_ahead = state.contiguous == MarkCheck::Ahead || state.attempted == MarkCheck::Ahead;
        assert!(!is_ahead || !history.which(is_lost).is_empty(), "{state:?}");
        // And one that is behind stands below runs that somebody brought in by hand, or below the lowest since the
        // lowest of all is lost.
        let is_behind = state.contiguous == MarkCheck::Behind || state.attempted == MarkCheck::Behind;
        let by_hand = |plant| matches!(plant, P::Extra | P::LateInArtdaq);
        assert!(!is_behind || !history.which(|plant| by_hand(plant) || is_lost(plant)).is_empty(), "{state:?}");
        // Half-imported runs that no log mentions are what the log should have.
        let unlogged =
            |plant| matches!(plant, P::Half | P::LateDirectory | P::LateInArtdaq | P::LostInArtdaq | P::LostInUcon);
        assert!(history.which(unlogged).union(&state.not_logged) == history.which(unlogged), "{state:?}");
        assert!(state.logged_and_present.is_empty() && state.logged_without_source.is_empty(), "{state:?}");
    }
    analysis.states.iter().map(super::super::StateCheck::weight).max().unwrap_or(Weight::Fine)
}
