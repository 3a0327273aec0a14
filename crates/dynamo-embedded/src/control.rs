//! What each operation does inside its transaction: rules before the engine, phases after it.

use serde_json::{Map, Value, json};

use crate::{
    answer::Refusal,
    calls::IndexAction,
    engine::{Engine, TableFacts},
    lifecycle::{self, IndexRow},
    rules::{self, Step, TableView},
    seed::Seed,
    service::Request,
    store,
    times::Times,
    violations,
};

/// A change that took effect, to be committed.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) body: Vec<u8>,
    /// Whether other processes must forget what they know of tables.
    pub(crate) changed_table: bool,
}

/// When a request is served, and on what terms.
#[derive(Debug)]
pub(crate) struct Moment {
    /// Microseconds since the epoch.
    pub(crate) now: i64,
    /// How long operations take on indexes that `seed` does not name.
    pub(crate) times: Times,
    /// What the table is taken for.
    pub(crate) seed: Seed,
}

/// Serves an operation that only reads.
pub(crate) fn read(engine: &Engine, request: &Request<'_>, moment: &Moment) -> Result<Vec<u8>, Refusal> {
    let connection = engine.connection();
    match (request.operation, request.table()) {
        ("DescribeTable", Some(table)) => {
            let body = engine.inside(request.operation, request.body)?;
            described(engine, table, &body, "Table", moment)
        }
        ("Query" | "Scan", Some(table)) => {
            if let Some(index) = request.json["IndexName"].as_str() {
                rules::check_read(&store::indexes(connection, table)?, index, moment.now)?;
            }
            engine.inside(request.operation, request.body)
        }
        _ => engine.inside(request.operation, request.body),
    }
}

/// Serves an operation that writes.
pub(crate) fn write(engine: &Engine, request: &Request<'_>, moment: &Moment) -> Result<Done, Refusal> {
    let table = request.table().unwrap_or_default();
    let body = match request.operation {
        "CreateTable" => create_table(engine, request, table, moment)?,
        "UpdateTable" => {
            let steps = rules::steps(&request.json)?;
            rules::check_shapes(&steps)?;
            match engine.table(table)? {
                Some(facts) => Update { engine, request, table, facts, moment }.run(&steps)?,
                None => engine.inside(request.operation, request.body)?,
            }
        }
        "DeleteTable" => delete_table(engine, request, table, moment.now)?,
        _ => {
            let body = engine.inside(request.operation, request.body)?;
            return Ok(Done { body, changed_table: false });
        }
    };
    Ok(Done { body, changed_table: true })
}

fn create_table(engine: &Engine, request: &Request<'_>, table: &str, moment: &Moment) -> Result<Vec<u8>, Refusal> {
    rules::check_create_table(&request.json)?;
    let body = engine.inside(request.operation, request.body)?;
    let connection = engine.connection();
    let now = moment.now;
    store::put_table(connection, table, now)?;
    let indexes = request.json["GlobalSecondaryIndexes"].as_array();
    for index in indexes.into_iter().flatten() {
        let row = IndexRow {
            name: index["IndexName"].as_str().unwrap_or_default().to_owned(),
            backfill_at: now,
            active_at: now,
            gone_at: None,
            remnant: None,
            capacity: lifecycle::capacity(index),
        };
        store::put_index(connection, table, &row)?;
    }
    described(engine, table, &body, "TableDescription", moment)
}

fn delete_table(engine: &Engine, request: &Request<'_>, table: &str, now: i64) -> Result<Vec<u8>, Refusal> {
    let connection = engine.connection();
    // The engine's own refusals (no such table, protected) come first.
    if engine.table(table)?.is_some_and(|facts| !facts.protected) {
        rules::check_delete_table(&store::indexes(connection, table)?, now)?;
    }
    let body = engine.inside(request.operation, request.body)?;
    store::drop_table(connection, table)?;
    Ok(body)
}

/// An UpdateTable on a table that exists.
struct Update<'a> {
    engine: &'a Engine,
    request: &'a Request<'a>,
    table: &'a str,
    facts: TableFacts,
    moment: &'a Moment,
}

impl Update<'_> {
    fn run(&self, steps: &[Step<'_>]) -> Result<Vec<u8>, Refusal> {
        let connection = self.engine.connection();
        store::purge_indexes(connection, self.table, self.moment.now)?;
        let rows = store::indexes(connection, self.table)?;
        let view = TableView {
            name: self.table,
            on_demand: self.facts.on_demand,
            indexes: &self.facts.indexes,
            rows: &rows,
            now: self.moment.now,
        };
        rules::check_update(&view, &self.request.json, steps)?;
        let remnants = steps
            .iter()
            .map(|step| match step.action {
                IndexAction::Delete => self.remnant(step.index).map(Some),
                IndexAction::Create | IndexAction::Update => Ok(None),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let body = self.engine.inside(self.request.operation, self.request.body)?;
        for (step, remnant) in steps.iter().zip(remnants) {
            let row = rows.iter().find(|row| row.name == step.index);
            let row = self.after(step, row, remnant)?;
            store::put_index(connection, self.table, &row)?;
        }
        described(self.engine, self.table, &body, "TableDescription", self.moment)
    }

    /// The stored row of an index after a step that the engine has carried out.
    fn after(&self, step: &Step<'_>, row: Option<&IndexRow>, remnant: Option<Value>) -> Result<IndexRow, Refusal> {
        let settled = || IndexRow {
            name: step.index.to_owned(),
            backfill_at: self.moment.now,
            active_at: self.moment.now,
            gone_at: None,
            remnant: None,
            capacity: json!({}),
        };
        let Moment { now, times, seed } = self.moment;
        let times = seed.times.get(step.index).unwrap_or(times);
        Ok(match step.action {
            IndexAction::Create => {
                self.leave_out_violations(step)?;
                let backfill_at = now.saturating_add(store::span(times.allocation));
                IndexRow {
                    backfill_at,
                    active_at: backfill_at.saturating_add(store::span(times.backfill)),
                    capacity: lifecycle::capacity(step.body),
                    ..settled()
                }
            }
            IndexAction::Delete => IndexRow {
                gone_at: Some(now.saturating_add(store::span(times.delete))),
                remnant,
                ..row.cloned().unwrap_or_else(settled)
            },
            IndexAction::Update => {
                let mut row = row.cloned().unwrap_or_else(settled);
                merge_capacity(&mut row.capacity, &lifecycle::capacity(step.body));
                row
            }
        })
    }

    fn leave_out_violations(&self, step: &Step<'_>) -> Result<(), Refusal> {
        // Read again: the engine has merged the request's definitions, existing types winning.
        let attributes = self.engine.table(self.table)?.map(|facts| facts.attributes);
        violations::remove(
            self.engine.connection(),
            self.table,
            step.index,
            &step.body["KeySchema"],
            &attributes.unwrap_or_default(),
        )?;
        Ok(())
    }

    /// What a description needs of an index after the engine has forgotten it.
    fn remnant(&self, index: &str) -> Result<Value, Refusal> {
        let request = json!({"TableName": self.table}).to_string();
        let body = self.engine.inside("DescribeTable", request.as_bytes())?;
        let body = described(self.engine, self.table, &body, "Table", self.moment)?;
        let body: Value = serde_json::from_slice(&body).map_err(|e| Refusal::internal(&e))?;
        let indexes = body["Table"]["GlobalSecondaryIndexes"].as_array();
        let mut same = indexes.into_iter().flatten().filter(|other| other["IndexName"] == index);
        let mut description = same.next().cloned().unwrap_or_default();
        if let Some(description) = description.as_object_mut() {
            description.remove("Backfilling");
        }
        Ok(json!({"Index": description, "AttributeDefinitions": self.facts.attributes}))
    }
}

/// Applies an `Update` action: given members replace stored ones, `-1` removes a limit \[S\].
fn merge_capacity(stored: &mut Value, given: &Value) {
    if !stored.is_object() {
        *stored = json!({});
    }
    for (kind, given) in given.as_object().into_iter().flatten() {
        let mut merged = stored[kind].as_object().cloned().unwrap_or_default();
        merged.extend(given.as_object().cloned().unwrap_or_default());
        merged.retain(|_, units| *units != -1);
        stored[kind] = if merged.is_empty() { Value::Null } else { merged.into() };
    }
}

/// Rewrites the table description in an engine's answer.
fn described(engine: &Engine, table: &str, body: &[u8], member: &str, moment: &Moment) -> Result<Vec<u8>, Refusal> {
    let mut answer: Map<String, Value> = serde_json::from_slice(body).map_err(|e| Refusal::internal(&e))?;
    let connection = engine.connection();
    let rows = store::indexes(connection, table)?;
    let created_at = store::created_at(connection, table)?;
    if let Some(description) = answer.get_mut(member).and_then(Value::as_object_mut) {
        lifecycle::describe(description, &rows, moment.now, created_at);
        moment.seed.describe(description);
    }
    serde_json::to_vec(&answer).map_err(|e| Refusal::internal(&e))
}
