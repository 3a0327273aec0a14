//! The service, reduced to what a schedule depends on: phases, one operation per table, faults by number.
//! `conformance.rs` holds it against the embedded one.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use async_trait::async_trait;
use gsi_aws::{
    ApiError, CreateIndex, Decision, Event, EventKind, IndexApi, Observer, Operation,
    describe::{Billing, IndexDescription, IndexStatus, TableDescription, TableStatus},
    spec::{AttributeType, AttributeTypes, IndexSpec, KeySchema},
};
use tokio::time::Instant;

use super::scenario::{Builds, Effect, Scenario, Table};

/// A stretch of time since the start.
pub(crate) type Span = (Duration, Duration);

/// What the model saw of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenTable {
    /// From the request to ACTIVE, in order.
    pub(crate) builds: Vec<Span>,
    /// Index, second and code of every request.
    pub(crate) log: Vec<(String, u64, String)>,
    pub(crate) requests: usize,
    /// When no call was allowed, after one that failed.
    pauses: Vec<Span>,
    looks: Vec<Duration>,
    made: Vec<String>,
}

/// What the model saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) tables: HashMap<String, SeenTable>,
    /// Refusals that no script asked for.
    pub(crate) self_inflicted: usize,
    pub(crate) asked_without_intent: usize,
}

/// A phase in which an index has been built for so long is a long one.
const LONG: Duration = Duration::from_mins(25);

impl SeenTable {
    /// How long each build took.
    pub(crate) fn build_times(&self) -> impl Iterator<Item = Duration> {
        self.builds.iter().map(|(from, to)| to.saturating_sub(*from))
    }

    pub(crate) fn lower_bound(&self) -> Duration {
        let built: Duration = self.build_times().sum();
        // Pauses of a table follow each other, and so do builds.
        let idle = self.pauses.iter().map(|&(from, to)| {
            let both = self.builds.iter().map(|build| build.1.min(to).saturating_sub(build.0.max(from)));
            to.saturating_sub(from).saturating_sub(both.sum())
        });
        built + idle.sum::<Duration>()
    }

    pub(crate) fn made_once(&self) -> bool {
        let mut names = self.made.clone();
        names.sort_unstable();
        names.windows(2).all(|pair| pair[0] != pair[1])
    }

    /// The most looks in any minute of a long phase.
    pub(crate) fn looks_a_minute_in_long_phases(&self) -> usize {
        let in_phase = |&(from, to): &Span| {
            let looks: Vec<_> = self.looks.iter().filter(|look| **look >= from + LONG && **look < to).collect();
            let minute = Duration::from_mins(1);
            let until =
                |first: usize| looks[first..].iter().take_while(|look| ***look < *looks[first] + minute).count();
            (0..looks.len()).map(until).max().unwrap_or(0)
        };
        self.builds.iter().map(in_phase).max().unwrap_or(0)
    }
}

struct Built {
    spec: IndexSpec,
    backfills_at: Instant,
    active_at: Instant,
}

struct State {
    tables: HashMap<String, (Table, Vec<Built>)>,
    counts: HashMap<(String, Operation), u32>,
    seen: Seen,
    /// Who said that a request is about to be sent.
    intents: Vec<gsi_state::GsiKey>,
}

pub(crate) struct Model {
    started: Instant,
    builds: Builds,
    state: Mutex<State>,
}

impl Model {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let tables = scenario.tables.iter().map(|table| (table.name.clone(), (table.clone(), Vec::new())));
        let state =
            State { tables: tables.collect(), counts: HashMap::new(), seen: Seen::default(), intents: Vec::new() };
        Self { started: Instant::now(), builds: scenario.builds.clone(), state: Mutex::new(state) }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.state.lock().unwrap().seen.clone()
    }
}

impl State {
    /// Counts a call, and says what happens to it.
    fn fault(&mut self, operation: Operation, table: &str) -> Option<Effect> {
        let count = self.counts.entry((table.to_owned(), operation)).or_default();
        *count += 1;
        let (script, _) = &self.tables[table];
        let faults = if operation == Operation::UpdateTable { &script.update_faults } else { &script.look_faults };
        faults.get(count).copied()
    }

    fn table(&mut self, name: &str) -> &mut SeenTable {
        self.seen.tables.entry(name.to_owned()).or_default()
    }
}

fn error(operation: Operation, effect: Effect) -> ApiError {
    match effect {
        Effect::Refuse(code, message) => ApiError::Service {
            operation,
            code: code.to_owned(),
            message: message.to_owned(),
            http_status: if code.starts_with("Internal") || code.starts_with("Service") { 500 } else { 400 },
        },
        Effect::Lost | Effect::Unreachable => ApiError::NoAnswer { operation, detail: "scripted".to_owned() },
    }
}

/// A tenth of a build is allocation, at most 30 s.
fn allocation(build: Duration) -> Duration {
    (build / 10).min(Duration::from_secs(30))
}

#[async_trait]
impl IndexApi for Model {
    async fn describe_table(&self, name: &str) -> Result<TableDescription, ApiError> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap();
        let at = now - self.started;
        state.table(name).looks.push(at);
        if let Some(effect) = state.fault(Operation::DescribeTable, name) {
            return Err(error(Operation::DescribeTable, effect));
        }
        let (_, built) = &state.tables[name];
        let is_allocating = built.iter().any(|index| now < index.backfills_at);
        Ok(TableDescription {
            name: name.to_owned(),
            status: if is_allocating { TableStatus::Updating } else { TableStatus::Active },
            key_schema: KeySchema::new(["id"], []),
            attributes: [("id".to_owned(), AttributeType::String), ("by".to_owned(), AttributeType::String)]
                .into_iter()
                .collect::<AttributeTypes>(),
            billing: Billing::OnDemand,
            item_count: None,
            size_bytes: None,
            indexes: built.iter().map(|index| describe(index, now)).collect(),
        })
    }

    async fn create_index(&self, request: &CreateIndex<'_>) -> Result<(), ApiError> {
        let operation = Operation::UpdateTable;
        let now = Instant::now();
        let at = now - self.started;
        let (table, key) = (&request.spec.table, request.spec.key());
        let mut state = self.state.lock().unwrap();
        match state.intents.iter().position(|intent| *intent == key) {
            Some(position) => drop(state.intents.swap_remove(position)),
            None => state.seen.asked_without_intent += 1,
        }
        let fault = state.fault(operation, table);
        let mut outcome = match fault {
            None => "ok",
            Some(Effect::Refuse(code, _)) => code,
            Some(Effect::Lost) => "lost",
            Some(Effect::Unreachable) => "unreachable",
        };
        let is_busy = state.tables[table].1.iter().any(|index| now < index.active_at);
        let takes_effect = matches!(fault, None | Some(Effect::Lost));
        if takes_effect && is_busy {
            outcome = "LimitExceededException";
            state.seen.self_inflicted += 1;
        }
        let seen = state.table(table);
        seen.log.push((key.index().to_owned(), at.as_secs(), outcome.to_owned()));
        seen.requests += 1;
        if takes_effect && is_busy {
            return Err(error(operation, Effect::Refuse("LimitExceededException", "Only 1 online index")));
        }
        if takes_effect {
            let build = self.builds[&key];
            seen.builds.push((at, at + build));
            seen.made.push(key.index().to_owned());
            let (backfills_at, active_at) = (now + allocation(build), now + build);
            let made = Built { spec: request.spec.clone(), backfills_at, active_at };
            state.tables.get_mut(table).unwrap().1.push(made);
        }
        fault.map_or(Ok(()), |effect| Err(error(operation, effect)))
    }

    async fn delete_index(&self, _: &str, _: &str) -> Result<(), ApiError> {
        panic!("nothing is deleted here")
    }
}

fn describe(index: &Built, now: Instant) -> IndexDescription {
    let is_active = now >= index.active_at;
    IndexDescription {
        name: index.spec.name.clone(),
        status: if is_active { IndexStatus::Active } else { IndexStatus::Creating },
        backfilling: (!is_active).then_some(now >= index.backfills_at),
        key_schema: index.spec.key_schema.clone(),
        projection: index.spec.projection.clone(),
        item_count: None,
        size_bytes: None,
        provisioned: None,
    }
}

impl Observer for Model {
    fn observe(&self, event: &Event) {
        let at = self.started.elapsed();
        let mut state = self.state.lock().unwrap();
        match &event.kind {
            EventKind::Requesting { .. } => state.intents.push(event.key.clone()),
            EventKind::Refused { decision: Decision::Again { after, .. }, .. } => {
                state.table(event.key.table()).pauses.push((at, at + *after));
            }
            _ => {}
        }
    }
}
