//! One request from arrival to answer: faults, transaction, rules, engine, description, ledger.
//!
//! # Promises
//!
//! 1. What a request changes — items, indexes, phases, and its row in the ledger — is committed in
//!    one SQLite transaction. A process killed at any moment leaves all of it or nothing.
//! 2. A refused request changes nothing but the ledger.
//! 3. Two processes on one file see each other's changes with the next request.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use serde_json::Value;

use crate::{
    answer::Refusal,
    calls::{Call, Outcome},
    control::{self, Moment},
    embedded::Clock,
    engine::{Engine, OPERATIONS, OpenFailure},
    faults::{Effect, Faults},
    rules,
    seed::Seed,
    store,
    times::Times,
};

const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// What goes back to the SDK.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An HTTP answer.
    Answer { status: u16, body: Vec<u8> },
    /// The call took effect, or was refused, and the answer is lost.
    Lost,
    /// The call did not arrive.
    Unreachable,
}

impl From<Result<Vec<u8>, Refusal>> for Reply {
    fn from(result: Result<Vec<u8>, Refusal>) -> Self {
        match result {
            Ok(body) => Reply::Answer { status: 200, body },
            Err(Refusal { status, body, .. }) => Reply::Answer { status, body },
        }
    }
}

/// An open engine and the state of the file that it knows.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    /// The change counter at which its cache is right; -1 when the cache may be wrong.
    pub(crate) generation: i64,
}

/// The emulated service on one database.
pub(crate) struct Service {
    opened: Mutex<Opened>,
    /// `None` for a database in memory.
    path: Option<String>,
    clock: Clock,
    times: Times,
    seeds: Mutex<HashMap<String, Seed>>,
    faults: Mutex<Faults>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("path", &self.path).field("times", &self.times).finish_non_exhaustive()
    }
}

/// A request, read as far as everything but the engine needs it.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) operation: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) json: Value,
}

impl Request<'_> {
    pub(crate) fn table(&self) -> Option<&str> {
        if let Some(name) = self.json["TableName"].as_str() {
            return Some(name);
        }
        let batch = self.json["RequestItems"].as_object()?;
        batch.keys().next().filter(|_| batch.len() == 1).map(String::as_str)
    }

    /// The ledger's row for this request, as if it succeeded.
    fn call(&self, at: SystemTime) -> Call {
        let step = rules::steps(&self.json).ok().and_then(|steps| steps.first().copied());
        Call {
            sequence: 0,
            at,
            operation: self.operation.to_owned(),
            table: self.table().map(str::to_owned),
            index: step.map(|step| step.index).or_else(|| self.json["IndexName"].as_str()).map(str::to_owned),
            action: step.map(|step| step.action),
            outcome: Outcome::Ok,
        }
    }
}

impl Service {
    pub(crate) fn new(opened: Opened, path: Option<String>, clock: Clock, times: Times, faults: Faults) -> Self {
        let (opened, seeds, faults) = (Mutex::new(opened), Mutex::default(), Mutex::new(faults));
        Service { opened, path, clock, times, seeds, faults }
    }

    /// Takes a table for another from now on.
    pub(crate) fn seed(&self, table: String, seed: Seed) {
        // Each of the two is held for one assignment or reading, which leaves it whole.
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner).insert(table, seed);
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn strikes(&self) -> Vec<(String, u64)> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).strikes()
    }

    pub(crate) fn pass(&self, operation: &str, table: &str) -> bool {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).pass(operation, Some(table))
    }

    /// When a table next changes by itself.
    pub(crate) fn next_change(&self, table: &str) -> rusqlite::Result<Option<SystemTime>> {
        let now = store::micros((self.clock)());
        let rows = store::indexes(self.lock().engine.connection(), table)?;
        let changes = rows.iter().flat_map(|row| match row.gone_at {
            Some(gone_at) => [gone_at, gone_at],
            None => [row.backfill_at, row.active_at],
        });
        Ok(changes.filter(|at| *at > now).min().map(store::time))
    }

    /// What a request's table is taken for.
    fn seed_of(&self, request: &Request<'_>) -> Seed {
        let seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
        request.table().and_then(|table| seeds.get(table)).cloned().unwrap_or_default()
    }

    fn next_fault(&self, operation: &str, call: &Call) -> Option<Effect> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.next(operation, call.table.as_deref(), call.index.as_deref())
    }

    /// Serves one request: the `x-amz-target` header and the JSON body.
    pub(crate) fn serve(&self, target: &str, body: &[u8]) -> Reply {
        let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or(target);
        let writes = OPERATIONS.iter().find(|(known, _)| *known == operation).map(|(_, writes)| *writes);
        let json = serde_json::from_slice::<Value>(body);
        let readable = json.is_ok();
        let request = Request { operation, body, json: json.unwrap_or_default() };
        let mut call = request.call((self.clock)());
        let mut opened = self.lock();
        let (Some(writes), true) = (writes, readable) else {
            let refusal = match writes {
                None => Refusal::unknown_operation(),
                Some(_) => Refusal::unreadable(),
            };
            return refuse(&opened.engine, call, refusal).into();
        };
        match self.next_fault(operation, &call) {
            None => {}
            Some(Effect::Refuse { code, text }) => {
                let refusal = match text {
                    Some(text) => Refusal::new(&code, &text),
                    None => Refusal::usual(&code, operation, call.table.as_deref()),
                };
                return refuse(&opened.engine, call, refusal).into();
            }
            Some(Effect::Unreachable) => {
                call.outcome = Outcome::Unreachable;
                return match store::append_call(opened.engine.connection(), &call) {
                    Ok(()) => Reply::Unreachable,
                    Err(error) => Err(Refusal::from(error)).into(),
                };
            }
            Some(Effect::Lost) => call.outcome = Outcome::Lost,
        }
        let lost = call.outcome == Outcome::Lost;
        let result =
            if writes { self.write(&mut opened, &request, call) } else { self.read(&mut opened, &request, call) };
        if lost { Reply::Lost } else { result.into() }
    }

    /// The ledger, in order.
    pub(crate) fn calls(&self) -> rusqlite::Result<Vec<Call>> {
        store::calls(self.lock().engine.connection())
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        // A panic may have left a transaction open; `begin` rolls it back.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from one snapshot, then records the call.
    fn read(&self, opened: &mut Opened, request: &Request<'_>, call: Call) -> Result<Vec<u8>, Refusal> {
        self.begin(opened, "BEGIN DEFERRED")?;
        let now = store::micros(call.at);
        let result =
            control::read(&opened.engine, request, &Moment { now, times: self.times, seed: self.seed_of(request) });
        opened.engine.connection().execute_batch("COMMIT")?;
        match result {
            Ok(body) => {
                store::append_call(opened.engine.connection(), &call)?;
                Ok(body)
            }
            Err(refusal) => refuse(&opened.engine, call, refusal),
        }
    }

    /// Changes and records in one transaction, or refuses and records the refusal.
    fn write(&self, opened: &mut Opened, request: &Request<'_>, call: Call) -> Result<Vec<u8>, Refusal> {
        self.begin(opened, "BEGIN IMMEDIATE")?;
        let connection = opened.engine.connection();
        let now = store::micros(call.at);
        let moment = Moment { now, times: self.times, seed: self.seed_of(request) };
        let committed = control::write(&opened.engine, request, &moment).and_then(|done| {
            store::append_call(connection, &call)?;
            let generation = if done.changed_table { store::raise_generation(connection)? } else { opened.generation };
            connection.execute_batch("COMMIT")?;
            Ok((done.body, generation))
        });
        match committed {
            Ok((body, generation)) => {
                opened.generation = generation;
                Ok(body)
            }
            Err(refusal) => {
                if !connection.is_autocommit() {
                    connection.execute_batch("ROLLBACK")?;
                }
                if refusal.status >= 500 {
                    // The engine may remember what was rolled back.
                    opened.generation = -1;
                }
                refuse(&opened.engine, call, refusal)
            }
        }
    }

    /// Opens a transaction in which the engine's cache is right.
    fn begin(&self, opened: &mut Opened, begin: &str) -> Result<(), Refusal> {
        if !opened.engine.connection().is_autocommit() {
            opened.engine.connection().execute_batch("ROLLBACK")?;
            opened.generation = -1;
        }
        loop {
            let connection = opened.engine.connection();
            connection.execute_batch(begin)?;
            let generation = store::generation(connection);
            match (&self.path, generation) {
                (_, Ok(generation)) if generation == opened.generation => return Ok(()),
                // Nobody else can change a database in memory.
                (None, Ok(generation)) => {
                    opened.generation = generation;
                    return Ok(());
                }
                (Some(path), Ok(_)) => {
                    connection.execute_batch("ROLLBACK")?;
                    *opened = open(Some(path), &self.clock).map_err(|e| Refusal::internal(&e))?;
                }
                (_, Err(error)) => {
                    connection.execute_batch("ROLLBACK")?;
                    return Err(error.into());
                }
            }
        }
    }
}

/// Opens an engine and notes the change counter that its empty cache fits.
pub(crate) fn open(path: Option<&str>, clock: &Clock) -> Result<Opened, OpenFailure> {
    let engine = Engine::open(path, clock)?;
    store::initialize(engine.connection())?;
    let generation = store::generation(engine.connection())?;
    Ok(Opened { engine, generation })
}

fn refuse(engine: &Engine, mut call: Call, refusal: Refusal) -> Result<Vec<u8>, Refusal> {
    call.outcome = Outcome::Refused { code: refusal.code.clone() };
    store::append_call(engine.connection(), &call)?;
    Err(refusal)
}
