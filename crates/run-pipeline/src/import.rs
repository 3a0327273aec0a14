//! Run directories to artdaqDB.
//!
//! Runs go in blocks, lowest first: noted as in flight, read and prepared side by side, stored with one
//! call (so that the store writes each index once a block), exported again and compared. While a block
//! is stored, the next one is prepared.

mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use artdaq_db::{ConfigStore, Export, Inserted};
use run_record::{hashes::HASHES_ENTITY, prepare::PreparedRun};
use run_state::{RunNumber, RunSet};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use self::plan::plan_import;
use self::plan::{Listed, held, list, settled};
use crate::{
    amend::{Amending, Candidates, has_stop_time},
    error::StageError,
    event::{EventKind, Observer, Stage},
    files::StageFiles,
    journal::Content,
    ledger::Change,
    plan::{StageOptions, turns},
    report::{Outcome, StageReport},
    retry::Failure,
    source::RecordSource,
    stage::{Run, Stopped, begin},
    whole::whole,
    workers::{blocking, side_by_side},
};

/// Runs stored with one call. More would spare index writes, and cost memory and a longer stop.
const BLOCK_RUNS: usize = 50;

/// Imports runs that are on disk and not in `store`.
///
/// When `cancel` is cancelled no further run is started, and those under way are finished. Gives the
/// state back, together with what came of it.
///
/// # Errors
///
/// When a side cannot be listed, or its listing is implausible: nothing has changed then. When the
/// state could not be saved: what was under way is settled by the next start.
pub async fn import(
    files: StageFiles,
    source: Arc<RecordSource>,
    store: Arc<dyn ConfigStore>,
    options: StageOptions,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> (StageFiles, Result<StageReport, StageError>) {
    let (now, clock) = (files.snapshot(), Arc::clone(files.clock()));
    let Listed { paths, mut listing, without_second_pass } = match list(&source, &*store).await {
        Ok(found) => found,
        Err(error) => return (files, Err(error)),
    };
    listing.turns = match turns(files.paths(), &now.failed, options.mode) {
        Ok(turns) => turns,
        Err(error) => return (files, Err(error.into())),
    };
    listing.held = held(&now, &listing, &options, &paths, clock.now()).await;
    let settled = settled(&listing, &now);
    let (run, opening) = match begin(files, Stage::Import, &listing, options, observer, cancel) {
        Ok(begun) => begun,
        Err(refusal) => return (refusal.files, Err(refusal.error)),
    };
    let import = Arc::new(Import { run: Arc::clone(&run), source, paths, store });
    let (blocks, inbox) = mpsc::channel(1);
    let prepared = prepare_blocks(Arc::clone(&import), blocks);
    let stored = store_blocks(Arc::clone(&import), inbox);
    // Errors are kept by the run; both ends stop by themselves.
    let _ = tokio::join!(prepared, stored);
    let candidates = Candidates { settled, unfinished: now.unfinished, without_second_pass };
    let amending = Amending { run: &run, source: &import.source, store: &*import.store, paths: &import.paths };
    // An error is kept by the run.
    let _ = amending.amend(&candidates, clock.now()).await;
    drop(import);
    opening.end(run).await
}

/// Everything that the workers of an import share.
struct Import {
    run: Arc<Run>,
    source: Arc<RecordSource>,
    paths: BTreeMap<RunNumber, PathBuf>,
    store: Arc<dyn ConfigStore>,
}

/// Runs that are ready to be stored, lowest first.
type Block = Vec<(RunNumber, PreparedRun)>;

/// What came of an attempt to store a block.
struct Attempt {
    /// The runs that are not archived, lowest first.
    failed: Vec<(RunNumber, PreparedRun, Failure)>,
    /// The store refused the block as a whole: that is no matter of its runs.
    is_refused: bool,
}

async fn prepare_blocks(import: Arc<Import>, blocks: mpsc::Sender<Block>) -> Result<(), Stopped> {
    loop {
        let runs = import.run.take(BLOCK_RUNS);
        if runs.is_empty() {
            return Ok(());
        }
        import.run.record(Change::begun(runs.iter().copied())).await?;
        let workers = import.run.options.parallel_workers;
        let shared = Arc::clone(&import);
        let work = move |run| {
            let import = Arc::clone(&shared);
            async move { import.prepare(run).await.map(|prepared| (run, prepared)) }
        };
        let mut block: Block = side_by_side(workers, runs, work).await.into_iter().flatten().collect();
        block.sort_by_key(|(run, _)| *run);
        if blocks.send(block).await.is_err() {
            return Err(Stopped);
        }
    }
}

async fn store_blocks(import: Arc<Import>, mut blocks: mpsc::Receiver<Block>) -> Result<(), Stopped> {
    while let Some(block) = blocks.recv().await {
        if import.run.is_halted() {
            import.run.record(Change::released(block.iter().map(|(run, _)| *run))).await?;
        } else {
            import.store(block).await?;
        }
    }
    Ok(())
}

impl Import {
    /// Reads and prepares a run; a failure is recorded, `None` then.
    async fn prepare(&self, run: RunNumber) -> Option<PreparedRun> {
        if self.run.is_halted() {
            // An error is kept by the run and ends the stage.
            let _ = self.run.record(Change::released([run])).await;
            return None;
        }
        for attempts in 1.. {
            let failure = match self.prepare_once(run).await {
                Ok(prepared) => {
                    if !prepared.skipped.is_empty() {
                        self.run.observe(EventKind::Skipped { run, files: prepared.skipped.clone() });
                    }
                    return Some(prepared);
                }
                Err(failure) => failure,
            };
            match self.run.decide(&failure, attempts) {
                Some(after) if self.run.pause(run, &failure, after).await => {}
                _ => {
                    let _ = self.fail(vec![(run, failure)], attempts).await;
                    return None;
                }
            }
        }
        None
    }

    async fn prepare_once(&self, run: RunNumber) -> Result<PreparedRun, Failure> {
        let path = self.paths.get(&run).cloned();
        let path = path.ok_or_else(|| {
            Failure::of_record(format!("`{}` has no directory for run {run}", self.source.records.display()))
        })?;
        let source = Arc::clone(&self.source);
        blocking(move || source.prepare(&path)).await
    }

    /// Stores a block; runs that may succeed later are tried again together.
    async fn store(self: &Arc<Self>, mut block: Block) -> Result<(), Stopped> {
        for attempts in 1.. {
            if block.is_empty() {
                return Ok(());
            }
            let Attempt { failed, is_refused } = self.store_once(block).await?;
            let mut again = Block::new();
            let mut pause: Option<(Failure, Duration)> = None;
            let mut given_up = Vec::new();
            for (run, prepared, failure) in failed {
                if let Some(after) = self.run.decide(&failure, attempts) {
                    again.push((run, prepared));
                    pause.get_or_insert((failure, after));
                } else {
                    given_up.push((run, failure));
                }
            }
            if let Some((_, failure)) = given_up.first().filter(|_| is_refused && !self.run.is_halted()) {
                self.run.stop(&failure.reason);
            }
            self.fail(given_up, attempts).await?;
            let (Some((first, _)), Some((failure, after))) = (again.first(), pause) else { return Ok(()) };
            if !self.run.pause(*first, &failure, after).await {
                let given_up = again.into_iter().map(|(run, _)| (run, failure.clone()));
                return self.fail(given_up.collect(), attempts).await;
            }
            block = again;
        }
        Ok(())
    }

    /// Stores a block and verifies it.
    async fn store_once(self: &Arc<Self>, block: Block) -> Result<Attempt, Stopped> {
        let (runs, prepared): (Vec<_>, Vec<_>) = block.into_iter().unzip();
        let batch: Arc<[PreparedRun]> = prepared.into();
        let all = runs.into_iter().zip(batch.iter().cloned());
        let results = match self.store.insert(Arc::clone(&batch)).await {
            Ok(results) => results,
            Err(error) => {
                let failure = Failure::from(error);
                let failed = all.map(|(run, prepared)| (run, prepared, failure.clone())).collect();
                return Ok(Attempt { failed, is_refused: true });
            }
        };
        let mut failed = Vec::new();
        let mut stored = Vec::new();
        for ((run, prepared), result) in all.zip(results) {
            match result {
                Ok(inserted) => stored.push((run, prepared, matches!(inserted, Inserted::AlreadyThere { .. }))),
                Err(refused) => failed.push((run, prepared, Failure::from(refused))),
            }
        }
        let import = Arc::clone(self);
        let work = move |(run, prepared, was_there)| {
            let import = Arc::clone(&import);
            async move {
                match import.verify(run, &prepared, was_there).await {
                    Err(failure) => Err((run, prepared, failure)),
                    // The next run is verified while this one is saved, so that many are saved together.
                    Ok(content) => Ok(import.archived(run, &prepared, was_there, content).await),
                }
            }
        };
        let mut saving = Vec::new();
        for outcome in side_by_side(self.run.options.parallel_workers, stored, work).await {
            match outcome {
                Ok(task) => saving.push(task),
                Err(unverified) => failed.push(unverified),
            }
        }
        // The block is at its end: there is nobody to wait for.
        let _ = self.run.submit(Change::default()).await;
        for task in saving {
            match task.await {
                Ok(saved) => saved?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        failed.sort_by_key(|(run, ..)| *run);
        Ok(Attempt { failed, is_refused: false })
    }

    /// Compares what is stored of a run with what should be.
    async fn verify(&self, run: RunNumber, prepared: &PreparedRun, was_there: bool) -> Result<Content, Failure> {
        let mut export = self.export(run).await?;
        if was_there && missing_pass(prepared, &export) {
            // It was imported while it was being taken, and may have been migrated like that: intent before effect.
            let intent = Change { amended: RunSet::from_iter([run]), ..Change::default() };
            let saved = self.run.record(intent).await;
            saved.map_err(|Stopped| Failure::of_record("the state could not be saved"))?;
            for amended in self.store.amend([prepared.clone()].into()).await? {
                amended?;
            }
            export = self.export(run).await?;
        }
        match difference(prepared, &export, was_there) {
            None => Ok(Content {
                documents: Some(export.documents.len() as u64),
                configuration: Some(export.configuration.name),
                ..Content::default()
            }),
            Some(difference) => {
                Err(Failure::of_record(format!("artdaqDB holds another record of run {run}: {difference}")))
            }
        }
    }

    async fn export(&self, run: RunNumber) -> Result<Export, Failure> {
        whole(run, self.store.export(run).await?)
    }

    /// Has it recorded that a run is archived; the task ends when it is.
    async fn archived(
        &self,
        run: RunNumber,
        prepared: &PreparedRun,
        was_there: bool,
        content: Content,
    ) -> JoinHandle<Result<(), Stopped>> {
        self.run.store_works();
        let mut change = Change { is_patient: true, ..Change::default() };
        change.note_archived(run, was_there, content);
        if self.source.fhiclize.run_history2 {
            let list = if has_stop_time(prepared) { &mut change.finished } else { &mut change.unfinished };
            list.insert(run);
        }
        let (submitted, stage) = (self.run.submit(change).await, Arc::clone(&self.run));
        tokio::spawn(async move {
            stage.saved(submitted).await?;
            stage.settle(run, Outcome::Archived { was_there });
            Ok(())
        })
    }

    /// Records runs as failed, after so many attempts.
    async fn fail(&self, runs: Vec<(RunNumber, Failure)>, attempts: u32) -> Result<(), Stopped> {
        let mut change = Change::default();
        for (run, failure) in &runs {
            change.note_failed(*run, failure, attempts);
        }
        self.run.record(change).await?;
        for (run, Failure { reason, .. }) in runs {
            self.run.settle(run, Outcome::Failed { reason });
        }
        Ok(())
    }
}

/// Whether a document of the second pass is not there, or is another one.
fn missing_pass(prepared: &PreparedRun, export: &Export) -> bool {
    let mut wanted =
        prepared.update.iter().flat_map(|pass| &pass.documents).filter(|document| document.entity != "schema");
    wanted.any(|wanted| {
        let text = wanted.document.to_text();
        !export.documents.iter().any(|found| found.entity == wanted.entity && found.text == text)
    })
}

/// Whether `now` says all that `then` said: `metadata` gets its stop time when a run ends, and a run that was imported
/// before that is amended, not another one.
fn has_grown(then: &str, now: &str) -> bool {
    let now: BTreeSet<_> = now.lines().collect();
    then.lines().all(|line| now.contains(line))
}

/// The first difference between the documents that a run should have and those that it has.
///
/// Of a run that `was_there` only the documents that both have are compared, and neither the schema,
/// which may have changed since, nor the hashes: the genuine program leaves out what its schema does not
/// mention.
pub(crate) fn difference(prepared: &PreparedRun, export: &Export, was_there: bool) -> Option<String> {
    let passes = [Some(&prepared.archive), prepared.update.as_ref()];
    let documents = passes.into_iter().flatten().flat_map(|pass| &pass.documents);
    // The second pass comes last, so that its documents count.
    let expected: BTreeMap<_, _> = documents.map(|document| (document.entity.as_str(), document)).collect();
    let stored: BTreeMap<_, _> =
        export.documents.iter().map(|document| (document.entity.as_str(), &document.text)).collect();
    let is_compared = |entity: &str| !was_there || (entity != "schema" && entity != HASHES_ENTITY);
    let entities: BTreeSet<_> = expected.keys().chain(stored.keys()).filter(|entity| is_compared(entity)).collect();
    entities.into_iter().find_map(|entity| match (expected.get(entity), stored.get(entity)) {
        (Some(document), Some(text)) => {
            let now = document.document.to_text();
            let is_good = now == **text || was_there && **entity == *"metadata" && has_grown(text, &now);
            (!is_good).then(|| format!("`{entity}` differs"))
        }
        _ if was_there => None,
        (Some(_), None) => Some(format!("it has no `{entity}`")),
        (None, _) => Some(format!("it has `{entity}`, which the run directory has not")),
    })
}
