//! The phases of an index and what a table description says in each of them. Pure: no clock, no SQL.
//!
//! The engine makes an index at once and calls it ACTIVE. The real service allocates (table
//! UPDATING, `Backfilling` false), backfills (table ACTIVE, `Backfilling` true), and only then says
//! ACTIVE with `Backfilling` absent \[Q148\] \[Q138\]. A phase is not stored: it follows from the stored
//! times and the clock, so nothing has to run in the background and nothing is lost with a process.

use serde_json::{Map, Value, json};

/// Warm throughput of an on-demand index for which none was asked \[Q134\].
const WARM_ON_DEMAND: (u64, u64) = (12_000, 4_000);

/// Where an index stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Table UPDATING, index CREATING, `Backfilling` false.
    Allocating,
    /// Table ACTIVE, index CREATING, `Backfilling` true.
    Backfilling,
    /// Index ACTIVE, `Backfilling` absent.
    Active,
    /// Table UPDATING, index DELETING.
    Deleting,
    /// Deleted and no longer described.
    Gone,
}

impl Phase {
    /// Whether the index occupies the table's one online operation.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self, Phase::Allocating | Phase::Backfilling | Phase::Deleting)
    }

    /// Whether the table says UPDATING because of it.
    fn holds_table(self) -> bool {
        matches!(self, Phase::Allocating | Phase::Deleting)
    }
}

/// What is stored of an index that was created, deleted or given capacity after its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) name: String,
    /// When allocation ends, microseconds since the epoch.
    pub(crate) backfill_at: i64,
    /// When the backfill ends.
    pub(crate) active_at: i64,
    /// When the deletion ends, once it began.
    pub(crate) gone_at: Option<i64>,
    /// While it is deleted: `Index` (its description) and `AttributeDefinitions` of before.
    pub(crate) remnant: Option<Value>,
    /// `ProvisionedThroughput`, `OnDemandThroughput`, `WarmThroughput` as asked; the engine drops them.
    pub(crate) capacity: Value,
}

impl IndexRow {
    pub(crate) fn phase(&self, now: i64) -> Phase {
        match self.gone_at {
            Some(gone_at) if now >= gone_at => Phase::Gone,
            Some(_) => Phase::Deleting,
            None if now >= self.active_at => Phase::Active,
            None if now >= self.backfill_at => Phase::Backfilling,
            None => Phase::Allocating,
        }
    }
}

/// The phase of an index of which no row may exist.
pub(crate) fn phase_of(rows: &[IndexRow], index: &str, now: i64) -> Phase {
    rows.iter().find(|row| row.name == index).map_or(Phase::Active, |row| row.phase(now))
}

/// Rewrites the engine's table description into the service's at the moment `now`.
pub(crate) fn describe(table: &mut Map<String, Value>, rows: &[IndexRow], now: i64, created_at: Option<i64>) {
    if let Some(created_at) = created_at {
        // Whole microseconds fit a double until the year 2255.
        #[expect(clippy::cast_precision_loss, reason = "the wire format is a double of seconds")]
        let seconds = created_at as f64 / 1e6;
        table.insert("CreationDateTime".to_owned(), json!(seconds));
    }
    let on_demand = table
        .get("BillingModeSummary")
        .and_then(|summary| summary.get("BillingMode"))
        .is_some_and(|mode| mode == "PAY_PER_REQUEST");
    if let Some(indexes) = table.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut) {
        for index in indexes.iter_mut().filter_map(Value::as_object_mut) {
            let row = rows.iter().find(|row| index.get("IndexName") == Some(&json!(row.name)));
            describe_index(index, row, now, on_demand);
        }
    }
    for row in rows.iter().filter(|row| row.phase(now) == Phase::Deleting) {
        describe_deleting(table, row);
    }
    if rows.iter().any(|row| row.phase(now).holds_table()) {
        table.insert("TableStatus".to_owned(), json!("UPDATING"));
    }
}

fn describe_index(index: &mut Map<String, Value>, row: Option<&IndexRow>, now: i64, on_demand: bool) {
    let phase = row.map_or(Phase::Active, |row| row.phase(now));
    if let Phase::Allocating | Phase::Backfilling = phase {
        index.insert("IndexStatus".to_owned(), json!("CREATING"));
        index.insert("Backfilling".to_owned(), json!(phase == Phase::Backfilling));
        index.insert("ItemCount".to_owned(), json!(0));
        index.insert("IndexSizeBytes".to_owned(), json!(0));
    }
    let capacity = row.map_or(&Value::Null, |row| &row.capacity);
    let asked = |name: &str| capacity.get(name).filter(|value| value.is_object());
    if on_demand {
        index.insert("ProvisionedThroughput".to_owned(), throughput(&Value::Null));
        if let Some(limits) = asked("OnDemandThroughput") {
            index.insert("OnDemandThroughput".to_owned(), limits.clone());
        }
    } else if let Some(asked) = asked("ProvisionedThroughput") {
        index.insert("ProvisionedThroughput".to_owned(), throughput(asked));
    }
    let warm = match (asked("WarmThroughput"), on_demand) {
        (Some(warm), _) => warm.clone(),
        (None, true) => json!({"ReadUnitsPerSecond": WARM_ON_DEMAND.0, "WriteUnitsPerSecond": WARM_ON_DEMAND.1}),
        (None, false) => return,
    };
    index.insert("WarmThroughput".to_owned(), with(warm, "Status", json!("ACTIVE")));
}

fn describe_deleting(table: &mut Map<String, Value>, row: &IndexRow) {
    let Some(remnant) = &row.remnant else {
        return;
    };
    let index = with(remnant["Index"].clone(), "IndexStatus", json!("DELETING"));
    append(table, "GlobalSecondaryIndexes", index);
    // The engine prunes attribute definitions at once, the service when the index is gone [Q151].
    for attribute in remnant["AttributeDefinitions"].as_array().into_iter().flatten() {
        let known = table
            .get("AttributeDefinitions")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|a| a["AttributeName"] == attribute["AttributeName"]));
        if !known {
            append(table, "AttributeDefinitions", attribute.clone());
        }
    }
}

fn append(table: &mut Map<String, Value>, member: &str, value: Value) {
    let list = table.entry(member).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

fn with(mut value: Value, member: &str, content: Value) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.insert(member.to_owned(), content);
    }
    value
}

fn throughput(asked: &Value) -> Value {
    let units = |name: &str| asked.get(name).cloned().unwrap_or(json!(0));
    json!({
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": units("ReadCapacityUnits"),
        "WriteCapacityUnits": units("WriteCapacityUnits"),
    })
}

/// Takes the capacity members out of a `Create` or `Update` action or a CreateTable index.
pub(crate) fn capacity(action: &Value) -> Value {
    let members = ["ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"];
    members
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), action.get(name)?.clone())))
        .filter(|(_, value)| !value.is_null())
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_the_stored_times() {
        let row = |gone_at| IndexRow {
            name: "i".to_owned(),
            backfill_at: 10,
            active_at: 30,
            gone_at,
            remnant: None,
            capacity: Value::Null,
        };
        let check = |now, gone_at, expect| assert_eq!(row(gone_at).phase(now), expect, "{now}");
        check(0, None, Phase::Allocating);
        check(9, None, Phase::Allocating);
        check(10, None, Phase::Backfilling);
        check(29, None, Phase::Backfilling);
        check(30, None, Phase::Active);
        check(20, Some(25), Phase::Deleting); // deleted during the backfill
        check(25, Some(25), Phase::Gone);
        check(40, Some(45), Phase::Deleting);
    }
}
