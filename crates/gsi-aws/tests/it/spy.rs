//! A port that watches what a run asks for, and strikes it down at a chosen call.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use async_trait::async_trait;
use gsi_aws::{ApiError, CreateIndex, IndexApi, describe::TableDescription, sdk::SdkIndexApi};
use gsi_state::{GsiKey, GsiStatus, StatusView};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What happens to a run at its n-th call of the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    /// It dies; the request is not sent.
    DieBefore,
    /// It dies; the request takes effect.
    DieAfter,
    /// It is asked to stop while the request is under way.
    Cancel,
}

/// A port that watches: every request for an index must find its intent on disk.
pub(crate) struct Spy {
    inner: SdkIndexApi,
    state_dir: PathBuf,
    /// The attributes of each request for an index.
    pub(crate) attributes: Mutex<Vec<String>>,
    plan: Mutex<Option<(usize, Strike)>>,
    calls: Mutex<usize>,
    /// Called before each call of the port.
    pub(crate) before: Mutex<Option<Box<dyn FnMut() + Send>>>,
    pub(crate) died: Notify,
    pub(crate) cancel: Mutex<CancellationToken>,
}

impl Spy {
    pub(crate) fn new(inner: SdkIndexApi, state_dir: &Path) -> Self {
        Self {
            inner,
            state_dir: state_dir.to_owned(),
            attributes: Mutex::default(),
            plan: Mutex::default(),
            calls: Mutex::default(),
            before: Mutex::default(),
            died: Notify::new(),
            cancel: Mutex::default(),
        }
    }

    /// Strikes at the `n`-th call from now on, counted from 1.
    pub(crate) fn strike(&self, n: usize, strike: Strike) {
        *self.calls.lock().unwrap() = 0;
        *self.plan.lock().unwrap() = Some((n, strike));
    }

    pub(crate) fn spare(&self) {
        *self.plan.lock().unwrap() = None;
    }

    async fn called<T>(&self, call: impl Future<Output = T> + Send) -> T {
        if let Some(before) = self.before.lock().unwrap().as_mut() {
            before();
        }
        let n = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        let plan = *self.plan.lock().unwrap();
        match plan.filter(|(at, _)| *at == n).map(|(_, strike)| strike) {
            None => call.await,
            Some(Strike::Cancel) => {
                self.cancel.lock().unwrap().cancel();
                call.await
            }
            Some(strike) => {
                if strike == Strike::DieAfter {
                    drop(call.await);
                }
                self.died.notify_one();
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl IndexApi for Spy {
    async fn describe_table(&self, table: &str) -> Result<TableDescription, ApiError> {
        self.called(self.inner.describe_table(table)).await
    }

    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError> {
        let view = StatusView::read(&self.state_dir).unwrap().expect("the intent is on disk before the request");
        let gsi = view.state.get(&request.spec.key()).expect("the index is in the state");
        assert_eq!(gsi.status, GsiStatus::InProgress, "{}: intent before effect", gsi.key);
        assert!(gsi.retry_count > 0 && gsi.creation_time.is_some(), "{}: the attempt is counted", gsi.key);
        let attributes: Vec<_> = request.attributes.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        self.attributes.lock().unwrap().push(attributes.join(", "));
        self.called(self.inner.create_index(request)).await
    }

    async fn delete_index(&self, table: &str, index: &str) -> Result<(), ApiError> {
        let view = StatusView::read(&self.state_dir).unwrap().expect("the intent is on disk before the request");
        let gsi = view.state.get(&GsiKey::new(table, index)).expect("the index is in the state");
        assert_eq!(gsi.status, GsiStatus::Deleting, "{}: intent before effect", gsi.key);
        self.called(self.inner.delete_index(table, index)).await
    }
}
