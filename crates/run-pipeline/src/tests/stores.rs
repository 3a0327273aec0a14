//! A wrapper that makes a store fail as planned.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use artdaq_db::{Amended, ConfigError, ConfigStore, Export, Inserted, MemoryStore as ConfigMemory, Refused, RunEntry};
use async_trait::async_trait;
use run_record::prepare::PreparedRun;
use run_state::RunNumber;
use ucon_db::{BlobError, BlobInfo, BlobStore, ErrorClass, MemoryStore, Receipt, VersionInfo};

use super::Fuse;

/// One call of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    List,
    Insert(Vec<RunNumber>),
    Amend(Vec<RunNumber>),
    Export(RunNumber),
    Put(RunNumber),
    Get(RunNumber),
}

/// What is to go wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Refused before anything happened.
    Refused(ErrorClass),
    /// No answer, ever.
    Hangs,
    /// A listing says that a run is not complete.
    Half(u64),
    /// Done, but the answer was lost.
    AnswerLost,
    /// A listing lacks its last runs.
    Short(usize),
}

/// Decides about a call, given how many calls there were before it.
type Plan = Box<dyn Fn(&Call, usize) -> Option<Fault> + Send + Sync>;

/// A store that fails as planned, and dies with the fuse.
pub(super) struct Faulty<S> {
    pub(super) store: Arc<S>,
    plan: Plan,
    pub(super) calls: Mutex<Vec<Call>>,
    pub(super) fuse: Option<Arc<Fuse>>,
}

impl<S> Faulty<S> {
    pub(super) fn new(
        store: &Arc<S>,
        plan: impl Fn(&Call, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let store = Arc::clone(store);
        Arc::new(Self { store, plan: Box::new(plan), calls: Mutex::default(), fuse: None })
    }

    pub(super) fn fused(store: &Arc<S>, fuse: &Arc<Fuse>) -> Arc<Self> {
        let store = Arc::clone(store);
        let fuse = Some(Arc::clone(fuse));
        Arc::new(Self { store, plan: Box::new(|_, _| None), calls: Mutex::default(), fuse })
    }

    async fn fault(&self, call: Call) -> Option<Fault> {
        self.step().await;
        let mut calls = self.calls.lock().unwrap();
        let fault = (self.plan)(&call, calls.len());
        calls.push(call);
        fault
    }

    async fn step(&self) {
        if let Some(fuse) = &self.fuse {
            fuse.spend_or_hang().await;
        }
    }

    /// Plays a call: fails before or after it.
    async fn play<T, E>(
        &self,
        call: Call,
        refusal: impl Fn(ErrorClass) -> E + Send,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<(T, Option<Fault>), E> {
        let fault = self.fault(call).await;
        if let Some(Fault::Refused(class)) = fault {
            return Err(refusal(class));
        }
        if fault == Some(Fault::Hangs) {
            std::future::pending::<()>().await;
        }
        let outcome = work.await;
        self.step().await;
        if fault == Some(Fault::AnswerLost) && outcome.is_ok() {
            return Err(refusal(ErrorClass::Transient));
        }
        outcome.map(|value| (value, fault))
    }
}

fn shorten<T>(listing: &mut BTreeMap<RunNumber, T>, fault: Option<Fault>) {
    if let Some(Fault::Short(runs)) = fault {
        (0..runs).for_each(|_| drop(listing.pop_last()));
    }
}

fn config_refusal(class: ErrorClass) -> ConfigError {
    match class {
        ErrorClass::Permanent => ConfigError::NotADirectory { path: "archive".into() },
        _ => ConfigError::Io {
            operation: "write",
            path: "archive".into(),
            source: std::io::ErrorKind::StorageFull.into(),
        },
    }
}

fn blob_refusal(class: ErrorClass) -> BlobError {
    match class {
        ErrorClass::Transient => BlobError::NotReadable { run: 0.into() },
        ErrorClass::Authentication => {
            let problem = ucon_db::HttpProblem::Unauthorized { said: "no".into() };
            let operation = ucon_db::Operation::AskForChallenge;
            BlobError::from(ucon_db::HttpError { operation, url: "http://u/app".into(), problem })
        }
        ErrorClass::Conflict => BlobError::AlreadyExists { run: 0.into() },
        ErrorClass::Permanent => BlobError::ReadBackDiffers {
            run: 0.into(),
            ours: ucon_db::Md5Digest::of(b"a"),
            theirs: ucon_db::Md5Digest::of(b"b"),
        },
    }
}

#[async_trait]
impl ConfigStore for Faulty<ConfigMemory> {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunEntry>, ConfigError> {
        let (mut runs, fault) = self.play(Call::List, config_refusal, self.store.runs()).await?;
        shorten(&mut runs, fault);
        if let Some(Fault::Half(run)) = fault {
            runs.get_mut(&run.into()).unwrap().configurations[0].complete = false;
        }
        Ok(runs)
    }

    async fn insert(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Inserted, Refused>>, ConfigError> {
        let call = Call::Insert(batch.iter().map(|run| run.run).collect());
        Ok(self.play(call, config_refusal, self.store.insert(batch)).await?.0)
    }

    async fn amend(&self, batch: Arc<[PreparedRun]>) -> Result<Vec<Result<Amended, Refused>>, ConfigError> {
        let call = Call::Amend(batch.iter().map(|run| run.run).collect());
        Ok(self.play(call, config_refusal, self.store.amend(batch)).await?.0)
    }

    async fn export(&self, run: RunNumber) -> Result<Option<Export>, ConfigError> {
        Ok(self.play(Call::Export(run), config_refusal, self.store.export(run)).await?.0)
    }
}

#[async_trait]
impl BlobStore for Faulty<MemoryStore> {
    async fn runs(&self) -> Result<BTreeMap<RunNumber, BlobInfo>, BlobError> {
        let (mut runs, fault) = self.play(Call::List, blob_refusal, self.store.runs()).await?;
        shorten(&mut runs, fault);
        Ok(runs)
    }

    async fn put(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        Ok(self.play(Call::Put(run), blob_refusal, self.store.put(run, bytes)).await?.0)
    }

    async fn put_version(&self, run: RunNumber, bytes: &[u8]) -> Result<Receipt, BlobError> {
        Ok(self.play(Call::Put(run), blob_refusal, self.store.put_version(run, bytes)).await?.0)
    }

    async fn get(&self, run: RunNumber) -> Result<Option<Vec<u8>>, BlobError> {
        Ok(self.play(Call::Get(run), blob_refusal, self.store.get(run)).await?.0)
    }

    async fn versions(&self, run: RunNumber) -> Result<Vec<VersionInfo>, BlobError> {
        self.store.versions(run).await
    }
}
