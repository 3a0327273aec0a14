//! Creates, waits for and checks DynamoDB global secondary indexes.
//!
//! A definitions file ([`spec`]) says which indexes there should be; the service says which there are
//! ([`describe`]); [`compare`] tells the difference; [`create_all`] makes it go away, one operation
//! per table at a time and tables side by side, with every intent on disk before its effect.
//!
//! | part | what it does | pure |
//! |---|---|---|
//! | [`spec`] | reads and checks definitions | yes |
//! | [`compare`] | wanted against real, and what would be refused | yes |
//! | [`plan`] | what a run would do, and a forecast | but for the looks |
//! | [`classify`] | error to [`ErrorClass`], one table | yes |
//! | [`RetryPolicy`] | class to [`Decision`] | yes |
//! | [`Pacer`] | requests at a pace, the weightiest first | |
//! | [`IndexApi`] | the port to the service; [`sdk`] is its adapter for the AWS SDK | |
//! | [`create_all`] | the run: schedule, one loop per index, one task that owns the state | |
//!
//! What is absent: this crate prints nothing, reads no environment, and asks no clock but tokio's and
//! one that is injected.

// Test modules that are shared with the integration tests name this crate as those do.
#[cfg(test)]
extern crate self as gsi_aws;

mod api;
mod classify;
pub mod compare;
mod create;
pub mod describe;
pub mod drift;
mod event;
mod foresee;
mod items;
mod metrics;
mod pacer;
pub mod plan;
mod poll;
pub mod preflight;
mod record;
mod report;
mod retry;
pub mod rollback;
mod run;
mod schedule;
pub mod sdk;
pub mod spec;
mod try_again;
pub mod validate;
mod words;

pub use api::{ApiError, CreateIndex, IndexApi, Operation};
pub use classify::{ErrorClass, classify};
pub use event::{Event, EventKind, Observer, Unobserved, WaitReason};
pub use items::{AttributeValue, Consumed, Item, ItemApi, Page, QueryAnswer, QueryIndex, ScanPage};
pub use metrics::{Metrics, Progress, Sample};
pub use pacer::{Pacer, Turn};
pub use poll::poll_interval;
pub use record::RecordError;
pub use report::{Outcome, RunReport};
pub use retry::{Decision, FailedCall, RetryPolicy};
pub use run::{Jitter, RunOptions};
pub use schedule::create_all;
pub use spec::{Definitions, DefinitionsError, IndexSpec};

impl spec::IndexSpec {
    /// The index's entry in the state.
    pub fn key(&self) -> gsi_state::GsiKey {
        gsi_state::GsiKey::new(&self.table, &self.name)
    }
}
