//! The pre-flight against the embedded DynamoDB, whose new indexes leave out what the service's would.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use dynamo_embedded::EmbeddedDynamo;
use gsi_aws::{
    CreateIndex, IndexApi, IndexSpec,
    preflight::{Extent, Preflight, PreflightOptions, ScannedTable},
    sdk::SdkIndexApi,
    spec::{AttributeType, AttributeTypes, KeySchema, Projection},
};
use gsi_state::SystemClock;
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// Values of an attribute `h` (HASH) and an attribute `r` (RANGE), of every sort.
fn values() -> Vec<Option<AttributeValue>> {
    let s = |text: String| Some(AttributeValue::S(text));
    let b = |count: usize| Some(AttributeValue::B(Blob::new(vec![1; count])));
    vec![
        None,
        s("a".to_owned()),
        s(String::new()),
        s("x".repeat(1024)),
        s("x".repeat(1025)),
        s("ä".repeat(1024)),
        s("ä".repeat(1025)),
        Some(AttributeValue::N("0".to_owned())),
        Some(AttributeValue::N("-1.5E+20".to_owned())),
        b(0),
        b(1),
        b(1025),
        b(2049),
        Some(AttributeValue::Bool(true)),
        Some(AttributeValue::Null(true)),
        Some(AttributeValue::Ss(vec!["a".to_owned()])),
        Some(AttributeValue::L(Vec::new())),
        Some(AttributeValue::M(HashMap::new())),
    ]
}

/// What fits is what the index holds, whatever the types of its keys are.
#[tokio::test(start_paused = true)]
async fn what_fits_is_what_the_index_then_holds() {
    use AttributeType::{Binary, Number, String};
    let world = World::new();
    let world = world.tables(&["bookings"]).await;
    let client = world.dynamo.client();
    let mut count = 0;
    for h in values() {
        for r in values() {
            let id = AttributeValue::S(format!("i{count}"));
            let put = client.put_item().table_name("bookings").item("id", id);
            let keys =
                [("h", h.clone()), ("r", r.clone())].into_iter().filter_map(|(name, value)| Some((name, value?)));
            let put = keys.fold(put, |put, (name, value)| put.item(name, value));
            put.send().await.unwrap();
            count += 1;
        }
    }
    let api = Arc::new(SdkIndexApi::new(world.dynamo.config()));
    let preflight = Preflight::new(
        api.clone(),
        PreflightOptions { extent: Extent::Full, ..PreflightOptions::default() },
        Arc::new(SystemClock),
    );
    // Each pair of types needs a table of its own, since the service keeps the first type of an attribute.
    for (position, (h, r)) in
        [(String, String), (String, Number), (Number, Binary), (Binary, String)].into_iter().enumerate()
    {
        let copy = format!("copy-{position}");
        copy_table(&world.dynamo, &copy).await;
        let mut attributes = AttributeTypes::default();
        attributes.define("h", h);
        attributes.define("r", r);
        let spec = IndexSpec { attributes: attributes.clone(), ..spec(&copy, "by-h") };
        let spec = IndexSpec { key_schema: KeySchema::new(["h"], ["r"]), projection: Projection::KeysOnly, ..spec };
        let table = ScannedTable::from(&api.describe_table(&copy).await.unwrap());
        let found = preflight.scan(&table, &[&spec], &CancellationToken::new()).await.unwrap().unwrap();
        let index = &found.indexes["by-h"];
        assert_eq!(found.scanned, count);
        assert_eq!(index.fits + index.sparse + index.violations(), count);
        assert_eq!(index.samples.len(), 20);

        let request = CreateIndex { spec: &spec, throughput: None, on_demand: None, attributes };
        api.create_index(&request).await.unwrap();
        tokio::time::sleep(BUILD).await;
        let held = client.scan().table_name(&copy).index_name("by-h").send().await.unwrap().count();
        assert_eq!(index.fits, u64::try_from(held).unwrap(), "{h} {r}: {index:?}");
        assert!(held > 0);
    }
}

/// A table with the items of `bookings`.
async fn copy_table(dynamo: &EmbeddedDynamo, copy: &str) {
    let client = dynamo.client();
    let described = client.describe_table().table_name("bookings").send().await.unwrap().table.unwrap();
    let create =
        client.create_table().table_name(copy).billing_mode(aws_sdk_dynamodb::types::BillingMode::PayPerRequest);
    let create = create.set_key_schema(described.key_schema).set_attribute_definitions(described.attribute_definitions);
    create.send().await.unwrap();
    let mut pages = client.scan().table_name("bookings").into_paginator().send();
    while let Some(page) = pages.next().await {
        for item in page.unwrap().items() {
            client.put_item().table_name(copy).set_item(Some(item.clone())).send().await.unwrap();
        }
    }
}
