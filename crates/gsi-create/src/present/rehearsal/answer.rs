//! The schedule for machines.

use gsi_aws::{EventKind, describe::TableDescription};
use serde::Serialize;

use super::Rehearsal;
use crate::{
    present::end::named,
    rehearsal::schedule::{IndexSchedule, TableSchedule, Told},
};

/// The answer of `--json`.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    exit_code: u8,
    seed: u64,
    total_seconds: f64,
    /// The same job without faults, where there were any.
    total_seconds_without_faults: Option<f64>,
    critical_table: Option<&'a str>,
    describe_calls: usize,
    update_calls: usize,
    /// The one that ends last comes first.
    tables: Vec<TableAnswer<'a>>,
    faults: Vec<FaultAnswer<'a>>,
    refusals: Vec<RefusalAnswer<'a>>,
}

#[derive(Serialize)]
struct TableAnswer<'a> {
    table: &'a str,
    item_count: Option<i64>,
    end_seconds: f64,
    indexes: Vec<IndexAnswer<'a>>,
}

#[derive(Serialize)]
struct IndexAnswer<'a> {
    index: &'a str,
    /// When the request was sent that succeeded.
    start_seconds: Option<f64>,
    end_seconds: f64,
    outcome: &'static str,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct FaultAnswer<'a> {
    rule: &'a str,
    strikes: u64,
}

#[derive(Serialize)]
struct RefusalAnswer<'a> {
    at_seconds: f64,
    table: &'a str,
    index: &'a str,
    error: &'a str,
}

impl<'a> Answer<'a> {
    pub(super) fn of(answer: &'a Rehearsal<'_>) -> Self {
        let schedule = &answer.schedule;
        let refusal = |told: &'a Told| match &told.event.kind {
            EventKind::Refused { error, .. } => Some(RefusalAnswer {
                at_seconds: told.at.as_secs_f64(),
                table: told.event.key.table(),
                index: told.event.key.index(),
                error,
            }),
            _ => None,
        };
        Self {
            exit_code: answer.exit as u8,
            seed: answer.seed,
            total_seconds: schedule.total.as_secs_f64(),
            total_seconds_without_faults: answer
                .undisturbed
                .as_ref()
                .map(|undisturbed| undisturbed.total.as_secs_f64()),
            critical_table: schedule.critical().map(|table| table.name.as_str()),
            describe_calls: answer.calls.0,
            update_calls: answer.calls.1,
            tables: schedule.tables.iter().map(|table| TableAnswer::of(table, answer.tables)).collect(),
            faults: answer.strikes.iter().map(|(rule, strikes)| FaultAnswer { rule, strikes: *strikes }).collect(),
            refusals: answer.told.iter().filter_map(refusal).collect(),
        }
    }
}

impl<'a> TableAnswer<'a> {
    fn of(table: &'a TableSchedule, known: &[TableDescription]) -> Self {
        let index = |index: &'a IndexSchedule| {
            let (outcome, error) = named(&index.outcome);
            IndexAnswer {
                index: index.key.index(),
                start_seconds: index.start.map(|start| start.as_secs_f64()),
                end_seconds: index.end.as_secs_f64(),
                outcome,
                error,
            }
        };
        Self {
            table: &table.name,
            item_count: known.iter().find(|known| known.name == table.name).and_then(|known| known.item_count),
            end_seconds: table.end.as_secs_f64(),
            indexes: table.indexes.iter().map(index).collect(),
        }
    }
}
