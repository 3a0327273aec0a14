//! The model against the embedded service: the same jobs lead to the same requests at the same times.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dynamo_embedded::Times;
use gsi_aws::{IndexSpec, create_all};
use tokio_util::sync::CancellationToken;

use super::{
    model::Model,
    scenario::{Effect, Scenario, Table},
};
use crate::support::*;

/// The same for every index, since the embedded service has one set of times; a tenth is allocation.
const ALLOCATION: Duration = Duration::from_secs(20);
const BACKFILL: Duration = Duration::from_mins(3);
const BUILD: Duration = Duration::from_secs(200);

/// A small job that the embedded service can be given, too.
fn small(seed: u64) -> Scenario {
    let mut job = Scenario::random(seed);
    job.tables.truncate(3);
    for table in &mut job.tables {
        table.indexes.truncate(3);
    }
    job.builds.values_mut().for_each(|build| *build = BUILD);
    job.expected.clear();
    job
}

/// The faults of a job as a script.
fn script(job: &Scenario) -> String {
    let rule = |operation: &str, table: &str, faults: &HashMap<u32, Effect>| {
        let effect = |effect: &Effect| match effect {
            Effect::Refuse(code, text) => format!("{code}({text})"),
            Effect::Lost => "lost".to_owned(),
            Effect::Unreachable => "unreachable".to_owned(),
        };
        let rules = faults.iter().map(|(call, fault)| format!("{operation}[{table}]#{call}={}", effect(fault)));
        rules.collect::<Vec<_>>()
    };
    let of_table = |table: &Table| {
        let mut rules = rule("UpdateTable", &table.name, &table.update_faults);
        rules.extend(rule("DescribeTable", &table.name, &table.look_faults));
        rules
    };
    job.tables.iter().flat_map(of_table).collect::<Vec<_>>().join("; ")
}

/// Index, second and outcome of every request, by table.
type Requests = HashMap<String, Vec<(String, u64, String)>>;

#[tokio::test(start_paused = true)]
async fn the_model_behaves_as_the_embedded_service_does() {
    for seed in 3..13 {
        let job = small(seed);
        let on_model = on_model(&job).await;
        assert_eq!(on_model, on_embedded(&job).await, "seed {seed}: {}", script(&job));
    }
}

async fn on_model(job: &Scenario) -> Requests {
    let world = World::new();
    let model = Arc::new(Model::new(job));
    let specs = job.specs();
    let mut manager = world.manager();
    manager.initialize(specs.iter().map(IndexSpec::key)).unwrap();
    let mut options = world.options.clone();
    options.request_interval = job.request_interval;
    create_all(manager, model.clone(), specs, options, model.clone(), CancellationToken::new()).await.1.unwrap();
    let seen = model.seen();
    assert_eq!(seen.asked_without_intent, 0);
    let logs = seen.tables.into_iter().map(|(name, table)| (name, table.log));
    logs.filter(|(_, log)| !log.is_empty()).collect()
}

async fn on_embedded(job: &Scenario) -> Requests {
    let times = Times { allocation: ALLOCATION, backfill: BACKFILL, delete: Duration::ZERO };
    let mut world = World::with(&script(job), times);
    for table in &job.tables {
        world.table_keyed_by(&table.name, "id", "S").await;
    }
    world.options.request_interval = job.request_interval;
    world.run(&job.specs()).await;
    let mut requests = Requests::new();
    for call in world.dynamo.calls().unwrap().into_iter().filter(|call| call.operation == "UpdateTable") {
        let request = (call.index.clone().unwrap(), second_of(&call), call.outcome.to_string());
        requests.entry(call.table.unwrap()).or_default().push(request);
    }
    requests
}
