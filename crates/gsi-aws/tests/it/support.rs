//! A world of its own for each test: database, state directory, clock, and a watched port.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate, KeySchemaElement,
    KeyType, ProvisionedThroughput, ScalarAttributeType,
};
use chrono::{DateTime, Utc};
use dynamo_embedded::{Call, EmbeddedDynamo, IndexAction, Times};
use gsi_aws::{
    ApiError, CreateIndex, Event, EventKind, IndexApi, IndexSpec, Observer, Outcome, RecordError, RetryPolicy,
    RunOptions, RunReport, create_all,
    describe::TableDescription,
    sdk::SdkIndexApi,
    spec::{AttributeType, KeySchema, Projection},
};
use gsi_state::{Clock, GsiKey, GsiState, GsiStateManager, GsiStatus, StatusView};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::spy::Spy;

/// Allocation 30 s, backfill 500 s, delete 5 s: the real service's order of magnitude.
pub(crate) const TIMES: Times =
    Times { allocation: Duration::from_secs(30), backfill: Duration::from_secs(500), delete: Duration::from_secs(5) };

/// How long an index takes with [`TIMES`].
pub(crate) const BUILD: Duration = Duration::from_secs(530);

/// When the clock of every world starts.
fn epoch() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

/// The paused clock of tokio as the state's clock.
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> DateTime<Utc> {
        (epoch() + self.0.elapsed()).into()
    }
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) dynamo: EmbeddedDynamo,
    pub(crate) spy: Arc<Spy>,
    pub(crate) events: Arc<Events>,
    pub(crate) options: RunOptions,
    started: Instant,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_faults("")
    }

    /// `faults` count over all runs in this world.
    pub(crate) fn with_faults(faults: &str) -> Self {
        Self::with(faults, TIMES)
    }

    pub(crate) fn with(faults: &str, times: Times) -> Self {
        let started = Instant::now();
        let dynamo = EmbeddedDynamo::builder()
            .times(times)
            .clock(Arc::new(move || epoch() + started.elapsed()))
            .faults(faults.parse().unwrap())
            .open()
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let spy = Arc::new(Spy::new(SdkIndexApi::new(dynamo.config()), dir.path()));
        let options = RunOptions { clock: Some(Arc::new(PausedClock(started))), ..RunOptions::default() };
        Self { dir, dynamo, spy, events: Arc::default(), options, started }
    }

    /// Makes on-demand tables keyed by `id` (S).
    pub(crate) async fn tables(self, names: &[&str]) -> Self {
        for name in names {
            self.table_keyed_by(name, "id", "S").await;
        }
        self
    }

    pub(crate) async fn table_keyed_by(&self, name: &str, key: &str, kind: &str) {
        let create = self.dynamo.client().create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        create.attribute_definitions(attribute(key, kind)).key_schema(hash(key)).send().await.unwrap();
    }

    /// A PROVISIONED table keyed by `id` (S), with 3 read and 4 write units.
    pub(crate) async fn provisioned_table(&self, name: &str) {
        let units = ProvisionedThroughput::builder().read_capacity_units(3).write_capacity_units(4).build().unwrap();
        let create = self.dynamo.client().create_table().table_name(name).provisioned_throughput(units);
        create.attribute_definitions(attribute("id", "S")).key_schema(hash("id")).send().await.unwrap();
    }

    /// Somebody else asks for an index.
    pub(crate) async fn foreign_create(&self, spec: &IndexSpec) {
        self.try_foreign_create(spec).await.unwrap();
    }

    pub(crate) async fn try_foreign_create(&self, spec: &IndexSpec) -> Result<(), ApiError> {
        let api = SdkIndexApi::new(self.dynamo.config());
        let attributes = spec.attributes.clone();
        api.create_index(&CreateIndex { spec, throughput: None, on_demand: None, attributes }).await
    }

    /// Somebody else deletes an index.
    pub(crate) async fn foreign_delete(&self, table: &str, index: &str) {
        let action = DeleteGlobalSecondaryIndexAction::builder().index_name(index).build().unwrap();
        let update = GlobalSecondaryIndexUpdate::builder().delete(action).build();
        let client = self.dynamo.client();
        client.update_table().table_name(table).global_secondary_index_updates(update).send().await.unwrap();
    }

    /// The state, opened as a run opens it.
    pub(crate) fn manager(&self) -> GsiStateManager {
        GsiStateManager::open_with_clock("test", self.dir.path(), Arc::new(PausedClock(self.started))).unwrap()
    }

    /// Puts an index into the state with a status, as an earlier run left it.
    pub(crate) fn left_by_earlier_run(&self, spec: &IndexSpec, status: GsiStatus, attempts: u32) {
        let mut manager = self.manager();
        manager.initialize([spec.key()]).unwrap();
        if status != GsiStatus::Pending {
            let error = (status == GsiStatus::Failed).then_some("it went wrong");
            manager.update_status(&spec.key(), GsiStatus::InProgress, Some(attempts), None).unwrap();
            manager.update_status(&spec.key(), status, None, error).unwrap();
        }
    }

    /// One run over `specs`.
    pub(crate) async fn run(&self, specs: &[IndexSpec]) -> RunReport {
        self.try_run(specs, CancellationToken::new()).await.unwrap()
    }

    pub(crate) async fn try_run(
        &self,
        specs: &[IndexSpec],
        cancel: CancellationToken,
    ) -> Result<RunReport, RecordError> {
        let mut manager = self.manager();
        manager.initialize(specs.iter().map(IndexSpec::key)).unwrap();
        let (_, result) =
            create_all(manager, self.spy.clone(), specs.to_vec(), self.options.clone(), self.events.clone(), cancel)
                .await;
        result
    }

    /// One run over one index.
    pub(crate) async fn settle(&self, spec: &IndexSpec) -> Outcome {
        self.run(std::slice::from_ref(spec)).await.outcomes[&spec.key()].clone()
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// The state file's entry, read as another process reads it.
    pub(crate) fn entry(&self, spec: &IndexSpec) -> GsiState {
        let view = StatusView::read(self.dir.path()).unwrap().expect("there is a state file");
        view.state.get(&spec.key()).expect("the index is in it").clone()
    }

    /// Every request of an operation: second, and what came of it.
    pub(crate) fn requests(&self, operation: &str) -> Vec<(u64, String)> {
        let calls = self.dynamo.calls().unwrap().into_iter().filter(|call| call.operation == operation);
        calls.map(|call| (second_of(&call), call.outcome.to_string())).collect()
    }

    /// The seconds at which a table was looked at.
    pub(crate) fn looks_at(&self, table: &str) -> Vec<u64> {
        let calls = self.dynamo.calls().unwrap();
        let looks =
            calls.iter().filter(|call| call.operation == "DescribeTable" && call.table.as_deref() == Some(table));
        looks.map(second_of).collect()
    }

    /// How often the creation of an index took effect.
    pub(crate) fn creations(&self, spec: &IndexSpec) -> usize {
        let key = spec.key();
        let counts = self.all_creations();
        counts.get(&key).copied().unwrap_or(0)
    }

    pub(crate) fn all_creations(&self) -> BTreeMap<GsiKey, usize> {
        let mut counts = BTreeMap::new();
        for call in self.dynamo.calls().unwrap() {
            if call.action == Some(IndexAction::Create) && call.outcome.took_effect() {
                *counts.entry(GsiKey::new(call.table.unwrap(), call.index.unwrap())).or_default() += 1;
            }
        }
        counts
    }

    /// The truth about a table, past whatever faults the script still holds.
    pub(crate) async fn describe(&self, table: &str) -> TableDescription {
        let api = SdkIndexApi::new(self.dynamo.config());
        for _ in 0..100 {
            if let Ok(described) = api.describe_table(table).await {
                return described;
            }
        }
        panic!("`{table}` cannot be described");
    }
}

/// When a call arrived.
pub(crate) fn second_of(call: &Call) -> u64 {
    call.at.duration_since(epoch()).unwrap().as_secs()
}

/// Lets time pass at the service.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

pub(crate) fn attribute(name: &str, kind: &str) -> AttributeDefinition {
    let kind = ScalarAttributeType::from(kind);
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
}

fn hash(name: &str) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build().unwrap()
}

/// An index keyed by the text attribute `by`, projecting everything.
pub(crate) fn spec(table: &str, name: &str) -> IndexSpec {
    keyed_by(table, name, "by", AttributeType::String)
}

pub(crate) fn keyed_by(table: &str, name: &str, key: &str, kind: AttributeType) -> IndexSpec {
    IndexSpec {
        table: table.to_owned(),
        name: name.to_owned(),
        key_schema: KeySchema::new([key], []),
        attributes: [(key.to_owned(), kind)].into_iter().collect(),
        projection: Projection::All,
        provisioned: None,
        on_demand: None,
        warm: None,
        description: None,
        estimated_impact: None,
        required_by: None,
    }
}

pub(crate) fn policy(attempts_max: u32) -> RetryPolicy {
    RetryPolicy { attempts_max, ..RetryPolicy::default() }
}

/// The error text of an outcome that has one.
pub(crate) fn error_of(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { error } | Outcome::Unsettled { error } => error,
        other => panic!("{other:?} has no error"),
    }
}

/// Keeps every event.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<Event>>);

impl Observer for Events {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Events {
    /// Where in the story the first event of a kind about an index stands.
    pub(crate) fn position(&self, spec: &IndexSpec, is_of_kind: impl Fn(&EventKind) -> bool) -> Option<usize> {
        let key = spec.key();
        self.0.lock().unwrap().iter().position(|event| event.key == key && is_of_kind(&event.kind))
    }

    pub(crate) fn count(&self, is_of_kind: impl Fn(&EventKind) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|event| is_of_kind(&event.kind)).count()
    }
}
