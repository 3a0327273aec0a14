//! Asking for an index: what is in the way, whose turn it is, and the request itself.

use std::time::Duration;

use gsi_state::{GsiStatus, HistoryEvent, Origin, StatusChange};
use tokio::time::Instant;

use super::{Job, Stop, Turn};
use crate::{
    api::CreateIndex,
    compare::{on_demand_for, refusal, throughput_for, unused_setting},
    describe::{TableDescription, TableStatus},
    event::{EventKind, WaitReason},
    pacer,
    report::Outcome,
    spec::{AttributeTypes, IndexSpec},
};

/// A look at a table that is older than this does not count as a look before the request.
const FRESH: Duration = Duration::from_secs(5);

impl<'a> Job<'a> {
    /// There is no such index: it is asked for when the table is free, and its turn has come.
    pub(super) async fn is_missing(
        &self,
        table: &TableDescription,
        leave: Option<pacer::Turn<'a>>,
    ) -> Result<Outcome, Turn> {
        // Before any waiting: whoever reads it in the morning wants to have known it in the evening.
        if let Some(refusal) = refusal(self.spec, table) {
            return self.fail(refusal.to_string(), Vec::new()).await;
        }
        if let Some(busy) = table.busy_index() {
            return self.wait_for(WaitReason::OtherIndex(busy.name.clone())).await;
        }
        if table.status != TableStatus::Active {
            return self.wait_for(WaitReason::Table(table.status.clone())).await;
        }
        let leave = if let Some(leave) = leave {
            leave
        } else {
            let asked_at = Instant::now();
            let turn = self.run.cancel.run_until_cancelled(self.run.pacer.turn(self.work_ahead)).await;
            let Some(leave) = turn else { return Err(Turn::Stop(Stop::Interrupted)) };
            if asked_at.elapsed() > FRESH {
                self.progress().leave = Some(leave);
                return Err(Turn::Pause(Duration::ZERO));
            }
            leave
        };
        if self.found == GsiStatus::Active && !self.progress().was_asked_for {
            self.tell(EventKind::Vanished);
        }
        self.request(table, leave).await
    }

    /// Asks for the index: the intent first, on disk; then the request.
    async fn request(&self, table: &TableDescription, leave: pacer::Turn<'a>) -> Result<Outcome, Turn> {
        let earlier = self.attempts_in_state();
        let attempt = earlier.saturating_add(u32::from(!self.progress().is_unspent));
        let intent =
            StatusChange::new(self.key.clone(), GsiStatus::InProgress).attempt(attempt).origin(Origin::Created);
        self.run.recorder.record(intent, vec![HistoryEvent::Requested { attempt }]).await?;
        if self.run.cancel.is_cancelled() {
            // The next start finds an intent, looks, and sees that nothing came of it.
            return Err(Turn::Stop(Stop::Interrupted));
        }
        self.progress().is_requested();
        if let Some(unused) = unused_setting(self.spec, table) {
            self.tell(EventKind::Unused(unused));
        }
        self.tell(EventKind::Requesting { attempt });

        let is_merged = self.progress().is_merged;
        let request = CreateIndex {
            spec: self.spec,
            throughput: throughput_for(self.spec, table),
            on_demand: on_demand_for(self.spec, table),
            attributes: if is_merged { merge(table, self.spec) } else { self.spec.attributes.clone() },
        };
        leave.send();
        match self.run.api.create_index(&request).await {
            Ok(()) => {
                self.progress().is_accepted();
                self.look_again(Outcome::StillBuilding)
            }
            Err(error) => self.refused(error).await,
        }
    }
}

/// The table's definitions with the index's added: what the service wants where it misses some.
fn merge(table: &TableDescription, spec: &IndexSpec) -> AttributeTypes {
    let mut merged = table.attributes.clone();
    for (name, kind) in spec.attributes.iter() {
        merged.define(name, kind);
    }
    merged
}
