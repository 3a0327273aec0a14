//! Scans in segments and pages, and what they say they consumed.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use crate::support::*;

#[tokio::test]
async fn the_segments_of_a_scan_hold_each_item_once() {
    let world = World::new();
    world.table("bookings").await;
    for n in 0..40 {
        world.put("bookings", &format!("b{n}"), Some(AttributeValue::S("x".repeat(3000)))).await;
    }
    let (mut seen, mut count, mut units, mut pages) = (BTreeSet::new(), 0, 0.0, 0);
    for segment in 0..3 {
        let mut start: Option<HashMap<String, AttributeValue>> = None;
        loop {
            let scan = world.client.scan().table_name("bookings").segment(segment).total_segments(3).limit(7);
            let scan = scan.projection_expression("#k").expression_attribute_names("#k", "id");
            let scan = scan.return_consumed_capacity(ReturnConsumedCapacity::Total).set_exclusive_start_key(start);
            let page = scan.send().await.unwrap();
            assert!(page.scanned_count() <= 7);
            seen.extend(page.items().iter().map(|item| item["id"].as_s().unwrap().clone()));
            assert!(page.items().iter().all(|item| item.len() == 1), "only what is projected");
            count += page.scanned_count();
            units += page.consumed_capacity().unwrap().capacity_units().unwrap();
            pages += 1;
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
    }
    assert_eq!((seen.len(), count), (40, 40));
    assert!(pages >= 6, "{pages}");
    // 3 KB an item, half a unit per 4 KB that are read: what is projected makes no difference.
    assert!((12.0..20.0).contains(&units), "{units}");
}
