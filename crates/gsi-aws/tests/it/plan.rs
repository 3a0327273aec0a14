//! A plan describes each table once and asks for nothing; what it says comes true.

use std::sync::Arc;

use gsi_aws::{
    IndexApi, IndexSpec, Outcome,
    plan::{Plan, PlanOptions, Verdict, Waiting, plan},
    sdk::SdkIndexApi,
    spec::AttributeType,
};

use crate::support::*;

async fn planned(world: &World, specs: &[IndexSpec]) -> Plan {
    let api: Arc<dyn IndexApi> = Arc::new(SdkIndexApi::new(world.dynamo.config()));
    plan(api, specs, &PlanOptions::default()).await
}

#[tokio::test(start_paused = true)]
async fn it_describes_each_table_once_and_does_nothing_else() {
    let world = World::new().tables(&["one", "two"]).await;
    let before = world.dynamo.calls().unwrap().len();
    let specs = [spec("one", "aaa"), spec("two", "aaa"), spec("one", "bbb"), spec("three", "aaa")];
    let plan = planned(&world, &specs).await;
    assert_eq!((plan.counts.create, plan.counts.refused), (3, 1));
    let calls = world.dynamo.calls().unwrap();
    let mut asked: Vec<_> =
        calls[before..].iter().map(|call| (call.operation.as_str(), call.table.clone().unwrap_or_default())).collect();
    asked.sort_unstable();
    let looks = ["one", "three", "two"].map(|table| ("DescribeTable", table.to_owned()));
    assert_eq!(asked, looks);
}

#[tokio::test(start_paused = true)]
async fn a_description_that_fails_in_passing_is_tried_again() {
    let world = World::with_faults("DescribeTable#1=ThrottlingException").tables(&["one"]).await;
    assert_eq!(planned(&world, &[spec("one", "aaa")]).await.counts.create, 1);
    let world = World::with_faults("DescribeTable#*=AccessDeniedException").tables(&["one"]).await;
    let plan = planned(&world, &[spec("one", "aaa")]).await;
    assert!(
        matches!(&plan.tables[0].indexes[0].verdict, Verdict::Refused { reason } if reason.contains("AccessDenied"))
    );
    assert_eq!(world.requests("DescribeTable").len(), 1);
}

/// Each verdict against what the run then makes of the index.
#[tokio::test(start_paused = true)]
async fn what_it_says_comes_true() {
    let world = World::new().tables(&["one", "two", "full"]).await;
    for n in 1..=19 {
        world.foreign_create(&spec("full", &format!("theirs-{n}"))).await;
        pass(600).await;
    }
    world.foreign_create(&spec("one", "there")).await;
    pass(600).await;
    world.foreign_create(&keyed_by("one", "other", "at", AttributeType::String)).await;
    pass(600).await;
    world.foreign_create(&spec("one", "coming")).await;
    world.foreign_create(&spec("two", "foreign")).await;
    let specs = [
        spec("one", "there"),
        spec("one", "other"),
        spec("one", "coming"),
        spec("one", "new"),
        keyed_by("one", "wrong", "id", AttributeType::Number),
        spec("two", "later"),
        spec("full", "last"),
        spec("full", "too-many"),
        spec("nowhere", "none"),
    ];
    let plan = planned(&world, &specs).await;
    let report = world.run(&specs).await;
    let expect = [
        ("there", "adopt"),
        ("other", "conflict"),
        ("coming", "wait"),
        ("new", "create"),
        ("wrong", "refused"),
        ("later", "wait"),
        ("last", "create"),
        ("too-many", "refused"),
        ("none", "refused"),
    ];
    let said: Vec<_> = plan.indexes().map(|(_, index)| (index.index.as_str(), index.verdict.as_str())).collect();
    assert_eq!(said, expect);
    for (spec, (_, index)) in specs.iter().zip(plan.indexes()) {
        let came_true = match report.outcomes[&spec.key()] {
            Outcome::Created { .. } => matches!(index.verdict, Verdict::Create | Verdict::Wait { .. }),
            // What is being built is waited for, and was asked for by somebody else.
            Outcome::Adopted => {
                matches!(index.verdict, Verdict::Adopt | Verdict::Wait { what: Waiting::Building { .. } })
            }
            Outcome::Failed { .. } => matches!(index.verdict, Verdict::Conflict { .. } | Verdict::Refused { .. }),
            _ => false,
        };
        assert!(came_true, "{}: {:?}, and then {:?}", spec.name, index.verdict, report.outcomes[&spec.key()]);
    }
}
