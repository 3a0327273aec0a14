//! Whether indexes answer: verdicts against the embedded service, and against one that is not as it should be.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue as Value;
use gsi_aws::{
    ApiError, Consumed, IndexSpec, Item, ItemApi, Page, QueryAnswer, QueryIndex, ScanPage, Unobserved,
    sdk::SdkIndexApi,
    spec::{AttributeType, KeySchema, Projection},
    validate::{Finding, ValidationOptions, ValidationReport, validate},
};
use gsi_state::Verdict;
use tokio_util::sync::CancellationToken;

use crate::support::*;

async fn looked_into(world: &World, items: Arc<dyn ItemApi>, specs: &[IndexSpec]) -> ValidationReport {
    let api = Arc::new(SdkIndexApi::new(world.dynamo.config()));
    let cancel = CancellationToken::new();
    let mut kept = Vec::new();
    let report =
        validate(api, items, specs.to_vec(), ValidationOptions::default(), &Unobserved, &cancel, |key, found| {
            kept.push((key.clone(), found.clone()));
            Ok::<_, Infallible>(())
        })
        .await
        .unwrap();
    let told: HashMap<_, _> =
        report.findings.iter().filter_map(|(key, found)| Some((key.clone(), found.clone()?))).collect();
    assert_eq!(kept.into_iter().collect::<HashMap<_, _>>(), told, "each finding is handed over once");
    report
}

fn sdk(world: &World) -> Arc<SdkIndexApi> {
    Arc::new(SdkIndexApi::new(world.dynamo.config()))
}

async fn finding(world: &World, spec: &IndexSpec) -> Finding {
    let report = looked_into(world, sdk(world), std::slice::from_ref(spec)).await;
    report.findings[&spec.key()].clone().expect("it is active")
}

async fn put(world: &World, table: &str, attributes: &[(&str, Value)]) {
    let item = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    world.dynamo.client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

fn text(text: &str) -> Value {
    Value::S(text.to_owned())
}

/// An index of every key type at once, with names that no expression takes bare.
fn odd(table: &str) -> IndexSpec {
    let keys = [("status", AttributeType::Number), ("a.b-c#", AttributeType::String), ("date", AttributeType::Binary)];
    IndexSpec {
        key_schema: KeySchema::new(["status", "a.b-c#"], ["date"]),
        attributes: keys.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect(),
        projection: Projection::KeysOnly,
        ..spec(table, "odd")
    }
}

#[tokio::test(start_paused = true)]
async fn an_index_that_answers_is_functional() {
    let world = World::new().tables(&["one", "two"]).await;
    for n in 0..30 {
        // The first items have no key of the index.
        let by = if n < 10 { ("other", text("x")) } else { ("by", text("same")) };
        put(&world, "one", &[("id", text(&n.to_string())), by]).await;
    }
    put(
        &world,
        "two",
        &[
            ("id", text("1")),
            ("status", Value::N("1.50".to_owned())),
            ("a.b-c#", text("é")),
            ("date", Value::B(vec![0, 255].into())),
        ],
    )
    .await;
    let specs = [spec("one", "aaa"), odd("two"), keyed_by("two", "empty", "nobody", AttributeType::Number)];
    world.run(&specs).await;
    let report = looked_into(&world, sdk(&world), &specs).await;
    assert_eq!(report.count(Verdict::Functional), 3, "{report:#?}");
    assert!(!report.is_interrupted && report.not_active() == 0);
    let detail = |spec: &IndexSpec| report.findings[&spec.key()].clone().unwrap().detail;
    assert_eq!(detail(&specs[0]), "it answers, and has 3 of 3 sampled items");
    assert_eq!(detail(&specs[1]), "it answers, and has 1 of 1 sampled items");
    assert_eq!(detail(&specs[2]), "it answers a query for a made-up key; no item that was looked at has its key");
}

#[tokio::test(start_paused = true)]
async fn what_the_rules_leave_out_is_not_missed() {
    let world = World::new().tables(&["one"]).await;
    let too_long = "x".repeat(2049);
    for (n, by) in [Value::N("1".to_owned()), text(""), text(&too_long), Value::Bool(true)].into_iter().enumerate() {
        put(&world, "one", &[("id", text(&n.to_string())), ("by", by)]).await;
    }
    let spec = spec("one", "aaa");
    world.run(std::slice::from_ref(&spec)).await;
    let found = finding(&world, &spec).await;
    assert_eq!(found.verdict, Verdict::Functional, "{found:?}");
    assert!(found.detail.contains("made-up key"), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_as_defined_is_non_functional() {
    let world = World::new().tables(&["one"]).await;
    let check = async |wanted: &IndexSpec, part: &str| {
        let found = finding(&world, wanted).await;
        assert_eq!(found.verdict, Verdict::NonFunctional, "{found:?}");
        assert!(found.detail.contains(part), "{found:?}");
    };
    world.run(&[spec("one", "aaa")]).await;
    check(&keyed_by("one", "aaa", "other", AttributeType::String), "it differs: key schema").await;
    check(&IndexSpec { projection: Projection::KeysOnly, ..spec("one", "aaa") }, "it differs: projection").await;
    check(&spec("one", "absent"), "no index of this name").await;
    check(&spec("nowhere", "aaa"), "the table could not be described").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_being_built_gets_no_verdict() {
    let mut world = World::new().tables(&["one"]).await;
    world.options.is_waiting = false;
    let spec = spec("one", "aaa");
    world.run(std::slice::from_ref(&spec)).await;
    let report = looked_into(&world, sdk(&world), std::slice::from_ref(&spec)).await;
    assert_eq!((report.findings[&spec.key()].clone(), report.not_active()), (None, 1));
    assert_eq!(world.requests("Query"), []);
}

#[tokio::test(start_paused = true)]
async fn errors_are_told_apart() {
    use Verdict::{Functional, NonFunctional, ValidationError};

    let check = async |faults: &str, expect: Verdict, part: &str| {
        let world = World::with_faults(faults).tables(&["one"]).await;
        put(&world, "one", &[("id", text("1")), ("by", text("x"))]).await;
        let spec = spec("one", "aaa");
        world.run(std::slice::from_ref(&spec)).await;
        let found = finding(&world, &spec).await;
        assert_eq!(found.verdict, expect, "{faults}: {found:?}");
        assert!(found.detail.contains(part), "{faults}: {found:?}");
    };
    check("Query#*=AccessDeniedException", ValidationError, "AccessDenied").await;
    check("Query#1..4=ThrottlingException", Functional, "1 of 1").await;
    check("Query#*=InternalServerError", ValidationError, "InternalServerError").await;
    check("Query#*=lost", ValidationError, "no answer to Query").await;
    // Whoever may not scan may query all the same.
    check("Scan#*=AccessDeniedException", Functional, "made-up key; no item could be sampled: AccessDenied").await;
    let backfilling = "ValidationException(Cannot read from backfilling global secondary index: aaa)";
    check(&format!("Query#1..3={backfilling}"), Functional, "1 of 1").await;
    check(&format!("Query#*={backfilling}"), NonFunctional, "Cannot read from backfilling").await;
    let missing = "ValidationException(The table does not have the specified index: aaa)";
    check(&format!("Query#*={missing}"), NonFunctional, "does not have the specified index").await;
}

/// A service that lies about its indexes.
struct Liar {
    inner: SdkIndexApi,
    lie: Lie,
    queries: Mutex<u32>,
}

#[derive(Clone, Copy)]
enum Lie {
    /// Answers from the table.
    NotUsed,
    /// The index lacks every item until the n-th query.
    EmptyUntil(u32),
    /// The index lacks the item, which is gone from the table, too.
    Vanished,
}

#[async_trait]
impl ItemApi for Liar {
    async fn scan_page(&self, request: &ScanPage<'_>) -> Result<Page, ApiError> {
        self.inner.scan_page(request).await
    }

    async fn get_item(&self, table: &str, key: &Item, projection: &[&str]) -> Result<Option<Item>, ApiError> {
        let item = self.inner.get_item(table, key, projection).await;
        if matches!(self.lie, Lie::Vanished) { Ok(None) } else { item }
    }

    async fn query_index(&self, request: &QueryIndex<'_>) -> Result<QueryAnswer, ApiError> {
        let answer = self.inner.query_index(request).await?;
        let n = {
            let mut queries = self.queries.lock().unwrap();
            *queries += 1;
            *queries
        };
        let empty = QueryAnswer { count: 0, scanned: 0, next_key: None, ..answer.clone() };
        Ok(match self.lie {
            Lie::NotUsed => QueryAnswer { consumed: Consumed { index: None, table: Some(1.0) }, ..answer },
            Lie::EmptyUntil(until) if n < until => empty,
            Lie::EmptyUntil(_) => answer,
            Lie::Vanished => empty,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_index_that_lacks_items_is_found_out_and_one_that_lags_is_waited_for() {
    let check = async |lie: Lie, expect: Verdict, part: &str, milliseconds: u128| {
        let world = World::new().tables(&["one"]).await;
        put(&world, "one", &[("id", text("it-1")), ("by", text("x"))]).await;
        let spec = spec("one", "aaa");
        world.run(std::slice::from_ref(&spec)).await;
        let before = tokio::time::Instant::now();
        let liar = Liar { inner: SdkIndexApi::new(world.dynamo.config()), lie, queries: Mutex::default() };
        let report = looked_into(&world, Arc::new(liar), std::slice::from_ref(&spec)).await;
        let found = report.findings[&spec.key()].clone().unwrap();
        assert_eq!(found.verdict, expect, "{found:?}");
        assert!(found.detail.contains(part), "{found:?}");
        // A timer rounds up to whole milliseconds.
        let elapsed = before.elapsed().as_millis();
        assert!((milliseconds..milliseconds + 10).contains(&elapsed), "{elapsed} ms: {found:?}");
    };
    check(Lie::NotUsed, Verdict::NotUsed, "does not name the index", 0).await;
    check(Lie::EmptyUntil(4), Verdict::Functional, "1 of 1", 1500).await; // 0.5 s and 1 s
    check(Lie::EmptyUntil(99), Verdict::NonFunctional, "the item id=\"it-1\" is not in the index", 7500).await;
    check(Lie::Vanished, Verdict::Functional, "0 of 1", 7500).await;
}

#[tokio::test(start_paused = true)]
async fn asked_to_stop_it_keeps_what_it_knows() {
    let world = World::with_faults("Query#*=InternalServerError").tables(&["one"]).await;
    let spec = spec("one", "aaa");
    world.run(std::slice::from_ref(&spec)).await;
    let cancel = CancellationToken::new();
    let hand = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        hand.cancel();
    });
    let (api, options) = (sdk(&world), ValidationOptions::default());
    let report = validate(api.clone(), api, vec![spec], options, &Unobserved, &cancel, |_, _| Ok::<_, Infallible>(()))
        .await
        .unwrap();
    assert!(report.is_interrupted && report.findings.is_empty(), "{report:?}");
}
