//! What the service refuses about indexes and the engine does not, with the service's texts. Pure.
//!
//! Sources in brackets are those of the facts page, section 9. Rules that the engine already keeps
//! (names, key schemas, missing tables, types of written keys) are not repeated here.
//!
//! Where the service's order of checks is not attested, the request's own faults come first, then
//! what the table's state forbids.

use serde_json::Value;

use crate::{
    answer::{ONE_ONLINE_INDEX, Refusal},
    calls::IndexAction,
    lifecycle::{IndexRow, Phase, phase_of},
};

/// Global secondary indexes per table, the default quota \[D2\] \[Q169\].
const INDEXES_MAX: usize = 20;

/// Non-key attributes of one index \[S\] \[Q126\].
const PROJECTED_MAX: usize = 20;

/// A table as the rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableView<'a> {
    pub(crate) name: &'a str,
    pub(crate) on_demand: bool,
    /// `GlobalSecondaryIndexes` of the engine: everything but the indexes being deleted.
    pub(crate) indexes: &'a [Value],
    pub(crate) rows: &'a [IndexRow],
    pub(crate) now: i64,
}

impl TableView<'_> {
    fn has(&self, index: &str) -> bool {
        self.indexes.iter().any(|other| other["IndexName"] == index)
    }

    fn any_busy(&self) -> bool {
        self.rows.iter().any(|row| row.phase(self.now).is_busy())
    }
}

/// One action of `GlobalSecondaryIndexUpdates`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) action: IndexAction,
    pub(crate) index: &'a str,
    /// The content of the `Create`, `Delete` or `Update` member.
    pub(crate) body: &'a Value,
}

/// The actions of an UpdateTable request, or the refusal of malformed ones \[Q442\].
pub(crate) fn steps(request: &Value) -> Result<Vec<Step<'_>>, Refusal> {
    let updates = request["GlobalSecondaryIndexUpdates"].as_array();
    let mut steps = Vec::new();
    for update in updates.into_iter().flatten() {
        let mut actions = IndexAction::ALL.into_iter().filter(|action| update[action.as_str()].is_object());
        let Some(action) = actions.next() else {
            return Err(Refusal::invalid(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
                 GlobalSecondaryIndexUpdate.Delete must not be null",
            ));
        };
        if actions.next().is_some() {
            return Err(Refusal::invalid(
                "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate \
                 object",
            ));
        }
        let body = &update[action.as_str()];
        let index = body["IndexName"].as_str().unwrap_or_default();
        steps.push(Step { action, index, body });
    }
    Ok(steps)
}

/// Checks the shapes of index names, which the service does before it looks at any table \[Q442\].
pub(crate) fn check_shapes(steps: &[Step<'_>]) -> Result<(), Refusal> {
    for (position, step) in steps.iter().enumerate() {
        let name = step.index;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let constraint = match name.len() {
            ..=2 => "have length greater than or equal to 3",
            256.. => "have length less than or equal to 255",
            _ if !name.chars().all(allowed) => "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            _ => continue,
        };
        let (position, action) = (position + 1, step.action.as_str().to_lowercase());
        return Err(Refusal::validation(&format!(
            "1 validation error detected: Value '{name}' at \
             'globalSecondaryIndexUpdates.{position}.member.{action}.indexName' failed to satisfy constraint: \
             Member must {constraint}"
        )));
    }
    Ok(())
}

/// Checks an `UpdateTable` request against a table that exists.
pub(crate) fn check_update(view: &TableView<'_>, request: &Value, steps: &[Step<'_>]) -> Result<(), Refusal> {
    let target_on_demand = match request["BillingMode"].as_str() {
        Some(mode) => mode == "PAY_PER_REQUEST",
        None => view.on_demand,
    };
    let online = |step: &&Step<'_>| step.action != IndexAction::Update;
    if let Some(step) = steps.iter().find(online) {
        check_company(request, step.action)?;
    }
    if steps.iter().filter(online).count() > 1 {
        return Err(Refusal::limit(ONE_ONLINE_INDEX)); // [S] [Q159]
    }
    let repeated = |(position, step): &(usize, &Step<'_>)| steps[..*position].iter().any(|s| s.index == step.index);
    if let Some((_, step)) = steps.iter().enumerate().find(repeated) {
        return Err(Refusal::invalid(&format!(
            "Only one global secondary index update per index is allowed simultaneously. Index: {}",
            step.index
        ))); // [Q442]
    }
    for step in steps {
        match step.action {
            IndexAction::Create => check_create(view, request, step, target_on_demand)?,
            IndexAction::Delete => check_delete(view, step.index)?,
            IndexAction::Update => check_throughput_update(step, target_on_demand)?,
        }
    }
    Ok(())
}

/// What may not share a call with a Create or Delete \[Q174\] \[Q442\].
fn check_company(request: &Value, action: IndexAction) -> Result<(), Refusal> {
    let has = |member: &str| !request[member].is_null();
    if has("ProvisionedThroughput") && !has("BillingMode") {
        return Err(Refusal::invalid("You cannot create or delete index while updating table IOPS"));
    }
    if has("StreamSpecification") {
        return Err(Refusal::invalid("You cannot create or delete index while changing stream status"));
    }
    if has("WarmThroughput") && action == IndexAction::Create {
        return Err(Refusal::invalid("Create global secondary index cannot be specified when updating WarmThroughput"));
    }
    let alone = [
        ("DeletionProtectionEnabled", "DeletionProtection"),
        ("SSESpecification", "Server-Side Encryption"),
        ("TableClass", "TableClass"),
    ];
    match alone.into_iter().find(|(member, _)| has(member)) {
        Some((_, name)) => {
            Err(Refusal::invalid(&format!("{name} modification must be the only operation in the request")))
        }
        None => Ok(()),
    }
}

fn check_create(view: &TableView<'_>, request: &Value, step: &Step<'_>, on_demand: bool) -> Result<(), Refusal> {
    let index = step.index;
    if view.has(index) {
        // Before the schema, and whether the schemas agree or not [Q442].
        return Err(Refusal::validation("Attempting to create an index which already exists"));
    }
    if request["AttributeDefinitions"].as_array().is_none_or(Vec::is_empty) {
        return Err(Refusal::invalid(&format!("AttributeDefinitions is not specified for index: {index}"))); // [Q162] [Q442]
    }
    check_projection(&step.body["Projection"], "globalSecondaryIndexUpdates.1.member.create")?;
    let throughput = &step.body["ProvisionedThroughput"];
    if on_demand && throughput.is_object() {
        return Err(on_demand_refusal(index));
    }
    if !on_demand && !has_both_units(throughput) {
        return Err(Refusal::invalid(&format!(
            "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {index}"
        ))); // [Q152] [Q442]
    }
    if view.indexes.len() >= INDEXES_MAX {
        return Err(Refusal::limit(&format!(
            "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit \
             of {INDEXES_MAX}"
        ))); // [D2] [Q169]
    }
    if view.any_busy() {
        return Err(Refusal::limit(ONE_ONLINE_INDEX)); // [Q159]
    }
    Ok(())
}

fn check_delete(view: &TableView<'_>, index: &str) -> Result<(), Refusal> {
    let phase = phase_of(view.rows, index, view.now);
    if !view.has(index) && phase != Phase::Deleting {
        return Err(Refusal::not_found(&format!("Index {index} for table {}", view.name)));
    }
    match phase {
        Phase::Allocating => Err(Refusal::in_use(&format!(
            "Index creation is in resource allocation phase. Retry deletion during backfilling \
             phase or when the index is active. Table: {} Index: {index}",
            view.name
        ))), // [S] [Q149]
        // Its own creation is the one busy operation that a delete may end.
        Phase::Backfilling => Ok(()),
        _ if view.any_busy() => Err(Refusal::limit(ONE_ONLINE_INDEX)), // [Q159]
        _ => Ok(()),
    }
}

fn check_throughput_update(step: &Step<'_>, on_demand: bool) -> Result<(), Refusal> {
    if on_demand && step.body["ProvisionedThroughput"].is_object() {
        return Err(on_demand_refusal(step.index));
    }
    Ok(())
}

/// [Q152] [Q442]
fn on_demand_refusal(index: &str) -> Refusal {
    Refusal::invalid(&format!(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {index} when \
         BillingMode is PAY_PER_REQUEST"
    ))
}

fn has_both_units(throughput: &Value) -> bool {
    ["ReadCapacityUnits", "WriteCapacityUnits"].iter().all(|name| throughput[name].is_number())
}

/// [Q126] [Q442]
fn check_projection(projection: &Value, path: &str) -> Result<(), Refusal> {
    let attributes = projection["NonKeyAttributes"].as_array();
    let count = attributes.map_or(0, Vec::len);
    if projection["ProjectionType"] == "INCLUDE" && attributes.is_none() {
        return Err(Refusal::invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"));
    }
    if count > PROJECTED_MAX {
        let names: Vec<&str> = attributes.into_iter().flatten().filter_map(Value::as_str).collect();
        return Err(Refusal::validation(&format!(
            "1 validation error detected: Value '[{}]' at '{path}.projection.nonKeyAttributes' \
             failed to satisfy constraint: Member must have length less than or equal to \
             {PROJECTED_MAX}",
            names.join(", ")
        )));
    }
    Ok(())
}

/// Checks the indexes of a CreateTable request.
pub(crate) fn check_create_table(request: &Value) -> Result<(), Refusal> {
    let on_demand = request["BillingMode"] == "PAY_PER_REQUEST";
    let indexes = request["GlobalSecondaryIndexes"].as_array();
    for (position, index) in indexes.into_iter().flatten().enumerate() {
        let name = index["IndexName"].as_str().unwrap_or_default();
        let path = format!("globalSecondaryIndexes.{}.member", position + 1);
        check_projection(&index["Projection"], &path)?;
        let throughput = &index["ProvisionedThroughput"];
        if on_demand && throughput.is_object() {
            return Err(Refusal::invalid(&format!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode \
                 is PAY_PER_REQUEST"
            ))); // [Q442]
        }
        if !on_demand && !throughput.is_object() {
            return Err(Refusal::invalid(&format!("ProvisionedThroughput is not specified for index: {name}"))); // [Q442]
        }
    }
    Ok(())
}

/// Checks a Query or Scan that names an index \[D1\].
pub(crate) fn check_read(rows: &[IndexRow], index: &str, now: i64) -> Result<(), Refusal> {
    match phase_of(rows, index, now) {
        Phase::Allocating | Phase::Backfilling => {
            Err(Refusal::validation(&format!("Cannot read from backfilling global secondary index: {index}")))
        }
        _ => Ok(()),
    }
}

/// Checks a `DeleteTable` \[Q150\].
pub(crate) fn check_delete_table(rows: &[IndexRow], now: i64) -> Result<(), Refusal> {
    if rows.iter().any(|row| row.phase(now).is_busy()) {
        return Err(Refusal::in_use("Cannot delete table while indexes are being created, updated, or deleted."));
    }
    Ok(())
}
