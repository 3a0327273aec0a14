//! Items that the service leaves out of an index, and writes that it refuses afterwards. D3

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};

use crate::support::*;

#[tokio::test]
async fn violating_items_are_left_out_silently() {
    let w = World::new();
    w.table("tab").await;
    let items = [
        ("good", Some(s("x"))),
        ("longest", Some(s(&"x".repeat(2048)))),
        ("too-long", Some(s(&"x".repeat(2049)))),
        ("empty", Some(s(""))),
        ("number", Some(n("1"))),
        ("binary", Some(AttributeValue::B(Blob::new("x")))),
        ("absent", None),
    ];
    for (id, by) in items {
        assert_eq!(w.put("tab", id, by).await, "ok", "{id}");
    }
    assert_eq!(outcome(w.create("tab", "idx").send().await), "ok"); // no error: the build goes on
    w.hands.advance(530);
    assert_eq!(w.scan("tab", "idx").await, "good longest");
    let answer = w.client.describe_table().table_name("tab").send().await.unwrap();
    assert_eq!(answer.table().unwrap().global_secondary_indexes()[0].item_count(), Some(2));
    assert_eq!(answer.table().unwrap().item_count(), Some(7));

    // Such keys are refused once the index is ACTIVE.
    let text = "One or more parameter values were invalid: Type mismatch for Index Key by Expected: S Actual: N \
                IndexName: idx";
    assert_eq!(w.put("tab", "later", Some(n("2"))).await, format!("ValidationException: {text}"));
    // A violating item that is mended enters the index; one that is deleted leaves nothing behind.
    assert_eq!(w.put("tab", "number", Some(s("1"))).await, "ok");
    w.client.delete_item().table_name("tab").key("id", s("empty")).send().await.unwrap();
    w.client.delete_item().table_name("tab").key("id", s("good")).send().await.unwrap();
    assert_eq!(w.scan("tab", "idx").await, "longest number");
}

#[tokio::test]
async fn sort_keys_have_half_the_room() {
    let w = World::new();
    w.table("tab").await;
    for (id, length) in [("fits", 1024), ("too-long", 1025)] {
        let put = w.client.put_item().table_name("tab").item("id", s(id)).item("by", s("x"));
        put.item("then", s(&"x".repeat(length))).send().await.unwrap();
    }
    let mut index = new_index("idx");
    index.key_schema.push(key("then", "RANGE"));
    let request = w.client.update_table().table_name("tab").attribute_definitions(attribute("by", "S"));
    let request = request.attribute_definitions(attribute("then", "S"));
    request.global_secondary_index_updates(creation(index)).send().await.unwrap();
    w.hands.advance(530);
    assert_eq!(w.scan("tab", "idx").await, "fits");
}

#[tokio::test]
async fn a_wrongly_declared_type_builds_an_index_of_the_existing_type() {
    // The silent conflict of refusals.rs, seen in the data: items of the declared type are left out.
    let w = World::new();
    w.table("tab").await;
    w.create("tab", "first").send().await.unwrap(); // `by` is S from now on
    w.hands.advance(530);
    assert_eq!(w.put("tab", "text", Some(s("x"))).await, "ok");
    let request = w.client.update_table().table_name("tab").attribute_definitions(attribute("by", "N"));
    request.global_secondary_index_updates(creation(new_index("second"))).send().await.unwrap();
    w.hands.advance(530);
    assert_eq!(w.scan("tab", "second").await, "text");
}
