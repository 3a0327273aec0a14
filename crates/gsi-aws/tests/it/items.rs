//! Reading items through the adapter: pages, segments, filters, placeholders.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue as Value;
use gsi_aws::{AttributeValue, Item, ItemApi, QueryIndex, ScanPage, sdk::SdkIndexApi, spec::AttributeType};

use crate::support::*;

/// A table of 40 items; every fourth has the attribute `by`, and one of those a number in it.
async fn filled() -> (World, SdkIndexApi) {
    let world = World::new().tables(&["one"]).await;
    for n in 0..40 {
        let mut put = world.dynamo.client().put_item().table_name("one").item("id", Value::S(format!("{n:02}")));
        put = match n {
            4 => put.item("by", Value::N("7".to_owned())),
            n if n % 4 == 0 => put.item("by", Value::S("x".to_owned())).item("other", Value::Bool(true)),
            _ => put,
        };
        put.send().await.unwrap();
    }
    let api = SdkIndexApi::new(world.dynamo.config());
    (world, api)
}

#[tokio::test(start_paused = true)]
async fn every_item_is_read_once_over_all_pages_and_segments() {
    let (_world, api) = filled().await;
    for segments in [1, 3] {
        let (mut ids, mut scanned) = (Vec::new(), 0);
        for segment in 0..segments {
            let mut start_key: Option<Item> = None;
            loop {
                let request = ScanPage {
                    segment: (segments > 1).then_some((segment, segments)),
                    start_key: start_key.as_ref(),
                    limit: Some(7),
                    projection: &["id", "by", "other"],
                    ..ScanPage::of("one")
                };
                let page = api.scan_page(&request).await.unwrap();
                assert!(page.scanned <= 7 && page.read_units.is_some(), "{page:?}");
                scanned += page.scanned;
                ids.extend(page.items.iter().map(|item| item["id"].to_string()));
                start_key = page.next_key;
                if start_key.is_none() {
                    break;
                }
            }
        }
        assert_eq!((ids.len(), scanned), (40, 40), "{segments}");
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), 40, "{segments}");
    }
}

#[tokio::test(start_paused = true)]
async fn values_keep_their_types_and_filters_look_at_them() {
    let (_world, api) = filled().await;
    let by = [("by", AttributeType::String)];
    let request = ScanPage { projection: &["by", "other"], having: &by, ..ScanPage::of("one") };
    let page = api.scan_page(&request).await.unwrap();
    assert_eq!((page.items.len(), page.scanned), (9, 40));
    let expect = [("by", AttributeValue::String("x".to_owned())), ("other", AttributeValue::Other("BOOL"))];
    let expect: Item = expect.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert!(page.items.iter().all(|item| *item == expect), "{page:?}");
    let by = [("by", AttributeType::Number)];
    let page = api.scan_page(&ScanPage { projection: &["by"], having: &by, ..ScanPage::of("one") }).await.unwrap();
    assert_eq!(page.items[0]["by"], AttributeValue::Number("7".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn one_item_and_one_index() {
    let (world, api) = filled().await;
    world.run(&[spec("one", "aaa")]).await;
    let id = |id: &str| Item::from([("id".to_owned(), AttributeValue::String(id.to_owned()))]);
    let item = api.get_item("one", &id("08"), &["by"]).await.unwrap().unwrap();
    assert_eq!(item, Item::from([("by".to_owned(), AttributeValue::String("x".to_owned()))]));
    assert_eq!(api.get_item("one", &id("99"), &["by"]).await.unwrap(), None);

    let (by, eight) = (AttributeValue::String("x".to_owned()), AttributeValue::String("08".to_owned()));
    let request = QueryIndex {
        table: "one",
        index: "aaa",
        keys: &[("by", &by)],
        filter: &[("id", &eight)],
        limit: 4,
        start_key: None,
    };
    let first = api.query_index(&request).await.unwrap();
    assert_eq!((first.scanned, first.consumed.index.is_some()), (4, true), "{first:?}");
    let (mut count, mut scanned, mut next) = (first.count, first.scanned, first.next_key);
    while let Some(start_key) = next {
        let page = api.query_index(&QueryIndex { start_key: Some(&start_key), ..request.clone() }).await.unwrap();
        (count, scanned, next) = (count + page.count, scanned + page.scanned, page.next_key);
    }
    assert_eq!((count, scanned), (1, 9));
}
