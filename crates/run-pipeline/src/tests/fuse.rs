//! A power supply that fails at the n-th step of the program.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tokio::sync::Notify;

/// Every write to the state and every call of a store spends one step. When none is left, writes are
/// refused and calls never return, as if the program had been killed there.
#[derive(Debug)]
pub(crate) struct Fuse {
    steps_left: AtomicI64,
    blown: Notify,
}

impl Fuse {
    pub(crate) fn of(steps: i64) -> Arc<Self> {
        Arc::new(Self { steps_left: AtomicI64::new(steps), blown: Notify::new() })
    }

    /// Spends a step; `false` when the power is gone.
    pub(crate) fn spend(&self) -> bool {
        let is_on = self.steps_left.fetch_sub(1, Ordering::SeqCst) > 0;
        if !is_on {
            self.blown.notify_one();
        }
        is_on
    }

    /// Spends a step, and never returns when the power is gone.
    pub(crate) async fn spend_or_hang(&self) {
        if !self.spend() {
            std::future::pending::<()>().await;
        }
    }

    /// The steps spent, where there were all that can be.
    pub(crate) fn spent(&self) -> i64 {
        i64::MAX - self.steps_left.load(Ordering::SeqCst)
    }

    pub(crate) fn is_blown(&self) -> bool {
        self.steps_left.load(Ordering::SeqCst) < 0
    }

    /// Returns when the power is gone.
    pub(crate) async fn blown(&self) {
        self.blown.notified().await;
    }
}
