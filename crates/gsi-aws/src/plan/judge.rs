//! The judgement: wanted indexes against described tables. Pure.

use gsi_state::{GsiKey, GsiStatus};
use indexmap::IndexMap;

use super::{
    Counts, IndexPlan, Mismatch, Plan, PlanOptions, TablePlan, Verdict, Waiting,
    forecast::{self, Forecast, Span},
    order,
};
use crate::{
    api::ApiError,
    classify::{ErrorClass, classify},
    compare::{Comparison, Difference, compare, refusal, unused_setting},
    describe::{IndexDescription, IndexStatus, TableDescription, TableStatus},
    spec::{IndexSpec, shown},
};

/// Judges `specs` by what is known of their tables. A table that `tables` lacks does not exist.
pub fn judge(
    specs: &[IndexSpec],
    tables: &IndexMap<String, Result<TableDescription, ApiError>>,
    options: &PlanOptions,
) -> Plan {
    let mut by_table: IndexMap<&str, Vec<&IndexSpec>> = IndexMap::new();
    for spec in specs {
        by_table.entry(&spec.table).or_default().push(spec);
    }
    let judged = by_table.into_iter().map(|(name, specs)| match tables.get(name) {
        Some(Ok(described)) => TableJudge { specs: &specs, described, options }.judge(),
        Some(Err(error)) => undescribed(name, &specs, Some(error)),
        None => undescribed(name, &specs, None),
    });
    let tables: Vec<TablePlan> = judged.collect();
    let mut counts = Counts::default();
    for index in tables.iter().flat_map(|table| &table.indexes) {
        *match index.verdict {
            Verdict::Create => &mut counts.create,
            Verdict::Wait { .. } => &mut counts.wait,
            Verdict::Adopt => &mut counts.adopt,
            Verdict::Done => &mut counts.done,
            Verdict::Conflict { .. } => &mut counts.conflict,
            Verdict::Refused { .. } => &mut counts.refused,
        } += 1;
    }
    let order = order::of(&tables);
    let schedule = order::schedule(&order, options.tables_parallel_max);
    let all = order.iter().filter_map(|table| table.forecast);
    let forecast = all
        .reduce(|one, other| one.and(other, Span::default()))
        .unwrap_or_default()
        .and(Forecast::default(), schedule.seconds);
    Plan {
        order: order.iter().map(|table| table.table.clone()).collect(),
        critical_table: schedule.last.map(|position| order[position].table.clone()),
        counts,
        tables_parallel_max: options.tables_parallel_max.max(1),
        forecast,
        price_per_million_writes: options.price_per_million_writes,
        tables,
    }
}

impl PlanOptions {
    fn status(&self, table: &str, index: &str) -> Option<GsiStatus> {
        self.statuses.get(&GsiKey::new(table, index)).copied()
    }
}

/// A table that could not be described: nothing would be asked for.
fn undescribed(name: &str, specs: &[&IndexSpec], error: Option<&ApiError>) -> TablePlan {
    let reason = match error {
        Some(error) if classify(error) != ErrorClass::TableMissing => {
            format!("the table cannot be described: {error}")
        }
        _ => format!("there is no table {}", shown(name)),
    };
    let refused = |spec: &&IndexSpec| IndexPlan {
        index: spec.name.clone(),
        verdict: Verdict::Refused { reason: reason.clone() },
        turn: None,
        notes: Vec::new(),
        forecast: None,
    };
    TablePlan { table: name.to_owned(), described: None, indexes: specs.iter().map(refused).collect(), forecast: None }
}

/// The indexes of one table against its description.
struct TableJudge<'a> {
    specs: &'a [&'a IndexSpec],
    described: &'a TableDescription,
    options: &'a PlanOptions,
}

impl TableJudge<'_> {
    fn judge(&self) -> TablePlan {
        let blockade = self.blockade();
        // What the table will be like when the indexes judged so far are there.
        let mut then = self.described.clone();
        let mut indexes: Vec<Option<IndexPlan>> = self.specs.iter().map(|_| None).collect();
        let mut work = Vec::new();
        for position in self.run_order() {
            let spec = self.specs[position];
            let verdict = self.verdict(spec, &then, blockade.as_ref());
            if verdict.creates() {
                promise(&mut then, spec);
            }
            let forecast = self.forecast(spec, &verdict);
            if forecast.is_some() {
                work.push(position);
            }
            let notes = self.notes(spec, &verdict);
            indexes[position] = Some(IndexPlan { index: spec.name.clone(), verdict, turn: None, notes, forecast });
        }
        let mut indexes: Vec<IndexPlan> = indexes.into_iter().flatten().collect();
        // What is under way comes first, since the table is busy with it.
        work.sort_by_key(|position| indexes[*position].verdict.creates());
        for (turn, position) in work.into_iter().enumerate() {
            indexes[position].turn = Some(turn + 1);
        }
        TablePlan {
            table: self.described.name.clone(),
            described: Some(self.described.clone()),
            forecast: self.sum(&indexes),
            indexes,
        }
    }

    /// The order in which a run takes the indexes up: those that the state has in progress first.
    fn run_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.specs.len()).collect();
        let is_under_way = |spec: &IndexSpec| self.status(spec) == Some(GsiStatus::InProgress);
        order.sort_by_key(|position| !is_under_way(self.specs[*position]));
        order
    }

    fn status(&self, spec: &IndexSpec) -> Option<GsiStatus> {
        self.options.status(&spec.table, &spec.name)
    }

    /// What keeps the table from taking a request, unless it is an index that these definitions want.
    fn blockade(&self) -> Option<Waiting> {
        if let Some(busy) = self.described.busy_index() {
            let wanted = self.specs.iter().find(|spec| spec.name == busy.name);
            let is_ours = busy.status != IndexStatus::Deleting
                && wanted.is_some_and(|spec| matches!(compare(spec, self.described), Comparison::Same { .. }));
            let (index, status) = (busy.name.clone(), busy.status.as_str().to_owned());
            return (!is_ours).then_some(Waiting::OtherIndex { index, status });
        }
        let status = &self.described.status;
        (*status != TableStatus::Active).then(|| Waiting::Table { status: status.as_str().to_owned() })
    }

    fn verdict(&self, spec: &IndexSpec, then: &TableDescription, blockade: Option<&Waiting>) -> Verdict {
        if self.status(spec) == Some(GsiStatus::Deleting) {
            let reason = "it is being rolled back: finish that with `--rollback` first".to_owned();
            return Verdict::Refused { reason };
        }
        let otherwise = match compare(spec, self.described) {
            Comparison::Same { status: IndexStatus::Deleting, .. }
            | Comparison::Different { status: IndexStatus::Deleting, .. } => Verdict::Wait { what: Waiting::Deleting },
            Comparison::Different { differences, .. } => {
                return Verdict::Conflict { differences: differences.iter().map(mismatch).collect() };
            }
            Comparison::Same { status: IndexStatus::Active, .. } => {
                let is_ours = matches!(self.status(spec), Some(GsiStatus::Active | GsiStatus::InProgress));
                return if is_ours { Verdict::Done } else { Verdict::Adopt };
            }
            Comparison::Same { backfilling, .. } => return Verdict::Wait { what: Waiting::Building { backfilling } },
            Comparison::Missing => match blockade {
                Some(what) => Verdict::Wait { what: what.clone() },
                None => Verdict::Create,
            },
        };
        let refused = |reason: String| Verdict::Refused { reason };
        match (refusal(spec, self.described), refusal(spec, then)) {
            (Some(now), _) => refused(now.to_string()),
            (None, Some(then)) => refused(format!("with the indexes planned before it, {then}")),
            (None, None) => otherwise,
        }
    }

    fn forecast(&self, spec: &IndexSpec, verdict: &Verdict) -> Option<Forecast> {
        match verdict {
            Verdict::Wait { what: Waiting::Building { .. } } => Some(forecast::rest(spec, self.described)),
            verdict if verdict.creates() => {
                Some(forecast::build(spec, self.described, self.options.price_per_million_writes))
            }
            _ => None,
        }
    }

    /// All work, one after the other, after whatever the table is busy with.
    fn sum(&self, indexes: &[IndexPlan]) -> Option<Forecast> {
        let each = indexes.iter().filter_map(|index| index.forecast);
        let sum = each.reduce(|one, other| one.and(other, one.seconds.plus(other.seconds)))?;
        let first_wait = indexes.iter().find_map(|index| match &index.verdict {
            Verdict::Wait { what: what @ (Waiting::Deleting | Waiting::OtherIndex { .. } | Waiting::Table { .. }) } => {
                Some(self.free_after(what))
            }
            _ => None,
        });
        Some(sum.and(Forecast::default(), sum.seconds.plus(first_wait.unwrap_or_default())))
    }

    /// How long until the table takes a request.
    fn free_after(&self, what: &Waiting) -> Span {
        // Deletion took 2.6 to 5.1 s, allocation 24 to 56 s (facts: api-quirks DDB-TABLE-148 and 149).
        let high = match what {
            Waiting::Building { .. } => 0,
            Waiting::Deleting => 6,
            Waiting::Table { .. } => 60,
            Waiting::OtherIndex { index, .. } => match self.described.index(index) {
                Some(other) if other.status != IndexStatus::Deleting => {
                    let spec = self.described.definitions().find(|spec| spec.name == *index);
                    spec.map_or(0, |spec| forecast::rest(&spec, self.described).seconds.high)
                }
                _ => 6,
            },
        };
        Span { low: 0, high }
    }

    fn notes(&self, spec: &IndexSpec, verdict: &Verdict) -> Vec<String> {
        let mut notes = Vec::new();
        if verdict.creates() {
            if self.status(spec) == Some(GsiStatus::Active) {
                notes.push("the state calls it active, and it is gone: it is made again".to_owned());
            }
            if self.described.item_count.is_none() {
                notes.push("how many items there are is unknown: the forecast is that of an empty table".to_owned());
            }
            notes.extend(unused_setting(spec, self.described).map(|unused| unused.to_string()));
        }
        let is = self.described.index(&spec.name).and_then(|index| index.provisioned);
        if let (Some(is), Some(wanted)) = (is, spec.provisioned.filter(|wanted| Some(*wanted) != is)) {
            notes.push(format!(
                "its throughput is {}/{}, in the definition {}/{}; throughput is left as it is",
                is.read_units, is.write_units, wanted.read_units, wanted.write_units
            ));
        }
        notes
    }
}

/// Takes a table for what it will be when `spec` is there.
fn promise(table: &mut TableDescription, spec: &IndexSpec) {
    table.indexes.retain(|index| index.name != spec.name);
    for (attribute, kind) in spec.attributes.iter() {
        table.attributes.define(attribute, kind);
    }
    table.indexes.push(IndexDescription {
        name: spec.name.clone(),
        status: IndexStatus::Creating,
        backfilling: None,
        key_schema: spec.key_schema.clone(),
        projection: spec.projection.clone(),
        item_count: None,
        size_bytes: None,
        provisioned: None,
    });
}

fn mismatch(difference: &Difference) -> Mismatch {
    match difference {
        Difference::KeySchema { is, wanted } => {
            Mismatch { what: "key schema".to_owned(), is: is.to_string(), wanted: wanted.to_string() }
        }
        Difference::AttributeType { attribute, is, wanted } => Mismatch {
            what: format!("attribute {}", shown(attribute)),
            is: is.map_or_else(|| "not defined".to_owned(), |is| is.to_string()),
            wanted: wanted.to_string(),
        },
        Difference::Projection { is, wanted } => {
            Mismatch { what: "projection".to_owned(), is: is.to_string(), wanted: wanted.to_string() }
        }
    }
}

#[cfg(test)]
mod tests;
