//! Failure rehearsal: stores that leave runs alone, or fail, by a seeded choice.
//!
//! For people who want to see what happens when something happens: their alarms, the failure log, the retry. The
//! stages do not know of it; they are given wrapped stores. Only the first storing of a run is rehearsed
//! ([`ConfigStore::insert`], [`BlobStore::put`]); second passes, new versions and everything that reads are let
//! through, as in the Python archiver.
//!
//! # Promises
//!
//! 1. What happens to an attempt depends on the seed, the stage, the run and the number of the attempt, and on nothing
//!    else.
//! 2. No run is reported as stored that is not: a run that was left alone is a failure, in the failure log if it stays
//!    one. (The Python archiver counts it as archived.)
//! 3. Of the attempts that fail, half fail before the store was asked, half after it has done its work, as when an
//!    answer is lost.
//! 4. Every reason begins with `rehearsal of failures:`.
//!
//! # What is absent
//!
//! Failing listings, slow stores, damaged content.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use artdaq_db::{Amended, ConfigError, ConfigStore, ErrorClass as ConfigClass, Export, Inserted, Refused, RunEntry};
use async_trait::async_trait;
use run_record::prepare::PreparedRun;
use run_state::RunNumber;
use ucon_db::{BlobError, BlobInfo, BlobStore, ErrorClass, Receipt, VersionInfo};

use crate::event::Stage;

/// What is to go wrong, and how often.
///
/// ```
/// use run_pipeline::{Fate, Rehearsal, Stage};
/// let rehearsal = Rehearsal { skip_percent: 100, ..Rehearsal::default() };
/// assert_eq!(rehearsal.fate(Stage::Import, 100.into(), 1), Fate::Skipped);
/// assert_eq!(Rehearsal::default().fate(Stage::Import, 100.into(), 1), Fate::Goes);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rehearsal {
    /// The same seed gives the same failures.
    pub seed: u64,
    /// How many of a hundred attempts are left out (`random_skip_percent`).
    pub skip_percent: u8,
    /// Whether a run that was left out once is left out until the program ends (`random_skip_retry`, which despite its
    /// name means that in the Python archiver, too). Otherwise each attempt has its own chance.
    pub is_skip_final: bool,
    /// How many of a hundred attempts fail (`random_error_percent`).
    pub error_percent: u8,
    /// Likewise for those that fail (`random_error_retry`).
    pub is_error_final: bool,
}

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes through.
    Goes,
    /// The store is not asked.
    Skipped,
    /// It fails before the store is asked.
    FailsBefore,
    /// The store does it, and the answer is lost.
    AnswerLost,
}

impl Rehearsal {
    /// Whether anything is rehearsed at all.
    pub const fn is_on(&self) -> bool {
        self.skip_percent > 0 || self.error_percent > 0
    }

    /// What becomes of the `attempt`-th attempt, counted from 1, to store a run.
    pub fn fate(&self, stage: Stage, run: RunNumber, attempt: u32) -> Fate {
        // What is final is the same for all attempts.
        let of = |is_final| if is_final { 0 } else { attempt };
        if self.draw(stage, run, of(self.is_skip_final), 1) % 100 < u64::from(self.skip_percent) {
            return Fate::Skipped;
        }
        if self.draw(stage, run, of(self.is_error_final), 2) % 100 >= u64::from(self.error_percent) {
            return Fate::Goes;
        }
        // What is final has not been done: that would be no failure the next time.
        let is_lost = !self.is_error_final && self.draw(stage, run, attempt, 3) % 2 == 1;
        if is_lost { Fate::AnswerLost } else { Fate::FailsBefore }
    }

    fn draw(&self, stage: Stage, run: RunNumber, attempt: u32, question: u64) -> u64 {
        let stage = match stage {
            Stage::Import => 1,
            Stage::Migrate => 2,
        };
        [stage, run.get(), attempt.into(), question].into_iter().fold(mixed(self.seed), |sum, part| mixed(sum ^ part))
    }

    /// Why an attempt failed, and whether another one makes sense; `None` if it is to go through.
    fn reason(&self, fate: Fate) -> Option<(String, bool)> {
        let (what, is_final) = match fate {
            Fate::Goes => return None,
            Fate::Skipped => ("the run was left alone", self.is_skip_final),
            Fate::FailsBefore => ("the store was not reached", self.is_error_final),
            Fate::AnswerLost => ("the answer of the store was lost", false),
        };
        Some((format!("rehearsal of failures: {what}"), is_final))
    }
}

/// `5 % of the attempts are skipped, 10 % fail (for good); seed 7`.
impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |is_final| if is_final { " (for good)" } else { "" };
        let Self { seed, skip_percent, is_skip_final, error_percent, is_error_final } = self;
        write!(f, "{skip_percent} % of the attempts are skipped{}, ", word(*is_skip_final))?;
        write!(f, "{error_percent} % fail{}; seed {seed}", word(*is_error_final))
    }
}

/// The finalizer of `SplitMix64`: neighbouring numbers go far apart.
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A store with a rehearsal around it.
struct Rehearsed<S: ?Sized> {
    inner: Arc<S>,
    rehearsal: Rehearsal,
    stage: Stage,
    attempts: Mutex<BTreeMap<RunNumber, u32>>,
}

impl<S: ?Sized> Rehearsed<S> {
    fn new(inner: Arc<S>, rehearsal: Rehearsal, stage: Stage) -> Self {
        Self { inner, rehearsal, stage, attempts: Mutex::default() }
    }

    /// What becomes of the next attempt to store a run.
    fn next(&self, run: RunNumber) -> Fate {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts.entry(run).or_default();
        *attempt += 1;
        self.rehearsal.fate(self.stage, run, *attempt)
    }
}

/// An artdaqDB with a rehearsal around it.
pub struct FuzzyConfigStore(Rehearsed<dyn ConfigStore>);

impl FuzzyConfigStore {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn ConfigStore>, rehearsal: Rehearsal) -> Self {
        Self(Rehearsed::new(inner, rehearsal, Stage::Import))
    }
}

impl fmt::Debug for FuzzyConfigStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FuzzyConfigStore").field(&self.0.rehearsal).finish()
    }
}

#[async_trait]
impl ConfigStore for FuzzyConfigStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
        self.0.inner.runs().await
    }

    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
        let fates: Vec<Fate> = batch.iter().map(|prepared| self.0.next(prepared.run)).collect();
        let is_asked = |fate: Fate| matches!(fate, Fate::Goes | Fate::AnswerLost);
        let asked: Arc<[PreparedRun]> =
            batch.iter().zip(&fates).filter(|(_, fate)| is_asked(**fate)).map(|(run, _)| run.clone()).collect();
        let answers = if asked.is_empty() { Vec::new() } else { self.0.inner.insert(asked).await? };
        let mut answers = answers.into_iter();
        let mut outcomes = Vec::with_capacity(fates.len());
        for fate in fates {
            let answer = if is_asked(fate) { answers.next() } else { None };
            outcomes.push(match (self.0.rehearsal.reason(fate), answer) {
                (None, Some(answer)) => answer,
                // The store has not said a word about it.
                (None, None) => continue,
                (Some((reason, is_final)), _) => {
                    let class = if is_final { ConfigClass::Permanent } else { ConfigClass::Transient };
                    Err(Refused::Rehearsed { reason, class })
                }
            });
        }
        Ok(outcomes)
    }

    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
        self.0.inner.amend(batch).await
    }

    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError> {
        self.0.inner.export(run).await
    }
}

/// A UconDB with a rehearsal around it.
pub struct FuzzyBlobStore(Rehearsed<dyn BlobStore>);

impl FuzzyBlobStore {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn BlobStore>, rehearsal: Rehearsal) -> Self {
        Self(Rehearsed::new(inner, rehearsal, Stage::Migrate))
    }
}

impl fmt::Debug for FuzzyBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FuzzyBlobStore").field(&self.0.rehearsal).finish()
    }
}

#[async_trait]
impl BlobStore for FuzzyBlobStore {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError> {
        self.0.inner.runs().await
    }

    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        let fate = self.0.next(run);
        let Some((reason, is_final)) = self.0.rehearsal.reason(fate) else {
            return self.0.inner.put(run, bytes).await;
        };
        if fate == Fate::AnswerLost {
            self.0.inner.put(run, bytes).await?;
        }
        // What is final is a failure of the run, not of the store: it must not stop the stage.
        let class = if is_final { ErrorClass::Conflict } else { ErrorClass::Transient };
        Err(BlobError::Rehearsed { reason, class })
    }

    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        self.0.inner.put_version(run, bytes).await
    }

    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        self.0.inner.get(run).await
    }

    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError> {
        self.0.inner.versions(run).await
    }
}
