//! FHiCL, its stored form, and the blob.

use std::collections::BTreeMap;

use run_record::{
    RunNumber, blob,
    fhicl::{Document, INCLUDE_KEY},
    json::Json,
    text,
};

use crate::messages::assert_showable;

/// A FHiCL text: what it says is printed, stored and read as it was.
#[expect(clippy::expect_used, reason = "this is what a target is for")]
pub(crate) fn fhicl(bytes: &[u8]) {
    let text = text::decode(bytes);
    assert_eq!(text::encode(&text), bytes, "no byte is lost");
    let document = match Document::parse("x.fcl", &text) {
        Ok(document) => document,
        Err(error) => return assert_showable(&error),
    };
    let through = |json: Json| -> Json {
        serde_json::from_str(&serde_json::to_string(&json).expect("plain data")).expect("what is written can be read")
    };
    let (data, metadata) = (through(document.to_data()), through(document.to_metadata()));
    let stored = Document::from_stored(&data, &metadata, &through(document.to_comments()));
    assert_eq!(stored.as_ref(), Ok(&document), "what is stored is read as it was");

    // The stored form keeps includes under names of this form; one that somebody gives to a text is an include, too.
    if text.contains(INCLUDE_KEY.trim_end_matches('_')) {
        return;
    }
    // Each binding of the main part removes one of the prolog, the first of its name. One that was bound twice and removed
    // once stands in the stored form, and is removed when the genuine text of it is read again.
    if has_outlived_its_shadow(&document) {
        return;
    }
    let printed = document.to_text();
    let again = Document::parse("printed.fcl", &printed).expect("what is printed can be read");
    assert_eq!(
        without_numbers(again.to_data()),
        without_numbers(document.to_data()),
        "what is printed says the same:\n{printed}"
    );
}

fn has_outlived_its_shadow(document: &Document) -> bool {
    document.prolog.entries.iter().any(|entry| document.main.get(&entry.key).is_some())
}

/// The values, with the numbers of includes left out: directives in comments count, too, and are not printed.
fn without_numbers(data: Json) -> Json {
    match data {
        Json::Array(items) => Json::Array(items.into_iter().map(without_numbers).collect()),
        Json::Object(members) => {
            let name = |name: String| if name.starts_with(INCLUDE_KEY) { INCLUDE_KEY.to_owned() } else { name };
            Json::Object(members.into_iter().map(|(key, value)| (name(key), without_numbers(value))).collect())
        }
        atom => atom,
    }
}

/// A stored document of another program: exported or refused, and never much larger than it was.
pub(crate) fn stored_fhicl(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Json>(bytes) else { return };
    let part = |name: &str| json.get(name).cloned().unwrap_or(Json::Null);
    match Document::from_stored(&part("data"), &part("metadata"), &part("comments")) {
        Ok(document) => assert_bounded(&document.to_text(), bytes),
        Err(error) => assert_showable(&error),
    }
}

/// A text may be laid out with more lines than the stored form has, but not with any number of them.
fn assert_bounded(text: &str, bytes: &[u8]) {
    assert!(text.len() <= 20_000 + 8 * bytes.len(), "{} bytes made of {}", text.len(), bytes.len());
}

/// A blob: what it holds is packed and unpacked as it was; and so is what is packed of any texts.
#[expect(clippy::expect_used, reason = "this is what a target is for")]
pub(crate) fn blob(bytes: &[u8]) {
    let text = text::decode(bytes);
    match blob::unpack(&text) {
        Ok(found) if found.packed_on.is_empty() => {}
        Ok(found) => {
            let packed = blob::pack_at(found.run, &found.packed_on, &found.files).expect("what was packed can be");
            assert_eq!(blob::unpack(&packed).as_ref(), Ok(&found));
            assert!(blob::same_content(&packed, &packed));
        }
        Err(error) => assert_showable(&error),
    }
    let mut parts = text.split('\0');
    let files: BTreeMap<String, String> =
        std::iter::from_fn(|| Some((parts.next()?.to_owned(), parts.next()?.to_owned()))).collect();
    if let Ok(packed) = blob::pack(RunNumber::new(7), &files) {
        assert_eq!(blob::unpack(&packed).expect("what is packed can be unpacked").files, files, "{packed}");
    }
}
